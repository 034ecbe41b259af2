"""This process' lease on life: it beats while its event loop lives, and knows when it may be believed dead.

The beat comes from the event loop itself, so that a blocked loop is a dead worker. How long the lease is to
be trusted is measured with the monotonic clock from the moment the last good beat was *sent*.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from shared.db import CONNECTION_ERRORS, Database
from shared.domains import fleet
from shared.ids import new_id
from shared.log import get_logger
from shared.settings import Settings

log = get_logger(__name__)

VERSION = "0.1.0"
SAFETY_S = 2.0
"""The lease is given up this long before others may take it."""


class Lease:
    """The worker's row in Postgres, kept fresh.

    `running` gives the generations whose steps run now; `on_cancel` is called for held generations that
    somebody wants canceled; `on_lost` when this worker was declared dead and came back under a new id.
    """

    def __init__(
        self,
        db: Database,
        settings: Settings,
        kinds: Sequence[str],
        *,
        running: Callable[[], Sequence[UUID]],
        stats: Callable[[], dict[str, Any]],
        on_cancel: Callable[[UUID], None],
        on_lost: Callable[[], None],
        on_stop: Callable[[], None],
    ) -> None:
        self._db = db
        self._settings = settings
        self._kinds = kinds
        self._running = running
        self._stats = stats
        self._on_cancel = on_cancel
        self._on_lost = on_lost
        self._on_stop = on_stop
        self._trusted_until = 0.0
        self._steady_since = float("inf")
        self._hurry = asyncio.Event()
        self.quiet = False
        self.worker_id = new_id()

    def hurry(self) -> None:
        """Beats now: somebody may have canceled what is held here."""
        self._hurry.set()

    async def register(self) -> None:
        """Raises CONNECTION_ERRORS when Postgres is away."""
        sent = time.monotonic()
        await fleet.register(
            self._db,
            self.worker_id,
            kinds=self._kinds,
            slots=self._settings.worker_slots,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=VERSION,
            quiet=self.quiet,
        )
        self._trust(sent)

    def trusted_for(self, needed_s: float) -> bool:
        """Whether the lease surely outlives `needed_s` seconds from now, given that beats go on.

        A beat that cannot be sent for the whole time-to-live makes this false, so no paid call starts in a
        process that others may already have declared dead.
        """
        return time.monotonic() + min(needed_s, SAFETY_S) < self._trusted_until

    @property
    def steady(self) -> bool:
        """Whether beats have gone through long enough that those of every living worker have.

        After an outage of Postgres all workers look dead; who judges them at once would bury the living.
        """
        return time.monotonic() - self._steady_since > 2 * self._settings.heartbeat_interval_s

    async def run(self) -> None:
        """Beats until it is cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.heartbeat_interval_s):
                    await self._hurry.wait()
            self._hurry.clear()
            try:
                await self._beat()
            except CONNECTION_ERRORS as error:
                self._steady_since = float("inf")
                log.warning("heartbeat_failed", error=type(error).__name__)
            except Exception:
                # Without a beat the lease runs out by itself; the loop must live to win it back.
                log.exception("heartbeat_failed")

    async def _beat(self) -> None:
        sent = time.monotonic()
        heard = await fleet.beat(self._db, self.worker_id, self._stats(), self._running())
        if heard is None:
            log.warning("declared_dead", worker=str(self.worker_id))
            self._trusted_until = 0.0
            self.worker_id = new_id()
            self._on_lost()
            await self.register()
            return
        self._trust(sent)
        if heard.quiet != self.quiet:
            log.info("worker_quiet" if heard.quiet else "worker_no_longer_quiet", worker=str(self.worker_id))
        self.quiet = heard.quiet
        if heard.draining:
            self._on_stop()
        for generation_id in heard.canceling:
            self._on_cancel(generation_id)

    def _trust(self, sent: float) -> None:
        if sent >= self._trusted_until:
            # The first beat after a gap, such as that of a process that was stopped.
            self._steady_since = sent
        self._steady_since = min(self._steady_since, sent)
        self._trusted_until = sent + self._settings.lease_ttl_s - SAFETY_S
