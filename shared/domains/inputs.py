"""Files that a request names: uploads, outputs of earlier generations, assets, addresses here and elsewhere."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.domains.archive import ALL, HOT
from shared.domains.states import TERMINAL, status_of
from shared.errors import InvalidInput
from shared.ids import parse_id
from shared.netguard import check_url

_UPLOAD = "SELECT state, key, mime, bytes, width, height, duration_s FROM uploads WHERE id = $1"
_OUTPUT = """
SELECT g.state, (SELECT count(*) FROM outputs WHERE generation_id = g.id) AS outputs, o.key, o.mime, o.bytes,
    o.width, o.height, o.duration_s
FROM {generations} g LEFT JOIN outputs o ON o.generation_id = g.id AND o.n = $2
WHERE g.id = $1 AND g.deleted_at IS NULL
"""
_ASSET = """
SELECT file_url AS key, mime, file_size_bytes AS bytes, width, height, duration_seconds::float8 AS duration_s
FROM assets WHERE id = $1 AND deleted_at IS NULL
"""
_KEPT = ("key", "mime", "bytes", "width", "height", "duration_s")
Row = Mapping[str, Any]
_REFERENCE = re.compile(r"([^/]+)(?:/(\d{1,3}))?")
_ID, _N = r"(?P<id>[0-9a-f-]{36})", r"(?P<n>\d{1,3})"
_OURS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"/api/v1/generations/{_ID}/outputs/{_N}(?:/download)?",
        rf"/api/v1/(?:assets|uploads)/{_ID}(?:/file)?",
        rf"/cdn/penstock-assets/users/(?P<owner>[0-9a-f-]{{36}})/generations/{_ID}/{_N}(?:-[0-9a-f]+)?\.\w+",
        rf"/cdn/penstock-assets/users/(?P<owner>[0-9a-f-]{{36}})/uploads/{_ID}\.\w+",
    )
)
"""Addresses of files of ours."""


async def find_file(
    db: Database,
    account_id: UUID,
    reference: str,
    *,
    field: str,
    family: str,
    allow_private: bool,
    base_url: str = "",
) -> dict[str, Any]:
    """Where the file lies: {key, mime, bytes, …} or {url}. `base_url` is where callers reach us: an address below it,
    or a path alone, is read as the upload, output or asset that it shows.

    Raises InvalidInput with this field; what belongs to another account is as unknown as what does not exist.
    """
    short = _in_short(reference, account_id, base_url)
    match = _REFERENCE.fullmatch(short)
    file_id = parse_id(match[1]) if match is not None else None
    if match is None or file_id is None:
        if "://" not in reference:
            raise _wrong(
                "Give the id of an upload, an asset or a generation (with the number of its output), or an https URL.",
                field,
            )
        await check_url(reference, field=field, allow_private=allow_private)
        return {"url": reference}
    row = await _row(db, account_id, file_id, match[2], field)
    if not row["mime"].startswith(f"{family}/"):
        raise _wrong(f"This must be {family}, but it is {row['mime']}.", field)
    return {name: row[name] for name in _KEPT}


def _in_short(reference: str, account_id: UUID, base_url: str) -> str:
    """An address of ours as the id behind it; anything else as it is."""
    if base_url and reference.startswith(f"{base_url}/"):
        path = reference.removeprefix(base_url)
    elif reference.startswith("/"):
        path = reference
    else:
        return reference
    plain = path.partition("?")[0]
    found = next((match.groupdict() for pattern in _OURS if (match := pattern.fullmatch(plain))), None)
    if found is None or found.get("owner") not in (None, str(account_id)):
        return reference
    return found["id"] if "n" not in found else f"{found['id']}/{found['n']}"


async def _row(db: Database, account_id: UUID, file_id: UUID, number: str | None, field: str) -> Row:
    async with db.transaction(account_id) as tx:
        found: Row | None = None
        if number is None:
            found = await tx.fetchrow(_UPLOAD, file_id) or await tx.fetchrow(_ASSET, file_id)
        output: Row | None = await _output(tx, file_id, int(number or 0)) if found is None else None
    if found is not None:
        state = found.get("state", "ready")
        if state != "ready":
            raise _wrong("That upload is not complete.", field, upload_status=state)
        return found
    if output is None:
        raise _wrong("There is no such upload, asset or generation.", field)
    status = status_of(output["state"])
    if output["state"] not in TERMINAL:
        raise _wrong(
            f"That generation is still {status}: wait until it is completed.", field, generation_status=status
        )
    if output["key"] is None:
        why = f"it has {output['outputs']}, numbered from 0" if output["outputs"] else f"it is {status}"
        raise _wrong(f"That generation has no output {number or 0}: {why}.", field, generation_status=status)
    return output


async def _output(tx: Tx, generation_id: UUID, number: int) -> Row | None:
    for tables in (HOT, ALL):
        row: Row | None = await tx.fetchrow(
            _OUTPUT.format(generations=tables.generations), generation_id, number
        )
        if row is not None:
            return row
    return None


def _wrong(sentence: str, field: str, **details: Any) -> InvalidInput:
    return InvalidInput(sentence, field=field, status=422, **details)
