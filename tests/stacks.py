"""Where every task of this loop and every thread of this process stands: for tests that waited in vain."""

import asyncio
import gc
import sys
import threading
import traceback
from inspect import isasyncgen
from typing import Any


def where_all_stand() -> str:
    """One line per task, from its outermost coroutine to what it waits for; then the threads' stacks."""
    tasks = sorted(_line(task) for task in asyncio.all_tasks())
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    threads = [
        f"thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame)[-6:])}"
        for ident, frame in sys._current_frames().items()
        if ident != threading.get_ident()
    ]
    return "\n".join([*tasks, *threads])


def _line(task: asyncio.Task[Any]) -> str:
    return f"{task.get_name()}: {' > '.join(_chain(task.get_coro()))}"


def _chain(waiting: Any) -> list[str]:
    """Coroutines, generators and asynchronous generators, each with its line; at last what is awaited."""
    steps: list[str] = []
    while waiting is not None:
        for kind in ("cr", "ag", "gi"):
            frame = getattr(waiting, f"{kind}_frame", None)
            if frame is not None:
                name = "/".join(frame.f_code.co_filename.split("/")[-2:])
                steps.append(f"{name}:{frame.f_lineno} {frame.f_code.co_name}")
                waiting = getattr(waiting, f"{kind}_await" if kind != "gi" else "gi_yieldfrom")
                break
        else:
            steps.append(repr(waiting)[:120])
            # What awaits an asynchronous generator's next item shows the generator to the collector only.
            waiting = next((held for held in gc.get_referents(waiting) if isasyncgen(held)), None)
    return steps
