"""What the executor's tests run in its children."""

import os
import signal
import socket
import time
from collections.abc import Callable

from shared.media.errors import MediaError


def add(left: int, right: int) -> int:
    return left + right


def own_pid() -> int:
    return os.getpid()


def refuse() -> None:
    raise MediaError("CORRUPT", "no good")


def stumble() -> None:
    raise KeyError("nothing here")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def burn(pid_file: str) -> None:
    with open(pid_file, "w") as file:
        file.write(str(os.getpid()))
    while True:
        pass


def count(steps: int, progress: Callable[[float], None]) -> int:
    for step in range(steps):
        time.sleep(0.01)
        progress(step / steps)
    return steps


def gorge() -> int:
    return len(bytearray(8 << 30))


def chatter() -> str:
    print("libraries do this")  # noqa: T201
    return "still framed"


def surroundings() -> dict[str, object]:
    sockets = []
    for descriptor in range(64):
        try:
            with socket.socket(fileno=os.dup(descriptor)) as inherited:
                sockets.append(inherited.getsockname())
        except OSError:
            continue
    return {
        "sockets": len([name for name in sockets if isinstance(name, tuple)]),
        "nice": os.nice(0),
        "names": sorted(os.environ),
    }


def big(size: int) -> bytes:
    return b"x" * size
