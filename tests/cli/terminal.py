"""Running `penstock` as a user does: as a process of its own, piped or on a terminal."""

import asyncio
import os
import pty
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.nursery import Nursery
from tests.cli.fake_gateway import KEY, FakeGateway

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 90


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


class Terminal:
    """Starts `penstock` in a folder of its own, talking to `gateway`."""

    def __init__(self, gateway: FakeGateway, nursery: Nursery, folder: Path) -> None:
        self.gateway = gateway
        self._nursery = nursery
        self.folder = folder
        self._processes: list[asyncio.subprocess.Process] = []

    async def close(self) -> None:
        """End what a failed test left running."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"PENSTOCK_URL": self.gateway.url, "PENSTOCK_API_KEY": KEY, "TERM": "xterm", "COLUMNS": "200"}
        return kept | own | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}

    async def run(self, *arguments: str, stdin: str = "", **variables: str) -> Result:
        """With nothing on a terminal, until it ends: forked, for to import the command anew takes longest."""
        child = await self._nursery.start(
            "tests.cli.penstock", *arguments, environment={**self.environment(), **variables}, folder=self.folder,
            stdin=stdin,
        )  # fmt: skip
        code = await child.wait(TIMEOUT_S)
        out, err = (child.log.with_suffix(suffix).read_bytes().decode() for suffix in (".out", ".log"))
        return Result(code, out, err)

    async def start(self, *arguments: str, **variables: str) -> asyncio.subprocess.Process:
        """As `python -m cli`, with stdout and stderr piped."""
        pipe = asyncio.subprocess.PIPE
        return await self._start(arguments, pipe, pipe, pipe, **variables)

    async def on_tty(self, *arguments: str) -> "Tty":
        """With stdin, stdout and stderr on one pseudo-terminal."""
        ours, theirs = pty.openpty()
        process = await self._start(arguments, theirs, theirs, theirs)
        os.close(theirs)
        return Tty(process, ours)

    async def _start(
        self, arguments: tuple[str, ...], stdin: int, stdout: int, stderr: int, **variables: str
    ) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cli", *arguments),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=self.folder,
            env={**self.environment(), **variables},
            start_new_session=True,
        )
        self._processes.append(process)
        return process


class Tty:
    """A process on a pseudo-terminal; `screen` is all that it wrote."""

    def __init__(self, process: asyncio.subprocess.Process, descriptor: int) -> None:
        self.process = process
        self.screen = ""
        self._descriptor = descriptor
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 1 << 16)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self.screen += data.decode(errors="replace")
        self._more.set()

    async def sees(self, text: str) -> None:
        """Wait until the screen shows `text`."""
        async with asyncio.timeout(TIMEOUT_S):
            while text not in self.screen:
                self._more.clear()
                await self._more.wait()

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    async def ends(self) -> int:
        """The exit code, once everything it wrote was read."""
        async with asyncio.timeout(TIMEOUT_S):
            code = await self.process.wait()
        self._read_rest()
        return code

    def _read_rest(self) -> None:
        os.set_blocking(self._descriptor, False)
        with suppress(OSError):
            while data := os.read(self._descriptor, 1 << 16):
                self.screen += data.decode(errors="replace")
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
