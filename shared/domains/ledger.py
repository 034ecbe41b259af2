"""The ledger: signed entries that only ever get added, and the held sums of accounts that have a budget."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.db import Tx
from shared.money import Nanos

_INSERT = """
INSERT INTO ledger (id, account_id, generation_id, submission_id, kind, nanos, payer, provider, model, media_kind,
    price_id, note)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::text[],
    $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
"""

# Rows are locked in the order of their ids, so two settlements never wait for each other in a circle.
_HOLD = """
UPDATE accounts a SET held_nanos = a.held_nanos + d.nanos
FROM (SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS d(id, nanos) ORDER BY id) d
WHERE a.id = d.id AND a.budget_nanos IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One signed movement in nano-dollars; see `shared.tables.ledger`."""

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
    await tx.execute(
        _INSERT,
        [entry.id for entry in entries],
        [entry.account_id for entry in entries],
        [entry.generation_id for entry in entries],
        [entry.submission_id for entry in entries],
        [entry.kind for entry in entries],
        [entry.nanos for entry in entries],
        [entry.payer for entry in entries],
        [entry.provider for entry in entries],
        [entry.model for entry in entries],
        [entry.media_kind for entry in entries],
        [entry.price_id for entry in entries],
        [entry.note for entry in entries],
    )
    held: dict[UUID, int] = defaultdict(int)
    for entry in entries:
        if entry.payer == "account":
            held[entry.account_id] += entry.nanos
    moved = sorted((account, nanos) for account, nanos in held.items() if nanos)
    if moved:
        await tx.execute(_HOLD, [account for account, _ in moved], [nanos for _, nanos in moved])
