"""The topic `ops`: tells operators' pages which parts of what they show have changed, and not what they show.

    {"v":1,"ts":"…","type":"ops.changed","data":{"parts":["queues","jobs"]}}

However many subscribers there are, one statement a second asks Postgres, and only while there is one. A frame names
what changed since the last one, so a client that reads slowly gets fewer of them and misses nothing.
"""

import asyncio
from contextlib import suppress

from gateway.live.connections import Connection
from gateway.live.frames import control
from shared.domains.ops import marks
from shared.domains.ops.board import Board
from shared.domains.ops.marks import Marks
from shared.log import get_logger

log = get_logger(__name__)

INTERVAL_S = 1.0
SHARE = 20
"""With a long backlog the statement takes a while: it is then asked at most this share of the time."""
TIMEOUT_S = 5.0


class OpsTopic:
    """Who follows the installation, and what each of them was not told yet. One per gateway."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._untold: dict[Connection, set[str]] = {}
        self._known: Marks = {}
        self.looks = 0
        self._looked = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._failing = False

    @property
    def watching(self) -> bool:
        return self._watching is not None and not self._watching.done()

    async def join(self, connection: Connection) -> None:
        """Returns when all that changes from now on will be told."""
        self._untold.setdefault(connection, set())
        if not self.watching:
            self._known = {}
            self._looked.clear()
            self._watching = asyncio.create_task(self._watch(), name="live-ops")
        await self._looked.wait()

    def leave(self, connection: Connection) -> bool:
        """Whether it had followed."""
        return self._untold.pop(connection, None) is not None

    async def close(self) -> None:
        self._untold.clear()
        self._looked.set()
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._untold:
            began = clock()
            await self._look()
            self.looks += 1
            self._looked.set()
            self._tell()
            await asyncio.sleep(max(INTERVAL_S, SHARE * (clock() - began)))

    async def _look(self) -> None:
        """Notes what has changed since the last look; after an outage of Postgres, what has changed meanwhile."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                now = await self._board.marks()
        except Exception as error:
            if not self._failing:
                log.warning("ops_marks_not_read", error=repr(error))
            self._failing = True
            return
        self._failing = False
        if self._known:
            for untold in self._untold.values():
                untold |= marks.changed(self._known, now)
        self._known = now

    def _tell(self) -> None:
        for connection, untold in self._untold.items():
            if untold and not connection.crowded:
                connection.control(changed_frame(untold))
                untold.clear()


def changed_frame(parts: set[str]) -> bytes:
    return control("ops.changed", {"parts": [part for part in marks.PARTS if part in parts]})
