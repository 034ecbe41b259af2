"""One scene: every emulator, every adapter, one worker, and generations whose fate is compared with the bills.

What is asked for carries a tag that no other request has, so that an emulator's requests and the lines of its
invoice are known to be this generation's, whatever the record says.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import orjson

from shared.executor import Executor
from shared.settings import Settings
from shared.storage import ObjectStore
from tests.contract.books import Told
from tests.contract.cases import Case, Outside
from tests.emulators.base import Effect, Emulator, InvoiceLine, SeenRequest
from tests.pipeline import TERMINAL, Pipeline, pauses_s
from tests.stacks import where_all_stand
from workers.engine import Engine, publish_cards
from workers.providers import registry
from workers.providers.base import Provider

KINDS = ("image", "audio", "text", "music", "video")
QUICK: dict[str, Any] = {
    "allow_private_urls": True,
    "find_window_s": 1.0,
    "heartbeat_interval_s": 0.1,
    "lease_ttl_s": 60.0,
    "provider_cooldown_s": 0.2,
}
PATIENCE_S = 90.0
"""Far more than anything here takes."""

_NUMBERS = count(1)
_OPEN = {"intent", "accepted", "unknown"}
# Work ends at once here, so nobody needs to wait for the first look at it. No card is too old for its test.
_SOON = "UPDATE model_cards SET expected_s = 0.1, shutdown_on = NULL"


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls a case's paid request, or the requests of another operation."""

    effect: Effect
    operation: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def fault(effect: Effect, operation: str | None = None, **details: Any) -> Fault:
    return Fault(effect, operation, details)


@dataclass(frozen=True, slots=True)
class Asked:
    """A generation that was admitted."""

    case: Case
    id: UUID
    tag: str


@dataclass(slots=True)
class Scene:
    pipeline: Pipeline
    emulators: Mapping[str, Emulator]
    settings: Settings
    given: set[str]
    """The names of the settings that lead to the emulators."""
    executor: Executor

    def emulator(self, case: Case) -> Any:
        return self.emulators[case.outside.entry]

    def providers(self) -> list[Provider]:
        """A new adapter for each outside, as a worker process has them."""
        loaded = registry.load(self.settings, self.executor)
        return [provider for provider in loaded.values() if provider.unavailable_reason is None]

    @asynccontextmanager
    async def working(self, **changes: Any) -> AsyncIterator[Engine]:
        """A worker for all kinds."""
        async with self.pipeline.engine(*self.providers(), kinds=KINDS, **{**QUICK, **changes}) as engine:
            await self.pipeline.worker.execute(_SOON)
            yield engine

    async def publish(self) -> None:
        """Makes the cards known before any worker lives."""
        providers = self.providers()
        await publish_cards(self.pipeline.worker, {provider.name: provider for provider in providers})
        await self.pipeline.worker.execute(_SOON)
        for provider in providers:
            await provider.close()

    async def ask(self, case: Case, *faults: Fault, **options: Any) -> Asked:
        """Admits a request for the case's model, with what befalls it at the provider."""
        tag = f"Fog no. {next(_NUMBERS):05d}"
        for met in faults:
            theirs = {"contains": tag} if met.operation is None else {}
            self.emulator(case).faults.add(
                met.operation or case.paid, met.effect, **{**theirs, **met.details}
            )
        given = {case.asks: tag, **case.input, **options.pop("input", {})}
        id_ = await self.pipeline.submit(case.kind, model=case.model, input=given, **options)
        return Asked(case, id_, tag)

    async def run(self, case: Case, *faults: Fault, **options: Any) -> Told:
        """Asks, and waits for the end."""
        return await self.told(await self.ask(case, *faults, **options))

    async def told(self, asked: Asked) -> Told:
        """What is on record, once it has ended and no bill is open. Raises TimeoutError, which says how it stands."""
        row: Mapping[str, Any] = {}
        try:
            async with asyncio.timeout(PATIENCE_S):
                for pause_s in pauses_s():
                    row = await self.pipeline.row(asked.id)
                    if row["state"] in TERMINAL and row["cost_status"] != "reconciling":
                        submissions = await self.pipeline.submissions(asked.id)
                        states = [submission["state"] for submission in submissions]
                        if not _OPEN & set(states):
                            break
                    await asyncio.sleep(pause_s)
        except TimeoutError as error:
            error.add_note(f"{dict(row)}\n{await self.pipeline.submissions(asked.id)}\n{where_all_stand()}")
            raise
        # What was refused has its reason; what never left, because a connection took too long, has none.
        sent = [one["state"] for one in submissions if one["state"] != "rejected" or one["error"]]
        ledger = await self.pipeline.ledger(asked.id)
        return Told(
            asked.case, row, sent, len(states) - len(sent), ledger, self.paid_requests(asked), self.invoice(asked)
        )  # fmt: skip

    def paid_requests(self, asked: Asked) -> list[SeenRequest]:
        """The requests to be paid for that reached the provider."""
        if asked.case.outside.emulate is None:
            return []
        seen = self.emulator(asked.case).seen(asked.case.paid)
        return [request for request in seen if asked.tag in request.body]

    def invoice(self, asked: Asked) -> list[InvoiceLine]:
        """What the provider billed for it."""
        if asked.case.outside.emulate is None:
            return []
        lines = self.emulator(asked.case).invoice()
        return [line for line in lines if asked.tag in orjson.dumps(line.input, default=str).decode()]

    async def until(self, asked: Asked, *stages: str) -> Mapping[str, Any]:
        """Its row, once it is in one of the stages."""
        async with asyncio.timeout(PATIENCE_S):
            while (row := await self.pipeline.row(asked.id))["stage"] not in stages:
                assert row["state"] not in TERMINAL, (row["state"], row["error"])
                await asyncio.sleep(0.01)
        return row

    async def reaches(self, asked: Asked) -> None:
        """Once the provider has its paid request."""
        await eventually(lambda: bool(self.paid_requests(asked)))


@asynccontextmanager
async def open_scene(pipeline: Pipeline, outsides: Sequence[Outside]) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        emulators: dict[str, Emulator] = {}
        given: dict[str, Any] = dict(QUICK)
        for outside in outsides:
            if outside.emulate is not None:
                emulator = await stack.enter_async_context(outside.emulate())
                outside.prepare(emulator)
                emulators[outside.entry] = emulator
                given |= outside.settings(emulator)
        store = ObjectStore.open(pipeline.settings)
        stack.push_async_callback(store.close)
        await store.ensure_bucket()
        executor = Executor()
        stack.push_async_callback(executor.close)
        settings = pipeline.settings.model_copy(update=given)
        yield Scene(pipeline, emulators, settings, set(given), executor)


async def eventually(condition: Callable[[], bool]) -> None:
    """Returns once it is true. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def each(cases: Sequence[Case], tell: Callable[[Case], Coroutine[Any, Any, None]]) -> None:
    """Tells every case's story at the same time. Raises an ExceptionGroup that names the cases that went wrong."""
    assert cases
    told = await asyncio.gather(*(tell(case) for case in cases), return_exceptions=True)
    wrong = []
    for case, error in zip(cases, told, strict=True):
        if isinstance(error, Exception):
            error.add_note(f"case: {case.name}")
            wrong.append(error)
        elif error is not None:
            raise error
    if wrong:
        names = ", ".join(note.removeprefix("case: ") for error in wrong for note in error.__notes__[-1:])
        raise ExceptionGroup(f"{len(wrong)} of {len(cases)} cases: {names}", wrong)
