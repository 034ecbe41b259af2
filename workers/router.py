"""The router: which of a generation's candidate routes runs next, and why.

The candidates and their prices were frozen at admission, in the order of preference. Here those are passed
over that this worker has no adapter for, that were tried and failed in a way that another route may cure,
or whose credential is cooling down.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.db import Database
from workers.providers.base import Provider

_HEALTH_CACHE_S = 1.0

_COOLDOWNS = """
SELECT provider, extract(epoch FROM cooldown_until - now())::float8 AS left_s FROM provider_health
WHERE user_id IS NULL AND cooldown_until > now()
"""

_SET_COOLDOWN = """
INSERT INTO provider_health (provider, status, cooldown_until, last_failure_at, failure_count, error_message,
    checked_at)
VALUES ($1, 'degraded', now() + $2::float8 * interval '1 second', now(), 1, $3, now())
ON CONFLICT ON CONSTRAINT provider_health_once DO UPDATE SET
    cooldown_until = greatest(provider_health.cooldown_until, excluded.cooldown_until), status = 'degraded',
    last_failure_at = now(), failure_count = provider_health.failure_count + 1,
    error_message = excluded.error_message, checked_at = now()
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The route to take. `decision` is what the generation keeps and shows."""

    route: Mapping[str, Any]
    provider: Provider
    decision: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Later:
    """Every route left is cooling down; the first is ready in `delay_s`."""

    delay_s: float


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Nothing is left to try."""

    reason: str


class Router:
    def __init__(self, db: Database, providers: Mapping[str, Provider]) -> None:
        self._db = db
        self._providers = providers
        self._cooldowns: dict[str, float] = {}
        self._read_at = float("-inf")

    async def choose(
        self, routes: Sequence[Mapping[str, Any]], tried: Sequence[str]
    ) -> Chosen | Later | NoRoute:
        """`tried` are the cards that failed already for this generation."""
        cooling = await self._read_cooldowns()
        skipped: list[dict[str, str]] = []
        waits: list[float] = []
        for place, route in enumerate(routes):
            why = self._why_not(route, tried, cooling)
            if why is None:
                return Chosen(
                    route, self._providers[route["provider"]], _decision(routes, place, tried, skipped)
                )
            if route["provider"] in cooling and route["card"] not in tried:
                waits.append(cooling[route["provider"]])
            skipped.append({"card": route["card"], "why": why})
        if waits:
            return Later(min(waits))
        return NoRoute("; ".join(f"{skip['card']}: {skip['why']}" for skip in skipped) or "no route")

    async def cool_down(self, provider: str, seconds: float, reason: str) -> None:
        """Sends nothing with this provider's credential for `seconds`."""
        await self._db.execute(_SET_COOLDOWN, provider, seconds, reason)
        self._read_at = float("-inf")

    def _why_not(
        self, route: Mapping[str, Any], tried: Sequence[str], cooling: Mapping[str, float]
    ) -> str | None:
        if route["card"] in tried:
            return "failed before"
        provider = self._providers.get(route["provider"])
        if provider is None:
            return "no adapter in this worker"
        if provider.unavailable_reason is not None:
            return provider.unavailable_reason
        if route["provider"] in cooling:
            return f"cooling down for {cooling[route['provider']]:.0f} s"
        return None

    async def _read_cooldowns(self) -> Mapping[str, float]:
        now = time.monotonic()
        if now - self._read_at > _HEALTH_CACHE_S:
            rows = await self._db.fetch(_COOLDOWNS)
            self._cooldowns = {row["provider"]: now + row["left_s"] for row in rows}
            self._read_at = now
        return {name: until - now for name, until in self._cooldowns.items() if until > now}


def _decision(
    routes: Sequence[Mapping[str, Any]],
    place: int,
    tried: Sequence[str],
    skipped: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    reason = "first choice" if place == 0 else f"choice {place + 1} of {len(routes)}"
    return {
        "card": routes[place]["card"],
        "reason": reason,
        "fallbacks": [route["provider"] for route in routes[place + 1 :]],
        "tried": list(tried),
        "skipped": list(skipped),
    }
