"""Keeps the archive: makes its months ahead, moves what ended long ago into it, detaches what is older still."""

import asyncio

import asyncpg

from shared.db import CONNECTION_ERRORS, Database
from shared.domains import archive
from shared.log import get_logger

log = get_logger(__name__)

TICK_S = 3600.0
PAUSE_S = 0.25
"""Between two batches, so that nobody else waits for them."""


class Archiver:
    """A duty of maintenance, done by one process at a time. Months of 0 are never."""

    def __init__(self, db: Database, hot_months: int, attached_months: int) -> None:
        self._db = db
        self._hot_months = hot_months
        self._attached_months = attached_months

    async def run(self) -> None:
        """Keeps it until it is cancelled."""
        while True:
            try:
                await self.keep()
            except CONNECTION_ERRORS as error:
                log.warning("archive_put_off", error=type(error).__name__)
            except asyncpg.LockNotAvailableError:
                log.info("archive_is_read")
            except Exception:
                log.exception("archive_failed")
            await asyncio.sleep(TICK_S)

    async def keep(self) -> int:
        """One round; returns how many generations were moved."""
        async with self._db.transaction() as tx:
            await archive.make_months(tx)
        moved = 0
        if self._hot_months:
            while batch := await archive.move(self._db, self._hot_months):
                moved += batch
                await asyncio.sleep(PAUSE_S)
        if moved:
            log.info("archived", generations=moved)
        if self._attached_months:
            for month in await archive.detach_old(self._db, self._attached_months):
                log.info("archive_detached", month=f"{month:%Y-%m}")
        return moved
