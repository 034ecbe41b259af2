"""Rolling usage up by day and month, and proving that it equals the record.

Days that were touched since the last time are summed anew, so that nothing is ever added twice. A recount sums all
days anew, in one view of the database, and puts right what differs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.domains.analytics import record
from shared.domains.analytics.record import KEYS, MARGIN, SUMS, Run, summed

NIGHT_HOUR = 2
"""An account is recounted after this hour of its own day."""
MOST_DIFFERENCES = 50

_SAME_KEYS = " AND ".join(f"w.{key} IS NOT DISTINCT FROM u.{key}" for key in KEYS)
_COLUMNS = ", ".join((*KEYS, *SUMS))
_ANEW = ", ".join(f"{name} = excluded.{name}" for name in SUMS)
_DIFFERS = f"({', '.join(f'u.{name}' for name in SUMS)}) IS DISTINCT FROM ({{sums}})"

_PUT = f"""
, gone AS (
    DELETE FROM usage_analytics u WHERE u.user_id = $1 AND u.period_type = '{{period}}' AND {{inside}}
        AND NOT EXISTS (SELECT FROM wanted w WHERE w.day = u.period_start AND {_SAME_KEYS})
)
INSERT INTO usage_analytics AS u (user_id, period_type, period_start, {_COLUMNS})
SELECT $1, '{{period}}', day, {_COLUMNS} FROM wanted
ON CONFLICT ON CONSTRAINT usage_analytics_once DO UPDATE SET {_ANEW}, updated_at = now()
WHERE {_DIFFERS.format(sums=", ".join(f"excluded.{name}" for name in SUMS))}
"""  # noqa: S608  # constants only

_IN_RUNS = (
    "EXISTS (SELECT FROM unnest($3::date[], $4::date[]) AS run (first, last)"
    " WHERE u.period_start BETWEEN run.first AND run.last)"
)
_DAILY = f"WITH wanted AS ({{summed}}) {_PUT.format(period='daily', inside=_IN_RUNS)}"
_MONTHLY = f"""
WITH wanted AS (
    SELECT date_trunc('month', period_start)::date AS day, {", ".join(KEYS)},
        {", ".join(f"sum({name})::bigint AS {name}" for name in SUMS)}
    FROM usage_analytics WHERE user_id = $1 AND period_type = 'daily' AND EXISTS (
        SELECT FROM unnest($2::date[], $3::date[]) AS run (first, last)
        WHERE period_start BETWEEN run.first AND run.last)
    GROUP BY 1, {", ".join(KEYS)}
) {_PUT.format(period="monthly", inside=_IN_RUNS.replace("$3", "$2").replace("$4", "$3"))}
"""  # noqa: S608  # constants only

# What is not there counts as nothing.
_DIFFERENCES = f"""
WITH wanted AS ({{summed}}), found AS (
    SELECT * FROM usage_analytics u WHERE user_id = $1 AND period_type = 'daily' AND {_IN_RUNS}
)
SELECT coalesce(w.day, u.period_start) AS day, {", ".join(f"coalesce(w.{key}, u.{key}) AS {key}" for key in KEYS)},
    {", ".join(f"coalesce(u.{name}, 0) AS found_{name}, coalesce(w.{name}, 0) AS {name}" for name in SUMS)}
FROM wanted w FULL JOIN found u ON (
    (w.day, w.project_id::text, w.provider, w.model, w.generation_type)::text
    = (u.period_start, u.project_id::text, u.provider, u.model, u.generation_type)::text
)
WHERE {_DIFFERS.format(sums=", ".join(f"w.{name}" for name in SUMS))}
"""  # noqa: S608  # constants only

# Whoever used something has a standing of their own; the first of it is '1970'.
_DUE = f"""
SELECT a.id FROM accounts a LEFT JOIN usage_rollups r ON r.account_id = a.id CROSS JOIN LATERAL (
    SELECT coalesce(r.rolled_to, 'epoch') - {MARGIN} AS since
) s
WHERE r.timezone <> a.timezone
    OR EXISTS (SELECT FROM usage_analytics u WHERE u.user_id = a.id AND u.open_count > 0)
    OR EXISTS (SELECT FROM generations g WHERE g.account_id = a.id AND g.id >= id_floor(s.since))
    OR EXISTS (SELECT FROM ledger l WHERE l.account_id = a.id AND l.created_at >= s.since)
"""  # noqa: S608  # constants only
_TO_RECOUNT = """
SELECT a.id FROM usage_rollups r JOIN accounts a ON a.id = r.account_id
WHERE r.timezone = a.timezone AND extract(hour FROM now() AT TIME ZONE a.timezone) >= $1
    AND (r.recounted_at AT TIME ZONE a.timezone)::date < (now() AT TIME ZONE a.timezone)::date
"""

_BEGIN = """
INSERT INTO usage_rollups (account_id, timezone, rolled_to, recounted_at)
SELECT id, '', 'epoch', now() FROM accounts WHERE id = $1 ON CONFLICT DO NOTHING
"""
_TAKE = "SELECT true FROM usage_rollups WHERE account_id = $1 FOR UPDATE SKIP LOCKED"
# Whoever deletes one of these projects waits until their rows are written, or has done it already.
_HOLD_PROJECTS = """
SELECT FROM projects WHERE id IN (
    SELECT g.project_id FROM {generations} g CROSS JOIN unnest($2::date[], $3::date[]) AS run (first, last)
    WHERE g.account_id = $1 AND g.id >= id_floor((run.first - 2)::timestamp AT TIME ZONE 'UTC')
        AND g.id < id_floor((run.last + 3)::timestamp AT TIME ZONE 'UTC')
    UNION SELECT g.project_id FROM ledger l JOIN {generations} g ON g.id = l.generation_id
        AND g.account_id = $1
    CROSS JOIN unnest($2::date[], $3::date[]) AS run (first, last)
    WHERE l.account_id = $1 AND l.created_at >= (run.first - 2)::timestamp AT TIME ZONE 'UTC'
        AND l.created_at < (run.last + 3)::timestamp AT TIME ZONE 'UTC'
) ORDER BY id FOR KEY SHARE
"""
_ROLLED_DAYS = (
    "SELECT DISTINCT period_start FROM usage_analytics WHERE user_id = $1 AND period_type = 'daily'"
)
_DONE = "UPDATE usage_rollups SET rolled_to = now(), timezone = $2 WHERE account_id = $1"
_RECOUNTED = "UPDATE usage_rollups SET recounted_at = now() WHERE account_id = $1"


type Difference = Mapping[str, Any]
"""`{day, the KEYS, and for each of SUMS found_<name> and <name>}`."""


@dataclass(frozen=True, slots=True)
class Recount:
    """The rows that were put right, of which MOST_DIFFERENCES at most are named."""

    total: int
    differences: Sequence[Difference]


async def due(db: Database) -> list[UUID]:
    """Accounts in whose record something may have happened since they were rolled up."""
    return [row["id"] for row in await db.fetch(_DUE)]


async def due_for_recount(db: Database) -> list[UUID]:
    """Accounts whose night has come, and that were not recounted in it yet."""
    return [row["id"] for row in await db.fetch(_TO_RECOUNT, NIGHT_HOUR)]


async def roll_up(db: Database, account_id: UUID) -> bool:
    """Brings the account's roll-up up to now. False when another process is at it."""
    await db.execute(_BEGIN, account_id)
    async with db.transaction() as tx:
        if not await tx.fetchval(_TAKE, account_id):
            return False
        await _catch_up(tx, account_id)
    return True


async def recount(db: Database, account_id: UUID) -> Recount | None:
    """Compares everything that is rolled up with the record, and puts it right. None when another is at it.

    Raises asyncpg.SerializationError when a project was deleted meanwhile: try again later.
    """
    await db.execute(_BEGIN, account_id)
    async with db.transaction() as tx:
        await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        if not await tx.fetchval(_TAKE, account_id):
            return None
        zone, today = await _catch_up(tx, account_id)
        rows: list[Difference] = []
        for piece in record.pieces(await _all_days(tx, account_id, zone, today)):
            sums = summed(await record.tables_of(tx, account_id, [piece]))
            differ = await tx.fetch(_DIFFERENCES.format(summed=sums), account_id, zone, *_bounds([piece]))
            if differ:
                await _write(tx, account_id, zone, [piece])
                rows += differ
        await tx.execute(_RECOUNTED, account_id)
    return Recount(len(rows), rows[:MOST_DIFFERENCES])


async def _all_days(tx: Tx, account_id: UUID, zone: str, today: date) -> list[Run]:
    """The days of the record, and those that are rolled up without being in it."""
    days = await record.everything(tx, account_id, zone, today)
    rolled = await tx.fetch(_ROLLED_DAYS, account_id)
    return record.merged([*days, *record.runs(row["period_start"] for row in rolled)])


async def _catch_up(tx: Tx, account_id: UUID) -> tuple[str, date]:
    """The account's time zone and its day."""
    now = await record.standing(tx, account_id)
    if not now.rolled:
        await tx.execute("DELETE FROM usage_analytics WHERE user_id = $1", account_id)
    if now.fresh:
        await _write(tx, account_id, now.timezone, now.fresh)
    await tx.execute(_DONE, account_id, now.timezone)
    return now.timezone, now.today


async def _write(tx: Tx, account_id: UUID, zone: str, days: Sequence[Run]) -> None:
    """Sums the days anew, and then their months. No statement reads more than a month of the record."""
    for piece in record.pieces(days):
        tables = await record.tables_of(tx, account_id, [piece])
        await tx.execute(_HOLD_PROJECTS.format(generations=tables.generations), account_id, *_bounds([piece]))
        await tx.execute(_DAILY.format(summed=summed(tables)), account_id, zone, *_bounds([piece]))
    await tx.execute(_MONTHLY, account_id, *_bounds(record.months(days)))


def _bounds(days: Sequence[Run]) -> tuple[list[date], list[date]]:
    return [run.first for run in days], [run.last for run in days]
