"""Reading usage: the roll-up where nothing has changed, the record for all other days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from shared.db import Tx
from shared.domains.analytics.record import KEYS, SUMS, Standing, summed, tables_of, within
from shared.errors import InvalidInput, NotFound
from shared.money import ZERO, Nanos

MOST_GROUPS = 1000
"""Of providers, models and projects, the dearest; the total is of all."""
DEFAULT_DAYS = 30
MAX_DAYS = 3 * 366
EARLIEST = date(2000, 1, 1)


class GroupBy(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    PROVIDER = "provider"
    MODEL = "model"
    KIND = "kind"
    PROJECT = "project"

    @property
    def of_time(self) -> bool:
        return self in {GroupBy.DAY, GroupBy.WEEK, GroupBy.MONTH}


_GROUPS = {
    GroupBy.DAY: "to_char(day, 'YYYY-MM-DD')",
    GroupBy.WEEK: "to_char(date_trunc('week', day), 'YYYY-MM-DD')",
    GroupBy.MONTH: "to_char(day, 'YYYY-MM')",
    GroupBy.PROVIDER: "provider",
    GroupBy.MODEL: "model",
    GroupBy.KIND: "generation_type",
    GroupBy.PROJECT: "project_id::text",
}

_DAYS = f"""
    SELECT period_start AS day, {", ".join((*KEYS, *SUMS))} FROM usage_analytics u
    WHERE user_id = $1 AND period_type = 'daily' AND period_start BETWEEN $5 AND $6 AND NOT EXISTS (
        SELECT FROM unnest($3::date[], $4::date[]) AS run (first, last)
        WHERE u.period_start BETWEEN run.first AND run.last)
    UNION ALL {{summed}}
"""  # noqa: S608  # constants only
_REPORT = f"""
SELECT * FROM (SELECT grp, grouping(grp) = 1 AS is_total,
    {", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in SUMS)}
FROM (
    SELECT {{group}} AS grp, {", ".join(SUMS)} FROM ({_DAYS}) AS days
    WHERE ($7::uuid IS NULL OR project_id = $7) AND ($8::text IS NULL OR generation_type = $8)
        AND ($9::text IS NULL OR provider = $9) AND ($10::text IS NULL OR model = $10)
) AS grouped GROUP BY GROUPING SETS ((grp), ())
) AS sums ORDER BY is_total DESC, {{order}}, grp LIMIT $11
"""  # noqa: S608  # constants only
_DEAREST = "total_cost_nanos + own_cost_nanos DESC, request_count DESC"


@dataclass(frozen=True, slots=True)
class Asked:
    """Days, both included, and what of them; None leaves a condition out."""

    first: date
    last: date
    project_id: UUID | None = None
    kind: str | None = None
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """`group` None is what belongs to no group, such as never started work to no provider."""

    group: str | None
    label: str | None = None
    requests: int = 0
    successes: int = 0
    failures: int = 0
    canceled: int = 0
    unfinished: int = 0
    tokens: int = 0
    cost: Nanos = ZERO
    own_cost: Nanos = ZERO
    """What providers charge for the account's own keys."""
    duration_ms_total: int = 0

    @property
    def avg_duration_ms(self) -> int | None:
        return round(self.duration_ms_total / self.successes) if self.successes else None


@dataclass(frozen=True, slots=True)
class Report:
    timezone: str
    first: date
    last: date
    rows: Sequence[Sums]
    total: Sums


def period(
    first: date | None, last: date | None, today: date, *, most_days: int = MAX_DAYS
) -> tuple[date, date]:
    """The days that are meant, the last thirty by default. Raises InvalidInput (422)."""
    last = last or max(today, first or today)
    if last < EARLIEST:
        raise InvalidInput(f"No day before {EARLIEST}.", field="to", status=422)
    first = first or max(EARLIEST, last - timedelta(days=DEFAULT_DAYS - 1))
    if first > last:
        raise InvalidInput(f"`from` must not be after `to`, {last}.", field="from", status=422)
    if first < EARLIEST or (last - first).days >= most_days:
        raise InvalidInput(
            f"At most {most_days} days, none before {EARLIEST}.",
            field="from",
            status=422,
            most_days=most_days,
        )
    return first, last


async def report(tx: Tx, account_id: UUID, now: Standing, asked: Asked, group_by: GroupBy) -> Report:
    """Groups of time in their order, with those in which nothing happened; others dearest first.

    Raises NotFound for a project that the account does not have.
    """
    if asked.project_id is not None:
        await require_project(tx, asked.project_id)
    fresh = within(now.fresh, asked.first, asked.last)
    order = "grp" if group_by.of_time else _DEAREST
    most = None if group_by.of_time else MOST_GROUPS + 1
    sums = summed(await tables_of(tx, account_id, fresh))
    total, *rows = await tx.fetch(
        _REPORT.format(group=_GROUPS[group_by], order=order, summed=sums), account_id, now.timezone,
        [run.first for run in fresh], [run.last for run in fresh], asked.first, asked.last,
        asked.project_id, asked.kind, asked.provider, asked.model, most,
    )  # fmt: skip
    names = await _names(tx) if group_by is GroupBy.PROJECT else {}
    found = [_sums(row["grp"], names.get(row["grp"]), [row[name] for name in SUMS]) for row in rows]
    if group_by.of_time:
        known = {row.group: row for row in found}
        found = [known.get(group, Sums(group)) for group in _times(asked.first, asked.last, group_by)]
    return Report(
        now.timezone, asked.first, asked.last, found, _sums(None, None, [total[name] for name in SUMS])
    )


async def require_project(tx: Tx, project_id: UUID) -> None:
    """Raises NotFound unless the account has this project."""
    if not await tx.fetchval("SELECT true FROM projects WHERE id = $1", project_id):
        raise NotFound(f"There is no project {project_id}.")


async def _names(tx: Tx) -> dict[str, str]:
    return {str(row["id"]): row["name"] for row in await tx.fetch("SELECT id, name FROM projects")}


def _sums(group: str | None, label: str | None, values: Sequence[int]) -> Sums:
    """`values` in the order of SUMS."""
    requests, successes, failures, canceled, unfinished, tokens, cost, own_cost, duration_ms_total = values
    return Sums(
        group, label, requests, successes, failures, canceled, unfinished, tokens, Nanos(cost), Nanos(own_cost),
        duration_ms_total,
    )  # fmt: skip


def _times(first: date, last: date, group_by: GroupBy) -> list[str]:
    """The name of every day, week (its Monday) or month that has a day of the period."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    if group_by is GroupBy.DAY:
        return [day.isoformat() for day in days]
    if group_by is GroupBy.WEEK:
        return list(dict.fromkeys((day - timedelta(days=day.weekday())).isoformat() for day in days))
    return list(dict.fromkeys(f"{day:%Y-%m}" for day in days))


async def daily_cost(
    tx: Tx, account_id: UUID, now: Standing, first: date, last: date, project_id: UUID | None = None
) -> dict[date, Nanos]:
    """What every day of the period cost, by us alone."""
    told = await report(tx, account_id, now, Asked(first, last, project_id), GroupBy.DAY)
    return {date.fromisoformat(row.group): row.cost for row in told.rows if row.group is not None}
