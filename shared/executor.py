"""A pool of child processes for what burns CPU, so that no event loop ever does.

Children are plain interpreters on two pipes (asyncio's own subprocesses): nothing of the parent is
inherited, neither sockets nor secrets in the environment. One that overruns its time, or whose caller
left, is killed, which is the only way to stop a decoder in the middle of a decompression bomb.
"""

import asyncio
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any, Self

from shared.executor_child import HEADER, Call, Reply, pack
from shared.media.errors import MediaError

PASSED_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
THREADS = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""Thread pools and their arenas would eat the address space that the limit counts."""
STREAM_LIMIT = 1 << 20


class ExecutorCrashed(Exception):
    """The child died under the call (a fault in a codec, the kernel's memory killer). The next call works."""


class ExecutorFailed(Exception):
    """The target raised something other than MediaError; `remote_traceback` says where."""

    def __init__(self, message: str, remote_traceback: str) -> None:
        super().__init__(message)
        self.remote_traceback = remote_traceback


class Executor:
    """At most `processes` children, started at need and let go after `idle_s` without work."""

    def __init__(self, processes: int = 1, *, idle_s: float = 30.0, memory_bytes: int = 3 << 30) -> None:
        self._slots = asyncio.Semaphore(processes)
        self._idle_s = idle_s
        self._memory_bytes = memory_bytes
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._retirement: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def pids(self) -> list[int]:
        """The children alive now, at work or idle."""
        return [child.pid for child in (*self._busy, *self._idle)]

    async def call(
        self,
        target: str,
        *args: Any,
        timeout_s: float = 60.0,
        on_progress: Callable[[float], None] | None = None,
    ) -> Any:
        """Run "package.module:function" with picklable `args` in a child and return its result.

        `timeout_s` counts from when a child takes the call, not while it waits for one. With
        `on_progress` the function also gets a `progress` keyword, a callable that takes 0 to 1.
        Raises MediaError, ExecutorFailed, ExecutorCrashed, TimeoutError.
        """
        request = pack(Call(target, args, on_progress is not None))
        async with self._slots:
            child = await self._take()
            clean = False
            try:
                async with asyncio.timeout(timeout_s):
                    reply, payload = await child.ask(request, on_progress)
                clean = True
            finally:
                # A child that may still be at work (time over, caller gone) is never used again.
                self._give_back(child) if clean else self._end(child)
        return _unwrap(reply, payload)

    async def close(self) -> None:
        """End every child, those at work too: their callers get ExecutorCrashed."""
        if self._retirement is not None:
            self._retirement.cancel()
        for child in (*self._busy, *self._idle):
            self._end(child)
        await asyncio.gather(*self._ending)

    async def _take(self) -> "_Child":
        if self._retirement is not None:
            self._retirement.cancel()
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                break
            self._end(child)
        else:
            child = await _Child.start(self._memory_bytes)
        self._busy.add(child)
        return child

    def _give_back(self, child: "_Child") -> None:
        if child not in self._busy:  # ended by close()
            return
        self._busy.discard(child)
        self._idle.append(child)
        if not self._busy:
            self._retirement = asyncio.get_running_loop().call_later(self._idle_s, self._retire)

    def _retire(self) -> None:
        for child in tuple(self._idle):
            self._end(child)

    def _end(self, child: "_Child") -> None:
        self._busy.discard(child)
        if child in self._idle:
            self._idle.remove(child)
        task = asyncio.create_task(child.end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


class _Child:
    def __init__(self, process: Process) -> None:
        assert process.stdin is not None  # noqa: S101 - both are pipes, see start()
        assert process.stdout is not None  # noqa: S101
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout

    @classmethod
    async def start(cls, memory_bytes: int) -> Self:
        environment = {name: os.environ[name] for name in PASSED_ENVIRONMENT if name in os.environ}
        environment |= THREADS | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = (sys.executable, "-m", "shared.executor_child", str(os.getpid()), str(memory_bytes))
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            env=environment,
            limit=STREAM_LIMIT,
            start_new_session=True,  # the terminal's Ctrl-C is for the parent, which then ends us
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Asks the kernel, without reaping: the event loop may not have heard of a death yet."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    async def ask(self, request: bytes, on_progress: Callable[[float], None] | None) -> tuple[Reply, Any]:
        try:
            self._stdin.write(request)
            await self._stdin.drain()
            while (answer := await self._read())[0] is Reply.PROGRESS:
                if on_progress is not None:
                    on_progress(answer[1])
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ExecutorCrashed(f"child {self.pid} died at work") from error
        return answer

    async def _read(self) -> tuple[Reply, Any]:
        (length,) = HEADER.unpack(await self._stdout.readexactly(HEADER.size))
        reply, payload = pickle.loads(await self._stdout.readexactly(length))  # noqa: S301 - our own child
        return Reply(reply), payload

    async def end(self) -> None:
        if self._process.returncode is None:
            try:
                self._process.kill()
            except ProcessLookupError:
                return
        self._stdin.close()
        await self._process.wait()


def _unwrap(reply: Reply, payload: Any) -> Any:
    match reply:
        case Reply.MEDIA_ERROR:
            raise MediaError(*payload)
        case Reply.ERROR:
            raise ExecutorFailed(*payload)
    return payload
