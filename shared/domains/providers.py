"""Providers as people see and steer them: how each does, what it may do, and which an account wants first."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.batch import Batcher
from shared.catalog import ModelCard
from shared.db import Database, Tx
from shared.domains.provider_keys import PLATFORM, credential_of
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

# One row, whatever the account has. The newest active key of a provider serves it; one that served and is refused
# now stands in its place until it is replaced.
_ORDER = """
SELECT r.defaults, coalesce(r.fallbacks, true) AS fallbacks,
    (SELECT jsonb_agg(jsonb_build_object('provider', p.provider, 'priority', p.priority, 'enabled', p.enabled,
            'monthly_cap_nanos', p.monthly_cap_nanos) ORDER BY p.priority, p.provider)
        FROM account_providers p WHERE p.account_id = $1) AS wishes,
    (SELECT jsonb_agg(jsonb_build_object('provider', k.provider, 'id', k.id, 'active', k.is_active)) FROM (
        SELECT DISTINCT ON (u.provider) u.provider, u.id, u.is_active FROM user_api_keys u
        WHERE u.user_id = $1 AND u.deleted_at IS NULL
            AND (u.is_active OR (u.status = 'refused' AND u.last_used_at IS NOT NULL))
        ORDER BY u.provider, u.is_active DESC, u.created_at DESC, u.id DESC) k) AS keys
FROM (SELECT) one LEFT JOIN account_routing r ON r.account_id = $1
"""
# A provider without a wish may still have a cap.
_CLEAR_ORDER = """
WITH kept AS (
    UPDATE account_providers SET priority = NULL, enabled = true, updated_at = now()
    WHERE account_id = $1 AND monthly_cap_nanos IS NOT NULL AND NOT provider = ANY ($2)
)
DELETE FROM account_providers WHERE account_id = $1 AND monthly_cap_nanos IS NULL AND NOT provider = ANY ($2)
"""
_SET_ORDER = """
INSERT INTO account_providers (account_id, provider, priority, enabled)
SELECT $1, w.provider, w.priority, w.enabled
FROM unnest($2::text[], $3::int[], $4::boolean[]) AS w (provider, priority, enabled)
ON CONFLICT (account_id, provider) DO UPDATE
    SET priority = excluded.priority, enabled = excluded.enabled, updated_at = now()
"""
_SET_CAPS = """
INSERT INTO account_providers (account_id, provider, monthly_cap_nanos)
SELECT $1, w.provider, w.cap FROM unnest($2::text[], $3::bigint[]) AS w (provider, cap)
ON CONFLICT (account_id, provider) DO UPDATE
    SET monthly_cap_nanos = excluded.monthly_cap_nanos, updated_at = now()
"""
_SET_ROUTING = """
INSERT INTO account_routing (account_id, defaults, fallbacks) VALUES ($1, coalesce($2, '{}'::jsonb), coalesce($3, true))
ON CONFLICT (account_id) DO UPDATE SET defaults = coalesce($2, account_routing.defaults),
    fallbacks = coalesce($3, account_routing.fallbacks), updated_at = now()
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """An account's wish about one provider; the lowest priority is tried first, None after all that have one."""

    provider: str
    priority: int | None
    enabled: bool = True
    monthly_cap_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The account's own key that stands for a provider; an inactive one is refused there now."""

    id: UUID
    active: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What an account wishes and brings along. A provider without a wish comes after those that have one, by the
    models' ranks. `defaults` names a model by kind, `fallbacks` holds for requests that do not say."""

    wishes: Sequence[Wish] = ()
    keys: Mapping[str, OwnKey] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    fallbacks: bool = True
    places: Mapping[str, int] = field(init=False)
    disabled: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        places = {wish.provider: wish.priority for wish in self.wishes if wish.priority is not None}
        object.__setattr__(self, "places", places)
        object.__setattr__(
            self, "disabled", frozenset(wish.provider for wish in self.wishes if not wish.enabled)
        )

    def place(self, provider: str) -> float:
        return self.places.get(provider, float("inf"))

    def obstacle(self, card: ModelCard) -> str | None:
        """Why this model cannot serve the account; None when it can. An own key takes the place of the platform's,
        also where the platform has none."""
        own = self.keys.get(card.provider) if card.own_key else None
        if own is not None:
            return None if own.active else f"your own key for {card.provider} is not accepted there any more"
        return None if card.available else card.unavailable_reason or "it is not available"

    def credential(self, card: ModelCard) -> str:
        """Whose account at the provider serves this model."""
        own = self.keys.get(card.provider) if card.own_key else None
        return PLATFORM if own is None else credential_of(own.id)


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
    """What the account wishes and brings along, the first choice first."""
    row = await tx.fetchrow(_ORDER, account_id)
    assert row is not None  # noqa: S101  # it joins to one row
    wishes = [Wish(**wish) for wish in row["wishes"] or ()]
    keys = {key["provider"]: OwnKey(UUID(key["id"]), key["active"]) for key in row["keys"] or ()}
    if not wishes and not keys and row["defaults"] is None:
        return NO_WISHES
    return Order(wishes, keys, row["defaults"] or {}, row["fallbacks"])


async def set_order(tx: Tx, account_id: UUID, wishes: Sequence[Wish], known: frozenset[str]) -> None:
    """Replaces all places of the account's providers; their caps stay. Raises InvalidInput for a provider that is
    unknown or named twice."""
    names = [wish.provider for wish in wishes]
    for n, name in enumerate(names):
        if name not in known:
            raise InvalidInput(f"There is no provider {name!r}.", field=f"providers.{n}.provider", status=422)
        if name in names[:n]:
            raise InvalidInput(f"{name} is named twice.", field=f"providers.{n}.provider", status=422)
    await tx.execute(_CLEAR_ORDER, account_id, names)
    await tx.execute(
        _SET_ORDER, account_id, names, [wish.priority for wish in wishes], [wish.enabled for wish in wishes]
    )


async def set_caps(tx: Tx, account_id: UUID, caps: Mapping[str, int | None]) -> None:
    """What each of these providers may cost in a month, in nano-dollars; None is no cap."""
    await tx.execute(_SET_CAPS, account_id, list(caps), list(caps.values()))


async def set_routing(
    tx: Tx, account_id: UUID, *, defaults: Mapping[str, str] | None = None, fallbacks: bool | None = None
) -> None:
    """Sets what is given and leaves the rest as it is."""
    await tx.execute(_SET_ROUTING, account_id, None if defaults is None else dict(defaults), fallbacks)


async def states(tx: Tx) -> list[Mapping[str, Any]]:
    """How each credential does and what it may do: the platform's, and those of the transaction's account."""
    return list(await tx.fetch(_STATES, FORGET_S))


async def reset(tx: Tx, provider: str) -> int:
    """Forgets cool-downs and failures of the platform's credentials and the account's own; returns how many."""
    return int(await tx.fetchval("SELECT auth.reset_provider($1)", provider))
