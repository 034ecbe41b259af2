"""Keeps child processes running: starts them, starts again what dies and says so, ends them in order."""

import asyncio
import os
import signal
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cli.childlog import ChildLog, Record
from cli.servers.process import guarded

READY_POLL_S = 0.25
START_TIMEOUT_S = 60.0
FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
STEADY_AFTER_S = 30.0
"""A child that ran this long is started again at once."""
GIVE_UP_AFTER = 4
"""Deaths before a child was ever ready, after which the whole start has failed."""
LINE_LIMIT = 1 << 20


class StartFailed(Exception):
    """A child cannot be brought up. The message ends with what it printed last."""


@dataclass(frozen=True, slots=True)
class Service:
    """A child process. Those of the highest `tier` are ended first, and have `stop_timeout_s` for it."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]] | None = None
    """Asked until it says yes."""
    ready_event: str | None = None
    """The log event by which the child says so itself. Without either a child is ready once it runs."""
    tier: int = 0
    stop_timeout_s: float = 10.0


class Reporter:
    """What happens to the children, told to nobody; a console overrides this."""

    def died(self, name: str, how: str, again_in_s: float, tail: Sequence[str]) -> None: ...

    def restarted(self, name: str) -> None: ...

    def notice(self, name: str, record: Record) -> None: ...


class Supervisor:
    """One task for each service; between events it does nothing."""

    def __init__(
        self,
        services: Sequence[Service],
        logs: Path,
        reporter: Reporter,
        *,
        start_timeout_s: float = START_TIMEOUT_S,
    ) -> None:
        self.start_timeout_s = start_timeout_s
        self.children = [_Child(service, logs, reporter) for service in services]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Returns when every child is ready. Raises StartFailed, with all children ended, when one is not."""
        self._tasks = [asyncio.create_task(child.keep_running()) for child in self.children]
        try:
            async with asyncio.timeout(self.start_timeout_s):
                await asyncio.gather(*(asyncio.shield(child.ready) for child in self.children))
        except TimeoutError:
            late = ", ".join(child.service.name for child in self.children if not child.ready.done())
            await self.stop()
            raise StartFailed(f"{late}: not ready within {self.start_timeout_s:g} s") from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all children, the highest tier first, each within its time."""
        for child in self.children:
            child.stopping.set()
        for tier in sorted({child.service.tier for child in self.children}, reverse=True):
            await asyncio.gather(*(child.end() for child in self.children if child.service.tier == tier))
        await asyncio.gather(*self._tasks)

    def kill(self) -> None:
        """End all children at once, without leave to finish anything."""
        for child in self.children:
            child.stopping.set()
            child.send(signal.SIGKILL)


class _Child:
    def __init__(self, service: Service, logs: Path, reporter: Reporter) -> None:
        self.service = service
        self.reporter = reporter
        self.log = ChildLog(logs / f"{service.name}.log")
        self.process: Process | None = None
        self.stopping = asyncio.Event()
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._said_ready = asyncio.Event()
        self._deaths = 0

    async def keep_running(self) -> None:
        backoff_s = FIRST_BACKOFF_S
        while not self.stopping.is_set():
            started = time.monotonic()
            how = await self._run_once()
            if self.stopping.is_set() or self._gave_up(how):
                break
            if time.monotonic() - started > STEADY_AFTER_S:
                backoff_s = FIRST_BACKOFF_S
            self.reporter.died(self.service.name, how, backoff_s, list(self.log.tail))
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), backoff_s)
            backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)
        self.log.close()

    async def end(self) -> None:
        """SIGTERM, and SIGKILL when that did not end it in time."""
        if self.process is None:
            return
        self.send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), self.service.stop_timeout_s)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self.process.wait()

    def send(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)

    def _gave_up(self, how: str) -> bool:
        """A child that never was ready and keeps dying will not get better by itself."""
        self._deaths += 1
        if self.ready.done() or self._deaths < GIVE_UP_AFTER:
            return False
        tail = "\n".join(self.log.tail)
        self.ready.set_exception(StartFailed(f"{self.service.name} {how}, {self._deaths} times\n{tail}"))
        return True

    async def _run_once(self) -> str:
        """Run the child to its end; returns how it ended."""
        self.log.tail.clear()
        self._said_ready.clear()
        async with _output() as (output, reader):
            # A session of its own: the terminal's Ctrl-C is for the supervisor, which ends children in order.
            self.process = await asyncio.create_subprocess_exec(
                *guarded(self.service.argv, signal.SIGKILL),
                env=dict(self.service.env),
                stdin=DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            os.close(output)
            if self.stopping.is_set():
                self.send(signal.SIGKILL)
            return _how(await self._follow(self.process, reader))

    async def _follow(self, process: Process, reader: asyncio.StreamReader) -> int:
        """Read what the child says until it ends; returns its exit code."""
        reading = asyncio.create_task(self._read(reader))
        waiting = asyncio.create_task(self._wait_ready())
        try:
            code = await process.wait()
            # What the child started would keep its output open, and its place: the session ends with it.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.wait([reading], timeout=1)
        finally:
            reading.cancel()
            waiting.cancel()
        return code

    async def _wait_ready(self) -> None:
        if self.service.ready_event is not None:
            await self._said_ready.wait()
        if self.service.ready is not None:
            await _until(self.service.ready)
        if not self.ready.done():
            self.ready.set_result(None)
        elif self._deaths:
            self.reporter.restarted(self.service.name)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await _next_line(reader):
            record = self.log.write(line)
            if record is None:
                continue
            if record.event == self.service.ready_event:
                self._said_ready.set()
            if record.matters:
                self.reporter.notice(self.service.name, record)


@asynccontextmanager
async def _output() -> AsyncIterator[tuple[int, asyncio.StreamReader]]:
    """A pipe for a child: the end to write, which the caller closes, and a reader.

    Not asyncio's own pipe, because its `wait` returns only when every holder of the pipe has ended.
    """
    source, sink = os.pipe()
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(source, "rb")
    )
    try:
        yield sink, reader
    finally:
        transport.close()


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    while not await condition():  # noqa: ASYNC110 - the condition is another process's
        await asyncio.sleep(READY_POLL_S)


async def _next_line(stream: asyncio.StreamReader) -> bytes:
    """The next line, empty at the end; one that is too long comes in pieces."""
    try:
        return await stream.readuntil()
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as overrun:
        return await stream.read(max(overrun.consumed, 1))


def _how(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"
