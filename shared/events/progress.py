"""At most four progress frames a second of each generation."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

PROGRESS_INTERVAL_S = 0.25

type Send = Callable[[UUID, Sequence[bytes]], Awaitable[None]]


class ProgressThrottle:
    """Lets through at most four frames a second of each generation; the latest wins and is always sent."""

    def __init__(self, send: Send, interval_s: float = PROGRESS_INTERVAL_S) -> None:
        self._send = send
        self._interval_s = interval_s
        self._waiting: dict[UUID, tuple[UUID, bytes] | None] = {}
        self._timers: dict[UUID, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def offer(self, account_id: UUID, generation_id: UUID, frame: bytes) -> None:
        """Send `frame` now, or when the interval since the last one is over, unless a newer one comes."""
        if generation_id in self._waiting:
            self._waiting[generation_id] = (account_id, frame)
            return
        self._start(account_id, frame)
        self._rest(generation_id)

    async def flush(self, generation_id: UUID) -> None:
        """Send at once what is held back."""
        held = self._take(generation_id)
        if self._tasks:
            await asyncio.wait(self._tasks)
        if held is not None:
            await self._send(held[0], (held[1],))

    def forget(self, generation_id: UUID) -> None:
        """Drop what is held back: the generation has ended."""
        self._take(generation_id)

    async def close(self) -> None:
        for generation_id in list(self._waiting):
            await self.flush(generation_id)
        await asyncio.gather(*self._tasks)

    def _rest(self, generation_id: UUID) -> None:
        self._waiting[generation_id] = None
        loop = asyncio.get_running_loop()
        self._timers[generation_id] = loop.call_later(self._interval_s, self._wake, generation_id)

    def _wake(self, generation_id: UUID) -> None:
        held = self._take(generation_id)
        if held is not None:
            self._start(*held)
            self._rest(generation_id)

    def _take(self, generation_id: UUID) -> tuple[UUID, bytes] | None:
        timer = self._timers.pop(generation_id, None)
        if timer is not None:
            timer.cancel()
        return self._waiting.pop(generation_id, None)

    def _start(self, account_id: UUID, frame: bytes) -> None:
        task = asyncio.ensure_future(self._send(account_id, (frame,)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
