"""The random run: generations go through real processes while everything fails around them.

Faults come from a seed, though not their timing to the millisecond. When they are over, what was acknowledged
must come to its end, and every invariant must hold.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from cli.servers import EmbeddedServers
from cli.servers.process import Server
from shared.db import CONNECTION_ERRORS
from tests.chaos.faults import FAULTS, Fault, trouble_the_provider
from tests.chaos.invariants import Violation
from tests.chaos.nursery import Child
from tests.chaos.proxy import Proxy, through
from tests.chaos.submitter import acknowledged
from tests.chaos.world import World, eventually

RECOVERY_S = 10.0
RESTART_S = 0.2
PACE = 0.8
"""Requests come during this part of the storm, if nothing delays them."""


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int = 0
    seconds: float = 120.0
    """How long faults strike; after that the rest must settle."""
    generations: int = 300
    workers: int = 3
    submitters: int = 2
    pause_s: tuple[float, float] = (0.3, 3.0)
    """Between two faults."""
    stops_s: tuple[float, float] = (9.0, 13.0)
    holes_s: tuple[float, float] = (1.0, 8.0)
    settle_s: float = 180.0
    only: tuple[str, ...] = ()
    """Names of faults; all when there are none."""
    changes: Mapping[str, str] = field(default_factory=lambda: {"FIND_WINDOW_S": "16"})
    """Settings of the workers. The window is longer than a stop, as it is in production."""


@dataclass(slots=True)
class Report:
    plan: Plan
    violations: list[Violation]
    states: Mapping[str, int]
    faults: Counter[str]
    ends: Counter[str]
    recoveries_s: list[float]
    disturbed_s: list[float]
    """Recoveries during which Postgres or Redis was away too."""
    charges: int
    seconds: float

    @property
    def slow(self) -> list[float]:
        return [recovery for recovery in self.recoveries_s if recovery > RECOVERY_S]


class Storm:
    """The stage on which faults strike; see `faults.Stage`."""

    def __init__(
        self, world: World, plan: Plan, postgres: Proxy, redis: Proxy, servers: EmbeddedServers | None
    ):
        self.world = world
        self.plan = plan
        self.postgres = postgres
        self.redis = redis
        self.chance = random.Random(plan.seed)
        self.workers: list[Child] = []
        self.submitters: list[Child] = []
        self.stops_s, self.holes_s = plan.stops_s, plan.holes_s
        self.recoveries_s: list[float] = []
        self.disturbed_s: list[float] = []
        self.struck: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self._servers = servers
        self._name = uuid4().hex[:8]
        self._books: list[Path] = []
        self._over = False
        self._disturbances: list[tuple[float, float]] = []
        self._watching: set[asyncio.Task[None]] = set()

    def restartable(self, name: str) -> Server | None:
        return getattr(self._servers, name) if self._servers is not None else None

    async def run(self) -> Report:
        began = time.monotonic()
        trouble_the_provider(self.world.emulator.faults)
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(self._keep_worker(place)) for place in range(self.plan.workers)]
            submitters = [
                group.create_task(self._keep_submitter(place)) for place in range(self.plan.submitters)
            ]
            await eventually(self._begun)
            await self._strike()
            self.world.emulator.faults.clear()
            for submitter in submitters:
                await submitter
            await self._settle()
            self._over = True
            await asyncio.gather(*(worker.stop() for worker in tuple(self.workers)))
            await asyncio.gather(*keepers, *self._watching)
        return await self._report(time.monotonic() - began)

    async def watch_recovery(self, worker: Child) -> None:
        """How long what this worker holds now will be without anybody who works on it."""
        rows = await self.world.db.fetch(
            "SELECT id, epoch FROM generations WHERE owner IN (SELECT id FROM workers WHERE pid = $1)",
            worker.pid,
        )
        for row in rows:
            task = asyncio.create_task(self._recovery(row["id"], row["epoch"]))
            self._watching.add(task)

    # What strikes.

    async def _strike(self) -> None:
        possible = [
            fault for fault in FAULTS
            if (fault.needs is None or self.restartable(fault.needs))
            and (not self.plan.only or fault.name in self.plan.only)
        ]  # fmt: skip
        weights = [fault.weight for fault in possible]
        until = time.monotonic() + self.plan.seconds
        under_way: set[asyncio.Task[None]] = set()
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(*self.plan.pause_s))
            fault = self.chance.choices(possible, weights)[0]
            if fault.store and any(task.get_name() == "store" for task in under_way):
                continue
            task = asyncio.create_task(self._one(fault), name="store" if fault.store else "other")
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)

    async def _one(self, fault: Fault) -> None:
        self.struck[fault.name] += 1
        began = time.monotonic()
        try:
            await fault.strike(self)
        except CONNECTION_ERRORS:
            # Another fault took away what this one needed.
            self.struck[fault.name] -= 1
        finally:
            if fault.store:
                self._disturbances.append((began, time.monotonic()))

    async def _recovery(self, generation_id: UUID, epoch: int) -> None:
        killed_at = time.monotonic()
        # It may also have ended in the moment before the kill.
        goes_on = "SELECT wake_at IS NULL OR (epoch > $2 AND (owner IS NOT NULL OR state = 'waiting'))" \
                  " FROM generations WHERE id = $1"  # fmt: skip
        while not self._over:
            try:
                if await self.world.db.fetchval(goes_on, generation_id, epoch):
                    break
            except CONNECTION_ERRORS:
                pass
            await asyncio.sleep(0.05)
        now = time.monotonic()
        disturbed = any(end > killed_at - 1 and begin < now for begin, end in self._disturbances)
        (self.disturbed_s if disturbed else self.recoveries_s).append(now - killed_at)

    # What is kept going.

    async def _keep_worker(self, place: int) -> None:
        """As a supervisor does: what ends is started again."""
        while not self._over:
            await asyncio.sleep(self.chance.uniform(0, RESTART_S))
            worker = await self.world.worker("image", **self._changes())
            self.workers.append(worker)
            code = await worker.wait(timeout_s=3600)
            self.workers.remove(worker)
            if not self._over:
                self.ends[f"worker {code}"] += 1

    async def _keep_submitter(self, place: int) -> None:
        share = self.plan.generations // self.plan.submitters
        name = f"{self._name}-{place}"
        while True:
            submitter = await self.world.process(
                "tests.chaos.submitter", str(self.world.pipeline.account_id), name, str(share),
                str(PACE * self.plan.seconds), environment=self._changes(),
            )  # fmt: skip
            self.submitters.append(submitter)
            code = await submitter.wait(timeout_s=3600)
            if code == 0:
                self._books.append(submitter.log.parent / f"{name}.acknowledged")
                return
            self.submitters.remove(submitter)
            self.ends[f"submitter {code}"] += 1
            await asyncio.sleep(RESTART_S)

    def _changes(self) -> dict[str, str]:
        environment = self.world.environment
        return {
            "DATABASE_URL": through(environment, "DATABASE_URL", self.postgres),
            "DATABASE_WORKER_URL": through(environment, "DATABASE_WORKER_URL", self.postgres),
            "REDIS_URL": through(environment, "REDIS_URL", self.redis),
            **self.plan.changes,
        }

    async def _begun(self) -> bool:
        return bool(await self.world.db.fetchval("SELECT count(*) > 5 FROM generations"))

    async def _settle(self) -> None:
        try:
            await self.world.at_rest(self.plan.settle_s)
        except TimeoutError:
            # The violations say what is unfinished.
            return

    async def _report(self, seconds: float) -> Report:
        promised = [generation_id for book in self._books for generation_id in acknowledged(book).values()]
        violations = await self.world.violations(acknowledged=promised)
        if len(promised) != self.plan.generations // self.plan.submitters * self.plan.submitters:
            violations.append(
                Violation("not acknowledged", str(len(promised)), f"of {self.plan.generations}")
            )
        rows = await self.world.db.fetch(
            "SELECT state || coalesce(' ' || (error ->> 'code'), '') AS state, count(*) FROM generations GROUP BY 1"
        )
        return Report(
            self.plan, violations, {row["state"]: row["count"] for row in rows}, +self.struck, self.ends,
            sorted(self.recoveries_s), sorted(self.disturbed_s), len(self.world.emulator.invoice()), seconds,
        )  # fmt: skip


@asynccontextmanager
async def storm(world: World, plan: Plan, servers: EmbeddedServers | None = None) -> AsyncIterator[Storm]:
    """With servers of one's own, those are stopped and started too."""
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(Proxy.before(world.environment["DATABASE_WORKER_URL"]))
        redis = await stack.enter_async_context(Proxy.before(world.environment["REDIS_URL"]))
        try:
            yield Storm(world, plan, postgres, redis, servers)
        finally:
            await world.end_children()


def shown(report: Report) -> str:
    """The report as lines of text."""
    lines = [
        f"seed {report.plan.seed}: {report.seconds:.0f} s, {sum(report.states.values())} generations,"
        f" {report.charges} jobs at the provider",
        "  ended as    " + ", ".join(f"{count} {state}" for state, count in sorted(report.states.items())),
        "  faults      " + ", ".join(f"{count} × {name}" for name, count in report.faults.most_common()),
        "  exits       " + (", ".join(f"{count} × {name}" for name, count in report.ends.most_common()) or "none"),
        "  recoveries  " + _times(report.recoveries_s),
        "  … disturbed " + _times(report.disturbed_s),
    ]  # fmt: skip
    lines += [f"  SLOW        {recovery:.1f} s, more than {RECOVERY_S:.0f} s" for recovery in report.slow]
    lines += [f"  VIOLATION   {violation}" for violation in report.violations]
    if not report.violations and not report.slow:
        lines.append("  every invariant holds")
    return "\n".join(lines)


def _times(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    return f"{len(seconds)}: median {seconds[len(seconds) // 2]:.1f} s, longest {seconds[-1]:.1f} s"
