"""What an account has going on, counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from shared.db import Tx

_NOW = """
SELECT a.budget_nanos - a.held_nanos AS budget_left, coalesce(sum(g.queued), 0)::int AS queued,
    coalesce(sum(g.running), 0)::int AS running,
    coalesce(jsonb_object_agg(g.kind, g.queued + g.running) FILTER (WHERE g.kind IS NOT NULL), '{}') AS by_kind
FROM accounts a LEFT JOIN LATERAL (
    SELECT kind, count(*) FILTER (WHERE state = 'queued') AS queued,
        count(*) FILTER (WHERE state <> 'queued') AS running
    FROM generations WHERE account_id = a.id AND wake_at IS NOT NULL AND deleted_at IS NULL GROUP BY kind
) g ON true
WHERE a.id = $1 GROUP BY a.id
"""


@dataclass(frozen=True, slots=True)
class Activity:
    """`budget_left` is of the account's own limit, in nano-dollars; None is no limit."""

    queued: int
    running: int
    by_kind: Mapping[str, int]
    budget_left: int | None


async def now(tx: Tx, account_id: UUID) -> Activity:
    """What has not ended yet."""
    row = await tx.fetchrow(_NOW, account_id)
    assert row is not None  # noqa: S101  # whoever asks has this account
    left = row["budget_left"]
    return Activity(row["queued"], row["running"], row["by_kind"], None if left is None else max(left, 0))
