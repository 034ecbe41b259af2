"""Ctrl-C while waiting: the first time it explains, the second time it leaves."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from cli.errors import Interrupted


async def until_interrupted[T](
    work: Coroutine[Any, Any, T], leaving: Interrupted, explain: Callable[[], None] | None = None
) -> T:
    """The result of `work`. Raises `leaving` at SIGINT; with `explain`, the first SIGINT only calls it."""
    task = asyncio.ensure_future(work)
    presses = 0

    def press() -> None:
        nonlocal presses
        presses += 1
        if explain is not None and presses == 1:
            explain()
        else:
            task.cancel()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, press)
    try:
        return await task
    except asyncio.CancelledError:
        if presses:
            raise leaving from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        task.cancel()
