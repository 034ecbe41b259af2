"""Maintenance: duties that belong to nobody's step. Each is taken by one process at a time.

Expire what was not started in time; drop idempotency keys, abandoned uploads and old events whose time is
over.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

from shared.db import CONNECTION_ERRORS, Database
from shared.domains.generations import LeaseLost, Lifecycle
from shared.log import get_logger
from shared.storage import ObjectStore, StorageError

log = get_logger(__name__)

EXPIRE_TICK_S = 1.0
CLEAN_TICK_S = 60.0
EXPIRE_BATCH = 200
EVENTS_KEPT_DAYS = 30
UPLOADS_PENDING_HOURS = 24
CLEAN_LOCK = 0xC1EA

_DROP_KEYS = "DELETE FROM idempotency_keys WHERE expires_at < now()"
_DROP_EVENTS = """
DELETE FROM generation_events e USING generations g
WHERE g.id = e.generation_id AND g.completed_at < now() - $1::int * interval '1 day'
"""
_DROP_UPLOADS = """
DELETE FROM uploads WHERE state <> 'ready' AND created_at < now() - $1::int * interval '1 hour' RETURNING key
"""


class Maintenance:
    def __init__(self, db: Database, lifecycle: Lifecycle, store: ObjectStore) -> None:
        self._db = db
        self._lifecycle = lifecycle
        self._store = store

    async def expire(self, worker_id: UUID) -> int:
        """Ends what was still queued at its start deadline; returns how many."""
        works = await self._lifecycle.claim_expired(worker_id, EXPIRE_BATCH)
        for work in works:
            try:
                await self._lifecycle.expired(work)
            except LeaseLost:
                log.info("lease_lost", generation=str(work.id))
        return len(works)

    async def clean(self) -> None:
        """Drops what nobody needs any more. A no-op while another process cleans."""
        async with self._db.transaction() as tx:
            if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", CLEAN_LOCK):
                return
            await tx.execute(_DROP_KEYS)
            await tx.execute(_DROP_EVENTS, EVENTS_KEPT_DAYS)
            keys = [row["key"] for row in await tx.fetch(_DROP_UPLOADS, UPLOADS_PENDING_HOURS)]
        try:
            await self._store.delete(keys)
        except StorageError as error:
            # Bytes without a row cost space and nothing else.
            log.warning("upload_bytes_left", uploads=len(keys), error=str(error))

    async def run(self, worker_id: Callable[[], UUID]) -> None:
        """Does the duties until it is cancelled. The worker's id changes when it was declared dead."""
        clock = asyncio.get_running_loop().time
        clean_at = clock()
        while True:
            try:
                await self.expire(worker_id())
                if clock() >= clean_at:
                    clean_at = clock() + CLEAN_TICK_S
                    await self.clean()
            except CONNECTION_ERRORS as error:
                log.warning("maintenance_put_off", error=type(error).__name__)
            except Exception:
                log.exception("maintenance_failed")
            await asyncio.sleep(EXPIRE_TICK_S)
