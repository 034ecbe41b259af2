"""The ledger: signed entries that only ever get added, and the sums of accounts and projects that are kept with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from shared.db import Tx
from shared.domains import budget_alerts
from shared.events import Publisher
from shared.money import Nanos

# What writing `entries`, a query with the columns of `Entry`, means for the sums that are kept with them. Accounts and
# projects are locked in the order of their ids, so two settlements never wait for each other in a circle.
WRITE_RESERVES = """
written AS (
    INSERT INTO ledger (id, account_id, generation_id, submission_id, kind, nanos, payer, provider, model, media_kind,
        price_id, note)
    SELECT * FROM entries
    RETURNING account_id, generation_id, kind, nanos, payer
), moved AS (
    SELECT account_id, sum(nanos)::bigint AS nanos FROM written WHERE payer = 'account'
    GROUP BY account_id HAVING sum(nanos) <> 0
), locked AS (
    SELECT id FROM accounts WHERE id IN (SELECT account_id FROM moved) AND budget_nanos IS NOT NULL
    ORDER BY id FOR NO KEY UPDATE
), held AS (
    UPDATE accounts a SET held_nanos = a.held_nanos + moved.nanos
    FROM locked JOIN moved ON moved.account_id = locked.id
    WHERE a.id = locked.id
)
"""
"""For entries that reserve, which no project counts."""

WRITE = f"""
{WRITE_RESERVES}, spent AS (
    SELECT g.project_id, sum(w.nanos)::bigint AS nanos FROM written w JOIN generations g ON g.id = w.generation_id
    WHERE w.payer = 'account' AND w.kind IN ('settle', 'adjust') AND g.project_id IS NOT NULL
    GROUP BY g.project_id HAVING sum(w.nanos) <> 0
), projects_locked AS (
    SELECT id FROM projects WHERE id IN (SELECT project_id FROM spent) ORDER BY id FOR NO KEY UPDATE
), projects_moved AS (
    UPDATE projects p SET spent_nanos = p.spent_nanos + spent.nanos
    FROM projects_locked JOIN spent ON spent.project_id = projects_locked.id
    WHERE p.id = projects_locked.id
)
"""  # noqa: S608  # constants only
ARE_BUDGETED = """
EXISTS (SELECT FROM budgets b JOIN written w ON w.account_id = b.account_id WHERE w.payer = 'account')
"""
"""Whether `count_in_budgets` must follow what was written."""

_RECORD = f"""
WITH entries AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::text[],
        $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
), {WRITE}
SELECT {ARE_BUDGETED}
"""  # noqa: S608  # constants only


class Entry(NamedTuple):
    """One signed movement in nano-dollars; see `shared.tables.ledger`. The fields are what `WRITE` takes."""

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


async def record(tx: Tx, entries: Sequence[Entry], publisher: Publisher | None = None) -> None:
    """Writes the entries and moves the sums of accounts, projects and budgets; `publisher` tells of alerts.

    Raises UniqueViolationError for a second of a kind.
    """
    if not entries:
        return
    if await tx.fetchval(_RECORD, *zip(*entries, strict=True)):
        await count_in_budgets(tx, entries, publisher)


async def count_in_budgets(tx: Tx, entries: Sequence[Entry], publisher: Publisher | None) -> None:
    """Moves the sums of the budgets that count these entries, which are written."""
    counted = [
        (entry.generation_id, entry.kind, entry.nanos, entry.provider)
        for entry in entries
        if entry.payer == "account" and entry.generation_id is not None
    ]
    await budget_alerts.move(tx, counted, publisher)


_BUDGETS = "SELECT account_id, expected, found FROM {schema}verify_budgets()"

MOST_DIFFERENCES = 50
"""How many are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the ledger found, as `verify_ledger` in the database says it: ids and times as text.

    A difference is `{what, account_id, generation_id, submission_id, expected, found, at}`, nanos:

        cost              the row's cost is not the sum of what was settled
        bill              what was settled for a submission is not what it cost
        stray             a settlement whose submission is not in the record, though its generation is
        reserve           what was reserved is not what the row says
        release           a closed generation has not given back its reserve exactly once, or an open one has
        held_after_end    an ended generation holds a reserve, and nothing is awaited
        held_sum          an account's held sum is not the sum of its ledger
        budget            a budget's sum is not that of the ledger's entries that it counts
        reconciling_long  the provider's bill has been awaited for more than a day

    `unsettled` has, for `reconciling` and `unpriced`, how many there are, of whatever age: `{generations,
    reserved, since, age_s, oldest}`. `audits` holds each provider's last audit, if all accounts were checked.
    """

    generations: int
    entries: int
    budgets: int
    total: int
    differences: Sequence[Mapping[str, Any]]
    unsettled: Mapping[str, Mapping[str, Any]]
    audits: Sequence[Mapping[str, Any]] = ()

    @property
    def ok(self) -> bool:
        return not self.total and not any(audit["orphans"] or audit["missing"] for audit in self.audits)


async def verify(tx: Tx, since: datetime, *, everywhere: bool = False) -> Verification:
    """Checks what was admitted since then: of the transaction's account, or of all accounts. Reads only."""
    await tx.execute("SET TRANSACTION READ ONLY")
    function = "auth.verify_ledger" if everywhere else "verify_ledger"
    found = await tx.fetchval(f"SELECT {function}($1, $2)", since, MOST_DIFFERENCES)
    rows = await tx.fetch(_BUDGETS.format(schema="auth." if everywhere else ""))
    wrong = [
        {"what": "budget", "account_id": str(row["account_id"]), "generation_id": None, "submission_id": None,
         "expected": row["expected"], "found": row["found"], "at": None}
        for row in rows
    ]  # fmt: skip
    named = [*found["differences"], *wrong][:MOST_DIFFERENCES]
    return Verification(**found | {"total": found["total"] + len(wrong), "differences": named})
