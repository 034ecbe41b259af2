"""Cancels: what only waits is canceled at once, in the account's own transaction; the rest is asked of its worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.domains import archive, deliveries, quotas
from shared.domains.changes import LOCK, publish_after, release_entry
from shared.domains.ledger import record
from shared.domains.states import TERMINAL
from shared.errors import JobError
from shared.events import EventType, Publisher
from shared.queue import Bell

_ARCHIVED = f"""
SELECT kind, state, cost_nanos, cost_status, deleted_at FROM {archive.ALL.generations} WHERE id = $1
"""  # noqa: S608  # constants only

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


async def request_cancel(
    tx: Tx, generation_id: UUID, publisher: Publisher, bell: Bell
) -> CancelResult | None:
    """Cancels at once what only waits in the queue; asks whoever works on it otherwise. Idempotent.

    None when the account has no such generation.
    """
    row = await tx.fetchrow(LOCK, generation_id)
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
    publish_after(tx, publisher, row, EventType.UPDATED, event)
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
        publish_after(tx, publisher, row, EventType.CANCELED, row)
    return [
        CancelResult(row["kind"], "canceled", "charged" if row["cost_nanos"] else "released", changed=True)
        for row in rows
    ]


def _money_outcome(row: Mapping[str, Any]) -> str:
    if row["cost_status"] in {"reserved", "reconciling", "unpriced"}:
        return "pending"
    return "charged" if row["cost_nanos"] else "released"
