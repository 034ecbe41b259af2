"""One child server: started under the guard, asked whether it is ready, ended in bounded time."""

import os
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

GUARD = Path(__file__).with_name("guard.py")
PROC = Path("/proc")
LOG_LIMIT_BYTES = 5 << 20
POLL_S = 0.01
INHERITED = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
"""Of this process's environment: settings of other PostgreSQL or rclone uses must not reach ours."""


class ServerFailed(Exception):
    """A server ended, or did not become ready in time. The message ends with the tail of its log."""


class User(NamedTuple):
    """Whom a child runs as."""

    uid: int
    gid: int


def guarded(argv: Sequence[str], death_signal: signal.Signals, user: User | None = None) -> list[str]:
    """The command line that runs `argv` so that it gets `death_signal` when this process ends."""
    who = f"{user.uid}:{user.gid}" if user else "-"
    return [sys.executable, "-I", "-S", str(GUARD), str(int(death_signal)), str(os.getpid()), who, *argv]


def command_of(pid: int) -> str:
    """The command line of a process, empty when there is none."""
    if (PROC / "self" / "cmdline").exists():
        with suppress(OSError):
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    shown = subprocess.run(  # noqa: S603 - fixed arguments
        [shutil.which("ps") or "/bin/ps", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout.strip()


def end_leftover(pid: int, mark: str, stop_signal: signal.Signals, grace_s: float) -> bool:
    """End a process that an earlier, killed run left behind; `mark` must occur in its command line.

    Returns whether there was one. A process id that was given to another program is left alone.
    """
    if not mark or mark not in command_of(pid):
        return False
    for number in (stop_signal, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + grace_s
        while mark in command_of(pid) and time.monotonic() < deadline:
            time.sleep(POLL_S)
    return True


class Server(ABC):
    """What PostgreSQL, Valkey and the object store have in common.

    `start` returns when the server answers, `stop` when it is gone; both may be called again. It must be
    started from a thread that lives as long as the server should, because the guard watches that thread.
    """

    name: str
    stop_signal = signal.SIGTERM
    death_signal = signal.SIGKILL
    start_timeout_s = 30.0
    stop_timeout_s = 10.0

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.log_path = home / "logs" / f"{self.name}.log"
        self.pid_path = home / "run" / f"{self.name}.pid"

    def prepare(self) -> None:  # noqa: B027  # some servers need nothing made
        """Make the data folder and the configuration; called before every start."""

    @abstractmethod
    def argv(self) -> list[str]:
        """The server's command line. It has `mark` in it."""

    def environment(self) -> Mapping[str, str]:
        """What the server sees beside this process's PATH and language."""
        return {}

    @abstractmethod
    def ready(self) -> bool:
        """Whether the server answers now."""

    @property
    @abstractmethod
    def mark(self) -> str:
        """What in a command line tells this server from any other program."""

    @property
    def user(self) -> User | None:
        """Whom the server runs as, None for oneself."""
        return None

    @property
    def pid(self) -> int:
        """Raises ServerFailed when the server was not started."""
        if self.process is None:
            raise ServerFailed(f"{self.name} was not started")
        return self.process.pid

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self.prepare()
        for folder in (self.log_path.parent, self.pid_path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._rotate_log()
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the command is ours
                guarded(self.argv(), self.death_signal, self.user),
                env=inherited | dict(self.environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        self.pid_path.write_text(str(self.process.pid))

    def wait_ready(self) -> None:
        """Raises ServerFailed when the server ends or does not answer within `start_timeout_s`."""
        deadline = time.monotonic() + self.start_timeout_s
        while not self.ready():
            if self.process is None or self.process.poll() is not None:
                raise ServerFailed(f"{self.name} ended while it started\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} does not answer on port {self.port}\n{self._log_tail()}")
            time.sleep(POLL_S)

    def start(self) -> None:
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """Ask it to end, and kill it when it does not within `stop_timeout_s`."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(self.stop_timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._forget()

    def kill(self) -> None:
        """End it the hard way, as a crash would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._forget()

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def end_leftover(self) -> bool:
        """End what a killed run left of this server, found by its pid file."""
        with suppress(OSError, ValueError):
            pid = int(self.pid_path.read_text())
            return end_leftover(pid, self.mark, self.stop_signal, self.stop_timeout_s)
        return False

    @property
    def folder(self) -> Path:
        """Where the data is."""
        return self.home / self.name

    def _forget(self) -> None:
        self.process = None
        self.pid_path.unlink(missing_ok=True)

    def _rotate_log(self) -> None:
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))

    def _log_tail(self) -> str:
        with suppress(OSError):
            return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-12:])
        return ""
