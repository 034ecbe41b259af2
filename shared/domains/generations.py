"""The life of a generation: every change of its status is a function here.

     queued ──► submitting ──► waiting ──► storing ──► completed
       ▲            │             │           │
       └── retry, fall back, or lost ─────────┘──► failed      (no route left, refused, poison, deadline)
     any state before the end ────────────────► canceled    (wins only if the row says so)
     queued, start deadline passed ───────────► expired

A worker changes a generation only under its lease: every write names the epoch and the owner, so that a
process that was declared dead and woke up changes nothing (`LeaseLost`). A change, its event, its submission
and its money are one transaction; frames are published after the commit. Changes that are asked for together
are committed together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.batch import Batcher
from shared.crashpoints import reach
from shared.db import Database, Tx
from shared.domains import archive, assets, creative, deliveries, quotas
from shared.domains.fleet import STEP_TTL_S
from shared.domains.ledger import Entry, record
from shared.domains.provider_keys import billed_to
from shared.errors import JobError
from shared.events import EventType, Publisher, event_frame, progress_frame
from shared.ids import new_id
from shared.money import Nanos
from shared.queue import Bell

TERMINAL = frozenset({"completed", "failed", "canceled", "expired"})
STATUS = {"submitting": "running", "waiting": "running", "storing": "running"}
DISPATCH_GRACE_S = 5.0
"""How long after a bell the clock rings again."""


def status_of(state: str) -> str:
    """What callers see: queued, running, or the terminal state itself."""
    return STATUS.get(state, state)


class LeaseLost(Exception):
    """The generation belongs to somebody else by now; whatever was going to be written is void."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The fencing token of one claim."""

    id: UUID
    epoch: int
    owner: UUID


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed generation: its row, and its newest submission (None before the first)."""

    lease: Lease
    row: Mapping[str, Any]
    submission: Mapping[str, Any] | None

    @property
    def id(self) -> UUID:
        return self.lease.id


@dataclass(frozen=True, slots=True)
class SubmissionChange:
    """What becomes of a submission. Times are seconds from now."""

    id: UUID
    state: str
    remote_id: str | None = None
    result: Mapping[str, Any] | None = None
    usage: Mapping[str, Any] | None = None
    cost_nanos: int | None = None
    error: Mapping[str, Any] | None = None
    resolve_in_s: float | None = None
    check_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class NewSubmission:
    """An intent, written before the paid call."""

    id: UUID
    provider: str
    credential: str
    model: str
    route: Mapping[str, Any]
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class OutputRow:
    """A stored file, as `outputs` keeps it."""

    n: int
    kind: str
    key: str
    mime: str
    bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    thumbnail_key: str | None = None
    poster_key: str | None = None
    peaks_key: str | None = None
    text: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settlement:
    """The provider's bill for one submission; `nanos` None is a bill that cannot be priced yet."""

    submission_id: UUID
    nanos: Nanos | None
    provider: str
    model: str
    price_id: str | None
    payer: str = "account"
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One fenced transition with everything that belongs to it."""

    lease: Lease
    state: str
    event: EventType
    stage: str | None = None
    wake_s: float = 0.0
    keep: bool = False
    """Keep the lease, to go on with the next step at once."""
    patch: Mapping[str, Any] = field(default_factory=dict)
    """Columns to set: provider, provider_model, decision, error, progress, attempts (added), polls …"""
    data: Mapping[str, Any] = field(default_factory=dict)
    intent: NewSubmission | None = None
    submission: SubmissionChange | None = None
    settle: Settlement | None = None
    outputs: Sequence[OutputRow] = ()
    money: str | None = None
    """At the end: `final` releases the reserve, `reconciling` and `unpriced` leave it in place."""

    @property
    def news(self) -> str | None:
        """The type under which webhooks tell of it, if they do."""
        if self.state in TERMINAL:
            return self.event.value
        return deliveries.STARTED if self.event is EventType.SUBMITTING else None


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

_APPLY = """
WITH p AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::float8[], $7::boolean[], $8::jsonb[],
        $9::text[], $10::jsonb[], $11::bigint[], $12::text[], $13::text[]
    ) AS p(id, epoch, owner, state, stage, wake_s, keep, patch, event, data, settled, money, news)
), u AS (
    UPDATE generations g SET
        state = p.state,
        stage = p.stage,
        seq = g.seq + 1,
        updated_at = now(),
        owner = CASE WHEN p.keep THEN g.owner END,
        rung = false,
        run_now = g.run_now AND p.state = 'queued',
        wake_at = CASE
            WHEN p.state IN ('completed', 'failed', 'canceled', 'expired') THEN NULL
            WHEN p.keep THEN g.wake_at
            WHEN g.pokes > g.pokes_seen THEN now()
            ELSE now() + p.wake_s * interval '1 second' END,
        started_at = coalesce(g.started_at, CASE WHEN p.state = 'submitting' THEN now() END),
        completed_at = CASE WHEN p.state IN ('completed', 'failed', 'canceled', 'expired') THEN now() END,
        attempts = g.attempts + coalesce((p.patch ->> 'attempts')::int, 0),
        polls = coalesce((p.patch ->> 'polls')::int, g.polls),
        waiting_for = p.patch ->> 'waiting_for',
        provider = coalesce(p.patch ->> 'provider', g.provider),
        provider_model = coalesce(p.patch ->> 'provider_model', g.provider_model),
        price_id = coalesce(p.patch ->> 'price_id', g.price_id),
        billed_to = coalesce(p.patch ->> 'billed_to', g.billed_to),
        decision = coalesce(p.patch -> 'decision', g.decision),
        moderation = CASE WHEN p.patch ? 'moderation' THEN g.moderation || (p.patch -> 'moderation')
            ELSE g.moderation END,
        warnings = CASE WHEN p.patch ? 'warnings' THEN g.warnings || (p.patch -> 'warnings') ELSE g.warnings END,
        error = CASE WHEN p.patch ? 'error' THEN nullif(p.patch -> 'error', 'null'::jsonb) ELSE g.error END,
        progress = CASE WHEN p.patch ? 'progress' THEN (p.patch ->> 'progress')::float8 ELSE g.progress END,
        provider_queue_position = (p.patch ->> 'provider_queue_position')::int,
        cost_nanos = CASE WHEN p.settled IS NULL THEN g.cost_nanos ELSE coalesce(g.cost_nanos, 0) + p.settled END,
        cost_status = CASE
            WHEN p.money = 'final' AND p.state <> 'completed'
                AND coalesce(g.cost_nanos, 0) + coalesce(p.settled, 0) = 0 THEN 'released'
            ELSE coalesce(p.money, g.cost_status) END
    FROM p WHERE g.id = p.id AND g.epoch = p.epoch AND g.owner = p.owner
    RETURNING g.id, g.id AS generation_id, g.account_id, g.kind, g.seq, g.reserved_nanos, g.price_id,
        g.provider, g.attempts, g.created_at AS admitted_at, g.started_at,
        g.updated_at AS created_at, p.event AS type,
        p.data || jsonb_build_object('status', CASE WHEN g.state IN ('submitting', 'waiting', 'storing')
                THEN 'running' ELSE g.state END, 'stage', g.stage, 'progress', g.progress,
            'cost_nanos', g.cost_nanos, 'cost_status', g.cost_status)
            || CASE WHEN g.waiting_for IS NULL THEN '{}' ELSE jsonb_build_object('waiting_for',
                jsonb_build_object('reason', g.waiting_for, 'until', g.wake_at)) END AS data,
        CASE WHEN p.news IS NULL OR p.news = 'generation.started' AND g.started_at < g.updated_at THEN false
            ELSE coalesce(g.webhook -> 'events' ? p.news, false) OR EXISTS (SELECT FROM webhook_endpoints w
                WHERE w.account_id = g.account_id AND w.enabled AND p.news = ANY (w.events)) END AS awaited
), e AS (
    INSERT INTO generation_events (generation_id, seq, account_id, type, data, created_at)
    SELECT id, seq, account_id, type, data, created_at FROM u
)
SELECT * FROM u
"""

_INTENT = """
INSERT INTO submissions (id, generation_id, account_id, n, provider, credential, model, route, request_hash)
SELECT i.id, i.generation_id, i.account_id,
    1 + coalesce((SELECT max(s.n) FROM submissions s WHERE s.generation_id = i.generation_id), 0),
    i.provider, i.credential, i.model, i.route, i.request_hash
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::bytea[])
    AS i(id, generation_id, account_id, provider, credential, model, route, request_hash)
"""

_SUBMISSION = """
UPDATE submissions s SET
    state = c.state,
    remote_id = coalesce(c.remote_id, s.remote_id),
    result = coalesce(c.result, s.result),
    usage = coalesce(c.usage, s.usage),
    cost_nanos = coalesce(c.cost_nanos, s.cost_nanos),
    error = coalesce(c.error, s.error),
    accepted_at = CASE WHEN c.state = 'accepted' THEN coalesce(s.accepted_at, now()) ELSE s.accepted_at END,
    ended_at = CASE WHEN c.state IN ('intent', 'accepted', 'unknown') THEN NULL ELSE coalesce(s.ended_at, now()) END,
    resolve_until = CASE WHEN c.resolve_in_s IS NULL THEN s.resolve_until
        ELSE coalesce(s.resolve_until, s.intent_at + c.resolve_in_s * interval '1 second') END,
    check_at = now() + c.check_in_s * interval '1 second'
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::jsonb[], $6::bigint[], $7::jsonb[],
    $8::float8[], $9::float8[])
    AS c(id, state, remote_id, result, usage, cost_nanos, error, resolve_in_s, check_in_s)
WHERE s.id = c.id AND (s.state IN ('intent', 'accepted', 'unknown') OR s.state = c.state)
"""

# Every output is an asset of the library from the beginning, and stands in the studio's history.
_OUTPUT = f"""
WITH o AS (
    INSERT INTO outputs (generation_id, n, account_id, submission_id, kind, key, mime, bytes, sha256, width, height,
        duration_s, thumbnail_key, poster_key, peaks_key, text, details)
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
        $8::bigint[], $9::text[], $10::int[], $11::int[], $12::float8[], $13::text[], $14::text[], $15::text[],
        $16::text[], $17::jsonb[])
    ON CONFLICT (generation_id, n) DO NOTHING RETURNING *
), ids AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $18::uuid[]) AS i (generation_id, n, asset_id)
), a AS (
    {assets.FROM_OUTPUTS} RETURNING *
)
{creative.FROM_ASSETS}
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
            applied = await _apply(tx, changes, self._publisher)
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


async def _apply(tx: Tx, changes: Sequence[Change], publisher: Publisher) -> dict[UUID, Mapping[str, Any]]:
    """Writes the changes whose leases hold; returns their rows by generation id."""
    rows = await tx.fetch(
        _APPLY,
        [change.lease.id for change in changes],
        [change.lease.epoch for change in changes],
        [change.lease.owner for change in changes],
        [change.state for change in changes],
        [change.stage for change in changes],
        [change.wake_s for change in changes],
        [change.keep for change in changes],
        [dict(change.patch) for change in changes],
        [change.event.value for change in changes],
        [dict(change.data) for change in changes],
        [change.settle.nanos if change.settle else None for change in changes],
        [change.money for change in changes],
        [change.news for change in changes],
    )
    applied: dict[UUID, Mapping[str, Any]] = {row["id"]: row for row in rows}
    held = [change for change in changes if change.lease.id in applied]
    await _write_intents(tx, [(change, applied[change.lease.id]) for change in held if change.intent])
    await write_submissions(tx, [change.submission for change in held if change.submission])
    await _write_outputs(tx, held, applied)
    in_vain = [change.lease.id for change in held if _is_in_vain(change, applied[change.lease.id])]
    await quotas.give_back(tx, in_vain)
    entries = [entry for change in held for entry in _entries(change, applied[change.lease.id])]
    await record(tx, entries, publisher)
    awaited = [change for change in held if applied[change.lease.id]["awaited"]]
    await deliveries.announce(tx, [(change.lease.id, change.news) for change in awaited if change.news])
    return applied


async def _write_intents(tx: Tx, intents: Sequence[tuple[Change, Mapping[str, Any]]]) -> None:
    rows = [(change.intent, change.lease.id, row["account_id"]) for change, row in intents if change.intent]
    if not rows:
        return
    await tx.execute(
        _INTENT,
        [intent.id for intent, _, _ in rows],
        [generation_id for _, generation_id, _ in rows],
        [account_id for _, _, account_id in rows],
        [intent.provider for intent, _, _ in rows],
        [intent.credential for intent, _, _ in rows],
        [intent.model for intent, _, _ in rows],
        [dict(intent.route) for intent, _, _ in rows],
        [intent.request_hash for intent, _, _ in rows],
    )


async def write_submissions(tx: Tx, changes: Sequence[SubmissionChange]) -> None:
    """Raises SubmissionEnded when one of them already has another final state: the transaction is void."""
    if not changes:
        return
    done = await tx.execute(
        _SUBMISSION,
        [change.id for change in changes],
        [change.state for change in changes],
        [change.remote_id for change in changes],
        [change.result for change in changes],
        [change.usage for change in changes],
        [change.cost_nanos for change in changes],
        [change.error for change in changes],
        [change.resolve_in_s for change in changes],
        [change.check_in_s for change in changes],
    )
    if done != f"UPDATE {len(changes)}":
        raise SubmissionEnded(f"{done} of {len(changes)} submissions")


class SubmissionEnded(Exception):
    """A submission that was to be changed has ended already."""


async def _write_outputs(
    tx: Tx, changes: Sequence[Change], applied: Mapping[UUID, Mapping[str, Any]]
) -> None:
    rows = [
        (change.lease.id, out.n, applied[change.lease.id]["account_id"],
         change.submission.id if change.submission else None, out.kind, out.key, out.mime, out.bytes, out.sha256,
         out.width, out.height, out.duration_s, out.thumbnail_key, out.poster_key, out.peaks_key, out.text,
         dict(out.details), new_id())
        for change in changes
        for out in change.outputs
    ]  # fmt: skip
    if rows:
        await tx.execute(_OUTPUT, *(list(column) for column in zip(*rows, strict=True)))


def _entries(change: Change, row: Mapping[str, Any]) -> list[Entry]:
    """The ledger entries of a change: the provider's bill, and at the end what gives the reserve back."""
    entries = []
    settle = change.settle
    if settle is not None and settle.nanos is not None and (settle.nanos or row["reserved_nanos"]):
        entries.append(settlement_entry(settle, row["account_id"], row["id"], row["kind"]))
    if change.money == "final" and row["reserved_nanos"]:
        entries.append(release_entry(row))
    return entries


def _is_in_vain(change: Change, row: Mapping[str, Any]) -> bool:
    """Whether it ended without a result and without a charge, through no choice of the account."""
    if change.money != "final" or row["data"]["cost_nanos"]:
        return False
    return change.state in {"failed", "expired"} or (change.state == "canceled" and row["started_at"] is None)


def settlement_entry(settle: Settlement, account_id: UUID, generation_id: UUID, kind: str) -> Entry:
    assert settle.nanos is not None  # noqa: S101  # an unpriced bill has no entry
    return Entry(
        new_id(), account_id, generation_id, settle.submission_id, "settle", settle.nanos, payer=settle.payer,
        provider=settle.provider, model=settle.model, media_kind=kind, price_id=settle.price_id, note=settle.note,
    )  # fmt: skip


def json_units(units: Mapping[str, Decimal]) -> dict[str, str]:
    """Quantities as `submissions.usage` keeps them: decimal strings, exact."""
    return {unit: str(value) for unit, value in units.items()}


# What the gateway may change, in the account's own transaction.

_LOCK = """
SELECT id, account_id, kind, state, owner, seq, cancel_requested_at, reserved_nanos, cost_nanos, cost_status, price_id,
    started_at, deleted_at
FROM generations WHERE id = $1 FOR UPDATE
"""
_ARCHIVED = f"""
SELECT kind, state, cost_nanos, cost_status, deleted_at FROM {archive.ALL.generations} WHERE id = $1
"""  # noqa: S608  # constants only
_HIDE = "UPDATE generations SET deleted_at = now(), updated_at = now() WHERE id = ANY ($1)"

_CANCEL_NOW = """
WITH u AS (
    UPDATE generations SET state = 'canceled', stage = NULL, seq = seq + 1, wake_at = NULL, rung = false,
        cancel_requested_at = coalesce(cancel_requested_at, now()), completed_at = now(), updated_at = now(),
        error = $2, cost_status = CASE WHEN coalesce(cost_nanos, 0) = 0 THEN 'released' ELSE 'final' END
    WHERE id = ANY ($1) RETURNING *
), e AS (
    INSERT INTO generation_events (generation_id, seq, account_id, type, data, created_at)
    SELECT id, seq, account_id, $3, jsonb_build_object('status', 'canceled', 'error', $2::jsonb,
        'cost_nanos', cost_nanos, 'cost_status', cost_status), updated_at FROM u
    RETURNING generation_id, seq, data, created_at
)
SELECT u.id, u.account_id, u.kind, u.reserved_nanos, u.price_id, u.started_at, u.cost_nanos,
    e.seq, e.data, e.created_at, coalesce(u.webhook -> 'events' ? $3, false) OR EXISTS (SELECT FROM
    webhook_endpoints w WHERE w.account_id = u.account_id AND w.enabled AND $3 = ANY (w.events)) AS awaited
FROM e JOIN u ON u.id = e.generation_id
"""

_CANCEL_LATER = """
WITH u AS (
    UPDATE generations SET cancel_requested_at = now(), pokes = pokes + 1, seq = seq + 1, updated_at = now(),
        wake_at = CASE WHEN owner IS NULL THEN now() ELSE wake_at END
    WHERE id = $1 RETURNING *
), e AS (
    INSERT INTO generation_events (generation_id, seq, account_id, type, data, created_at)
    SELECT id, seq, account_id, $2, jsonb_build_object('status', 'running', 'stage', stage,
        'cancel_requested', true, 'cancel_requested_at', cancel_requested_at), updated_at FROM u
    RETURNING seq, data, created_at
)
SELECT e.seq, e.data, e.created_at FROM e
"""


@dataclass(frozen=True, slots=True)
class CancelResult:
    """`money` is `released`, `charged`, or `pending` while the provider's bill is still open."""

    kind: str
    state: str
    money: str
    changed: bool


_RESTORE = f"""
UPDATE generations g SET deleted_at = NULL, updated_at = now()
FROM (SELECT id, deleted_at FROM generations
    WHERE id = $1 AND deleted_at > now() - interval '{assets.TRASH_DAYS} days' FOR UPDATE) o
WHERE g.id = o.id RETURNING o.deleted_at
"""  # noqa: S608  # constants only
_IS_SHOWN = f"""
SELECT EXISTS (SELECT FROM {archive.ALL.generations} WHERE id = $1 AND deleted_at IS NULL)
"""  # noqa: S608  # constants only


async def request_cancel(
    tx: Tx, generation_id: UUID, publisher: Publisher, bell: Bell
) -> CancelResult | None:
    """Cancels at once what only waits in the queue; asks whoever works on it otherwise. Idempotent.

    None when the account has no such generation.
    """
    row = await tx.fetchrow(_LOCK, generation_id)
    if row is None:
        row = await tx.fetchrow(_ARCHIVED, generation_id)
    if row is None or row["deleted_at"] is not None:
        return None
    if row["state"] in TERMINAL:
        return CancelResult(row["kind"], row["state"], _money_outcome(row), changed=False)
    if row["state"] == "queued" and row["owner"] is None:
        (result,) = await cancel_queued(tx, [generation_id], publisher)
        return result
    if row["cancel_requested_at"] is not None:
        return CancelResult(row["kind"], row["state"], "pending", changed=False)
    event = await tx.fetchrow(_CANCEL_LATER, generation_id, EventType.UPDATED.value)
    _publish_after(tx, publisher, row, EventType.UPDATED, event)
    tx.after_commit(lambda: bell.poke(row["kind"]))
    return CancelResult(row["kind"], row["state"], "pending", changed=True)


async def cancel_queued(tx: Tx, ids: Sequence[UUID], publisher: Publisher) -> list[CancelResult]:
    """Cancels generations of the transaction's account that queue and that nobody holds; it has their locks."""
    error = JobError("CANCELED", "Canceled on request.").as_json()
    rows = await tx.fetch(_CANCEL_NOW, list(ids), error, EventType.CANCELED.value)
    await quotas.give_back(tx, [row["id"] for row in rows if row["started_at"] is None])
    await record(tx, [release_entry(row) for row in rows if row["reserved_nanos"]], publisher)
    awaited = [(row["id"], EventType.CANCELED.value) for row in rows if row["awaited"]]
    await deliveries.announce(tx, awaited)
    for row in rows:
        _publish_after(tx, publisher, row, EventType.CANCELED, row)
    return [
        CancelResult(row["kind"], "canceled", "charged" if row["cost_nanos"] else "released", changed=True)
        for row in rows
    ]


async def soft_delete(tx: Tx, generation_id: UUID) -> bool | None:
    """Hides a finished generation, its assets in the trash. False while it is unfinished, None when there is none."""
    row = await tx.fetchrow(_LOCK, generation_id)
    if row is None:
        if not await archive.hide(tx, generation_id):
            return None
    elif row["deleted_at"] is not None:
        return None
    elif row["state"] not in TERMINAL:
        return False
    else:
        await tx.execute(_HIDE, [generation_id])
    await assets.trash_of_generations(tx, [generation_id])
    return True


async def hide_ended(tx: Tx, ids: Sequence[UUID]) -> None:
    """Hides finished generations of the transaction's account, which has locked them, their assets in the trash."""
    await tx.execute(_HIDE, list(ids))
    await assets.trash_of_generations(tx, list(ids))


async def restore(tx: Tx, generation_id: UUID) -> bool:
    """Shows a deleted generation again, with the assets that went into the trash with it; repeating it is harmless.
    False when there is none, or no longer."""
    deleted_at = await tx.fetchval(_RESTORE, generation_id)
    if deleted_at is None:
        deleted_at = await archive.restore(tx, generation_id, assets.TRASH_DAYS)
    if deleted_at is None:
        return bool(await tx.fetchval(_IS_SHOWN, generation_id))
    await assets.take_back_of_generation(tx, generation_id, deleted_at)
    return True


def release_entry(row: Mapping[str, Any]) -> Entry:
    """What gives back the reserve of a generation."""
    return Entry(
        new_id(), row["account_id"], row["id"], None, "release", Nanos(-row["reserved_nanos"]),
        media_kind=row["kind"], price_id=row["price_id"],
    )  # fmt: skip


def _money_outcome(row: Mapping[str, Any]) -> str:
    if row["cost_status"] in {"reserved", "reconciling", "unpriced"}:
        return "pending"
    return "charged" if row["cost_nanos"] else "released"


def _publish_after(
    tx: Tx, publisher: Publisher, row: Mapping[str, Any], event: EventType, written: Mapping[str, Any] | None
) -> None:
    assert written is not None  # noqa: S101  # the row is locked by this transaction
    frame = event_frame({**written, "generation_id": row["id"], "type": event})

    async def publish() -> None:
        publisher.publish_soon(row["account_id"], [frame])

    tx.after_commit(publish)


# Submissions whose generation has ended: the provider's final word is still awaited and paid for.

_CLAIM_OPEN = """
WITH due AS (
    SELECT id FROM submissions WHERE check_at <= now() ORDER BY check_at LIMIT $1 FOR UPDATE SKIP LOCKED
), u AS (
    UPDATE submissions s SET check_at = now() + $2::float8 * interval '1 second' FROM due WHERE s.id = due.id
    RETURNING s.*
)
SELECT u.*, g.kind, g.input, g.files, g.state AS generation_state,
    extract(epoch FROM now() - u.intent_at)::float8 AS age_s,
    extract(epoch FROM u.resolve_until - now())::float8 AS resolve_in_s
FROM u JOIN generations g ON g.id = u.generation_id
"""

_NEIGHBOURS = """
SELECT
    ARRAY(SELECT o.remote_id FROM submissions o JOIN submissions s ON s.id = $1
        WHERE o.id <> s.id AND o.provider = s.provider AND o.credential = s.credential AND o.remote_id IS NOT NULL
            AND o.intent_at BETWEEN s.intent_at - interval '1 hour' AND s.intent_at + interval '1 hour'
            AND o.request_hash = s.request_hash) AS taken,
    NOT EXISTS (SELECT FROM submissions o JOIN submissions s ON s.id = $1
        WHERE o.id <> s.id AND o.state IN ('intent', 'accepted', 'unknown') AND o.remote_id IS NULL
            AND o.provider = s.provider AND o.request_hash = s.request_hash) AS alone
"""

_SETTLED = """
WITH u AS (
    UPDATE generations g SET seq = g.seq + 1, updated_at = now(),
        cost_nanos = CASE WHEN $2::bigint IS NULL THEN g.cost_nanos ELSE coalesce(g.cost_nanos, 0) + $2 END,
        cost_status = $3,
        error = CASE WHEN $5 AND g.error IS NOT NULL THEN jsonb_set(g.error, '{details}',
            coalesce(g.error -> 'details', '{}') || '{"possibly_billed": true}') ELSE g.error END
    WHERE g.id = $1 RETURNING *
), e AS (
    INSERT INTO generation_events (generation_id, seq, account_id, type, data, created_at)
    SELECT id, seq, account_id, $4, jsonb_build_object('status', CASE WHEN state IN ('submitting', 'waiting',
        'storing') THEN 'running' ELSE state END, 'cost_nanos', cost_nanos,
        'cost_status', cost_status), updated_at FROM u
    RETURNING seq, data, created_at
)
SELECT e.seq, e.data, e.created_at FROM e
"""


async def claim_open_submissions(db: Database, limit: int, hold_s: float) -> list[Mapping[str, Any]]:
    """Open submissions of ended generations that are due for a look, held for `hold_s`."""
    return list(await db.fetch(_CLAIM_OPEN, limit, hold_s))


async def settle_open(
    db: Database, publisher: Publisher, generation_id: UUID, change: SubmissionChange, settle: Settlement
) -> bool:
    """Closes an open submission of an ended generation with its bill, and gives back the reserve.

    False when somebody else closed it first.
    """
    async with db.transaction() as tx:
        row = await tx.fetchrow(_LOCK, generation_id)
        assert row is not None  # noqa: S101  # submissions reference their generation
        try:
            await write_submissions(tx, [change])
        except SubmissionEnded:
            return False
        ended = row["state"] in TERMINAL
        entries = []
        # Even a free bill is an entry if it tells what was used: the roll-up reads days anew that the ledger touches.
        if settle.nanos is not None and (settle.nanos or row["reserved_nanos"] or change.usage):
            entries.append(settlement_entry(settle, row["account_id"], row["id"], row["kind"]))
        charged = settle.nanos if settle.payer != "platform" else None
        status = _status_after(row, settle, charged) if ended else row["cost_status"]
        if (
            ended
            and row["cost_status"] == "reconciling"
            and status in {"final", "released"}
            and row["reserved_nanos"]
        ):
            entries.append(release_entry(row))
        doubtful = change.state == "possibly_billed"
        event = await tx.fetchrow(_SETTLED, generation_id, charged, status, EventType.SETTLED.value, doubtful)
        if status == "released" and row["state"] in {"failed", "expired"}:
            await quotas.give_back(tx, [generation_id])
        # After the event, which refers to the account: whoever opens a budget meanwhile waits for this bill.
        await record(tx, entries, publisher)
        _publish_after(tx, publisher, row, EventType.SETTLED, event)
        reach("before_settled")
    reach("after_settled")
    return True


def _status_after(row: Mapping[str, Any], settle: Settlement, charged: int | None) -> str:
    if row["cost_status"] != "reconciling":
        return str(row["cost_status"])
    if settle.nanos is None:
        return "unpriced"
    return "final" if (row["cost_nanos"] or 0) + (charged or 0) else "released"


async def neighbours(db: Database, submission_id: UUID) -> tuple[frozenset[str], bool]:
    """What helps to find a lost submission: the provider's ids of other submissions of an equal request, and
    whether no other such submission is without an id."""
    row = await db.fetchrow(_NEIGHBOURS, submission_id)
    assert row is not None  # noqa: S101  # a SELECT without FROM has one row
    return frozenset(row["taken"]), row["alone"]


async def check_again(db: Database, submission_id: UUID, delay_s: float) -> None:
    """Looks at an open submission again after `delay_s`."""
    await db.execute(
        "UPDATE submissions SET check_at = now() + $2::float8 * interval '1 second'"
        " WHERE id = $1 AND check_at IS NOT NULL",
        submission_id,
        delay_s,
    )


async def found_at_provider(db: Database, submission_id: UUID, remote_id: str) -> None:
    """An open submission of an ended generation turned out to be at the provider under this id."""
    await db.execute(
        "UPDATE submissions SET state = 'accepted', remote_id = $2, accepted_at = coalesce(accepted_at, now()),"
        " check_at = now() WHERE id = $1 AND state IN ('intent', 'unknown')",
        submission_id,
        remote_id,
    )
