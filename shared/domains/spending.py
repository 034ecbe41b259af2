"""What projects have spent, compared with the ledger once a day, and when an operator asks.

`projects.spent_nanos` moves in the statement that writes the ledger's entries (`shared.domains.ledger`). A difference
is a fault worth a look; it is put right all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.db import Database
from shared.domains.ops.audit import Actor, deed

_DIFFERENT = """
SELECT id FROM projects WHERE reckon_project(id) <> spent_nanos ORDER BY id
"""
_LOCK = "SELECT user_id, spent_nanos FROM projects WHERE id = $1 FOR NO KEY UPDATE"
_RECKON = "SELECT reckon_project($1)"
_RECONCILE = "SELECT * FROM auth.ops_reconcile()"
_PUT_RIGHT = "UPDATE projects SET spent_nanos = $2 WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Difference:
    """A project whose sum was not that of the ledger, in nanos."""

    project_id: UUID
    account_id: UUID
    found: int
    expected: int


async def put_right(db: Database) -> Sequence[Difference]:
    """Compares every project with the ledger and repairs what differs. On the worker role's pool."""
    repaired = [await _repair(db, row["id"]) for row in await db.fetch(_DIFFERENT)]
    return [difference for difference in repaired if difference is not None]


async def reconcile(db: Database, actor: Actor) -> Sequence[Difference]:
    """The same for an operator, all of it in one transaction."""
    async with deed(db, actor, "ledger.reconcile", "ledger") as done:
        rows = await done.tx.fetch(_RECONCILE)
        repaired = [
            Difference(row["project_id"], row["account_id"], row["found"], row["expected"]) for row in rows
        ]
        done.details.update(count=len(repaired), projects=[str(one.project_id) for one in repaired])
    return repaired


async def _repair(db: Database, project_id: UUID) -> Difference | None:
    """Bills wait for the lock, or were written before it: the second statement sees all of those."""
    async with db.transaction() as tx:
        row = await tx.fetchrow(_LOCK, project_id)
        if row is None:
            return None
        expected: int = await tx.fetchval(_RECKON, project_id)
        if expected == row["spent_nanos"]:
            return None
        await tx.execute(_PUT_RIGHT, project_id, expected)
    return Difference(project_id, row["user_id"], row["spent_nanos"], expected)
