"""How long assets are kept: an account's own rules, and what becomes of the trash.

A rule sends assets of an age to the trash, never favourites nor what is published. What stayed in the trash for
thirty days is removed: first its bytes, then its rows, so that a store that is away is asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.domains.assets import TRASH_DAYS
from shared.domains.variants import with_variants
from shared.ids import new_id
from shared.storage import ObjectStore

MAX_RULES = 20
SAMPLE = 20
PURGE_BATCH = 500

# Ids are UUIDv7, whose order is that of creation: the bound spares reading what is too young. The hour is for
# clocks that differ; what counts is the time beside it.
_TOO_OLD = """
    a.user_id = r.user_id AND a.deleted_at IS NULL AND NOT a.favorite AND a.published_at IS NULL
    AND (r.type IS NULL OR a.type = r.type)
    AND a.id < rpad(lpad(to_hex((extract(epoch FROM now() - r.older_than_days * interval '1 day'
        + interval '1 hour') * 1000)::bigint), 12, '0'), 32, '0')::uuid
    AND coalesce(a.restored_at, a.created_at) < now() - r.older_than_days * interval '1 day'
"""

_REPORT = f"""
WITH r AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::int[]) AS r (place, type, older_than_days),
        auth.uid() AS u (user_id)
), found AS MATERIALIZED (
    SELECT a.id, a.file_size_bytes, array_agg(r.place) AS places FROM r JOIN assets a ON {_TOO_OLD}
    GROUP BY a.id, a.file_size_bytes
)
SELECT r.place, count(f.id)::int AS assets, coalesce(sum(f.file_size_bytes), 0)::bigint AS bytes
FROM r LEFT JOIN found f ON r.place = ANY (f.places) GROUP BY r.place
UNION ALL
SELECT NULL, count(*)::int, coalesce(sum(file_size_bytes), 0)::bigint FROM found
ORDER BY place NULLS LAST
"""  # noqa: S608  # constants only
_SAMPLE = f"""
WITH r AS (
    SELECT * FROM unnest($1::text[], $2::int[]) AS r (type, older_than_days), auth.uid() AS u (user_id)
)
SELECT DISTINCT a.id FROM r JOIN assets a ON {_TOO_OLD} ORDER BY a.id LIMIT $3
"""  # noqa: S608  # constants only
_RETIRE = f"""
UPDATE assets a SET deleted_at = now(), updated_at = now() FROM retention_rules r WHERE {_TOO_OLD}
"""  # noqa: S608  # constants only

_DUE = f"""
SELECT a.id, a.file_url AS key, a.thumbnail_url AS thumbnail_key, coalesce(o.poster_key, u.poster_key) AS poster_key,
    coalesce(o.peaks_key, u.peaks_key) AS peaks_key
FROM assets a LEFT JOIN outputs o ON o.generation_id = a.generation_id AND o.n = a.output_n
    LEFT JOIN uploads u ON u.id = a.upload_id
WHERE a.deleted_at < now() - interval '{TRASH_DAYS} days' ORDER BY a.deleted_at LIMIT $1
"""  # noqa: S608  # constants only
# The file is gone, and with it whatever says that it is there.
_REMOVE = """
WITH gone AS (DELETE FROM assets WHERE id = ANY ($1) RETURNING generation_id, output_n, upload_id), outputs_gone AS (
    DELETE FROM outputs o USING gone g WHERE o.generation_id = g.generation_id AND o.n = g.output_n
)
DELETE FROM uploads u USING gone g WHERE u.id = g.upload_id
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """`type` None is every type."""

    older_than_days: int
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Weight:
    assets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """What rules would send to the trash now: by rule, and in all, where what two rules hit counts once."""

    by_rule: Sequence[tuple[Rule, Weight]]
    total: Weight
    sample: Sequence[UUID]
    """The ids of the oldest."""


async def rules(tx: Tx) -> list[Rule]:
    """The account's rules, in their order."""
    rows = await tx.fetch("SELECT type, older_than_days FROM retention_rules ORDER BY id")
    return [Rule(row["older_than_days"], row["type"]) for row in rows]


async def replace_rules(tx: Tx, account_id: UUID, wanted: Sequence[Rule]) -> None:
    await tx.execute("DELETE FROM retention_rules WHERE user_id = $1", account_id)
    await tx.executemany(
        "INSERT INTO retention_rules (id, user_id, type, older_than_days) VALUES ($1, $2, $3, $4)",
        [(new_id(), account_id, rule.type, rule.older_than_days) for rule in wanted],
    )


async def report(tx: Tx, wanted: Sequence[Rule]) -> Report:
    """What the rules would do to the account's assets now; changes nothing."""
    types, days = [rule.type for rule in wanted], [rule.older_than_days for rule in wanted]
    *each, total = await tx.fetch(_REPORT, list(range(len(wanted))), types, days)
    sample = await tx.fetch(_SAMPLE, types, days, SAMPLE)
    return Report(
        [(wanted[row["place"]], _weight(row)) for row in each], _weight(total), [row["id"] for row in sample]
    )


def _weight(row: Mapping[str, Any]) -> Weight:
    return Weight(row["assets"], row["bytes"])


async def retire(db: Database) -> int:
    """Applies every account's rules; returns how many assets went to the trash. For maintenance."""
    done = await db.execute(_RETIRE)
    return int(done.rpartition(" ")[2])


async def purge(db: Database, store: ObjectStore) -> int:
    """Removes what stayed in the trash too long, up to PURGE_BATCH assets; returns how many. For maintenance.

    Raises StorageError, after which they are all still there to be removed.
    """
    rows = await db.fetch(_DUE, PURGE_BATCH)
    if rows:
        keys = [row[name] for row in rows for name in ("key", "thumbnail_key", "poster_key", "peaks_key")]
        await store.delete(with_variants(*dict.fromkeys(key for key in keys if key is not None)))
        await db.execute(_REMOVE, [row["id"] for row in rows])
    return len(rows)
