"""Following generations to their end, through lost connections and restarts of the gateway.

Server-sent events while they flow; long polls where something swallows streams.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cli.client import Client, NoStream
from cli.errors import Refused, Unreachable

TERMINAL = frozenset({"completed", "failed", "canceled", "expired"})
PATIENCE_S = 90.0
"""How long the gateway may be away before following gives up; the generation goes on regardless."""

FIRST_BACKOFF_S, LAST_BACKOFF_S = 0.25, 2.0
POLL_WAIT_S = 5
BARREN_STREAMS = 2
"""Streams in a row that ended without a byte, after which polling takes over."""

SNAPSHOT = "snapshot"
LOST = "client.lost"


@dataclass(frozen=True, slots=True)
class Frame:
    """A change of one generation; `LOST` says that the connection is being sought again."""

    id: str
    seq: int
    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    ts: str = ""

    @property
    def terminal(self) -> bool:
        return self.data.get("status") in TERMINAL or self.type.partition(".")[2] in TERMINAL

    @property
    def resets(self) -> bool:
        """Whether it shows all of the generation, whatever came before."""
        return self.type == SNAPSHOT


def snapshot(resource: Mapping[str, Any]) -> Frame:
    """How a generation is now."""
    return Frame(str(resource["id"]), int(resource.get("seq") or 0), SNAPSHOT, resource)


def parse_frame(data: str) -> Frame | None:
    """The frame of an event's data; None when it is not about a generation."""
    try:
        body = json.loads(data)
        return Frame(
            str(body["id"]),
            int(body["seq"]),
            str(body["type"]),
            body.get("data") or {},
            str(body.get("ts", "")),
        )
    except (ValueError, KeyError, TypeError):
        return None


class Patience:
    """How long a connection may stay away, and how soon to try again."""

    def __init__(self, patience_s: float) -> None:
        self.patience_s = patience_s
        self.backoff_s = FIRST_BACKOFF_S
        self._since: float | None = None

    def restore(self) -> None:
        self.backoff_s, self._since = FIRST_BACKOFF_S, None

    async def wait(self, error: Unreachable | Refused) -> None:
        """Raises the error when patience ran out, or when trying again is of no use."""
        if isinstance(error, Refused) and error.status < 500 and error.status != 429:
            raise error
        now = asyncio.get_running_loop().time()
        self._since = self._since if self._since is not None else now
        if now - self._since > self.patience_s:
            raise error
        wanted = error.retry_after_s if isinstance(error, Refused) else None
        await asyncio.sleep(wanted or self.backoff_s)
        self.backoff_s = min(self.backoff_s * 2, LAST_BACKOFF_S)


class Follower:
    """Yields the frames of one generation, in order, until it has ended.

    `seq` is the position known so far. Raises Unreachable after `patience_s` without a connection, and Refused.
    """

    def __init__(
        self, client: Client, generation_id: str, seq: int = 0, *, patience_s: float = PATIENCE_S
    ) -> None:
        self.client = client
        self.id = generation_id
        self.seq = seq
        self.streams = True
        self._resumes = False
        self._barren = 0
        self._patience = Patience(patience_s)

    async def frames(self) -> AsyncIterator[Frame]:
        while True:
            try:
                async for frame in self._stream() if self.streams else self._poll():
                    self._patience.restore()
                    yield frame
                    if frame.terminal:
                        return
                await asyncio.sleep(FIRST_BACKOFF_S)
            except NoStream:
                self.streams = False
            except (Refused, Unreachable) as error:
                yield Frame(self.id, self.seq, LOST)
                await self._patience.wait(error)

    async def _stream(self) -> AsyncIterator[Frame]:
        """Ends when the stream does; one that gives nothing at all counts against streaming."""
        if self._resumes:
            yield await self._look()
        self._resumes, alive = True, False
        try:
            async for data in self.client.events(f"/generations/{self.id}/events", str(self.seq)):
                alive = True
                frame = parse_frame(data)
                if frame is not None and frame.id == self.id and (frame.seq >= self.seq or frame.resets):
                    self.seq = frame.seq
                    yield frame
        finally:
            self._barren = 0 if alive else self._barren + 1
            self.streams = self.streams and self._barren < BARREN_STREAMS

    async def _poll(self) -> AsyncIterator[Frame]:
        yield await self._look(POLL_WAIT_S)

    async def _look(self, wait_s: int = 0) -> Frame:
        path = f"/generations/{self.id}"
        found = await (self.client.long_poll(path, wait_s) if wait_s else self.client.get(path))
        frame = snapshot(found)
        self.seq = max(self.seq, frame.seq)
        return frame


async def look_patiently(client: Client, generation_id: str, *, patience_s: float = PATIENCE_S) -> Any:
    """The generation as it is now, also when the gateway is just being restarted. Raises Refused, Unreachable."""
    patience = Patience(patience_s)
    while True:
        try:
            return await client.get(f"/generations/{generation_id}")
        except (Refused, Unreachable) as error:
            await patience.wait(error)
