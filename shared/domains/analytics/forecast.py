"""Where spending leads by the end of a period: if it goes on as so far, and if it goes on as it changes lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from shared.db import Tx
from shared.domains.analytics.record import Standing
from shared.domains.analytics.report import daily_cost
from shared.money import Nanos

RECENT_DAYS = 14
"""The trend is that of so many full days before today."""


class Period(StrEnum):
    WEEK = "week"
    MONTH = "month"


_ELAPSED = """
SELECT (extract(epoch FROM now() - $1::timestamp AT TIME ZONE $3)
    / extract(epoch FROM $2::timestamp AT TIME ZONE $3 - $1::timestamp AT TIME ZONE $3))::float8
"""
_BUDGET = """
SELECT id, limit_nanos, mode FROM budgets
WHERE period = $1 AND limit_nanos > 0
    AND CASE WHEN $2::uuid IS NULL THEN scope = 'account' ELSE scope = 'project' AND project_id = $2 END
ORDER BY limit_nanos LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`total` is what the period will have cost, `exceeded_on` the first day with more than the budget in all."""

    total: Nanos
    exceeded_on: date | None


@dataclass(frozen=True, slots=True)
class Budget:
    """The tightest one of the period."""

    id: UUID
    limit: Nanos
    mode: str


@dataclass(frozen=True, slots=True)
class Forecast:
    timezone: str
    first: date
    last: date
    today: date
    spent: Nanos
    linear: Estimate
    trend: Estimate
    budget: Budget | None


async def foretell(
    tx: Tx, account_id: UUID, now: Standing, period: Period, project_id: UUID | None = None
) -> Forecast:
    """The current week (from Monday) or month. Raises NotFound for a project that the account does not have."""
    first, last = bounds(now.today, period)
    before = now.today - timedelta(days=RECENT_DAYS)
    costs = await daily_cost(tx, account_id, now, min(first, before), now.today, project_id)
    elapsed = await tx.fetchval(_ELAPSED, first, last + timedelta(days=1), now.timezone)
    row = await tx.fetchrow(_BUDGET, period, project_id)
    budget = None if row is None else Budget(row["id"], Nanos(row["limit_nanos"]), row["mode"])
    limit = None if budget is None else budget.limit
    spent = Nanos(sum(cost for day, cost in costs.items() if day >= first))
    recent = [int(costs[before + timedelta(days=n)]) for n in range(RECENT_DAYS)]
    ahead = _days(now.today, last)
    return Forecast(
        now.timezone, first, last, now.today, spent,
        linear(costs, first, spent, ahead, elapsed, limit), trend(costs, first, spent, ahead, recent, limit), budget,
    )  # fmt: skip


def bounds(today: date, period: Period) -> tuple[date, date]:
    """The first and the last day of the period that today is in."""
    if period is Period.WEEK:
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    first = today.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def linear(
    costs: Mapping[date, Nanos],
    first: date,
    spent: Nanos,
    ahead: Sequence[date],
    elapsed: float,
    limit: Nanos | None,
) -> Estimate:
    """What is left of the period costs as much as the part of it that is over, `elapsed` of 1."""
    rest = max(0.0, spent * (1 / max(elapsed, 1e-6) - 1)) if spent > 0 else 0.0
    share = rest / len(ahead)
    return _estimate(costs, first, spent, dict.fromkeys(ahead, share), limit)


def trend(
    costs: Mapping[date, Nanos], first: date, spent: Nanos, ahead: Sequence[date], recent: Sequence[int],
    limit: Nanos | None,
) -> Estimate:  # fmt: skip
    """The least-squares line through the recent days goes on, never below zero; `ahead` begins today."""
    level, slope = line(recent)
    expected = {day: max(0.0, level + slope * (len(recent) + n)) for n, day in enumerate(ahead)}
    today = ahead[0]
    return _estimate(
        costs, first, spent, expected | {today: max(0.0, expected[today] - costs.get(today, 0))}, limit
    )


def line(values: Sequence[int]) -> tuple[float, float]:
    """Level and slope of the least-squares line through values at 0, 1, 2 …"""
    middle, mean = (len(values) - 1) / 2, sum(values) / len(values)
    spread = sum((n - middle) ** 2 for n in range(len(values)))
    slope = sum((n - middle) * (value - mean) for n, value in enumerate(values)) / spread
    return mean - slope * middle, slope


def _estimate(
    costs: Mapping[date, Nanos], first: date, spent: Nanos, more: Mapping[date, float], limit: Nanos | None
) -> Estimate:
    """`more` is what is expected of each day from today on, on top of what is spent."""
    total = Nanos(spent + round(sum(more.values())))
    if limit is None or total <= limit:
        return Estimate(total, None)
    sum_so_far = 0.0
    for day in sorted({day for day in costs if day >= first} | set(more)):
        sum_so_far += costs.get(day, 0) + more.get(day, 0.0)
        if sum_so_far > limit:
            return Estimate(total, day)
    return Estimate(total, max(more))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
