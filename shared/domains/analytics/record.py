"""What the record itself says of usage: one row per day, project, provider, model and kind.

A generation counts on the day on which it was asked for, whenever it ends. Money counts on the day on which it was
settled, as in the ledger. Days are those of the account's time zone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from shared.db import Tx
from shared.domains import archive
from shared.domains.archive import HOT, Tables

KEYS = ("project_id", "provider", "model", "generation_type")
SUMS = (
    "request_count", "success_count", "failure_count", "canceled_count", "open_count", "total_tokens",
    "total_cost_nanos", "own_cost_nanos", "duration_ms_total",
)  # fmt: skip

MARGIN = "interval '10 minutes'"
"""What a transaction writes carries the time of its beginning, and an id that is older still: so far back it is
looked for."""

# $1 the account, $2 its time zone, $3 and $4 the first and last days of runs of days. Ids are UUIDv7 and made with
# their row; the days of slack are for time zones and for clocks that differ.
_SUMMED = f"""
SELECT e.day, {", ".join(f"e.{key}" for key in KEYS)}, {", ".join(f"sum(e.{name})::bigint AS {name}" for name in SUMS)}
FROM unnest($3::date[], $4::date[]) AS run (first, last) CROSS JOIN LATERAL (
    SELECT (g.created_at AT TIME ZONE $2)::date AS day, g.project_id, g.provider, g.model, g.kind AS generation_type,
        1 AS request_count, (g.state = 'completed')::int AS success_count,
        (g.state IN ('failed', 'expired'))::int AS failure_count, (g.state = 'canceled')::int AS canceled_count,
        (g.wake_at IS NOT NULL)::int AS open_count, coalesce(t.tokens, 0) AS total_tokens,
        0::bigint AS total_cost_nanos, 0::bigint AS own_cost_nanos,
        CASE WHEN g.state = 'completed' THEN
            coalesce(extract(epoch FROM g.completed_at - g.started_at) * 1000, 0)::bigint
            ELSE 0 END AS duration_ms_total
    FROM {{generations}} g LEFT JOIN LATERAL (
        SELECT sum(u.value::numeric) AS tokens FROM {{submissions}} s CROSS JOIN LATERAL jsonb_each_text(s.usage) AS u
        WHERE s.generation_id = g.id AND u.key LIKE '%\\_token'
    ) t ON true
    WHERE g.account_id = $1 AND g.id >= id_floor((run.first - 2)::timestamp AT TIME ZONE 'UTC')
        AND g.id < id_floor((run.last + 3)::timestamp AT TIME ZONE 'UTC')
        AND (g.created_at AT TIME ZONE $2)::date BETWEEN run.first AND run.last
    UNION ALL
    SELECT (l.created_at AT TIME ZONE $2)::date, g.project_id, coalesce(l.provider, g.provider),
        coalesce(g.model, l.model), coalesce(l.media_kind, g.kind), 0, 0, 0, 0, 0, 0,
        CASE WHEN l.payer = 'account' THEN l.nanos ELSE 0 END, CASE WHEN l.payer = 'byok' THEN l.nanos ELSE 0 END, 0
    FROM ledger l LEFT JOIN {{generations}} g ON g.id = l.generation_id AND g.account_id = $1
    WHERE l.account_id = $1 AND l.kind IN ('settle', 'adjust') AND l.payer IN ('account', 'byok')
        AND l.created_at >= (run.first - 2)::timestamp AT TIME ZONE 'UTC'
        AND l.created_at < (run.last + 3)::timestamp AT TIME ZONE 'UTC'
        AND (l.created_at AT TIME ZONE $2)::date BETWEEN run.first AND run.last
) AS e
GROUP BY {", ".join(str(n) for n in range(1, 2 + len(KEYS)))}
"""  # noqa: S608  # constants only


def summed(tables: Tables = HOT) -> str:
    """The statement that sums the account's record."""
    return _SUMMED.format(generations=tables.generations, submissions=tables.submissions)


# `rolled_to` is null where nothing is rolled up, or by days of another time zone.
_STANDING = """
SELECT a.timezone, (now() AT TIME ZONE a.timezone)::date AS today, r.rolled_to
FROM accounts a LEFT JOIN usage_rollups r ON r.account_id = a.id AND r.timezone = a.timezone
WHERE a.id = $1
"""

# Days that the roll-up may have wrong: where something has not ended yet, or was made or paid since.
_TOUCHED = f"""
WITH paid AS (
    SELECT created_at, generation_id FROM ledger WHERE account_id = $1 AND created_at >= $3::timestamptz - {MARGIN}
)
SELECT period_start AS day FROM usage_analytics
WHERE user_id = $1 AND period_type = 'daily' AND open_count > 0
UNION SELECT (created_at AT TIME ZONE $2)::date FROM generations
WHERE account_id = $1 AND id >= id_floor($3::timestamptz - {MARGIN})
UNION SELECT (created_at AT TIME ZONE $2)::date FROM paid
UNION SELECT (g.created_at AT TIME ZONE $2)::date FROM paid JOIN generations g ON g.id = paid.generation_id
"""  # noqa: S608  # constants only

_FIRST = """
SELECT least(
    (SELECT min(created_at) FROM {generations} WHERE account_id = $1),
    (SELECT min(created_at) FROM ledger WHERE account_id = $1)
) AT TIME ZONE $2
"""


class Run(NamedTuple):
    """Days in a row, both ends included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's time zone, its day now, and the days that only the record knows."""

    timezone: str
    today: date
    fresh: Sequence[Run]
    rolled: bool
    """Whether the other days are rolled up."""


async def standing(tx: Tx, account_id: UUID) -> Standing:
    """What must be read from the record now. The account exists."""
    row = await tx.fetchrow(_STANDING, account_id)
    assert row is not None  # noqa: S101  # whoever asks has proved to be this account
    zone, today, rolled_to = row["timezone"], row["today"], row["rolled_to"]
    if rolled_to is None:
        return Standing(zone, today, await everything(tx, account_id, zone, today), rolled=False)
    days = [row["day"] for row in await tx.fetch(_TOUCHED, account_id, zone, rolled_to)]
    return Standing(zone, today, runs(days), rolled=True)


async def everything(tx: Tx, account_id: UUID, zone: str, today: date) -> list[Run]:
    """All days of the account's record; none when it is empty."""
    tables = await archive.tables(tx, account_id)
    first = await tx.fetchval(_FIRST.format(generations=tables.generations), account_id, zone)
    return [] if first is None else [Run(min(first.date(), today), today + timedelta(days=1))]


async def tables_of(tx: Tx, account_id: UUID, days: Sequence[Run]) -> Tables:
    """Where what was made or paid on these days is read from."""
    if not days:
        return HOT
    start = datetime.combine(min(run.first for run in days) - timedelta(days=2), time(), UTC)
    return await archive.tables(tx, account_id, start)


def runs(days: Iterable[date]) -> list[Run]:
    """The days as runs, oldest first."""
    return merged(Run(day, day) for day in days)


def merged(some: Iterable[Run]) -> list[Run]:
    """The same days, each in one run."""
    result: list[Run] = []
    for run in sorted(some):
        if result and run.first <= result[-1].last + timedelta(days=1):
            result[-1] = Run(result[-1].first, max(result[-1].last, run.last))
        else:
            result.append(run)
    return result


def months(some: Iterable[Run]) -> list[Run]:
    """The whole months in which the runs lie."""
    return merged(Run(run.first.replace(day=1), _month_end(run.last)) for run in some)


def pieces(some: Iterable[Run]) -> list[Run]:
    """The same days, cut where months end."""
    result = []
    for run in merged(some):
        first = run.first
        while first <= run.last:
            last = min(run.last, _month_end(first))
            result.append(Run(first, last))
            first = last + timedelta(days=1)
    return result


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def within(some: Iterable[Run], first: date, last: date) -> list[Run]:
    """What of the runs lies between two days."""
    return [
        Run(max(run.first, first), min(run.last, last))
        for run in some
        if run.first <= last and run.last >= first
    ]
