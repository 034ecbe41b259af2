"""Worker processes: they register, beat, and are declared dead by the others.

Only Postgres' clock is compared with Postgres' clock. A worker whose beat finds no row was declared dead:
what it held belongs to others by then, and its fenced writes change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.crashpoints import reach
from shared.db import Database

# Dispatch and reaping are done by one process at a time, each under its own advisory lock.
REAP_LOCK = 0x5EA9

STEP_TTL_S = 20.0
"""How long a claim holds a generation before it must be renewed."""
FORGOTTEN_S = 4.0
"""After this long a claim on which no step runs is given back."""

_REGISTER = """
INSERT INTO workers (id, kinds, slots, host, pid, version, quiet) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

# Held rows of steps that still run are renewed with the beat. Rows that were claimed a while ago and that nobody
# works on are given back: the answer to their claim, or the change that ended their step, was lost on the way.
_BEAT = """
WITH beat AS (
    UPDATE workers SET beat_at = now(), stats = $2 WHERE id = $1 RETURNING id, quiet, draining
), renewed AS (
    UPDATE generations g SET wake_at = now() + $4::float8 * interval '1 second' FROM beat
    WHERE g.owner = beat.id AND g.id = ANY ($3)
        AND g.wake_at < now() + $4::float8 / 2 * interval '1 second'
), forgotten AS (
    UPDATE generations g SET owner = NULL, epoch = g.epoch + 1, rung = false, wake_at = now() FROM beat
    WHERE g.owner = beat.id AND g.id <> ALL ($3)
        AND g.wake_at < now() + ($4::float8 - $5::float8) * interval '1 second'
)
SELECT (SELECT array_agg(g.id) FROM generations g
        WHERE g.owner = beat.id AND g.cancel_requested_at IS NOT NULL) AS canceling, beat.quiet, beat.draining
FROM beat
"""

# A crash counts against the generation unless it merely waited at its provider. Rows whose step outlived its
# time, and rows of owners that no longer exist, are freed like those of the dead.
_REAP = """
WITH dead AS (
    SELECT id FROM workers WHERE beat_at < now() - $1::float8 * interval '1 second' FOR UPDATE SKIP LOCKED
), abandoned AS (
    SELECT g.id FROM generations g
    WHERE g.owner IS NOT NULL AND (
        g.owner IN (SELECT id FROM dead) OR g.wake_at < now()
        OR NOT EXISTS (SELECT FROM workers w WHERE w.id = g.owner)
    )
    FOR UPDATE OF g SKIP LOCKED
), freed AS (
    UPDATE generations g SET owner = NULL, epoch = g.epoch + 1, wake_at = now(), rung = false,
        crashes = g.crashes + (g.state <> 'waiting')::int
    FROM abandoned a WHERE g.id = a.id
    RETURNING g.id
), buried AS (
    DELETE FROM workers w USING dead WHERE w.id = dead.id RETURNING w.id
)
SELECT (SELECT count(*) FROM freed) AS freed, (SELECT array_agg(id) FROM buried) AS dead
"""


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """How much waits in a kind's queue, of how many accounts, and how many slots serve it."""

    queued: int
    accounts: int
    slots: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What a worker learns as it beats: what somebody wants canceled, whether it is to begin nothing new, or to end."""

    canceling: Sequence[UUID]
    quiet: bool
    draining: bool


@dataclass(frozen=True, slots=True)
class Reaped:
    freed: int
    dead: Sequence[UUID]


async def register(
    db: Database, worker_id: UUID, *, kinds: Sequence[str], slots: int, host: str, pid: int, version: str,
    quiet: bool = False,
) -> None:  # fmt: skip
    await db.execute(_REGISTER, worker_id, list(kinds), slots, host, pid, version, quiet)


async def beat(db: Database, worker_id: UUID, stats: dict[str, Any], running: Sequence[UUID]) -> Heard | None:
    """None: this worker was declared dead.

    `running` are the generations whose steps run in this process now.
    """
    row = await db.fetchrow(_BEAT, worker_id, stats, list(running), STEP_TTL_S, FORGOTTEN_S)
    return None if row is None else Heard(row["canceling"] or (), row["quiet"], row["draining"])


async def drain(db: Database, worker_id: UUID) -> None:
    """Tells dispatch not to count on this worker's slots any more."""
    await db.execute("UPDATE workers SET draining = true WHERE id = $1", worker_id)


async def queue_loads(db: Database, kinds: Sequence[str], lease_ttl_s: float) -> dict[str, QueueLoad]:
    """By kind; workers that were not heard of for `lease_ttl_s` do not count."""
    rows = await db.fetch("SELECT * FROM auth.queue_loads($1, $2)", list(kinds), lease_ttl_s)
    return {row["kind"]: QueueLoad(row["queued"], row["accounts"], row["slots"]) for row in rows}


async def pauses(db: Database) -> dict[str, datetime | None]:
    """The kinds whose queues are paused, and when each pause ends by itself."""
    rows = await db.fetch(
        "SELECT kind, paused_until FROM queues WHERE paused AND (paused_until IS NULL OR paused_until > now())"
    )
    return {row["kind"]: row["paused_until"] for row in rows}


async def leave(db: Database, worker_id: UUID) -> None:
    """Removes the worker and frees whatever it still holds, without counting a crash."""
    async with db.transaction() as tx:
        await tx.execute(
            "UPDATE generations SET owner = NULL, epoch = epoch + 1, wake_at = now(), rung = false"
            " WHERE owner = $1",
            worker_id,
        )
        await tx.execute("DELETE FROM workers WHERE id = $1", worker_id)


async def reap(db: Database, lease_ttl_s: float) -> Reaped:
    """Declares silent workers dead and sets what they held due again. A no-op while another process reaps."""
    async with db.transaction() as tx:
        if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", REAP_LOCK):
            return Reaped(0, ())
        row = await tx.fetchrow(_REAP, lease_ttl_s)
        reach("before_reap")
    reach("after_reap")
    assert row is not None  # noqa: S101  # a SELECT without FROM has one row
    return Reaped(row["freed"], row["dead"] or ())
