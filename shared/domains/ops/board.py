"""What many look at at once, read once: the summaries that dashboards poll."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.db import Database
from shared.domains.ops import marks, providers, queues
from shared.domains.ops.marks import Marks

QUEUES_FRESH_S = 1.0
THROUGHPUT_FRESH_S = 5.0
TOTALS_FRESH_S = 15.0


class Recent[Value]:
    """A value that is read again when it is older than `fresh_s`, by one caller for all that wait."""

    def __init__(self, fresh_s: float) -> None:
        self._fresh_s = fresh_s
        self._until = float("-inf")
        self._outdated = False
        self._value: Value | None = None
        self._reading = asyncio.Lock()

    async def get(self, read: Callable[[], Awaitable[Value]]) -> Value:
        async with self._reading:
            if self._value is None or time.monotonic() >= self._until:
                self._outdated = False
                self._value = await read()
                self._until = float("-inf") if self._outdated else time.monotonic() + self._fresh_s
            return self._value

    def forget(self) -> None:
        """What is being read just now counts as old too."""
        self._until = float("-inf")
        self._outdated = True


class Board:
    """One per gateway. Whoever asks must have been let in: what is read for one is shown to all."""

    def __init__(self, db: Database, lease_ttl_s: float) -> None:
        self._db = db
        self._lease_ttl_s = lease_ttl_s
        self._queues: Recent[Sequence[Mapping[str, Any]]] = Recent(QUEUES_FRESH_S)
        self._throughput: dict[int, Recent[Mapping[str, Any]]] = {}
        self._totals: Recent[Mapping[str, Mapping[str, Any]]] = Recent(TOTALS_FRESH_S)
        self._queues_mark = ""

    async def queues(self, caller: UUID) -> Sequence[Mapping[str, Any]]:
        return await self._queues.get(lambda: queues.read(self._db, caller, self._lease_ttl_s))

    async def throughput(self, caller: UUID, minutes: int) -> Mapping[str, Any]:
        recent = self._throughput.setdefault(minutes, Recent(THROUGHPUT_FRESH_S))
        return await recent.get(lambda: queues.throughput(self._db, caller, minutes))

    async def totals(self, caller: UUID) -> Mapping[str, Mapping[str, Any]]:
        """What each provider was paid, and how many calls are open there."""
        return await self._totals.get(lambda: providers.totals(self._db, caller))

    async def marks(self) -> Marks:
        """What tells whether anything has changed. Whoever is told so and asks again is shown it as it is then."""
        now = await marks.read(self._db, self._lease_ttl_s)
        if now["queues"] != self._queues_mark:
            self._queues_mark = now["queues"]
            self._queues.forget()
        return now

    def forget(self) -> None:
        """A queue was changed here; other gateways see it within a second."""
        self._queues.forget()
