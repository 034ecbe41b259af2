"""Answers that wait: `Prefer: wait=N` (RFC 7240) and `?wait=N`."""

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from multidict import MultiMapping

from gateway.deps import Deps
from shared.domains.states import TERMINAL

LOOK_S = 5.0
"""How late a poll hears of what is in no history and in no frame, such as a queue that is paused."""

_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])', re.IGNORECASE).search


def preferred_wait_s(headers: MultiMapping[str], limit_s: int) -> int | None:
    """Seconds that the caller would wait, capped; None when it does not say. What is not understood is ignored."""
    if "Prefer" not in headers:
        return None
    found = _WAIT(", ".join(headers.getall("Prefer", [])))
    return None if found is None else min(int(found[1]), limit_s)


async def wait_for_end(
    deps: Deps, account_id: UUID, generation_id: UUID, timeout_s: float
) -> Mapping[str, Any] | None:
    """The row with its outputs as soon as it is terminal, or as it is after `timeout_s`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    while True:
        row = await deps.reader.get(account_id, generation_id)
        left_s = end - loop.time()
        if row is None or row["state"] in TERMINAL or left_s <= 0:
            return row
        if not await deps.hub.changed(account_id, generation_id, row["seq"], left_s):
            return await deps.reader.get(account_id, generation_id)


async def wait_for_change(
    deps: Deps,
    account_id: UUID,
    generation_id: UUID,
    is_known: Callable[[Mapping[str, Any]], bool],
    timeout_s: float,
) -> Mapping[str, Any] | None:
    """The row with its outputs as soon as it is not what the caller knows, or as it is after `timeout_s`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    while True:
        row = await deps.reader.get(account_id, generation_id)
        left_s = end - loop.time()
        if row is None or row["state"] in TERMINAL or left_s <= 0 or deps.hub.is_closing or not is_known(row):
            return row
        await deps.hub.changed(account_id, generation_id, row["seq"], min(left_s, LOOK_S))
        await deps.etas.refresh()
