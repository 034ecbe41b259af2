"""What live connections read: where generations are, the events they missed, and how things stand now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.domains.archive import ALL, HOT

MISSED_PER_GENERATION = 200
"""How many events of one generation `missed_events` gives at most."""

_CURRENT = """
SELECT *, {archived} AS archived FROM {generations} WHERE id = ANY ($1::uuid[]) AND deleted_at IS NULL
"""

# Events bear the time at which their transaction began, and commit later.
COMMIT_SLACK = "interval '10 seconds'"

# A generation's money may become final long after its end; beyond a day that is not looked for.
CHANGED = f"""(wake_at IS NOT NULL OR (completed_at > $2::timestamptz - interval '1 day'
              AND updated_at > $2::timestamptz - {COMMIT_SLACK}))"""


async def positions(
    db: Database, watched: Mapping[str, int], feeds: Sequence[UUID], newer_than: UUID
) -> Sequence[Mapping[str, Any]]:
    """{id, account_id, project_id, seq, settled} of what moved past the position that `watched` gives.

    Settled generations, which change no more, are given too; and so is everything of the accounts `feeds`
    that was made after `newer_than`. Serves all accounts in one statement.
    """
    return await db.fetch(
        "SELECT * FROM auth.generation_positions($1, $2, $3, $4)",
        list(watched),
        list(watched.values()),
        feeds,
        newer_than,
    )


async def missed_events(db: Database, wanted: Sequence[tuple[UUID, str, int]]) -> Sequence[Mapping[str, Any]]:
    """Events after the position in `wanted` (account, generation, seq), in order, each with the `head`.

    A generation without any comes as one row whose `seq` is null; one that is not the account's not at all.
    """
    rows = await _missed(db, "missed_events", wanted)
    known = {str(row["generation_id"]) for row in rows}
    if missing := [one for one in wanted if str(one[1]) not in known]:
        rows = [*rows, *await _missed(db, "missed_archived_events", missing)]
    return rows


async def _missed(
    db: Database, function: str, wanted: Sequence[tuple[UUID, str, int]]
) -> Sequence[Mapping[str, Any]]:
    accounts, ids, seqs = zip(*wanted, strict=True)
    return await db.fetch(
        f"SELECT * FROM auth.{function}($1, $2, $3, $4)",  # noqa: S608  # one of two constants
        accounts,
        ids,
        seqs,
        MISSED_PER_GENERATION,
    )


async def current(tx: Tx, ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """The generations of the transaction's account among `ids`, and of each whether it is `archived`."""
    rows = await tx.fetch(_CURRENT.format(generations=HOT.generations, archived=False), ids)
    if len(rows) < len(ids):
        found = {row["id"] for row in rows}
        old = await tx.fetch(_CURRENT.format(generations=ALL.generations, archived=True), ids)
        rows += [row for row in old if row["id"] not in found]
    return rows


async def feed_page(
    tx: Tx,
    account_id: UUID,
    *,
    changed_after: datetime | None,
    project_id: UUID | None,
    after: UUID,
    limit: int,
) -> Sequence[Mapping[str, Any]]:
    """Generations with an id above `after` that are unfinished or changed since `changed_after`, by id."""
    return await tx.fetch(
        f"""SELECT * FROM generations
            WHERE account_id = $1 AND {CHANGED} AND ($3::uuid IS NULL OR project_id = $3)
            AND id > $4 AND deleted_at IS NULL ORDER BY id LIMIT $5""",  # noqa: S608  # constants only
        account_id,
        changed_after,
        project_id,
        after,
        limit,
    )
