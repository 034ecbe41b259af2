"""One world per scenario: a database, a queue and a provider of its own, and real processes that live in it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from redis.asyncio import Redis

from shared.db import Database
from shared.settings import Settings
from shared.storage import ObjectStore
from tests.chaos.invariants import Violation, violations
from tests.chaos.nursery import Child, Nursery
from tests.chaos.submitter import MODEL
from tests.conftest import make_settings
from tests.emulators.replicate import ReplicateEmulator
from tests.pipeline import Pipeline, open_pipeline, pauses_s
from tests.servers import TEMPLATE, RunServers
from workers.engine import publish_cards
from workers.providers.replicate.adapter import ReplicateProvider

TOKEN = "r8_chaos"
QUICK = {
    "ALLOW_PRIVATE_URLS": "true",
    "FIND_WINDOW_S": "1",
    "HEARTBEAT_INTERVAL_S": "0.3",
    "LOG_FORMAT": "json",
}
PATIENCE_S = 90.0
"""Far more than anything here takes: a wait ends when its condition holds."""

_RESTLESS = """
SELECT (SELECT count(*) FROM generations WHERE wake_at IS NOT NULL OR cost_status = 'reconciling')
    + (SELECT count(*) FROM submissions WHERE state IN ('intent', 'accepted', 'unknown'))
"""


@dataclass(slots=True)
class World:
    pipeline: Pipeline
    emulator: ReplicateEmulator
    store: ObjectStore
    redis: Redis
    nursery: Nursery
    environment: Mapping[str, str]
    owner_url: str
    describing: bool = False
    """Whether workers describe what they store. To start the process that does costs more than all the rest."""
    children: list[Child] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.pipeline.worker

    @property
    def settings(self) -> Settings:
        return self.pipeline.settings

    async def submit(self, prompt: str = "a lighthouse in fog", **options: Any) -> UUID:
        given = {"prompt": prompt, **options.pop("input", {})}
        return await self.pipeline.submit(**{"model": MODEL, "input": given, **options})

    async def worker(
        self, *kinds: str, crash_point: str | None = None, without: Sequence[str] = (), **changes: str
    ) -> Child:
        """A worker process; `changes` are settings, `without` names guards that it does not have."""
        armed = {"PENSTOCK_CRASH_POINT": crash_point} if crash_point is not None else {}
        return await self.process(
            "workers", *(kinds or ("image",)), environment={**armed, **changes}, without=without
        )

    async def process(
        self, module: str, *arguments: str, environment: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
    ) -> Child:  # fmt: skip
        child = await self.nursery.start(
            module, *arguments, environment={**self.environment, **(environment or {})},
            without=[*without, *([] if self.describing else ["description"])],
        )  # fmt: skip
        self.children.append(child)
        return child

    async def ready(self, child: Child) -> None:
        """Once the worker has registered."""
        await eventually(
            lambda: self.db.fetchval("SELECT EXISTS (SELECT FROM workers WHERE pid = $1)", child.pid)
        )

    async def bury(self, *dead: Child) -> None:
        """Lets what dead workers held run out now and not in seconds: leases, bells, open submissions."""
        await self.db.execute(
            "UPDATE workers SET beat_at = beat_at - interval '1 hour' WHERE pid = ANY ($1)",
            [child.pid for child in dead],
        )
        await self.db.execute("UPDATE generations SET wake_at = now() WHERE rung AND owner IS NULL")
        await self.db.execute("UPDATE submissions SET check_at = now() WHERE check_at IS NOT NULL")

    async def at_rest(self, timeout_s: float = PATIENCE_S) -> None:
        """Once everything has ended and every bill is known. Raises TimeoutError."""

        async def resting() -> bool:
            return bool(await self.db.fetchval(_RESTLESS) == 0)

        await eventually(resting, timeout_s)

    async def violations(
        self, *, acknowledged: Iterable[UUID] = (), finished: bool = True
    ) -> list[Violation]:
        return await violations(
            self.db, self.emulator.invoice(), self.store, acknowledged=acknowledged, finished=finished
        )

    async def rules_broken(self, *, finished: bool = True) -> set[str]:
        return {violation.rule for violation in await self.violations(finished=finished)}

    async def end_children(self) -> None:
        for child in self.children:
            await child.kill()


async def eventually(condition: Callable[[], Any], timeout_s: float = PATIENCE_S) -> None:
    """Returns once the condition, awaited, is true. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        for pause_s in pauses_s():
            if await condition():
                return
            await asyncio.sleep(pause_s)


@dataclass(slots=True)
class Worlds:
    """Makes worlds on the servers of a test run; each has a Valkey database of its own."""

    servers: RunServers
    environment: Mapping[str, str]
    nursery: Nursery
    home: Path
    name: str
    numbers: asyncio.Queue[int]
    count: int = 0

    @asynccontextmanager
    async def open(self, *, describing: bool = False, **emulation: Any) -> AsyncIterator[World]:
        """`emulation` are the provider's options. What is left of a world is killed and dropped at its end."""
        self.count += 1
        database = f"chaos_{self.name}_{self.count}"
        number = await self.numbers.get()
        await self.servers.create_database(database, TEMPLATE)
        try:
            async with ReplicateEmulator(token=TOKEN, **emulation) as emulator:
                environment = self._environment(database, number, emulator)
                settings = make_settings(environment, self.home)
                async with _world(
                    settings, environment, emulator, self.nursery, self.servers, database
                ) as world:
                    world.describing = describing
                    yield world
        finally:
            await self.servers.drop_database(database)
            self.numbers.put_nowait(number)

    def _environment(self, database: str, number: int, emulator: ReplicateEmulator) -> dict[str, str]:
        return {
            **self.environment,
            **self.servers.environment_for(database),
            "REDIS_URL": numbered(self.environment["REDIS_URL"], number),
            "REPLICATE_API_TOKEN": TOKEN,
            "REPLICATE_BASE_URL": emulator.url,
            **QUICK,
        }


@asynccontextmanager
async def _world(
    settings: Settings, environment: Mapping[str, str], emulator: ReplicateEmulator, nursery: Nursery,
    servers: RunServers, database: str,
) -> AsyncIterator[World]:  # fmt: skip
    owner_url = servers.environment_for(database)["DATABASE_OWNER_URL"]
    store = ObjectStore.open(settings)
    await store.ensure_bucket()
    redis = Redis.from_url(settings.redis_url)
    await redis.flushdb()
    async with open_pipeline(settings) as pipeline:
        await _publish_cards(pipeline)
        # With a budget, the sum of what the account holds is kept, and can be wrong.
        await pipeline.worker.execute("UPDATE accounts SET budget_nanos = 1000000000000")
        world = World(pipeline, emulator, store, redis, nursery, environment, owner_url)
        try:
            yield world
        finally:
            await world.end_children()
            await redis.aclose()
            await store.close()


async def _publish_cards(pipeline: Pipeline) -> None:
    """Requests are admitted before the first worker lives, so what can be asked is published here."""
    provider = ReplicateProvider(TOKEN, "http://127.0.0.1:9")
    await publish_cards(pipeline.worker, {provider.name: provider})
    await provider.close()


def numbered(redis_url: str, number: int) -> str:
    """The same server, another of its numbered databases."""
    return urlunsplit(urlsplit(redis_url)._replace(path=f"/{number}"))
