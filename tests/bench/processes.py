"""Processes under test: started beside us, pinned to a core of their own, measured from outside, ended."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cli.servers.process import guarded

ROOT = Path(__file__).resolve().parents[2]
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_S = 30.0
STOP_S = 15.0


@dataclass(frozen=True, slots=True)
class Cores:
    """One core for what is measured, the others for the load and the servers; all the same on one core."""

    tested: frozenset[int]
    others: frozenset[int]

    @classmethod
    def divide(cls) -> Self:
        every = frozenset(os.sched_getaffinity(0))
        first = frozenset({min(every)})
        return cls(first, every - first or first)

    @property
    def every(self) -> frozenset[int]:
        return self.tested | self.others


class Child:
    """A Python module as a process of its own. It dies with us, whatever happens."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.pid = process.pid
        self._process = process
        self._log = log

    @classmethod
    async def start(
        cls,
        argv: Sequence[str],
        env: Mapping[str, str],
        folder: Path,
        name: str,
        cores: frozenset[int],
    ) -> Self:
        """`folder` takes its log, and is where it runs, so that it reads no `.env`."""
        log = folder / f"{name}.log"
        with log.open("ab") as sink:
            process = await asyncio.create_subprocess_exec(
                *guarded([sys.executable, *argv], signal.SIGKILL),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=PIPE,
                stderr=sink,
                env={**env, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
                cwd=folder,
                start_new_session=True,
                limit=1 << 26,
            )
        os.sched_setaffinity(process.pid, cores)
        return cls(process, log)

    async def said(self, word: str) -> str:
        """The next line of its output, which must begin with the word; its rest. Raises RuntimeError."""
        assert self._process.stdout is not None
        async with asyncio.timeout(START_S):
            line = (await self._process.stdout.readline()).decode().rstrip("\n")
        if not line.startswith(word):
            raise RuntimeError(f"{self._log.stem} did not say {word!r}: {line!r}\n{self.tail()}")
        return line.removeprefix(word).strip()

    async def logged(self, event: str) -> None:
        """Returns when its log has the event. Raises RuntimeError when it ends before."""
        async with asyncio.timeout(START_S):
            while event not in self._log.read_text():
                if self._process.returncode is not None:
                    raise RuntimeError(f"{self._log.stem} ended: {self._process.returncode}\n{self.tail()}")
                await asyncio.sleep(0.02)

    async def stop(self) -> bytes:
        """Asks it to end, and kills it when it does not; what it said since the last line read."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                said, _ = await self._process.communicate()
        except TimeoutError:
            self._process.kill()
            said, _ = await self._process.communicate()
        return said

    def tail(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])

    def cpu_s(self) -> float:
        """Seconds of processor that it has used, to a hundredth."""
        return cpu_s(self.pid)

    def memory_mb(self, name: str = "Rss") -> float:
        """Its resident memory, or with `Pss` its share of it."""
        return memory_mb(self.pid, name)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def memory_mb(pid: int, name: str = "Rss") -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024
