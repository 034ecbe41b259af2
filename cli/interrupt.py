"""Ctrl-C while waiting: the first time it explains, the second time it leaves."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from cli.errors import Interrupted


async def until_second_interrupt[T](
    work: Coroutine[Any, Any, T], explain: Callable[[], None], *, patient: bool
) -> T:
    """The result of `work`. Raises Interrupted at the second SIGINT, at the first unless `patient`."""
    task = asyncio.ensure_future(work)
    presses = 0

    def press() -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            explain()
        if presses > 1 or not patient:
            task.cancel()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, press)
    try:
        return await task
    except asyncio.CancelledError:
        if presses:
            raise Interrupted("Stopped waiting.") from None
        raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)
