"""The folder where a run keeps its state: one lock, generated secrets, and the ports it took."""

import fcntl
import json
import os
import secrets
import socket
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

PORT_RANGE = range(15_000, 32_000)


class AlreadyRunning(Exception):
    """Another process runs from this folder. `holder` is what it wrote about itself."""

    def __init__(self, holder: dict[str, Any]) -> None:
        super().__init__("Penstock is already running from this folder")
        self.holder = holder


class Lock:
    """Held by the one process that runs from a folder.

    The kernel drops it with the process, so a killed run leaves no stale lock; what the file says is
    believed only while the lock is held.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Raises AlreadyRunning when another process holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = _parse(file.read())
            file.close()
            raise AlreadyRunning(holder) from None
        self._file = file
        self.describe(pid=os.getpid())

    def describe(self, **about: object) -> None:
        """Say what others should know of this run, such as its address."""
        if self._file is None:
            raise RuntimeError("the lock is not held")
        self._file.seek(0)
        self._file.truncate()
        json.dump(about, self._file)
        self._file.flush()

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _parse(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {}


def load_secrets(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """The generated secrets of a folder, mode 0600, each of 32 random bytes in Base64; those that are missing are
    made now."""
    known = {name: str(value) for name, value in _parse(_read(path)).items()}
    missing = [name for name in names if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(32) for name in missing}
        write_private(path, json.dumps(known, indent=2) + "\n")
    return known


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; readers see the old text or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with open(draft, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    draft.replace(path)


def choose_ports(path: Path, names: tuple[str, ...]) -> dict[str, int]:
    """A free loopback port for each name: that of the last run where it is still free."""
    last = _parse(_read(path))
    chosen: dict[str, int] = {}
    for name in names:
        port = last.get(name)
        chosen[name] = (
            port if isinstance(port, int) and port_is_free(port) else free_port(list(chosen.values()))
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**last, **chosen}, indent=2) + "\n")
    return chosen


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port(taken: Collection[int] = ()) -> int:
    """A loopback port that nobody listens on and that is not among `taken`.

    It lies below the ports that the kernel gives to outgoing connections: a client that keeps trying a
    stopped server there could be given the very port as its own, and connect to itself.
    """
    while True:
        port = secrets.choice(PORT_RANGE)
        if port not in taken and port_is_free(port):
            return port


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text()
    return ""
