"""Requests that arrive together share one call: group commit for writes, one query for many reads."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence

from shared.db import CONNECTION_ERRORS


class Batcher[Key: Hashable, Item, Result]:
    """Runs `run(key, items)` for all items that came while the previous run of that key was under way.

    An item alone waits for nobody. The results must be in the order of the items; a result that is an
    exception is raised to its own caller only. When a batch is refused as a whole, its items are tried one
    by one, so that a bad item harms nobody else. A caller that is cancelled does not take its item back. When a run
    is cancelled, so are all who wait for it, and whoever comes next begins anew.
    """

    def __init__(
        self,
        run: Callable[[Key, list[Item]], Awaitable[Sequence[Result | BaseException]]],
        *,
        max_items: int = 200,
    ) -> None:
        self._run = run
        self._max_items = max_items
        self._waiting: dict[Key, deque[tuple[Item, asyncio.Future[Result]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, key: Key, item: Item) -> Result:
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        queue = self._waiting.get(key)
        if queue is None:
            self._waiting[key] = deque([(item, future)])
            task = asyncio.create_task(self._drain(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            queue.append((item, future))
        return await future

    async def _drain(self, key: Key) -> None:
        queue = self._waiting[key]
        batch: list[tuple[Item, asyncio.Future[Result]]] = []
        try:
            while queue:
                batch = [queue.popleft() for _ in range(min(len(queue), self._max_items))]
                await self._settle(key, batch)
        finally:
            del self._waiting[key]
            for _, future in (*batch, *queue):
                future.cancel()

    async def _settle(self, key: Key, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results: Sequence[Result | BaseException] = await self._run(key, [item for item, _ in batch])
        except CONNECTION_ERRORS as error:
            results = [error] * len(batch)
        except Exception as error:
            if len(batch) > 1:
                for single in batch:
                    await self._settle(key, [single])
                return
            results = [error]
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)
