"""Emptying a queue, and taking that back.

What was canceled has ended for good, so to take it back is to ask for the same again, each on its account's plan and
budget, as a retry does. A purge knows what it canceled, and forgets of it what is back: an undo that died may be asked
for again. Each is admitted under a key of its purge, so nothing comes twice, whoever else undoes it at the same time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.domains.admission import Admitter
from shared.domains.cancels import CancelResult
from shared.domains.ops.audit import Actor, deed
from shared.domains.ops.jobs import (
    MOST_AT_ONCE,
    JobFilter,
    Retried,
    ask_again,
    cancel_locked,
    count,
    lock,
    named,
)
from shared.errors import Conflict, NotFound
from shared.events import Publisher
from shared.ids import new_id
from shared.queue import Bell

MOST_PURGED = 100_000
UNDO_WITHIN = timedelta(hours=1)
"""Long enough for somebody at a terminal to see what they did; pages offer it for seconds."""

_KEEP = "SELECT auth.ops_keep_purge($1, $2, $3, $4)"
_NEXT = "SELECT * FROM auth.ops_next_purged($1, $2, $3)"
_BACK = "SELECT auth.ops_purged_is_back($1, $2)"


@dataclass(frozen=True, slots=True)
class Purge:
    """`id` undoes it until `undo_until`; both are None when there was nothing to cancel."""

    results: Sequence[CancelResult]
    id: UUID | None = None
    undo_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Undone:
    """`passed_over` were tried again or deleted by somebody else, or are being changed; `left` are for another time."""

    retried: Retried
    passed_over: int
    left: int


async def purgeable(db: Database, caller: UUID, kind: str) -> int:
    async with db.transaction(caller) as tx:
        return await count(tx, _purgeable(kind))


async def purge(
    db: Database, actor: Actor, kind: str, confirmed: int, publisher: Publisher, bell: Bell
) -> Purge:
    """Cancels all that queues and was never paid for, if that is as many as was confirmed; all of it or nothing.

    Raises Conflict, whose `count` is how many there are now.
    """
    async with deed(db, actor, "queue.purge", f"queue:{kind}") as done:
        rows = await _locked(done.tx, kind, confirmed)
        ids = [row["id"] for row in rows]
        done.details.update(named(JobFilter(), ids))
        if not ids:
            return Purge([])
        purge_id = new_id()
        undo_until = await done.tx.fetchval(_KEEP, purge_id, kind, ids, UNDO_WITHIN)
        results = await cancel_locked(done.tx, rows, publisher, bell)
        done.details["purge"] = str(purge_id)
    return Purge(results, purge_id, undo_until)


async def _locked(tx: Tx, kind: str, confirmed: int) -> list[Mapping[str, Any]]:
    rows = await lock(tx, _purgeable(kind), min(confirmed, MOST_PURGED) + 1)
    if len(rows) != confirmed:
        now = await count(tx, _purgeable(kind))
        raise Conflict(
            f"There are {now} to cancel, not {confirmed}. Look again, and confirm that number.", count=now
        )
    return rows


def _purgeable(kind: str) -> JobFilter:
    return JobFilter(kinds=[kind], purgeable=True)


async def undo(
    db: Database, actor: Actor, purge_id: UUID, admitter: Admitter, *, most: int = MOST_AT_ONCE
) -> Undone:
    """Asks again for the next `most` that the purge canceled and that nobody asked for again since.

    Raises NotFound, and Conflict when it is too late or nothing is left.
    """
    async with deed(db, actor, "queue.undo_purge", f"purge:{purge_id}") as done:
        found = await _next(done.tx, purge_id, most)
        ids = found["ids"]
        rows = await lock(done.tx, JobFilter(ids=ids, states=["canceled"], untried=True), most)
        done.details.update(named(JobFilter(), [row["id"] for row in rows]), queue=found["kind"])
    retried = await ask_again(db, rows, admitter, once=f"undo of purge {purge_id}")
    async with db.transaction(actor.account_id) as tx:
        await tx.execute(_BACK, purge_id, ids)
    return Undone(retried, len(ids) - len(retried.made) - len(retried.refused), found["remaining"])


async def _next(tx: Tx, purge_id: UUID, most: int) -> Mapping[str, Any]:
    found = await tx.fetchrow(_NEXT, purge_id, most, UNDO_WITHIN)
    if found is None:
        raise NotFound(f"There is no purge {purge_id} that could be undone.")
    if found["late"]:
        raise Conflict("It is too late to undo that purge. Single ones can be tried again.")
    if not found["ids"]:
        raise Conflict("That purge is undone already.")
    row: Mapping[str, Any] = found
    return row
