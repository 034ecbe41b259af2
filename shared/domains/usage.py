"""What was spent, on what and by whom: sums over the ledger, and the ledger itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from shared.db import Tx
from shared.domains import archive
from shared.money import Nanos
from shared.tables import LedgerEntry


class GroupBy(StrEnum):
    KIND = "kind"
    MODEL = "model"
    PROVIDER = "provider"
    KEY = "key"
    PROJECT = "project"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class UsageRow:
    """`nanos` is what was billed in the period; the counts are of generations made in it."""

    group: str | None
    generations: int
    completed: int
    failed: int
    nanos: Nanos


# Per grouping: how a generation (g) falls into a group, and how a ledger entry (l, with its generation) does.
# An entry outlives its generation, so it says what it can by itself.
_GROUPS: dict[GroupBy, tuple[str, str]] = {
    GroupBy.KIND: ("g.kind", "coalesce(l.media_kind, g.kind)"),
    GroupBy.MODEL: ("g.model", "coalesce(g.model, l.model)"),
    GroupBy.PROVIDER: ("g.provider", "coalesce(l.provider, g.provider)"),
    GroupBy.KEY: (
        "(SELECT k.name FROM api_keys k WHERE k.id = g.api_key_id)",
        "(SELECT k.name FROM api_keys k WHERE k.id = g.api_key_id)",
    ),
    GroupBy.PROJECT: ("g.project_id::text", "g.project_id::text"),
    GroupBy.DAY: (
        "to_char(g.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
        "to_char(l.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    ),
}

_USAGE = """
WITH made AS (
    SELECT coalesce({made}, '') AS grp, count(*) AS generations,
        count(*) FILTER (WHERE g.state = 'completed') AS completed,
        count(*) FILTER (WHERE g.state = 'failed') AS failed
    FROM {generations} g WHERE g.created_at >= $1 AND g.created_at < $2 GROUP BY 1
), spent AS (
    SELECT coalesce({spent}, '') AS grp, sum(l.nanos) AS nanos
    FROM ledger l LEFT JOIN {generations} g ON g.id = l.generation_id
    WHERE l.created_at >= $1 AND l.created_at < $2
        AND l.payer = 'account' AND l.kind IN ('settle', 'adjust')
    GROUP BY 1
)
SELECT nullif(grp, '') AS grp, coalesce(generations, 0) AS generations, coalesce(completed, 0) AS completed,
    coalesce(failed, 0) AS failed, coalesce(nanos, 0)::bigint AS nanos
FROM made FULL JOIN spent USING (grp)
ORDER BY nanos DESC, generations DESC, grp
LIMIT 1000
"""


async def usage(tx: Tx, start: datetime, end: datetime, group_by: GroupBy) -> list[UsageRow]:
    """The account's rows from `start` (included) to `end` (excluded), dearest first; days in UTC.

    Reserves are not usage: only what was settled or adjusted, and only what the account pays itself.
    """
    made, spent = _GROUPS[group_by]
    tables = await archive.tables(tx, since=start)
    rows = await tx.fetch(_USAGE.format(made=made, spent=spent, generations=tables.generations), start, end)
    return [
        UsageRow(row["grp"], row["generations"], row["completed"], row["failed"], Nanos(row["nanos"]))
        for row in rows
    ]


def total(rows: Sequence[UsageRow]) -> UsageRow:
    return UsageRow(
        None,
        sum(row.generations for row in rows),
        sum(row.completed for row in rows),
        sum(row.failed for row in rows),
        Nanos(sum(row.nanos for row in rows)),
    )


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """None leaves a condition out."""

    generation_id: UUID | None = None
    kind: str | None = None
    start: datetime | None = None
    end: datetime | None = None


async def ledger_page(
    session: AsyncSession, where: LedgerFilter, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[LedgerEntry]:
    """The account's entries, newest first, behind the position `after` (time and id of the last one seen)."""
    conditions: list[Any] = []
    if where.generation_id is not None:
        conditions.append(col(LedgerEntry.generation_id) == where.generation_id)
    if where.kind is not None:
        conditions.append(col(LedgerEntry.kind) == where.kind)
    if where.start is not None:
        conditions.append(col(LedgerEntry.created_at) >= where.start)
    if where.end is not None:
        conditions.append(col(LedgerEntry.created_at) < where.end)
    if after is not None:
        conditions.append(tuple_(col(LedgerEntry.created_at), col(LedgerEntry.id)) < after)
    rows = await session.scalars(
        select(LedgerEntry)
        .where(*conditions)
        .order_by(col(LedgerEntry.created_at).desc(), col(LedgerEntry.id).desc())
        .limit(limit)
    )
    return rows.all()
