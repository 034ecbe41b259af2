"""Providers as people see and steer them: how each does, what it may do, and which an account wants first."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.batch import Batcher
from shared.db import Database, Tx
from shared.errors import InvalidInput

FORGET_S = 60.0
"""A provider that is degraded counts as healthy once nothing has failed for so long."""
ORDER_CACHE_S = 5.0
ORDER_CACHE_SIZE = 10_000
MAX_ORDER = 100

_STATES = """
SELECT provider, credential, coalesce(h.user_id IS NOT NULL, false) AS own,
    CASE WHEN h.status = 'degraded' AND h.last_failure_at < now() - $1::float8 * interval '1 second' THEN 'healthy'
        ELSE coalesce(h.status, 'unknown') END AS status,
    coalesce(h.error_rates, '{}') AS error_rates, h.avg_response_time_ms::float8 AS response_ms,
    CASE WHEN h.cooldown_until > now() THEN h.cooldown_until END AS cooldown_until,
    coalesce(h.probe_until > now(), false) AS probing, h.error_message, h.last_success_at, h.last_failure_at,
    h.checked_at, l.rpm, l.concurrent
FROM provider_health h FULL JOIN provider_limits l USING (provider, credential)
WHERE h.provider IS NOT NULL OR l.credential LIKE 'platform%'
ORDER BY provider, own, credential
"""

_ORDER = "SELECT provider, priority, enabled FROM account_providers WHERE account_id = $1 ORDER BY priority, provider"
_CLEAR_ORDER = "DELETE FROM account_providers WHERE account_id = $1"
_SET_ORDER = """
INSERT INTO account_providers (account_id, provider, priority, enabled)
SELECT $1, w.provider, w.priority, w.enabled
FROM unnest($2::text[], $3::int[], $4::boolean[]) AS w (provider, priority, enabled)
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """An account's wish about one provider; the lowest priority is tried first."""

    provider: str
    priority: int
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """An account's wishes. A provider without one comes after those that have one, by the models' ranks."""

    wishes: Sequence[Wish] = ()
    places: Mapping[str, int] = field(init=False)
    disabled: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {wish.provider: wish.priority for wish in self.wishes})
        object.__setattr__(
            self, "disabled", frozenset(wish.provider for wish in self.wishes if not wish.enabled)
        )

    def place(self, provider: str) -> float:
        return self.places.get(provider, float("inf"))


NO_WISHES = Order()


class Orders:
    """Each account's order, read again when the copy is older than five seconds."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[UUID, tuple[float, Order]] = {}
        self._reads: Batcher[UUID, None, Order] = Batcher(self._read)

    async def of(self, account_id: UUID) -> Order:
        """Raises CONNECTION_ERRORS."""
        known = self._known.get(account_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        return await self._reads(account_id, None)

    def forget(self, account_id: UUID) -> None:
        """The order was changed here; other processes see it within five seconds."""
        self._known.pop(account_id, None)

    async def _read(self, account_id: UUID, callers: list[None]) -> Sequence[Order]:
        """One look for all requests of the account that came meanwhile."""
        async with self._db.transaction(account_id) as tx:
            found = await order(tx, account_id)
        if len(self._known) >= ORDER_CACHE_SIZE:
            self._known.clear()
        self._known[account_id] = (time.monotonic() + ORDER_CACHE_S, found)
        return [found] * len(callers)


async def order(tx: Tx, account_id: UUID) -> Order:
    """The account's own wishes, the first choice first."""
    rows = await tx.fetch(_ORDER, account_id)
    if not rows:
        return NO_WISHES
    return Order([Wish(row["provider"], row["priority"], row["enabled"]) for row in rows])


async def set_order(tx: Tx, account_id: UUID, wishes: Sequence[Wish], known: frozenset[str]) -> None:
    """Replaces all wishes of the account. Raises InvalidInput for a provider that is unknown or named twice."""
    names = [wish.provider for wish in wishes]
    for n, name in enumerate(names):
        if name not in known:
            raise InvalidInput(f"There is no provider {name!r}.", field=f"providers.{n}.provider", status=422)
        if name in names[:n]:
            raise InvalidInput(f"{name} is named twice.", field=f"providers.{n}.provider", status=422)
    await tx.execute(_CLEAR_ORDER, account_id)
    await tx.execute(
        _SET_ORDER, account_id, names, [wish.priority for wish in wishes], [wish.enabled for wish in wishes]
    )


async def states(tx: Tx) -> list[Mapping[str, Any]]:
    """How each credential does and what it may do: the platform's, and those of the transaction's account."""
    return list(await tx.fetch(_STATES, FORGET_S))


async def reset(tx: Tx, provider: str) -> int:
    """Forgets cool-downs and failures of the platform's credentials and the account's own; returns how many."""
    return int(await tx.fetchval("SELECT auth.reset_provider($1)", provider))
