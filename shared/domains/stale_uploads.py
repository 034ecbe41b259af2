"""Uploads that nobody finished, and refused ones: maintenance removes what the store has of them, then the rows."""

from typing import Final

from shared.db import Database
from shared.domains.previews import preview_keys
from shared.domains.variants import with_variants
from shared.log import get_logger
from shared.storage import ObjectStore, staging_key

log = get_logger(__name__)

PENDING_HOURS: Final = 24
BATCH: Final = 500

_STALE = """
SELECT id, account_id, key, multipart_id FROM uploads
WHERE state <> 'ready' AND created_at < now() - $1::int * interval '1 hour' ORDER BY created_at LIMIT $2
"""
_DROP = "DELETE FROM uploads WHERE id = ANY ($1) AND state <> 'ready'"


async def drop_stale(db: Database, store: ObjectStore) -> int:
    """Returns how many were removed.

    Raises StorageError, after which they are all still there to be removed.
    """
    removed = 0
    while rows := await db.fetch(_STALE, PENDING_HOURS, BATCH):
        keys: list[str] = []
        for row in rows:
            staged = staging_key(row["account_id"], row["id"])
            keys += [*with_variants(row["key"]), *preview_keys(row["key"]), staged]
            if row["multipart_id"] is not None:
                await store.abort_parts(staged, row["multipart_id"])
        await store.delete(keys)
        await db.execute(_DROP, [row["id"] for row in rows])
        removed += len(rows)
    return removed
