"""Changes of a generation, each with all that belongs to it: its event, submission, outputs and money.

A worker changes a generation only under its lease: every write names the epoch and the owner, so that a
process that was declared dead and woke up changes nothing (`LeaseLost`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.domains import assets, creative, deliveries, quotas
from shared.domains.ledger import Entry, record
from shared.domains.states import TERMINAL
from shared.events import EventType, Publisher, event_frame
from shared.ids import new_id
from shared.money import Nanos


class LeaseLost(Exception):
    """The generation belongs to somebody else by now; whatever was going to be written is void."""


class SubmissionEnded(Exception):
    """A submission that was to be changed has ended already."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The fencing token of one claim."""

    id: UUID
    epoch: int
    owner: UUID


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

LOCK = """
SELECT id, account_id, kind, state, owner, seq, cancel_requested_at, reserved_nanos, cost_nanos, cost_status, price_id,
    started_at, deleted_at
FROM generations WHERE id = $1 FOR UPDATE
"""
"""What whoever changes a generation without a lease, such as its account, looks at and keeps still."""


async def apply(tx: Tx, changes: Sequence[Change], publisher: Publisher) -> dict[UUID, Mapping[str, Any]]:
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


def release_entry(row: Mapping[str, Any]) -> Entry:
    """What gives back the reserve of a generation."""
    return Entry(
        new_id(), row["account_id"], row["id"], None, "release", Nanos(-row["reserved_nanos"]),
        media_kind=row["kind"], price_id=row["price_id"],
    )  # fmt: skip


def publish_after(
    tx: Tx, publisher: Publisher, row: Mapping[str, Any], event: EventType, written: Mapping[str, Any] | None
) -> None:
    assert written is not None  # noqa: S101  # the row is locked by this transaction
    frame = event_frame({**written, "generation_id": row["id"], "type": event})

    async def publish() -> None:
        publisher.publish_soon(row["account_id"], [frame])

    tx.after_commit(publish)
