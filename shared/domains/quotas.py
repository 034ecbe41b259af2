"""Quotas: how much of a plan's features an account has used in the current day, week or month of its time zone.

What a generation takes is counted in its admission. It is given back, to the period from which it was taken, when the
generation ends without a result and without a charge through no choice of the account: when it fails or expires, or
when it is canceled before any worker began with it. What was canceled later stays counted, for it used the machines.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.domains.plans import LIVE, Limit, Plan
from shared.errors import QuotaExceeded

# Rows are made, and locked, in the order of their features.
_LOCK = """
INSERT INTO quota_counters (account_id, feature, period, period_start)
SELECT $1, q.feature, q.period, window_day(q.period, $4, now())
FROM unnest($2::text[], $3::text[]) AS q (feature, period) ORDER BY q.feature
ON CONFLICT (account_id, feature, period, period_start) DO UPDATE SET used = quota_counters.used
RETURNING feature, period, period_start, used, window_end(period, $4, now()) AS resets_at,
    extract(epoch FROM window_end(period, $4, now()) - now())::float8 AS resets_in_s
"""
_LOOK = """
SELECT q.feature, q.period, window_day(q.period, $4, now()) AS period_start, coalesce(c.used, 0) AS used,
    window_end(q.period, $4, now()) AS resets_at,
    extract(epoch FROM window_end(q.period, $4, now()) - now())::float8 AS resets_in_s
FROM unnest($2::text[], $3::text[]) AS q (feature, period)
LEFT JOIN quota_counters c ON c.account_id = $1 AND c.feature = q.feature AND c.period = q.period
    AND c.period_start = window_day(q.period, $4, now())
"""
_TAKE = """
WITH taken AS (
    INSERT INTO quota_uses (generation_id, account_id, feature, period, period_start, units)
    SELECT t.generation_id, $1, t.feature, t.period, t.period_start, t.units
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::date[], $6::int[])
        AS t (generation_id, feature, period, period_start, units)
    RETURNING feature, period, period_start, units
)
UPDATE quota_counters c SET used = c.used + t.units
FROM (SELECT feature, period, period_start, sum(units)::int AS units FROM taken GROUP BY 1, 2, 3) t
WHERE c.account_id = $1 AND (c.feature, c.period, c.period_start) = (t.feature, t.period, t.period_start)
"""
_GIVE_BACK = """
WITH gone AS (
    DELETE FROM quota_uses WHERE generation_id = ANY ($1) RETURNING account_id, feature, period, period_start, units
), sums AS (
    SELECT account_id, feature, period, period_start, sum(units)::int AS units FROM gone GROUP BY 1, 2, 3, 4
), locked AS (
    SELECT c.account_id, c.feature, c.period, c.period_start FROM quota_counters c
    JOIN sums USING (account_id, feature, period, period_start)
    ORDER BY account_id, feature, period, period_start FOR NO KEY UPDATE OF c
)
UPDATE quota_counters c SET used = greatest(c.used - s.units, 0)
FROM locked JOIN sums s USING (account_id, feature, period, period_start)
WHERE (c.account_id, c.feature, c.period, c.period_start)
    = (locked.account_id, locked.feature, locked.period, locked.period_start)
"""
_PRUNE = (
    "DELETE FROM quota_uses WHERE period <> 'total' AND period_start < current_date - $1::int",
    "DELETE FROM quota_counters WHERE period <> 'total' AND period_start < current_date - $1::int",
)


@dataclass(slots=True)
class Counters:
    """What is used of the features of a plan that requests of one account touch; `take` counts on."""

    plan: Plan
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    _taken: list[tuple[UUID, str, int]] = field(default_factory=list)

    def refusal(self, feature: str, units: int) -> QuotaExceeded | None:
        row, limit = self.rows.get(feature), self.plan.limit(feature)
        if row is None or limit is None:
            return None
        used = row["used"] + sum(taken for _, name, taken in self._taken if name == feature)
        if used + units <= limit.most:
            return None
        resets_at: datetime | None = row["resets_at"]
        when = f" More from {resets_at:%Y-%m-%d %H:%M} UTC on." if resets_at is not None else ""
        return QuotaExceeded(
            f"The plan {self.plan.label} includes {limit.most} {feature} per {limit.period}; {used} are used and this"
            f" takes {units}.{when}",
            retry_after_s=row["resets_in_s"],
            scope="plan",
            plan=self.plan.name,
            feature=feature,
            period=limit.period,
            used=used,
            needed=units,
            limit=limit.most,
            resets_at=resets_at,
        )

    def take(self, generation_id: UUID, feature: str, units: int) -> None:
        if feature in self.rows:
            self._taken.append((generation_id, feature, units))

    async def write(self, tx: Tx, account_id: UUID) -> None:
        """Counts what was taken."""
        if not self._taken:
            return
        rows = [self.rows[feature] for _, feature, _ in self._taken]
        starts: list[date] = [row["period_start"] for row in rows]
        await tx.execute(
            _TAKE, account_id, [id_ for id_, _, _ in self._taken], [feature for _, feature, _ in self._taken],
            [row["period"] for row in rows], starts, [units for _, _, units in self._taken],
        )  # fmt: skip


async def counters(
    tx: Tx, account_id: UUID, plan: Plan, zone: str, features: Collection[str], *, lock: bool = True
) -> Counters:
    """The counters of those features that the plan limits per period, locked unless they are only looked at."""
    limits = [(feature, plan.limit(feature)) for feature in sorted(set(features))]
    counted: list[tuple[str, Limit]] = [
        (feature, limit) for feature, limit in limits
        if limit is not None and limit.is_included and limit.period != LIVE
    ]  # fmt: skip
    if not counted:
        return Counters(plan)
    rows = await tx.fetch(
        _LOCK if lock else _LOOK, account_id, [feature for feature, _ in counted],
        [limit.period for _, limit in counted], zone,
    )  # fmt: skip
    return Counters(plan, {row["feature"]: row for row in rows})


async def give_back(tx: Tx, generation_ids: Sequence[UUID]) -> None:
    """Uncounts what these took; a second time changes nothing."""
    if generation_ids:
        await tx.execute(_GIVE_BACK, list(generation_ids))


async def prune(tx: Tx, days: int) -> None:
    """Drops the counts of periods that began so long ago."""
    for sql in _PRUNE:
        await tx.execute(sql, days)
