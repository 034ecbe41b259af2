"""The router: which of a generation's candidate routes runs next, and why.

The candidates and their prices were frozen at admission, in the order of preference. Here those are passed
over that this worker has no adapter for, that were tried and failed in a way that another route may cure,
whose credential is cooling down, down or at its limit; one that is degraded serves when no healthy one can.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from shared.db import Database
from shared.ids import new_id
from shared.settings import Settings
from workers.credentials import Credentials, Unusable
from workers.limits import Limiter, Line
from workers.monitor import Key, Monitor, Trouble
from workers.providers.base import Provider

_HEALTH_CACHE_S = 1.0
_PROBE_LOOK_S = 1.0
"""How soon those look again who wait for somebody else's probe."""
_RETURN_SPACING_S = 0.01
"""How far apart those come back who waited for the end of a cool-down."""
_LOOKS_PER_CALL = 4
"""Looks for a free call in the time in which one is likely to come free."""
_LONGEST_SPACING_S = 1.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """The route to take. `decision` is what the generation keeps and shows.

    The submission has its id here, because limits and probes are taken in its name.
    """

    route: Mapping[str, Any]
    provider: Provider
    submission_id: UUID
    decision: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Later:
    """No route left can take it now; look again in `delay_s`. `reason` is `cooldown` or `limit`."""

    delay_s: float
    reason: str = "cooldown"


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Nothing is left to try."""

    reason: str


@dataclass(slots=True)
class _Choice:
    """A choice under way."""

    routes: Sequence[Mapping[str, Any]]
    tried: Sequence[str]
    submission_id: UUID = field(default_factory=new_id)
    skipped: dict[str, dict[str, str]] = field(default_factory=dict)
    delays: list[Later] = field(default_factory=list)

    def skip(self, route: Mapping[str, Any], why: str, later: Later | None = None) -> None:
        """Passes a route over; it may serve later."""
        self.skipped[route["card"]] = {"card": route["card"], "provider": route["provider"], "why": why}
        if later is not None:
            self.delays.append(later)

    def take(self, route: Mapping[str, Any], provider: Provider, how: str) -> Chosen:
        place = next(n for n, other in enumerate(self.routes, start=1) if other is route)
        others = [other for other in self.routes if other is not route and other["card"] not in self.tried]
        self.skipped.pop(route["card"], None)
        decision = {
            "card": route["card"],
            "reason": f"priority {place}, {how}",
            "fallbacks": list(dict.fromkeys(other["provider"] for other in others)),
            "tried": list(self.tried),
            "skipped": list(self.skipped.values()),
        }
        return Chosen(route, provider, self.submission_id, decision)

    def nothing(self) -> Later | NoRoute:
        if self.delays:
            return min(self.delays, key=lambda later: later.delay_s)
        return NoRoute(
            "; ".join(f"{card}: {skip['why']}" for card, skip in self.skipped.items()) or "no route"
        )


class Router:
    """One per process. `monitor` is told what providers answer."""

    def __init__(self, db: Database, credentials: Credentials, settings: Settings) -> None:
        self.monitor = Monitor(db, settings.provider_cooldown_s)
        self._credentials = credentials
        self._limiter = Limiter(db, settings.provider_limits)
        self._line = Line()
        self._troubles: dict[Key, Trouble] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def open(self) -> None:
        """Tells everyone which limits are kept. Raises CONNECTION_ERRORS."""
        await self._limiter.publish(self._credentials.platform.values())

    async def choose(
        self, routes: Sequence[Mapping[str, Any]], tried: Sequence[str], account_id: UUID | None = None
    ) -> Chosen | Later | NoRoute:
        """`tried` are the cards that failed already for this generation, `account_id` says whose keys may be used.
        Raises CONNECTION_ERRORS."""
        await self._refresh()
        choice = _Choice(routes, tried)
        degraded = []
        for route in routes:
            provider = await self._usable(choice, route, account_id)
            if provider is None or self._is_cooling(choice, route, provider):
                continue
            status = self._status(provider)
            if status == "degraded":
                choice.skip(route, "degraded: many of its calls fail")
                degraded.append((route, provider))
            elif status == "down":
                if await self._may_probe(choice, route, provider):
                    return choice.take(route, provider, "down, tried to see whether it is back")
            elif await self._has_room(choice, route, provider):
                return choice.take(route, provider, "healthy, within its limits")
        for route, provider in degraded:
            if await self._has_room(choice, route, provider):
                return choice.take(route, provider, "degraded, but no healthy route is free")
        return choice.nothing()

    async def cool_down(self, provider: Provider, seconds: float, reason: str) -> None:
        """Sends nothing with this provider's credential for `seconds`."""
        await self.monitor.cool_down(_key(provider), seconds, reason)
        self._read_at = float("-inf")

    def unused(self, chosen: Chosen) -> None:
        """The call is not made (any more); if it was to be the probe, somebody else may be it."""
        self.monitor.give_up_probe(_key(chosen.provider), chosen.submission_id)

    async def close(self) -> None:
        await self.monitor.close()

    async def _usable(
        self, choice: _Choice, route: Mapping[str, Any], account_id: UUID | None
    ) -> Provider | None:
        if route["card"] in choice.tried:
            choice.skip(route, "failed before")
            return None
        provider = await self._credentials.to_submit(route, account_id)
        if isinstance(provider, Unusable):
            choice.skip(route, provider.why)
            return None
        return provider

    def _is_cooling(self, choice: _Choice, route: Mapping[str, Any], provider: Provider) -> bool:
        trouble = self._troubles.get(_key(provider))
        if trouble is None or trouble.cooling_s <= 0:
            return False
        down = "down, " if trouble.status == "down" else ""
        delay_s = self._line.stand(_key(provider), trouble.cooling_s, _RETURN_SPACING_S)
        choice.skip(route, f"{down}cooling down for {trouble.cooling_s:.0f} s", Later(delay_s))
        return True

    def _status(self, provider: Provider) -> str:
        trouble = self._troubles.get(_key(provider))
        return "healthy" if trouble is None else trouble.status

    async def _may_probe(self, choice: _Choice, route: Mapping[str, Any], provider: Provider) -> bool:
        key = _key(provider)
        if self._troubles[key].probing_s <= 0:
            # Others of this process need not ask as well.
            self._troubles[key] = replace(
                self._troubles[key], probing_until=time.monotonic() + _HEALTH_CACHE_S
            )
            if await self.monitor.claim_probe(key, choice.submission_id, provider.submit_timeout_s):
                if await self._has_room(choice, route, provider):
                    return True
                self.monitor.give_up_probe(key, choice.submission_id)
                return False
        delay_s = self._line.stand(key, _PROBE_LOOK_S, _RETURN_SPACING_S)
        choice.skip(route, "down, and being tried", Later(delay_s))
        return False

    async def _has_room(self, choice: _Choice, route: Mapping[str, Any], provider: Provider) -> bool:
        full = await self._limiter.take(provider, choice.submission_id)
        if full is None:
            return True
        spacing_s = full.spacing_s
        if spacing_s is None:
            spacing_s = min(max(route["expected_s"] / full.limit / _LOOKS_PER_CALL, 0.01), _LONGEST_SPACING_S)
        choice.skip(
            route, full.why, Later(self._line.stand(_key(provider), full.ready_s, spacing_s), "limit")
        )
        return False

    async def _refresh(self) -> None:
        if time.monotonic() - self._read_at > _HEALTH_CACHE_S:
            # Everybody who comes now waits for one reader.
            async with self._reading:
                if time.monotonic() - self._read_at > _HEALTH_CACHE_S:
                    self._troubles = await self.monitor.troubles()
                    self._read_at = time.monotonic()


def _key(provider: Provider) -> Key:
    return provider.name, provider.credential
