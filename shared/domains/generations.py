"""The life of a generation: every change of its status that a worker makes is a function here.

     queued ──► submitting ──► waiting ──► storing ──► completed
       ▲            │             │           │
       └── retry, fall back, or lost ─────────┘──► failed      (no route left, refused, poison, deadline)
     any state before the end ────────────────► canceled    (wins only if the row says so)
     queued, start deadline passed ───────────► expired

Each is made under a lease and is one transaction with its event, submission and money (`changes`); frames are
published after the commit. Changes that are asked for together are committed together. What its account does is in
`cancels` and `trash`; what comes after its end in `open_submissions`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.batch import Batcher
from shared.crashpoints import reach
from shared.db import Database
from shared.domains.changes import (
    Change,
    Lease,
    LeaseLost,
    NewSubmission,
    OutputRow,
    Settlement,
    SubmissionChange,
    apply,
)
from shared.domains.fleet import STEP_TTL_S
from shared.domains.open_submissions import neighbours
from shared.domains.provider_keys import billed_to
from shared.errors import JobError
from shared.events import EventType, Publisher, event_frame, progress_frame

DISPATCH_GRACE_S = 5.0
"""How long after a bell the clock rings again."""


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed generation: its row, and its newest submission (None before the first)."""

    lease: Lease
    row: Mapping[str, Any]
    submission: Mapping[str, Any] | None

    @property
    def id(self) -> UUID:
        return self.lease.id


_OPEN_SUBMISSION = """
SELECT id, provider, credential, state FROM submissions
WHERE generation_id = $1 AND state IN ('intent', 'accepted', 'unknown')
"""

_CLAIM_COLUMNS = """
    u.id, u.account_id, u.kind, u.model, u.input, u.files, u.routes, u.prefer, u.state, u.stage, u.seq, u.epoch,
    u.moderation, u.attempts, u.crashes, u.polls, u.cancel_requested_at, u.decision, u.progress,
    u.provider_queue_position,
    u.created_at, u.started_at, u.reserved_nanos, u.estimate_nanos, u.cost_nanos, u.price_id,
    extract(epoch FROM u.deadline_at - now())::float8 AS deadline_in_s,
    extract(epoch FROM u.start_deadline_at - now())::float8 AS start_deadline_in_s,
    extract(epoch FROM now() - u.created_at)::float8 AS age_s,
    s.id AS submission_id, s.n AS submission_n, s.provider AS submission_provider,
    s.credential AS submission_credential, s.model AS submission_model, s.route AS submission_route,
    s.state AS submission_state, s.remote_id, s.intent_at, s.accepted_at, s.result AS submission_result,
    s.error AS submission_error, s.cost_nanos AS submission_cost_nanos,
    extract(epoch FROM now() - s.accepted_at)::float8 AS accepted_ago_s,
    extract(epoch FROM s.resolve_until - now())::float8 AS resolve_in_s
"""

_NEWEST_SUBMISSION = """
    LEFT JOIN LATERAL (SELECT * FROM submissions x WHERE x.generation_id = u.id ORDER BY x.n DESC LIMIT 1) s ON true
"""

# A bell that was under way when its queue was paused, or its worker told to be quiet, begins nothing any more. What
# was begun goes on, and so does what somebody wants canceled.
_CLAIM = f"""
WITH bells AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS b(id, dispatch_no)
), resting AS (
    SELECT kind, mode FROM queues WHERE paused AND (paused_until IS NULL OR paused_until > now())
), u AS (
    UPDATE generations g SET owner = $3, epoch = g.epoch + 1, dispatch_no = g.dispatch_no + 1, rung = false,
        pokes_seen = g.pokes, wake_at = now() + $4::float8 * interval '1 second'
    FROM bells b
    WHERE g.id = b.id AND g.dispatch_no = b.dispatch_no AND g.owner IS NULL AND g.wake_at > now()
        AND EXISTS (SELECT FROM workers w WHERE w.id = $3 AND NOT w.draining AND (NOT w.quiet OR g.state <> 'queued'))
        AND (g.state <> 'queued' OR g.run_now OR g.cancel_requested_at IS NOT NULL OR NOT EXISTS (
            SELECT FROM resting r WHERE r.kind = g.kind AND (r.mode = 'pause' OR g.started_at IS NULL)))
    RETURNING g.*
)
SELECT {_CLAIM_COLUMNS} FROM u {_NEWEST_SUBMISSION}
"""  # noqa: S608  # constants only

_CLAIM_POLLS = f"""
WITH due AS (
    SELECT id FROM generations
    WHERE kind = ANY ($1) AND state = 'waiting' AND owner IS NULL AND wake_at <= now()
    ORDER BY wake_at LIMIT $3 FOR UPDATE SKIP LOCKED
), u AS (
    UPDATE generations g SET owner = $2, epoch = g.epoch + 1, rung = false, pokes_seen = g.pokes,
        polls = g.polls + 1, wake_at = now() + $4::float8 * interval '1 second'
    FROM due WHERE g.id = due.id AND EXISTS (SELECT FROM workers w WHERE w.id = $2 AND NOT w.draining)
    RETURNING g.*
)
SELECT {_CLAIM_COLUMNS} FROM u {_NEWEST_SUBMISSION}
"""  # noqa: S608  # constants only

_CLAIM_EXPIRED = f"""
WITH due AS (
    SELECT id FROM generations
    WHERE state = 'queued' AND owner IS NULL AND started_at IS NULL AND start_deadline_at < now()
    ORDER BY start_deadline_at LIMIT $2 FOR UPDATE SKIP LOCKED
), u AS (
    UPDATE generations g SET owner = $1, epoch = g.epoch + 1, rung = false, pokes_seen = g.pokes,
        wake_at = now() + $3::float8 * interval '1 second'
    FROM due WHERE g.id = due.id
    RETURNING g.*
)
SELECT {_CLAIM_COLUMNS} FROM u {_NEWEST_SUBMISSION}
"""  # noqa: S608  # constants only

_POLL_AGAIN = """
UPDATE generations g SET owner = NULL, rung = false,
    wake_at = CASE WHEN g.pokes > g.pokes_seen THEN now() ELSE now() + p.wake_s * interval '1 second' END,
    progress = coalesce(p.progress, g.progress), provider_queue_position = p.position
FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::float8[], $5::float8[], $6::int[])
    AS p(id, epoch, owner, wake_s, progress, position)
WHERE g.id = p.id AND g.epoch = p.epoch AND g.owner = p.owner
"""

_RELEASE = """
UPDATE generations g SET owner = NULL, rung = false, waiting_for = $5,
    wake_at = CASE WHEN g.pokes > g.pokes_seen THEN now() ELSE now() + $4::float8 * interval '1 second' END
WHERE g.id = $1 AND g.epoch = $2 AND g.owner = $3
RETURNING g.account_id, g.seq, g.stage, g.progress, g.waiting_for, g.wake_at
"""


@dataclass(frozen=True, slots=True)
class PollAgain:
    """A job that is still at its provider: look again in `wake_s` seconds."""

    lease: Lease
    wake_s: float
    progress: float | None = None
    queue_position: int | None = None


Watch = Callable[[Change, Mapping[str, Any]], None]


class Lifecycle:
    """The changes that workers make, on the worker role's pool.

    `watch` is told of each change after its commit, with the row that it led to.
    """

    def __init__(self, db: Database, publisher: Publisher, watch: Watch | None = None) -> None:
        self._db = db
        self._publisher = publisher
        self._watch = watch
        self._claims: Batcher[UUID, tuple[UUID, int], Work | None] = Batcher(self._claim_all)
        self._changes: Batcher[str, Change, None] = Batcher(self._apply_all)

    # Claiming and giving back.

    async def claim(self, worker: UUID, generation_id: UUID, dispatch_no: int) -> Work | None:
        """Takes the generation if the bell is still valid and nobody owns it; None otherwise."""
        reach("before_claim")
        work = await self._claims(worker, (generation_id, dispatch_no))
        if work is not None:
            reach("after_claim")
        return work

    async def claim_polls(self, worker: UUID, kinds: Sequence[str], limit: int) -> list[Work]:
        """Takes the waiting generations that are due for a look at their provider."""
        reach("before_poll_claim")
        rows = await self._db.fetch(_CLAIM_POLLS, list(kinds), worker, limit, STEP_TTL_S)
        if rows:
            reach("after_poll_claim")
        return [_work(row, worker) for row in rows]

    async def claim_expired(self, worker: UUID, limit: int) -> list[Work]:
        """Takes queued generations whose start deadline has passed."""
        rows = await self._db.fetch(_CLAIM_EXPIRED, worker, limit, STEP_TTL_S)
        return [_work(row, worker) for row in rows]

    async def neighbours(self, submission_id: UUID) -> tuple[frozenset[str], bool]:
        """See `neighbours`."""
        return await neighbours(self._db, submission_id)

    async def open_submission(self, generation_id: UUID) -> Mapping[str, Any] | None:
        """The paid call whose fate is open as of now (id, provider, credential, state), if there is one."""
        row: Mapping[str, Any] | None = await self._db.fetchrow(_OPEN_SUBMISSION, generation_id)
        return row

    async def release(self, lease: Lease, wake_s: float = 0.0, waiting_for: str | None = None) -> None:
        """Gives the generation back unchanged; it is due again after `wake_s`, or now if it was poked.

        `waiting_for` is what callers are told of the wait: cooldown, limit, doubt or retry. It is not in the history,
        so those who watch are told as they are of progress; its end is told by whatever comes next.
        """
        reach("before_release")
        row = await self._db.fetchrow(_RELEASE, lease.id, lease.epoch, lease.owner, wake_s, waiting_for)
        if row is not None and waiting_for is not None:
            wait = {"reason": waiting_for, "until": row["wake_at"]}
            frame = progress_frame(
                lease.id, row["seq"], progress=row["progress"], stage=row["stage"], waiting_for=wait
            )
            self._publisher.publish_soon(row["account_id"], [frame])
        reach("after_release")

    async def poll_again(self, items: Sequence[PollAgain]) -> None:
        """Gives back jobs that are still running at their provider, in one statement."""
        if not items:
            return
        reach("before_poll_again")
        await self._db.execute(
            _POLL_AGAIN,
            [item.lease.id for item in items],
            [item.lease.epoch for item in items],
            [item.lease.owner for item in items],
            [item.wake_s for item in items],
            [item.progress for item in items],
            [item.queue_position for item in items],
        )
        reach("after_poll_again")

    # The state diagram.

    async def submitting(
        self,
        work: Work,
        intent: NewSubmission,
        decision: Mapping[str, Any],
        found: Mapping[str, Any] | None = None,
    ) -> None:
        """queued → submitting. Commits the intent; only after this may the paid call start.

        `found` is what moderation adds to the row.
        """
        reach("before_intent")
        patch = {
            "provider": intent.provider, "provider_model": intent.model, "decision": decision, "attempts": 1,
            "price_id": intent.route.get("price_id"), "billed_to": billed_to(intent.credential), "error": None,
            **(found or {}),
        }  # fmt: skip
        await self._change(Change(
            work.lease, "submitting", EventType.SUBMITTING, "submitting", keep=True, patch=patch, intent=intent,
            data={"provider": intent.provider, "provider_model": intent.model},
        ))  # fmt: skip
        reach("after_intent")

    async def waiting(self, lease: Lease, submission_id: UUID, remote_id: str, look_in_s: float) -> None:
        """submitting → waiting. The provider has it: its id is committed and the lease given back."""
        reach("before_accepted")
        await self._change(Change(
            lease, "waiting", EventType.WAITING, "provider_queued", wake_s=look_in_s, patch={"polls": 0},
            submission=SubmissionChange(submission_id, "accepted", remote_id=remote_id),
        ))  # fmt: skip
        reach("after_accepted")

    async def provider_running(self, lease: Lease, look_in_s: float, progress: float | None) -> None:
        """waiting → waiting. The provider took the job out of its own queue."""
        await self._change(Change(lease, "waiting", EventType.UPDATED, "provider_running", wake_s=look_in_s,
                                  patch={"progress": progress}))  # fmt: skip

    async def storing(self, lease: Lease, submission: SubmissionChange, settle: Settlement) -> None:
        """submitting or waiting → storing. The provider's final word is committed and billed; the lease stays."""
        reach("before_storing")
        await self._change(Change(lease, "storing", EventType.STORING, "downloading", keep=True,
                                  patch={"polls": 0}, submission=submission, settle=settle))  # fmt: skip
        reach("after_storing")

    async def completed(
        self, lease: Lease, outputs: Sequence[OutputRow], *, unpriced: bool = False,
        submission: SubmissionChange | None = None, settle: Settlement | None = None,
        found: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """submitting or storing → completed. The outputs are stored; what is left of the reserve is released."""
        reach("before_completed")
        await self._change(Change(
            lease, "completed", EventType.COMPLETED, patch={"progress": 1.0, "error": None, **(found or {})},
            outputs=outputs,
            submission=submission, settle=settle, money="unpriced" if unpriced else "final",
            data={"outputs": len(outputs)},
        ))  # fmt: skip
        reach("after_completed")

    async def retrying(
        self, work: Work, error: JobError, *, delay_s: float, decision: Mapping[str, Any] | None = None,
        submission: SubmissionChange | None = None, settle: Settlement | None = None, refund_attempt: bool = False,
    ) -> None:  # fmt: skip
        """submitting, waiting or storing → queued, to be tried again after `delay_s`."""
        patch: dict[str, Any] = {"error": error.as_json(), "progress": None, "polls": 0}
        if delay_s:
            patch["waiting_for"] = "retry"
        if refund_attempt:
            patch["attempts"] = -1
        if decision is not None:
            patch["decision"] = decision
        reach("before_retrying")
        await self._change(Change(
            work.lease, "queued", EventType.RETRYING, "routing", wake_s=delay_s, patch=patch, submission=submission,
            settle=settle, data={"error": error.as_json(), "delay_s": round(delay_s, 3)},
        ))  # fmt: skip
        reach("after_retrying")

    async def unknown(self, work: Work, submission_id: UUID, error: JobError, *, look_in_s: float,
                      window_s: float) -> None:  # fmt: skip
        """submitting stays. The fate of the call is not known: it is asked about until the window closes."""
        reach("before_unknown")
        await self._change(Change(
            work.lease, "submitting", EventType.UPDATED, "submitting", wake_s=look_in_s,
            patch={"waiting_for": "doubt"},
            submission=SubmissionChange(submission_id, "unknown", error=error.as_json(), resolve_in_s=window_s),
            data={"reconciling": True},
        ))  # fmt: skip
        reach("after_unknown")

    async def failed(
        self, work: Work, error: JobError, *, submission: SubmissionChange | None = None,
        settle: Settlement | None = None, money: str = "final", found: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Any state before the end → failed."""
        reach("before_failed")
        await self._change(Change(
            work.lease, "failed", EventType.FAILED, patch={"error": error.as_json(), **(found or {})},
            submission=submission, settle=settle, money=money, data={"error": error.as_json()},
        ))  # fmt: skip
        reach("after_failed")

    async def canceled(
        self, work: Work, *, submission: SubmissionChange | None = None, settle: Settlement | None = None,
        money: str = "final", text: str = "",
    ) -> None:  # fmt: skip
        """Any state before the end → canceled, because the row says that somebody asked for it.

        `text` is what its caller has seen written until then, and keeps.
        """
        error = JobError("CANCELED", "Canceled on request.", details={"text": text} if text else {})
        reach("before_canceled")
        await self._change(Change(
            work.lease, "canceled", EventType.CANCELED, patch={"error": error.as_json()}, submission=submission,
            settle=settle, money=money, data={"error": error.as_json()},
        ))  # fmt: skip
        reach("after_canceled")

    async def expired(self, work: Work) -> None:
        """queued → expired: the start deadline passed."""
        error = JobError("DEADLINE", "It did not start before its start deadline.", retryable=True)
        reach("before_expired")
        await self._change(Change(work.lease, "expired", EventType.EXPIRED, patch={"error": error.as_json()},
                                  money="final", data={"error": error.as_json()}))  # fmt: skip
        reach("after_expired")

    async def store_again(self, lease: Lease, tries: int, delay_s: float) -> None:
        """storing stays. Fetching or storing failed for now and is done again after `delay_s`."""
        await self._change(
            Change(
                lease,
                "storing",
                EventType.UPDATED,
                "downloading",
                wake_s=delay_s,
                patch={"polls": tries, "waiting_for": "retry"},
            )
        )

    # How changes are made.

    async def _change(self, change: Change) -> None:
        await self._changes("", change)

    async def _claim_all(self, worker: UUID, bells: list[tuple[UUID, int]]) -> list[Work | None]:
        newest = dict(sorted(bells, key=lambda bell: bell[1]))
        rows = await self._db.fetch(_CLAIM, list(newest), list(newest.values()), worker, STEP_TTL_S)
        claimed = {row["id"]: _work(row, worker) for row in rows}
        # A bell that stands twice in one batch is served once.
        return [claimed.pop(generation_id, None) for generation_id, _ in bells]

    async def _apply_all(self, _: str, changes: list[Change]) -> list[BaseException | None]:
        async with self._db.transaction() as tx:
            applied = await apply(tx, changes, self._publisher)
        self._publish(list(applied.values()))
        if self._watch is not None:
            for change in changes:
                if change.lease.id in applied:
                    self._watch(change, applied[change.lease.id])
        return [None if change.lease.id in applied else LeaseLost(change.lease.id) for change in changes]

    def _publish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            self._publisher.publish_soon(row["account_id"], [event_frame(row)])


def _work(row: Mapping[str, Any], worker: UUID) -> Work:
    submission = row if row["submission_id"] is not None else None
    return Work(Lease(row["id"], row["epoch"], worker), row, submission)
