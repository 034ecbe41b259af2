"""What every test would make anew, at some expense and to no purpose, is made once for its process.

A real process makes each of these once too: the model of the S3 service, the list of certificate authorities, the
child that decodes media. Only a test run makes them a thousand times.
"""

import asyncio
import ssl
from collections import defaultdict
from functools import cache
from typing import Any

from aiobotocore.session import get_session

from shared import executor, s3
from shared.executor import Executor, _Child

SESSION = cache(get_session)
Patch = Any
"""`monkeypatch.setattr`, or plain `setattr` in a process that keeps it to its end."""


def keep_clients(patch: Patch) -> None:
    """Clients of stores and providers share one model of S3, and one reading of the authorities."""
    patch(s3, "get_session", SESSION)
    patch(ssl, "create_default_context", cache(ssl.create_default_context))


async def make_clients() -> None:
    """Reads what is kept now, for the processes that will be forked from this one."""
    ssl.create_default_context()
    async with SESSION().create_client("s3", region_name="us-east-1"):
        return


class Children:
    """The executors' children: one that is idle when its executor closes serves the next that asks.

    It is a real child under the same limits; what is saved is its start and its imports.
    """

    def __init__(self) -> None:
        self._idle: dict[tuple[asyncio.AbstractEventLoop, int], list[_Child]] = defaultdict(list)

    def keep(self, patch: Patch) -> None:
        start, close = _Child.start, Executor.close

        async def start_or_reuse(memory_bytes: int) -> _Child:
            idle = self._idle[asyncio.get_running_loop(), memory_bytes]
            while idle:
                child = idle.pop()
                if child.alive:
                    return child
                await child.end()
            return await start(memory_bytes)

        async def close_and_keep(own: Executor) -> None:
            self._idle[asyncio.get_running_loop(), own._memory_bytes] += own._idle
            own._idle.clear()
            await close(own)

        patch(executor._Child, "start", start_or_reuse)
        patch(Executor, "close", close_and_keep)

    async def end(self) -> None:
        for child in [child for idle in self._idle.values() for child in idle]:
            await child.end()
        self._idle.clear()
