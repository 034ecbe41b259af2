"""Places in the queue, as its own account sees them. Many callers poll, so they share one look per second."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.batch import Batcher
from shared.db import Database

FRESH_S = 1.0
COUNTED = 1_000
"""Nobody is told a place beyond this one."""
REMEMBERED = 1_000

_ORDER = """
SELECT array(
    SELECT id FROM generations WHERE kind = $1 AND state = 'queued' AND account_id = $2
    ORDER BY priority DESC, id LIMIT $3
)
"""


@dataclass(frozen=True, slots=True)
class _Look:
    at: float
    places: Mapping[UUID, int]

    @property
    def fresh(self) -> bool:
        return time.monotonic() - self.at <= FRESH_S


type _Queue = tuple[UUID, str]


class QueuePositions:
    """How many of an account's own queued generations of a kind go before one, at most a second ago."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._looks: dict[_Queue, _Look] = {}
        self._looking: Batcher[_Queue, None, _Look] = Batcher(self._look)

    async def of(self, row: Mapping[str, Any]) -> int | None:
        """None for what does not queue. One that came after the last look goes last."""
        if row["state"] != "queued":
            return None
        queue = (row["account_id"], row["kind"])
        look = self._looks.get(queue)
        if look is None or not look.fresh:
            look = await self._looking(queue, None)
        return look.places.get(row["id"], len(look.places))

    async def _look(self, queue: _Queue, callers: list[None]) -> Sequence[_Look]:
        found = self._looks.get(queue)
        if found is None or not found.fresh:
            account_id, kind = queue
            async with self._db.transaction(account_id) as tx:
                ids = await tx.fetchval(_ORDER, kind, account_id, COUNTED)
            if len(self._looks) >= REMEMBERED:
                self._looks.clear()
            found = _Look(time.monotonic(), {generation_id: place for place, generation_id in enumerate(ids)})
            self._looks[queue] = found
        return [found] * len(callers)
