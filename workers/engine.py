"""One worker process without its queue: the pools, the lease, the clocks and the steps.

`workers.runtime` feeds it bells from arq; without Redis it goes on by its own dispatch.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Self
from uuid import UUID

from shared import crashpoints
from shared.catalog import publish
from shared.db import CONNECTION_ERRORS, Database, Role
from shared.domains import fleet
from shared.domains.generations import Lifecycle
from shared.events import Publisher
from shared.executor import Executor
from shared.log import get_logger
from shared.queue import Bell
from shared.settings import Settings
from shared.storage import ObjectStore
from workers import clock
from workers.aftercare import Aftercare
from workers.archiver import Archiver
from workers.artifacts import Artifacts
from workers.audit import Auditor
from workers.checks import ProviderChecks
from workers.credentials import Credentials
from workers.deliveries import Deliveries
from workers.dispatch import Dispatcher
from workers.lease import Lease
from workers.mail import Mailer
from workers.maintenance import Maintenance
from workers.metrics import MetricsServer, WorkerMetrics
from workers.moderation import Moderation
from workers.poller import Poller
from workers.providers import registry
from workers.providers.base import Provider
from workers.rollup import Rollup
from workers.router import Router
from workers.run_times import RunTimes
from workers.steps.runner import Steps
from workers.steps.tools import Tools

log = get_logger(__name__)

TICK_S = 0.5
"""How often an idle process asks what is due."""
GAP_S = 0.01
"""The least time between two looks at the clock, however busy the process is."""
DISPATCH_BATCH = 300


class Engine:
    """Everything of a worker process but arq. `open`, `start`, then `drain` and `close`.

    `on_stop` is called once when an operator has this process end; it sees to the drain, of which only
    the process knows how. Until then the engine already begins nothing new.
    """

    def __init__(
        self,
        settings: Settings,
        db: Database,
        kinds: Sequence[str],
        executor: Executor,
        providers: Mapping[str, Provider],
        *,
        maintenance: bool,
        on_stop: Callable[[], object],
    ) -> None:
        self.settings = settings
        self.kinds = kinds
        self._db = db
        self._maintenance = maintenance
        self._providers = providers
        self._publisher = Publisher.open(settings.redis_url)
        self._bell = Bell.open(settings)
        self._store = ObjectStore.open(settings)
        self._executor = executor
        # A thumbnail does not wait behind a film that a provider makes here.
        self._describing = Executor()
        self.metrics = WorkerMetrics.open()
        self.metrics_server = MetricsServer(self.metrics.registry)
        self._artifacts = Artifacts(self._store, self._describing, settings, self.metrics)
        self._lifecycle = Lifecycle(db, self._publisher, self.metrics.changed)
        self._lease = Lease(
            db, settings, kinds, running=self._running, stats=self._stats, on_cancel=self._on_cancel,
            on_lost=self._on_lost, on_stop=self._stop_asked,
        )  # fmt: skip
        self._credentials = Credentials(db, providers, settings, executor)
        self._router = Router(db, self._credentials, settings)
        self._run_times = RunTimes(db)
        self._moderation = Moderation(settings, self._store, self._describing)
        self._steps = Steps(Tools(
            self._lifecycle, self._router, self._credentials, self._artifacts, self._store, self._publisher, settings,
            self._lease, self.metrics, self._moderation, self._run_times,
        ))  # fmt: skip
        self._poller = Poller(
            self._lifecycle, self._steps, self._lease, self._credentials, self._publisher, kinds, self.metrics,
            self._run_times, self._router.monitor,
        )  # fmt: skip
        self._aftercare = Aftercare(db, self._publisher, self._credentials, self.metrics)
        self._dispatcher = Dispatcher(db, self._bell, self._run_here)
        self._slots = {kind: asyncio.Semaphore(settings.worker_slots) for kind in kinds}
        self._wake = asyncio.Event()
        self._backlog = False
        self._duties: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._direct: set[asyncio.Task[None]] = set()
        self._draining = False
        self._on_stop = on_stop

    @classmethod
    async def open(
        cls,
        settings: Settings,
        kinds: Sequence[str],
        *,
        maintenance: bool = False,
        providers: Mapping[str, Provider] | None = None,
        on_stop: Callable[[], object] = lambda: None,
    ) -> Self:
        """Connects and publishes the model cards. Raises CONNECTION_ERRORS.

        Without `providers`, all that the registry knows are loaded.
        """
        if settings.crash_point is not None:
            crashpoints.arm(settings.crash_point)
        db = await Database.open(settings.worker_url, Role.WORKER, max_size=settings.database_pool)
        executor = Executor(settings.executor_processes)
        if providers is None:
            providers = registry.load(settings, executor)
        await publish_cards(db, providers)
        return cls(settings, db, kinds, executor, providers, maintenance=maintenance, on_stop=on_stop)

    async def start(self) -> None:
        """Begins to beat, to dispatch and to poll."""
        await self._router.open()
        await self._lease.register()
        if self.settings.worker_metrics_port is not None:
            await self.metrics_server.start(
                self.settings.worker_metrics_host, self.settings.worker_metrics_port
            )
        loops: list[Coroutine[Any, Any, None]] = [
            self._lease.run(),
            self._watch_clock(),
            self._run_times.run(),
        ]
        if self._maintenance:
            duties = Maintenance(self._db, self._lifecycle, self._store)
            loops.append(duties.run(lambda: self._lease.worker_id))
            loops.append(Auditor(self._db, self._providers, self.settings).run())
            loops.append(Deliveries(self._db, self.settings, self.metrics).run())
            loops.append(Rollup(self._db).run())
            hot, attached = self.settings.generations_hot_months, self.settings.generations_attached_months
            loops.append(Archiver(self._db, hot, attached).run())
            loops.append(Mailer(self._db, self.settings).run())
            loops.append(ProviderChecks(self._db, self._providers, self.settings).run())
        self._tasks = [asyncio.create_task(loop) for loop in loops]

    @property
    def quiet(self) -> bool:
        """Whether it is to begin nothing new, so that bells are left to others."""
        return self._lease.quiet

    async def step(self, generation_id: UUID, dispatch_no: int) -> None:
        """Runs one step that a bell asked for."""
        if not self._draining:
            await self._steps.run(generation_id, dispatch_no)
            self._slot_freed()

    def nudge(self) -> None:
        """Looks at the clock and beats now, because somebody says that there is news."""
        self._wake.set()
        self._lease.hurry()

    async def drain(self) -> None:
        """Claims nothing new, lets running paid calls finish, gives everything else back at once."""
        self._draining = True
        try:
            await fleet.drain(self._db, self._lease.worker_id)
        except CONNECTION_ERRORS as error:
            log.warning("drain_not_announced", error=type(error).__name__)
        heartbeat, *others = self._tasks
        await _end([*others, *self._duties.values()])
        await self._poller.drain()
        await self._steps.drain(self.settings.drain_timeout_s)
        await self._run_times.flush()
        await _end([heartbeat])
        try:
            await fleet.leave(self._db, self._lease.worker_id)
        except CONNECTION_ERRORS as error:
            log.warning("left_without_word", error=type(error).__name__)

    async def close(self) -> None:
        for closing in (
            self.metrics_server.close,
            *(provider.close for provider in self._providers.values()),
            self._credentials.close,
            self._router.close, self._moderation.close, self._executor.close, self._describing.close,
            self._artifacts.close, self._store.close, self._bell.close, self._publisher.close, self._db.close,
        ):  # fmt: skip
            await _quietly(closing)

    # The clock.

    async def _watch_clock(self) -> None:
        pause_s = TICK_S
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(GAP_S)
            try:
                due = await clock.read(self._db, self.kinds, self.settings.lease_ttl_s)
            except CONNECTION_ERRORS as error:
                log.warning("clock_not_read", error=type(error).__name__)
                pause_s = TICK_S
            except Exception:
                log.exception("clock_not_read")
                pause_s = TICK_S
            else:
                self._attend(due)
                pause_s = TICK_S if due.poll_in_s is None else self._pause_s(due.poll_in_s)

    def _pause_s(self, poll_in_s: float) -> float:
        return min(max(poll_in_s, self._poller.rest_s, GAP_S), TICK_S)

    def _attend(self, due: clock.Due) -> None:
        """Starts what is due, each duty once at a time, so that a slow one delays no other."""
        self._backlog = bool(due.steps)
        for kind in due.steps:
            self._do(f"dispatch {kind}", partial(self._dispatcher.dispatch, kind, DISPATCH_BATCH))
        if due.poll_in_s is not None and due.poll_in_s <= 0 and not self._poller.rest_s:
            self._do("poll", self._poller.tick)
        if due.open_submissions:
            self._do("aftercare", self._aftercare.tick)
        if due.abandoned:
            self._do("reap", self._reap)

    def _do(self, name: str, duty: Callable[[], Awaitable[object]]) -> None:
        running = self._duties.get(name)
        if running is None or running.done():
            self._duties[name] = asyncio.create_task(self._guarded(name, duty))

    async def _guarded(self, name: str, duty: Callable[[], Awaitable[object]]) -> None:
        try:
            await duty()
        except CONNECTION_ERRORS as error:
            log.warning("duty_put_off", duty=name, error=type(error).__name__)
        except Exception:
            log.exception("duty_failed", duty=name)

    async def _reap(self) -> None:
        if not self._lease.steady:
            return
        reaped = await fleet.reap(self._db, self.settings.lease_ttl_s)
        if reaped.freed or reaped.dead:
            log.warning("reaped", freed=reaped.freed, dead=[str(worker) for worker in reaped.dead])
            self._wake.set()

    def _slot_freed(self) -> None:
        """While work is waiting, a freed slot is filled without waiting for the clock."""
        if self._backlog:
            self._wake.set()

    async def _run_here(self, kind: str, generation_id: UUID, dispatch_no: int) -> None:
        """Without Redis the step runs in this process, as soon as a slot of its kind is free."""
        task = asyncio.create_task(self._run_in_slot(kind, generation_id, dispatch_no))
        self._direct.add(task)
        task.add_done_callback(self._direct.discard)

    async def _run_in_slot(self, kind: str, generation_id: UUID, dispatch_no: int) -> None:
        async with self._slots[kind]:
            await self.step(generation_id, dispatch_no)

    # What the lease asks and tells.

    def _running(self) -> list[UUID]:
        return [*self._steps.running, *self._poller.running]

    def _stats(self) -> dict[str, Any]:
        return {"running": len(self._steps.running), "polling": len(self._poller.running)}

    def _on_cancel(self, generation_id: UUID) -> None:
        self._steps.interrupt(generation_id)

    def _on_lost(self) -> None:
        self._steps.abandon()

    def _stop_asked(self) -> None:
        """Every beat from then on says it."""
        if not self._draining:
            self._draining = True
            log.info("stop_asked", worker=str(self._lease.worker_id))
            self._on_stop()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _quietly(closing: Callable[[], Awaitable[None]]) -> None:
    try:
        await closing()
    except Exception as error:
        log.warning("not_closed_cleanly", what=getattr(closing, "__qualname__", "?"), error=repr(error))


async def publish_cards(db: Database, providers: Mapping[str, Provider]) -> None:
    """Tells everyone what these providers can do, and why the others cannot."""
    await publish(db, registry.published(providers))
