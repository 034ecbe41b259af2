"""Real worker processes in milliseconds: a process that has everything imported, and forks on request.

    python -m tests.chaos.nursery

Lines of JSON on its standard input ask for children, lines on its output say which began and how they ended.
A child runs the same `main` as `python -m MODULE ARGUMENTS`, with an environment and a log of its own. All of
them end when the nursery does.
"""

import asyncio
import ctypes
import gc
import importlib
import os
import pkgutil
import selectors
import signal
import sys
import traceback
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import orjson

import cli
from tests.chaos.sabotage import take_away
from tests.warm import keep_clients, make_clients
from workers.providers import registry

PRELOADED = (
    "workers.__main__",
    "tests.chaos.submitter",
    "tests.cli.penstock",
    "replicate",
    *(entry.adapter for entry in registry.ENTRIES.values()),
    *(module.name for module in pkgutil.iter_modules(cli.__path__, "cli.") if module.name != "cli.__main__"),
)
"""What its children run, and what these import late, each in its own time, if at all."""
_PR_SET_PDEATHSIG = 1


class Child:
    """A process that the nursery forked."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid = pid
        self.log = log
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def alive(self) -> bool:
        return not self.ended.done()

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def wait(self, timeout_s: float = 90.0) -> int:
        """The exit code, negative for the signal that ended it. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(self.ended)

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self.wait()

    async def stop(self, timeout_s: float = 90.0) -> int:
        """Asks it to end, and returns its exit code."""
        self.signal(signal.SIGTERM)
        return await self.wait(timeout_s)


class Nursery:
    """The side that asks. `folder` gets the children's logs; they run there too, out of reach of any `.env`."""

    def __init__(self, process: Process, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._children: dict[int, Child] = {}
        self._asked: asyncio.Queue[asyncio.Future[Child]] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())
        self._count = 0

    @classmethod
    async def open(cls, folder: Path) -> Self:
        command = (sys.executable, "-m", "tests.chaos.nursery")
        return cls(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE), folder)

    async def start(
        self, module: str, *arguments: str, environment: Mapping[str, str], without: Sequence[str] = (),
        folder: Path | None = None, stdin: str | None = None,
    ) -> Child:  # fmt: skip
        """`without` names guards that this process does not have (see `sabotage`).

        It runs in `folder`, else among the logs. With a `stdin` its output is kept apart from its log.
        """
        self._count += 1
        log = self._folder / f"{self._count:03d}-{module.rpartition('.')[2]}.log"
        request = {"module": module, "arguments": arguments, "environment": dict(environment),
                   "log": str(log), "without": list(without), "folder": str(folder or self._folder)}  # fmt: skip
        if stdin is not None:
            log.with_suffix(".in").write_text(stdin)
            request |= {"stdin": str(log.with_suffix(".in")), "stdout": str(log.with_suffix(".out"))}
        begun: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait(begun)
        assert self._process.stdin is not None
        self._process.stdin.write(orjson.dumps(request) + b"\n")
        await self._process.stdin.drain()
        return await begun

    async def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            said = orjson.loads(line)
            if "began" in said:
                child = Child(said["began"], Path(said["log"]))
                self._children[child.pid] = child
                self._asked.get_nowait().set_result(child)
            else:
                self._children.pop(said["ended"]).ended.set_result(said["code"])
        for child in self._children.values():
            child.ended.set_result(-signal.SIGKILL)


# The nursery's own side: plain and single-threaded, as a process that forks must be.


def main() -> None:
    for name in PRELOADED:
        importlib.import_module(name)
    keep_clients(setattr)
    asyncio.run(make_clients())
    gc.collect()
    gc.freeze()
    wakeups, signaled = os.pipe()
    os.set_blocking(signaled, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(signaled)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin.fileno(), selectors.EVENT_READ)
    selector.register(wakeups, selectors.EVENT_READ)
    running: set[int] = set()
    pending = b""
    while True:
        for key, _ in selector.select():
            data = os.read(key.fd, 1 << 16)
            if key.fd == wakeups:
                continue
            if not data:
                _end(running)
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                running.add(_fork(orjson.loads(line)))
        _bury(running)


def _fork(request: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _live(request)
    _say(began=pid, log=request["log"])
    return pid


def _live(request: Mapping[str, Any]) -> None:
    """The child's whole life; never returns."""
    code = 1
    try:
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(os.open(request.get("stdin", os.devnull), os.O_RDONLY), 0)
        for target, path in ((1, request.get("stdout", request["log"])), (2, request["log"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), target)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        for name in request["without"]:
            take_away(name)
        sys.argv = [request["module"], *request["arguments"]]
        code = sys.modules[_main_of(request["module"])].main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _main_of(module: str) -> str:
    return module if module in sys.modules and hasattr(sys.modules[module], "main") else f"{module}.__main__"


def _bury(running: set[int]) -> None:
    for pid in tuple(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            running.discard(pid)
            _say(ended=pid, code=os.waitstatus_to_exitcode(status))


def _end(running: set[int]) -> None:
    for pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _say(**what: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(what) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
