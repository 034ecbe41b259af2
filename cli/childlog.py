"""What a child prints: kept in a file of bounded size, and what matters picked out of it."""

import json
from collections import deque
from pathlib import Path
from typing import NamedTuple

LIMIT_BYTES = 5 << 20
TAIL_LINES = 5
SHOWN_LEVELS = frozenset({"warning", "error", "critical"})
HIDDEN_FIELDS = frozenset({"event", "level", "timestamp", "service", "exception", "logger"})


class Record(NamedTuple):
    """A structured log line."""

    level: str
    event: str
    text: str
    """The event with its fields and what its exception says first."""

    @property
    def matters(self) -> bool:
        """Whether the operator should see it."""
        return self.level in SHOWN_LEVELS


class ChildLog:
    """Lines go to `path`; when that is full it becomes `path`.1: twice `limit_bytes` at most."""

    def __init__(self, path: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.limit_bytes = limit_bytes
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        """The last plain lines, such as a traceback: what to show when the child dies."""
        self._file = path.open("ab")

    def write(self, line: bytes) -> Record | None:
        """Keep a line; returns what it says if it is structured."""
        if self._file.tell() + len(line) > self.limit_bytes:
            self._rotate()
        self._file.write(line)
        self._file.flush()
        record = _parse(line)
        if record is None:
            self.tail.append(line.decode(errors="replace").rstrip())
        return record

    def close(self) -> None:
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(self.path.name + ".1"))
        self._file = self.path.open("ab")


def _parse(line: bytes) -> Record | None:
    if not line.startswith(b"{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    event = str(found.get("event", ""))
    return Record(str(found.get("level", "info")).lower(), event, _summary(event, found))


def _summary(event: str, found: dict[str, object]) -> str:
    fields = [f"{name}={value}" for name, value in found.items() if name not in HIDDEN_FIELDS]
    return "  ".join([event, *fields, *_raised(str(found.get("exception", "")))])


def _raised(exception: str) -> list[str]:
    """The line below the traceback; what may follow it are hints and notes."""
    lines = exception.strip().splitlines()
    traceback = [n for n, line in enumerate(lines) if line.startswith(" ")]
    return lines[traceback[-1] + 1 :][:1] if traceback else lines[-1:]
