"""Generations of all accounts, for operators: found by filter, canceled, tried again, run now.

What changes in an account is done in that account's name, so that its row-level security holds here too.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from itertools import batched, groupby
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from shared.db import Database, Tx
from shared.domains import history
from shared.domains.admission import Admission, Admitter, Idempotency, StoredResponse
from shared.domains.cancels import CancelResult, cancel_queued, request_cancel
from shared.domains.ops.audit import Actor, act_for, deed
from shared.domains.repeats import RETRIABLE, retry_of
from shared.domains.states import TERMINAL
from shared.domains.trash import hide_ended
from shared.errors import Conflict, InvalidInput, NotFound, PenstockError
from shared.events import Publisher
from shared.queue import Bell

MOST_AT_ONCE = 1000
NAMED_IN_AUDIT = 100
"""How many ids an audit entry names; it counts all."""
ADMITTED_TOGETHER = 50

_PAGE = "SELECT * FROM auth.ops_jobs($1, $2, $3)"
_COUNT = "SELECT auth.ops_count($1)"
_LOCK = "SELECT * FROM auth.ops_lock($1, $2)"
_RUN_NOW = "SELECT * FROM auth.ops_run_now($1)"


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which generations; None and False leave a condition out.

    `untried` is what nobody has tried again, `unsettled` what has failed and was neither tried again nor set aside,
    `purgeable` what queues, is in nobody's hands and was never paid for.
    """

    ids: Sequence[UUID] | None = None
    kinds: Sequence[str] | None = None
    states: Sequence[str] | None = None
    stage: str | None = None
    provider: str | None = None
    model: str | None = None
    accounts: Sequence[UUID] | None = None
    code: str | None = None
    fingerprint: str | None = None
    q: str | None = None
    tag: str | None = None
    """Something that it made has it."""
    created_after: datetime | None = None
    created_before: datetime | None = None
    untried: bool = False
    unsettled: bool = False
    purgeable: bool = False

    def as_json(self) -> dict[str, Any]:
        given = {
            name: value for name, value in asdict(self).items() if value is not None and value is not False
        }
        # The ids of rows are asyncpg's own, which JSON does not take.
        named = {"ids": self.ids, "accounts": self.accounts}
        return given | {name: [str(id_) for id_ in ids] for name, ids in named.items() if ids is not None}


@dataclass(frozen=True, slots=True)
class Job:
    """A generation as a worker may need to find it: its row, events, submissions, all of its account."""

    listed: Mapping[str, Any]
    row: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    submissions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one of several was not done."""

    id: UUID
    error: PenstockError


@dataclass(frozen=True, slots=True)
class Retried:
    """`made` are the new generations by the ids of the old ones."""

    made: Mapping[UUID, UUID]
    admissions: Sequence[Admission]
    refused: Sequence[Refusal]


async def page(tx: Tx, where: JobFilter, after: UUID | None, limit: int) -> list[Mapping[str, Any]]:
    """Newest first, starting behind the id `after`; nothing for who may not look at the installation."""
    return list(await tx.fetch(_PAGE, where.as_json(), after, limit))


async def count(tx: Tx, where: JobFilter) -> int:
    return int(await tx.fetchval(_COUNT, where.as_json()))


async def lock(tx: Tx, where: JobFilter, most: int) -> list[Mapping[str, Any]]:
    """The oldest that match, locked: id, account_id, kind, state, held. What others are changing is left out."""
    return list(await tx.fetch(_LOCK, where.as_json(), most))


async def find(db: Database, caller: UUID, generation_id: UUID) -> Job:
    """Raises NotFound."""
    async with db.transaction(caller) as tx:
        rows = await page(tx, JobFilter(ids=[generation_id]), None, 1)
        if not rows:
            raise _missing(generation_id)
        await act_for(tx, rows[0]["account_id"])
        row = await history.get(tx, generation_id)
        if row is None:
            raise _missing(generation_id)
        events = await history.events_since(tx, generation_id, 0)
        return Job(rows[0], row, events, await history.submissions(tx, generation_id))


def _missing(generation_id: UUID) -> NotFound:
    return NotFound(f"There is no generation {generation_id}.")


async def cancel(
    db: Database,
    actor: Actor,
    where: JobFilter,
    publisher: Publisher,
    bell: Bell,
    *,
    most: int = MOST_AT_ONCE,
) -> list[CancelResult]:
    """Cancels the oldest that match, or asks whoever works on them to. What others are changing just now is left."""
    async with deed(db, actor, "jobs.cancel", _target(where)) as done:
        rows = [row for row in await lock(done.tx, where, most) if row["state"] not in TERMINAL]
        results = await cancel_locked(done.tx, rows, publisher, bell)
        done.details.update(named(where, [row["id"] for row in rows]))
    return results


async def cancel_locked(
    tx: Tx, rows: Sequence[Mapping[str, Any]], publisher: Publisher, bell: Bell
) -> list[CancelResult]:
    """Cancels rows that `lock` gave, account after account in the order in which accounts are always locked."""
    results: list[CancelResult] = []
    ordered = sorted(rows, key=lambda row: (row["account_id"], row["id"]))
    for account_id, group in groupby(ordered, key=lambda row: row["account_id"]):
        await act_for(tx, account_id)
        mine = list(group)
        free = [row["id"] for row in mine if row["state"] == "queued" and not row["held"]]
        if free:
            results += await cancel_queued(tx, free, publisher)
        for row in mine:
            if (
                row["id"] not in free
                and (result := await request_cancel(tx, row["id"], publisher, bell)) is not None
            ):
                results.append(result)
    return results


async def delete(db: Database, actor: Actor, where: JobFilter, *, most: int = MOST_AT_ONCE) -> int:
    """Hides the oldest that match and have ended, with what they made; their accounts can take them back from the
    trash. Returns how many."""
    async with deed(db, actor, "jobs.delete", _target(where)) as done:
        rows = [row for row in await lock(done.tx, where, most) if row["state"] in TERMINAL]
        ordered = sorted(rows, key=lambda row: (row["account_id"], row["id"]))
        for account_id, group in groupby(ordered, key=lambda row: row["account_id"]):
            await act_for(done.tx, account_id)
            await hide_ended(done.tx, [row["id"] for row in group])
        done.details.update(named(where, [row["id"] for row in rows]))
    return len(rows)


async def run_now(db: Database, actor: Actor, ids: Sequence[UUID], bell: Bell) -> list[UUID]:
    """Lets these go before all others, even while their queues are paused; returns those that do queue."""
    async with deed(db, actor, "jobs.run_now", _target(JobFilter(ids=ids))) as done:
        rows = await done.tx.fetch(_RUN_NOW, list(ids))
        done.details.update(named(JobFilter(ids=ids), [row["id"] for row in rows]))
        if not rows:
            await _refuse_run_now(done.tx, ids)
        for kind in sorted({row["kind"] for row in rows}):
            done.tx.after_commit(partial(bell.poke, kind))
    return [row["id"] for row in rows]


async def _refuse_run_now(tx: Tx, ids: Sequence[UUID]) -> None:
    found = await page(tx, JobFilter(ids=ids), None, 1)
    if not found:
        raise _missing(ids[0])
    raise Conflict("Only what queues can be run now.", state=found[0]["state"])


async def retry(
    db: Database, actor: Actor, where: JobFilter, admitter: Admitter, *, provider: str | None = None,
    most: int = MOST_AT_ONCE,
) -> Retried:  # fmt: skip
    """Asks again for the oldest that match and ended without success, on their accounts' plans and budgets.

    Each is admitted in a transaction of its own; the audit entry is written before the first.
    """
    async with deed(db, actor, "jobs.retry", _target(where)) as done:
        rows = [row for row in await lock(done.tx, where, most) if row["state"] in RETRIABLE]
        done.details.update(named(where, [row["id"] for row in rows]))
        if provider is not None:
            done.details["provider"] = provider
    return await ask_again(db, rows, admitter, provider=provider)


async def ask_again(
    db: Database, rows: Sequence[Mapping[str, Any]], admitter: Admitter, *, provider: str | None = None,
    once: str | None = None,
) -> Retried:  # fmt: skip
    """Has what `lock` gave made anew, each in a transaction of its own; only one of all calls with the same `once`
    makes anything of a row."""
    made: dict[UUID, UUID] = {}
    admissions: list[Admission] = []
    refused: list[Refusal] = []
    for some in batched(rows, ADMITTED_TOGETHER):
        results = await asyncio.gather(*(_retry_one(db, row, admitter, provider, once) for row in some))
        for row, result in zip(some, results, strict=True):
            if isinstance(result, PenstockError):
                refused.append(Refusal(row["id"], result))
            elif result.row is not None:
                made[row["id"]] = result.row["id"]
                admissions.append(result)
    return Retried(made, admissions, refused)


async def _retry_one(
    db: Database, found: Mapping[str, Any], admitter: Admitter, provider: str | None, once: str | None
) -> Admission | PenstockError:
    id_: UUID = found["id"]
    key = Idempotency(once, str(id_), id_.bytes) if once is not None else None
    try:
        async with db.transaction(found["account_id"]) as tx:
            row = await history.get(tx, found["id"])
        if row is None:
            return _missing(found["id"])
        return await admitter.admit(found["account_id"], retry_of(row, provider=provider), key, _kept)
    except ValidationError:
        # Its kind has become stricter since.
        return InvalidInput("Its input is not valid any more.", field="input", status=422)
    except PenstockError as error:
        return error


def _kept(row: Mapping[str, Any]) -> StoredResponse:
    """What is kept of an admission under a key: nobody reads more of it than that it was."""
    return StoredResponse(202, {}, b"", row["id"])


def named(where: JobFilter, ids: Sequence[UUID]) -> dict[str, Any]:
    """What an audit entry keeps of whom something was done to."""
    conditions = {name: value for name, value in where.as_json().items() if name != "ids"}
    found: dict[str, Any] = {"count": len(ids), "ids": [str(id_) for id_ in ids[:NAMED_IN_AUDIT]]}
    return found | ({"filter": conditions} if conditions else {})


def _target(where: JobFilter) -> str:
    if where.ids is not None and len(where.ids) == 1:
        return f"job:{where.ids[0]}"
    return f"failure:{where.fingerprint}" if where.fingerprint is not None else "jobs"


def by_state(results: Sequence[CancelResult]) -> dict[str, int]:
    """How many came to an end at once, and how many were asked to."""
    counted = Counter(
        "canceled" if result.state == "canceled" else "asked" for result in results if result.changed
    )
    return {"canceled": counted["canceled"], "asked": counted["asked"]}
