"""Maintenance: duties that belong to nobody's step. Each is taken by one process at a time.

Expire what was not started in time; drop idempotency keys, abandoned uploads, old events, callbacks,
deliveries and audit entries whose time is over; send assets to the trash as their owners' rules say, and empty it;
compare what projects have spent with the ledger.
"""

import asyncio
from collections.abc import Callable
from uuid import UUID

from shared.db import CONNECTION_ERRORS, Database
from shared.domains import deliveries, mail, quotas, retention, spending, webhooks
from shared.domains.changes import LeaseLost
from shared.domains.generations import Lifecycle
from shared.domains.ops import audit, providers
from shared.domains.provider_keys import destroy_unneeded
from shared.domains.stale_uploads import drop_stale
from shared.log import get_logger
from shared.storage import ObjectStore, StorageError

log = get_logger(__name__)

EXPIRE_TICK_S = 1.0
CLEAN_TICK_S = 60.0
RETIRE_TICK_S = 3600.0
VERIFY_TICK_S = 24 * 3600.0
EXPIRE_BATCH = 200
EVENTS_KEPT_DAYS = 30
CALLBACKS_KEPT_DAYS = 30
DELIVERIES_KEPT_DAYS = 30
QUOTAS_KEPT_DAYS = 90
MAIL_KEPT_DAYS = 30
PROVIDER_KEYS_KEPT_S = 300.0
"""So long a deleted key waits at least for a step that was about to use it."""
CLEAN_LOCK = 0xC1EA

_DROP_KEYS = "DELETE FROM idempotency_keys WHERE expires_at < now()"
_DROP_EVENTS = """
DELETE FROM generation_events e USING generations g
WHERE g.id = e.generation_id AND g.completed_at < now() - $1::int * interval '1 day'
"""
_DROP_CALLBACKS = "DELETE FROM provider_callbacks WHERE received_at < now() - $1::int * interval '1 day'"


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
            await tx.execute(_DROP_CALLBACKS, CALLBACKS_KEPT_DAYS)
            await destroy_unneeded(tx, PROVIDER_KEYS_KEPT_S)
            await deliveries.prune(tx, DELIVERIES_KEPT_DAYS)
            await webhooks.prune_secrets(tx)
            await quotas.prune(tx, QUOTAS_KEPT_DAYS)
            await mail.prune(tx, MAIL_KEPT_DAYS)
            await providers.prune(tx)
            await audit.prune(tx)
        try:
            await drop_stale(self._db, self._store)
        except StorageError as error:
            log.warning("uploads_left", error=str(error))

    async def empty_trash(self) -> None:
        """Removes assets that stayed in the trash too long, so many at a time that nothing else waits for it."""
        try:
            removed = await retention.purge(self._db, self._store)
        except StorageError as error:
            log.warning("trash_left", error=str(error))
        else:
            if removed:
                log.info("trash_emptied", assets=removed)

    async def verify_spending(self) -> None:
        """Puts right what projects have spent, where the ledger says otherwise; that should never be."""
        for one in await spending.put_right(self._db):
            log.error("project_spending_repaired", project=str(one.project_id), account=str(one.account_id),
                      found=one.found, expected=one.expected)  # fmt: skip

    async def run(self, worker_id: Callable[[], UUID]) -> None:
        """Does the duties until it is cancelled. The worker's id changes when it was declared dead."""
        clock = asyncio.get_running_loop().time
        clean_at = retire_at = verify_at = clock()
        while True:
            try:
                await self.expire(worker_id())
                if clock() >= clean_at:
                    clean_at = clock() + CLEAN_TICK_S
                    await self.clean()
                    await self.empty_trash()
                if clock() >= retire_at:
                    retire_at = clock() + RETIRE_TICK_S
                    await retention.retire(self._db)
                if clock() >= verify_at:
                    verify_at = clock() + VERIFY_TICK_S
                    await self.verify_spending()
            except CONNECTION_ERRORS as error:
                log.warning("maintenance_put_off", error=type(error).__name__)
            except Exception:
                log.exception("maintenance_failed")
            await asyncio.sleep(EXPIRE_TICK_S)
