"""A worker process whose provider is ours: it answers after `--seconds`, with a text if it is asked for one.

Prints `ready`; when it is told to end, it prints what happened to each generation and when, as JSON: seconds of
the monotonic clock, which all processes of a machine share.

    python -m tests.bench.worker image text --seconds 0.05 --record
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import orjson
import uvloop

from shared import heap, log
from shared.settings import Settings
from tests.bench.stand import PROVIDER, cards
from tests.pipeline import ScriptedProvider
from workers.engine import Engine
from workers.providers.base import Accepted, Finished, Request, Sink, Usage
from workers.runtime import Consumer

TEXT = b"Fog came in from the sea, and the lighthouse answered it. " * 20
USAGE = Usage({"run": Decimal(1)})


class BenchProvider(ScriptedProvider):
    """Takes as long as it is told, and notes its own time."""

    name: ClassVar[str] = PROVIDER

    def __init__(self, seconds: float, times: dict[str, dict[str, float]] | None) -> None:
        super().__init__(cards=cards())
        self._seconds = seconds
        self._times = times

    async def submit(self, request: Request, sink: Sink) -> Accepted | Finished:
        if self._times is None:
            return Finished((), USAGE)
        times = self._times[str(request.generation_id)]
        times["called"] = time.monotonic()
        if self._seconds:
            await asyncio.sleep(self._seconds)
        times["answered"] = time.monotonic()
        if request.kind != "text":
            return Finished((), USAGE)
        return Finished((await sink.write(0, "text/plain", _text(), text=TEXT.decode()),), USAGE)


async def _text() -> AsyncIterator[bytes]:
    yield TEXT


class RecordingEngine(Engine):
    """Notes when each step starts."""

    times: dict[str, dict[str, float]]

    async def step(self, generation_id: UUID, dispatch_no: int) -> None:
        self.times.setdefault(str(generation_id), {"started": time.monotonic()})
        await super().step(generation_id, dispatch_no)


async def serve(settings: Settings, kinds: list[str], seconds: float, *, record: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    times: dict[str, dict[str, float]] = {}
    kind_of_engine = RecordingEngine if record else Engine
    provider = BenchProvider(seconds, times if record else None)
    engine = await kind_of_engine.open(settings, kinds, providers={PROVIDER: provider})
    if isinstance(engine, RecordingEngine):
        engine.times = times
    await engine.start()
    consumers = [asyncio.create_task(Consumer(engine, kind).run()) for kind in kinds]
    _say("ready\n")
    await stop.wait()
    await engine.drain()
    for consumer in consumers:
        consumer.cancel()
    await asyncio.gather(*consumers, return_exceptions=True)
    await engine.close()
    _say(orjson.dumps(times).decode())


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kinds", nargs="+")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    found = Settings()
    log.configure(found, "bench-worker")
    heap.settle()
    uvloop.run(serve(found, given.kinds, given.seconds, record=given.record))
