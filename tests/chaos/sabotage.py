"""The guards, each with a way to do without it: negative controls, which show that a check can fail.

A guard is taken away in this process by patching. Tests pass pytest's `monkeypatch.setattr`, which puts it back;
the nursery's children, which take it with them when they end, plain `setattr`.
"""

import re
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from shared.db import Database
from shared.domains import changes, entitlements, fleet, generations, ledger
from shared.domains.changes import NewSubmission, SubmissionChange
from shared.domains.fleet import Reaped
from shared.domains.generations import Lifecycle, Work
from shared.errors import JobError
from shared.executor import Executor, ExecutorCrashed
from shared.storage import ObjectStore
from workers import dispatch
from workers.artifacts import Place
from workers.engine import Engine
from workers.steps.reconciling import Reconciling

Patch = Callable[[Any, str, Any], None]
Removal = Callable[[Patch], None]

GUARDS: dict[str, Removal] = {}


def guard(name: str) -> Callable[[Removal], Removal]:
    def register(removal: Removal) -> Removal:
        GUARDS[name] = removal
        return removal

    return register


def take_away(name: str, patch: Patch = setattr) -> None:
    """Raises KeyError when no guard is called so."""
    GUARDS[name](patch)


def _rewrite(patch: Patch, module: Any, name: str, pattern: str, replacement: str) -> None:
    """Raises ValueError when the statement does not have the guard in it: a control must remove something."""
    changed, times = re.subn(pattern, replacement, getattr(module, name), flags=re.DOTALL)
    if not times:
        raise ValueError(f"{name} has no {pattern!r}")
    patch(module, name, changed)


@guard("description")
def _description(patch: Patch) -> None:
    """Outputs are stored without width, height and thumbnail, as when the codec crashes."""

    async def crash(self: Executor, *args: Any, **options: Any) -> Any:
        raise ExecutorCrashed

    patch(Executor, "call", crash)


@guard("fence")
def _fence(patch: Patch) -> None:
    """Writes of whoever once held the lease go through."""
    _rewrite(patch, changes, "_APPLY", r" AND g\.epoch = p\.epoch AND g\.owner = p\.owner", "")


@guard("intent")
def _intent(patch: Patch) -> None:
    """The intent is written after the paid call, or never, when the process dies in between."""

    async def later(
        self: Lifecycle, work: Work, intent: NewSubmission, decision: Any, found: Any = None
    ) -> None:
        return None

    patch(Lifecycle, "submitting", later)


@guard("reconciliation")
def _reconciliation(patch: Patch) -> None:
    """A submission without an answer is simply sent again."""

    async def blindly(self: Any, work: Work) -> None:
        assert work.submission is not None
        error = JobError("PROVIDER_TIMEOUT", "No answer", retryable=True)
        change = SubmissionChange(work.submission["submission_id"], "lost")
        await self._lifecycle.retrying(work, error, delay_s=0.0, submission=change)

    patch(Reconciling, "reconcile", blindly)


@guard("reaper")
def _reaper(patch: Patch) -> None:
    async def nobody(db: Database, lease_ttl_s: float) -> Reaped:
        return Reaped(0, ())

    patch(fleet, "reap", nobody)


@guard("second bell")
def _second_bell(patch: Patch) -> None:
    """What was announced once is not announced again."""
    _rewrite(patch, dispatch, "_RING_FAIRLY", r"AND owner IS NULL AND wake_at <= now\(\)",
             "AND owner IS NULL AND wake_at <= now() AND NOT rung")  # fmt: skip


@guard("running without Redis")
def _direct_run(patch: Patch) -> None:
    async def nowhere(self: Engine, kind: str, generation_id: UUID, dispatch_no: int) -> None:
        return None

    patch(Engine, "_run_here", nowhere)


@guard("free claims")
def _free_claims(patch: Patch) -> None:
    """An attempt is counted when a step is claimed, as queues do that count deliveries."""
    _rewrite(patch, generations, "_CLAIM", r"SET owner = \$3", "SET attempts = g.attempts + 1, owner = $3")


@guard("events in the transaction")
def _events(patch: Patch) -> None:
    """Events are emitted after the commit, and a process dies before it has emitted one of them."""
    _rewrite(
        patch,
        changes,
        "_APPLY",
        r"(data, created_at FROM u)\n",
        r"\1 WHERE type <> 'generation.storing'\n",
    )


@guard("bytes before rows")
def _bytes_first(patch: Patch) -> None:
    """The row is committed before the bytes are there, and a process dies before it has stored them."""

    async def later(
        self: ObjectStore, key: str, chunks: AsyncIterator[bytes], length: int | None, mime: str
    ) -> int:
        return sum([len(chunk) async for chunk in chunks])

    patch(ObjectStore, "put_stream", later)
    take_away("description", patch)


@guard("files of submissions")
def _files_of_submissions(patch: Patch) -> None:
    """All calls for one generation write to the same key."""
    patch(Place, "file", lambda self, n, ext: self.key(f"{n}.{ext}"))


@guard("pokes")
def _pokes(patch: Patch) -> None:
    """A step that gives back does not look whether somebody knocked meanwhile."""
    for module, statement in (
        (changes, "_APPLY"),
        (generations, "_RELEASE"),
        (generations, "_POLL_AGAIN"),
    ):
        _rewrite(
            patch,
            module,
            statement,
            r"WHEN g\.pokes > g\.pokes_seen THEN now\(\)",
            "WHEN false THEN now()",
        )


@guard("turns")
def _turns(patch: Patch) -> None:
    """Kinds are dispatched at the same time although they share the accounts' limits."""
    patch(dispatch, "_TAKE_TURN", "SELECT $1::text, $2::bigint")


@guard("fair order")
def _fair_order(patch: Patch) -> None:
    """First come, first served."""
    order = r"ORDER BY due\.turn, served\.last_served_at NULLS FIRST, due\.account_id"
    _rewrite(patch, dispatch, "_RING_FAIRLY", order, "ORDER BY due.id")


@guard("counted crashes")
def _counted_crashes(patch: Patch) -> None:
    _rewrite(
        patch,
        fleet,
        "_REAP",
        r"crashes = g\.crashes \+ \(g\.state <> 'waiting'\)::int",
        "crashes = g.crashes",
    )


@guard("one clock")
def _one_clock(patch: Patch) -> None:
    """Whether a worker is dead is judged by the clock of whoever asks."""

    async def locally(db: Database, lease_ttl_s: float) -> Reaped:
        before = datetime.fromtimestamp(time.time(), UTC) - timedelta(seconds=lease_ttl_s)
        rows = await db.fetch("DELETE FROM workers WHERE beat_at < $1 RETURNING id", before)
        return Reaped(0, [row["id"] for row in rows])

    patch(fleet, "reap", locally)


@guard("numbered bells")
def _numbered_bells(patch: Patch) -> None:
    """The number of a bell is not used up when it is answered."""
    _rewrite(patch, generations, "_CLAIM", r"dispatch_no = g\.dispatch_no \+ 1, ", "")


@guard("lock order")
def _lock_order(patch: Patch) -> None:
    """Requests of an account with a budget lock its row more strongly than they need to."""
    _rewrite(patch, entitlements, "_LOCK_ACCOUNT", "FOR NO KEY UPDATE", "FOR UPDATE")


@guard("ordered locks")
def _ordered_locks(patch: Patch) -> None:
    """Whoever changes several accounts takes them as they come."""
    for module, name in ((ledger, "_RECORD"), (dispatch, "_RING_FAIRLY")):
        _rewrite(patch, module, name, r"ORDER BY id FOR NO KEY UPDATE", "ORDER BY random()")


@guard("forgotten claims")
def _forgotten_claims(patch: Patch) -> None:
    """A claim whose answer was lost is held until its time runs out, and then counts as a crash."""
    _rewrite(
        patch, fleet, "_BEAT", r"WHERE g\.owner = beat\.id AND g\.id <> ALL", "WHERE false AND g.id <> ALL"
    )


@guard("steady judges")
def _steady_judges(patch: Patch) -> None:
    """Who finds Postgres back after an outage buries at once whoever could not beat meanwhile."""
    patch(Engine, "_reap", _hasty_reap)


async def _hasty_reap(self: Any) -> None:
    await fleet.reap(self._db, self.settings.lease_ttl_s)
