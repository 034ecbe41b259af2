"""The archive: generations that ended long ago, with their submissions and events, by the month they were asked for.

What is under way or recent is read from the hot tables, and only from them: `Tables` names which tables a question
needs, and who asks looks at the archive once the hot tables do not know, or when the time in question is that long ago.
Outputs stay where they are: they say what is stored, whatever became of the generation.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from shared.db import Database, Tx
from shared.errors import Conflict, NotFound

MONTHS_AHEAD = 2
"""So many months after this one have their partitions already."""
BATCH = 500
LOCK = 0xA2C41


@dataclass(frozen=True, slots=True)
class Tables:
    """Where to read from."""

    generations: str
    submissions: str
    events: str


HOT: Final = Tables("generations", "submissions", "generation_events")
ALL: Final = Tables("archive.all_generations", "archive.all_submissions", "archive.all_generation_events")

_REACHES = """
SELECT EXISTS (SELECT FROM archive.accounts
    WHERE ($1::uuid IS NULL OR account_id = $1) AND ($2::timestamptz IS NULL OR touched_at >= $2))
"""
NEWEST = "(SELECT (array_agg(newest_id ORDER BY newest_id DESC))[1] FROM archive.accounts)"
"""The newest archived id of those that the transaction sees, or null."""

# Partitions, by the month in their tables' names.
_PARTITIONS = """
SELECT to_date(right(relname, 7), 'YYYY"m"MM') AS month, relispartition AS attached FROM pg_class
WHERE relnamespace = 'archive'::regnamespace AND relkind = 'r' AND relname ~ '^generations_y[0-9]{4}m[0-9]{2}$'
"""
_MONTHS = f"{_PARTITIONS} ORDER BY 1"
_WEIGHT = """
SELECT (SELECT count(*) FROM archive.generations{suffix})::int AS generations,
    (SELECT sum(pg_total_relation_size(('archive.' || t || '{suffix}')::regclass))::bigint
        FROM unnest(ARRAY['generations', 'submissions', 'generation_events']) AS t) AS bytes
"""
_ATTACHED = f"SELECT attached FROM ({_PARTITIONS}) AS p WHERE month = $1"  # noqa: S608  # constants only
_MONTHS_AGO = "date_trunc('month', now() AT TIME ZONE 'UTC') - $1::int * interval '1 month'"
_MAKE_AHEAD = """
SELECT count(*) FILTER (WHERE archive.make_month((date_trunc('month', now() AT TIME ZONE 'UTC')
    + n * interval '1 month')::date))::int FROM generate_series(0, $1::int) AS n
"""
_MOVE = f"SELECT archive.move(({_MONTHS_AGO}) AT TIME ZONE 'UTC', $2)"
_TOO_OLD = f"SELECT month FROM ({_PARTITIONS}) AS p WHERE attached AND month < {_MONTHS_AGO} ORDER BY 1"  # noqa: S608  # constants only


@dataclass(frozen=True, slots=True)
class Month:
    """A partition, by the first day of its month. `bytes` are those of its tables and their indexes."""

    first: date
    attached: bool
    generations: int
    bytes: int


async def tables(tx: Tx, account_id: UUID | None = None, since: datetime | None = None) -> Tables:
    """The hot tables, unless the account has archived what was made or changed since then. Without an account, of
    all that the transaction sees."""
    return ALL if await tx.fetchval(_REACHES, account_id, since) else HOT


async def hide(tx: Tx, generation_id: UUID) -> bool:
    """Deletes an archived generation for its owner, as one that is hot. False when there is none."""
    return bool(await tx.fetchval("SELECT archive.hide($1)", generation_id))


async def restore(tx: Tx, generation_id: UUID, days: int) -> datetime | None:
    """Shows an archived generation again that was deleted less than so many days ago, and says when that was."""
    found: datetime | None = await tx.fetchval("SELECT archive.restore($1, $2)", generation_id, days)
    return found


async def let_go(tx: Tx, project_id: UUID, name: str) -> None:
    """Archived generations go on without their project, under the name that it had."""
    await tx.execute("SELECT archive.let_go($1, $2)", project_id, name)


async def make_months(tx: Tx) -> int:
    """The partitions of this month and of the next ones; how many were not there yet. For maintenance."""
    if not await _is_ours(tx):
        return 0
    return int(await tx.fetchval(_MAKE_AHEAD, MONTHS_AHEAD))


async def move(db: Database, hot_months: int, most: int = BATCH) -> int:
    """Moves ended, settled generations that are older than so many whole months, in one transaction; returns how many.
    None are while another process moves some. For maintenance."""
    async with db.transaction() as tx:
        if not await _is_ours(tx):
            return 0
        return int(await tx.fetchval(_MOVE, hot_months, most))


async def detach_old(db: Database, attached_months: int) -> list[date]:
    """Detaches the partitions that are older than so many whole months, each in a transaction of its own.

    Raises asyncpg.LockNotAvailableError when somebody reads the archive for too long.
    """
    async with db.transaction() as tx:
        old = [row["month"] for row in await tx.fetch(_TOO_OLD, attached_months)]
    for month in old:
        async with db.transaction() as tx:
            if await _is_ours(tx):
                await tx.execute("SELECT archive.detach_month($1)", month)
    return old


async def months(tx: Tx) -> list[Month]:
    """All partitions, oldest first; their rows are counted."""
    found = []
    for row in await tx.fetch(_MONTHS):
        weight = await tx.fetchrow(_WEIGHT.format(suffix=f"_y{row['month']:%Y}m{row['month']:%m}"))
        assert weight is not None  # noqa: S101  # a SELECT without FROM has one row
        found.append(Month(row["month"], row["attached"], weight["generations"], weight["bytes"]))
    return found


async def detach(tx: Tx, month: date) -> None:
    """Makes a partition a table of its own, which is read as before. Readers of the archive wait for a moment.

    Raises NotFound, Conflict when it is detached already, and asyncpg.LockNotAvailableError.
    """
    await _expect(tx, month, attached=True)
    await tx.execute("SELECT archive.detach_month($1)", month)


async def attach(tx: Tx, month: date) -> None:
    """Makes a detached table a partition again. Raises as `detach` does."""
    await _expect(tx, month, attached=False)
    await tx.execute("SELECT archive.attach_month($1)", month)


async def _expect(tx: Tx, month: date, *, attached: bool) -> None:
    await tx.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
    found = await tx.fetchval(_ATTACHED, month)
    if found is None:
        raise NotFound(f"The archive has no {month:%Y-%m}.")
    if found != attached:
        raise Conflict(f"{month:%Y-%m} is {'attached' if found else 'detached'} already.")


async def _is_ours(tx: Tx) -> bool:
    """Whether no other process changes the archive while the transaction lasts."""
    return bool(await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK))
