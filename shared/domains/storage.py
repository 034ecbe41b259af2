"""Room for files: what an account keeps, and how much it may.

Outputs and uploads count with their bytes, pending uploads with what was announced; what is derived from them
(thumbnails, smaller pictures) is not counted. The sums are read from the rows themselves, so they cannot drift.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.errors import QuotaExceeded

CACHE_S = 5.0
CACHE_SIZE = 10_000

_USED = """
SELECT (SELECT coalesce(sum(bytes), 0) FROM outputs WHERE account_id = $1)::bigint
    + (SELECT coalesce(sum(bytes), 0) FROM uploads WHERE account_id = $1 AND state <> 'rejected')::bigint
"""
_USAGE = """
SELECT a.storage_limit_bytes AS limit_bytes, o.*, u.*
FROM accounts a,
    LATERAL (SELECT count(*) AS output_files, coalesce(sum(bytes), 0)::bigint AS output_bytes
        FROM outputs WHERE account_id = a.id) o,
    LATERAL (SELECT count(*) FILTER (WHERE state = 'ready') AS upload_files,
        coalesce(sum(bytes) FILTER (WHERE state = 'ready'), 0)::bigint AS upload_bytes,
        coalesce(sum(bytes) FILTER (WHERE state = 'pending'), 0)::bigint AS pending_bytes
        FROM uploads WHERE account_id = a.id) u
WHERE a.id = $1
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes and files of an account. `limit_bytes` None is no limit."""

    limit_bytes: int | None
    output_files: int
    output_bytes: int
    upload_files: int
    upload_bytes: int
    pending_bytes: int
    """Announced by uploads that are under way."""

    @property
    def used_bytes(self) -> int:
        return self.output_bytes + self.upload_bytes + self.pending_bytes

    @property
    def left_bytes(self) -> int | None:
        return None if self.limit_bytes is None else max(self.limit_bytes - self.used_bytes, 0)


async def usage(tx: Tx, account_id: UUID) -> Usage:
    """What the account keeps now."""
    row = await tx.fetchrow(_USAGE, account_id)
    assert row is not None  # noqa: S101  # who asks has an account
    return Usage(**row)


class Rooms:
    """Whether accounts may make more files; what they keep is read again every few seconds at most.

    How large an output will be is known when it is there, so an account that is under its limit may begin.
    """

    def __init__(self) -> None:
        self._used: dict[UUID, tuple[float, int]] = {}

    async def refusal(
        self, tx: Tx, account: Mapping[str, Any] | None, account_id: UUID
    ) -> QuotaExceeded | None:
        """The error for an account whose room is used up. Costs nothing where there is no limit."""
        limit = None if account is None else account["storage_limit_bytes"]
        if limit is None:
            return None
        if self._had_room(account_id, limit):
            return None
        # A refusal is never from memory: somebody may just have deleted something.
        used = await self._read(tx, account_id)
        return no_room(limit, used, None) if used >= limit else None

    def _had_room(self, account_id: UUID, limit: int) -> bool:
        kept = self._used.get(account_id)
        return kept is not None and kept[0] > time.monotonic() and kept[1] < limit

    async def _read(self, tx: Tx, account_id: UUID) -> int:
        used = int(await tx.fetchval(_USED, account_id))
        if len(self._used) >= CACHE_SIZE:
            self._used.clear()
        self._used[account_id] = (time.monotonic() + CACHE_S, used)
        return used


def no_room(limit: int, used: int, needed: int | None) -> QuotaExceeded:
    """The error for a file of `needed` bytes, or for whatever comes when that is None."""
    left = max(limit - used, 0)
    wants = "" if needed is None else f", and this file needs {size(needed)}"
    context: dict[str, Any] = {} if needed is None else {"needed_bytes": needed}
    return QuotaExceeded(
        f"{size(left)} of your {size(limit)} of storage are left{wants}. Delete files to make room.",
        scope="storage",
        limit_bytes=limit,
        used_bytes=used,
        left_bytes=left,
        **context,
    )


def size(count: int) -> str:
    """Bytes for people.

    >>> size(0), size(1536), size(5 << 30)
    ('0 bytes', '1.5 kB', '5.0 GB')
    """
    amount, units = float(count), ["bytes", "kB", "MB", "GB"]
    while amount >= 1024 and len(units) > 1:
        amount /= 1024
        units.pop(0)
    return f"{count} {units[0]}" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"
