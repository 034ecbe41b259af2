"""Open submissions: those whose generation has ended while the provider's final word is awaited, and will be paid for,
and what helps to find one that was lost."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.crashpoints import reach
from shared.db import Database
from shared.domains import quotas
from shared.domains.changes import (
    LOCK,
    Settlement,
    SubmissionChange,
    SubmissionEnded,
    publish_after,
    release_entry,
    settlement_entry,
    write_submissions,
)
from shared.domains.ledger import record
from shared.domains.states import TERMINAL
from shared.events import EventType, Publisher

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
        row = await tx.fetchrow(LOCK, generation_id)
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
        publish_after(tx, publisher, row, EventType.SETTLED, event)
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
