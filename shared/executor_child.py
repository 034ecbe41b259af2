"""The far end of `shared.executor`: reads a call from stdin, runs it, writes what came of it.

Imports nothing but the standard library and the media error, so that a child starts in a blink; what a
target needs (numpy, Pillow, PyAV) is imported with its module at its first call.
"""

import ctypes
import importlib
import os
import pickle
import resource
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO, Never

from shared.media.errors import MediaError, MediaFault

HEADER = struct.Struct(">Q")
"""A frame is its pickle's length, then the pickle."""
PROGRESS_INTERVAL_S = 0.1
PR_SET_PDEATHSIG = 1


class Reply(StrEnum):
    PROGRESS = "progress"
    RESULT = "result"
    MEDIA_ERROR = "media_error"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Call:
    """`target` is "package.module:function"; with `wants_progress` it gets a `progress` keyword."""

    target: str
    args: tuple[Any, ...]
    wants_progress: bool


def pack(value: object) -> bytes:
    body = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(body)) + body


def confine(parent_pid: int, memory_bytes: int) -> None:
    """Yield to the services, hold nothing of theirs, stay within the memory, and never outlive the parent."""
    os.nice(10)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        sys.exit(0)  # it died before the line above could bind us to it


def take_stdout() -> BinaryIO:
    """Keep the pipe to the parent for frames only: whatever a library prints goes to stderr."""
    frames = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return frames


class Progress:
    """What a target calls with its share done, 0 to 1; passed on at most ten times a second."""

    def __init__(self, send: Callable[[Reply, object], None]) -> None:
        self._send = send
        self._next = 0.0

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PROGRESS_INTERVAL_S
            self._send(Reply.PROGRESS, min(1.0, max(0.0, float(share))))


def resolve(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def answer(call: Call, send: Callable[[Reply, object], None]) -> None:
    keywords = {"progress": Progress(send)} if call.wants_progress else {}
    try:
        result = resolve(call.target)(*call.args, **keywords)
    except MediaError as error:
        send(Reply.MEDIA_ERROR, (error.code.value, error.message))
    except MemoryError:
        send(Reply.MEDIA_ERROR, (MediaFault.TOO_LARGE.value, "needs more memory than is allowed"))
    except Exception as error:  # the boundary of the process: the parent logs it with its ids
        send(Reply.ERROR, (f"{type(error).__name__}: {error}", traceback.format_exc()))
    else:
        send(Reply.RESULT, result)


def serve(calls: BinaryIO, frames: BinaryIO) -> None:
    def send(reply: Reply, payload: object) -> None:
        frames.write(pack((reply.value, payload)))
        frames.flush()

    while header := calls.read(HEADER.size):
        (length,) = HEADER.unpack(header)
        answer(pickle.loads(calls.read(length)), send)  # noqa: S301 - only our parent holds the other end


def main() -> Never:
    confine(parent_pid=int(sys.argv[1]), memory_bytes=int(sys.argv[2]))
    serve(sys.stdin.buffer, take_stdout())
    sys.exit(0)


if __name__ == "__main__":
    main()
