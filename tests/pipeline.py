"""A whole pipeline inside a test: an account that admits requests, and a worker engine that serves them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from shared.catalog import FREE, Catalog, ModelCard, Price
from shared.db import Database, Role
from shared.domains import history
from shared.domains.admission import Admitter, NewGeneration
from shared.domains.cancels import CancelResult, request_cancel
from shared.events import Publisher
from shared.ids import new_id
from shared.kinds import KINDS
from shared.queue import Bell
from shared.settings import Settings
from tests.stacks import where_all_stand
from workers.engine import Engine, publish_cards
from workers.providers.base import Finished, Outcome, Provider, Request, Sink, Usage
from workers.runtime import Consumer

TERMINAL = {"completed", "failed", "canceled", "expired"}
Behaviour = Callable[[Request, Sink], Any]


def pauses_s(first_s: float = 0.01, longest_s: float = 0.2) -> Iterator[float]:
    """How long to wait between looks: soon at first, then seldom enough that looking is not most of the work."""
    pause_s = first_s
    while True:
        yield pause_s
        pause_s = min(longest_s, 1.3 * pause_s)


def card(
    provider: str = "scripted", kind: str = "image", price: Price | None = FREE, **options: Any
) -> ModelCard:
    """A model card that accepts every parameter of its kind."""
    given: dict[str, Any] = {
        "provider": provider,
        "model": f"{provider}-{kind}",
        "kind": kind,
        "label": provider,
        "description": "for tests",
        "aliases": (provider,),
        "accepts": frozenset(KINDS[kind].parameters.model_fields),
        "price": price,
        "expected_s": 0.05,
        "rank": 1,
    }
    return ModelCard(**given | options)


class ScriptedProvider(Provider):
    """A synchronous provider inside the worker's process whose `submit` is whatever a test says.

    The outside world of most tests is an emulator; this one is for the pipeline's own decisions.
    """

    name: ClassVar[str] = "scripted"
    submit_timeout_s: ClassVar[float] = 60.0

    def __init__(self, behaviour: Behaviour | None = None, cards: Sequence[ModelCard] = ()) -> None:
        self.behaviour = behaviour
        self.requests: list[Request] = []
        self._cards = cards or [card(kind=kind) for kind in KINDS]

    @property
    def cards(self) -> Sequence[ModelCard]:
        return self._cards

    async def submit(self, request: Request, sink: Sink) -> Outcome:
        self.requests.append(request)
        if self.behaviour is not None:
            outcome = self.behaviour(request, sink)
            result: Outcome = await outcome if asyncio.iscoroutine(outcome) else outcome
            return result
        return Finished((), Usage({"run": Decimal(1)}))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`app` is the gateway's pool under row-level security, `worker` sees everything."""

    settings: Settings
    app: Database
    worker: Database
    publisher: Publisher
    bell: Bell
    admitter: Admitter
    account_id: UUID

    async def submit(self, kind: str = "image", account_id: UUID | None = None, **options: Any) -> UUID:
        """Admits a request and returns its id."""
        given = {"prompt": "a lighthouse in fog"} if kind != "audio" else {"text": "hello"}
        parameters = KINDS[kind].parameters.model_validate(options.pop("input", given))
        new = NewGeneration(kind, parameters, **{"model": "scripted", **options})
        admission = await self.admitter.admit(account_id or self.account_id, new)
        assert admission.row is not None
        generation_id: UUID = admission.row["id"]
        return generation_id

    async def cancel(self, generation_id: UUID) -> CancelResult:
        """Asks for a cancel as the gateway does."""
        async with self.app.transaction(self.account_id) as tx:
            result = await request_cancel(tx, generation_id, self.publisher, self.bell)
        assert result is not None
        return result

    async def row(self, generation_id: UUID) -> Mapping[str, Any]:
        row: Mapping[str, Any] | None = await self.worker.fetchrow(
            "SELECT * FROM generations WHERE id = $1", generation_id
        )
        assert row is not None
        return row

    async def until(self, generation_id: UUID, *states: str, timeout_s: float = 90) -> Mapping[str, Any]:
        """The row once it is in one of the states, or in any terminal one."""
        wanted = set(states) or TERMINAL
        row: Mapping[str, Any] = {}
        try:
            async with asyncio.timeout(timeout_s):
                # A state on the way may be over soon.
                for pause_s in pauses_s(longest_s=0.02 if states else 0.2):
                    if (row := await self.row(generation_id))["state"] in wanted:
                        break
                    assert row["state"] not in TERMINAL, (row["state"], row["error"])
                    await asyncio.sleep(pause_s)
        except TimeoutError as error:
            error.add_note(f"{dict(row)}\n{where_all_stand()}")
            raise
        return row

    async def events(self, generation_id: UUID) -> list[Mapping[str, Any]]:
        async with self.worker.transaction() as tx:
            return await history.events_since(tx, generation_id, 0)

    async def submissions(self, generation_id: UUID) -> list[Mapping[str, Any]]:
        async with self.worker.transaction() as tx:
            return await history.submissions(tx, generation_id)

    async def ledger(self, generation_id: UUID) -> dict[str, int]:
        """Nano-dollars by kind of entry."""
        rows = await self.worker.fetch(
            "SELECT kind, sum(nanos)::bigint AS nanos FROM ledger WHERE generation_id = $1 GROUP BY kind",
            generation_id,
        )
        return {row["kind"]: row["nanos"] for row in rows}

    @asynccontextmanager
    async def engine(
        self,
        *providers: Provider,
        kinds: Sequence[str] = ("image",),
        arq: bool = True,
        on_stop: Callable[[], object] = lambda: None,
        **changes: Any,
    ) -> AsyncIterator[Engine]:
        """A running worker process' inside, with its consumers unless `arq` is false; drained at the end."""
        settings = self.settings.model_copy(update=changes)
        named = {provider.name: provider for provider in providers}
        engine = await Engine.open(settings, kinds, providers=named, on_stop=on_stop)
        await engine.start()
        tasks = [asyncio.create_task(Consumer(engine, kind).run()) for kind in kinds] if arq else []
        try:
            yield engine
        finally:
            await engine.drain()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await engine.close()

    async def with_account(self) -> "Pipeline":
        """The same for a fresh account."""
        account_id = new_id()
        await self.worker.execute("INSERT INTO accounts (id, name) VALUES ($1, 'test')", account_id)
        return replace(self, account_id=account_id)


@asynccontextmanager
async def open_pipeline(settings: Settings) -> AsyncIterator[Pipeline]:
    """A pipeline with a fresh account, on the servers that the settings name."""
    app = await Database.open(settings.database_url, Role.APP)
    worker = await Database.open(settings.worker_url, Role.WORKER)
    bell, publisher = Bell.open(settings), Publisher.open(settings.redis_url)
    admitter = Admitter(app, Catalog(app), bell, publisher, settings)
    try:
        yield await Pipeline(settings, app, worker, publisher, bell, admitter, new_id()).with_account()
    finally:
        await admitter.close()
        await publisher.close()
        await bell.close()
        await app.close()
        await worker.close()


async def publish(pipeline: Pipeline, *providers: Provider) -> None:
    """Makes the providers' cards known without running a worker."""
    await publish_cards(pipeline.worker, {provider.name: provider for provider in providers})
