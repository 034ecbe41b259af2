"""Whose file lies under a key, and what it is: only what a row names is served from the bucket of generations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db import Database
from shared.domains.archive import ALL, HOT
from shared.ids import parse_id

# A deleted generation's file is still there for the library, unless it is in the trash there too.
_OUTPUT = """
SELECT o.key, o.mime, o.bytes, o.sha256, o.width, o.thumbnail_key, o.poster_key, o.peaks_key
FROM outputs o JOIN {generations} g ON g.id = o.generation_id
WHERE o.generation_id = $1 AND $2 IN (o.key, o.thumbnail_key, o.poster_key, o.peaks_key)
    AND (g.deleted_at IS NULL OR EXISTS (SELECT FROM assets a
        WHERE a.generation_id = o.generation_id AND a.output_n = o.n AND a.deleted_at IS NULL))
LIMIT 1
"""
_UPLOAD = """
SELECT key, mime, bytes, sha256, width, thumbnail_key, poster_key, peaks_key FROM uploads
WHERE id = $1 AND $2 IN (key, thumbnail_key, poster_key, peaks_key) AND state = 'ready'
"""
_PARTS = {"thumbnail_key": "thumbnail", "poster_key": "poster", "peaks_key": "peaks"}


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the record says of a stored file. What was derived from another has no type and length of its own."""

    tag: str
    """Changes with the bytes."""
    mime: str | None = None
    bytes: int | None = None
    width: int | None = None


def owner_of(key: str) -> UUID | None:
    """The account whose file this is by its key, `users/<account>/…`."""
    first, _, rest = key.partition("/")
    return parse_id(rest.partition("/")[0]) if first == "users" else None


async def find(db: Database, owner: UUID, key: str) -> KnownFile | None:
    """The owner's output or ready upload, or what is made from it, that lies under this key."""
    _, _, folder, *rest = [*key.split("/"), ""]
    async with db.transaction(owner) as tx:
        if folder == "generations" and (generation_id := parse_id(rest[0])) is not None:
            row = await tx.fetchrow(_OUTPUT.format(generations=HOT.generations), generation_id, key)
            if row is None:
                row = await tx.fetchrow(_OUTPUT.format(generations=ALL.generations), generation_id, key)
            return _known(row, key)
        if folder == "uploads" and (upload_id := parse_id(rest[0].partition(".")[0])) is not None:
            return _known(await tx.fetchrow(_UPLOAD, upload_id, key), key)
    return None


def _known(row: Mapping[str, Any] | None, key: str) -> KnownFile | None:
    if row is None:
        return None
    if row["key"] == key:
        return KnownFile(row["sha256"], row["mime"], row["bytes"], row["width"])
    part = next(name for column, name in _PARTS.items() if row[column] == key)
    return KnownFile(f"{row['sha256']}-{part}")
