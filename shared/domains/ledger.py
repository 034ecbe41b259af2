"""The ledger: signed entries that only ever get added, and the held sums of accounts that have a budget."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from shared.db import Tx
from shared.money import Nanos

# Accounts are locked in the order of their ids, so two settlements never wait for each other in a circle.
_RECORD = """
WITH written AS (
    INSERT INTO ledger (id, account_id, generation_id, submission_id, kind, nanos, payer, provider, model, media_kind,
        price_id, note)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
    RETURNING account_id, nanos, payer
), moved AS (
    SELECT account_id, sum(nanos)::bigint AS nanos FROM written WHERE payer = 'account'
    GROUP BY account_id HAVING sum(nanos) <> 0
), locked AS (
    SELECT id FROM accounts WHERE id IN (SELECT account_id FROM moved) AND budget_nanos IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE accounts a SET held_nanos = a.held_nanos + moved.nanos
FROM locked JOIN moved ON moved.account_id = locked.id
WHERE a.id = locked.id
"""


class Entry(NamedTuple):
    """One signed movement in nano-dollars; see `shared.tables.ledger`. The fields are `_RECORD`'s columns."""

    id: UUID
    account_id: UUID
    generation_id: UUID | None
    submission_id: UUID | None
    kind: str
    nanos: Nanos
    payer: str = "account"
    provider: str | None = None
    model: str | None = None
    media_kind: str | None = None
    price_id: str | None = None
    note: str | None = None


async def record(tx: Tx, entries: Sequence[Entry]) -> None:
    """Writes the entries and moves the held sums. Raises UniqueViolationError for a second of a kind."""
    if not entries:
        return
    await tx.execute(_RECORD, *zip(*entries, strict=True))
