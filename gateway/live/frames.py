"""One event as it goes to clients, encoded once for each transport however many clients there are."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Self

import orjson

from shared.events import EPHEMERAL_TYPES, TERMINAL_TYPES, EventType

TERMINAL_STATUSES = frozenset({"completed", "failed", "canceled", "expired"})


class Frame:
    """A frame of one generation. `seq` is its place in that generation's history."""

    __slots__ = ("_socket", "_stream", "_timed", "data", "id", "payload", "seq", "terminal", "ts", "type")

    def __init__(self, payload: bytes, body: Mapping[str, Any], *, terminal: bool) -> None:
        self.payload = payload
        self.id: str = body["id"]
        self.seq: int = body["seq"]
        self.type: str = body["type"]
        self.ts: str = body["ts"]
        self.data: Mapping[str, Any] = body["data"]
        self.terminal = terminal
        self._socket: bytes | None = None
        self._stream: bytes | None = None
        self._timed: bytes | None = None

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Raises ValueError when it is not a frame."""
        try:
            body = orjson.loads(payload)
            if not isinstance(body["seq"], int):
                raise ValueError("seq is not a number")
            return cls(payload, body, terminal=body["type"] in TERMINAL_TYPES)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a frame: {error!r}") from None

    @classmethod
    def snapshot(cls, resource: Mapping[str, Any], *, reset: bool) -> Self:
        """How a generation is now; `reset` says that events before it are lost."""
        body = {
            "v": 1,
            "id": str(resource["id"]),
            "seq": resource["seq"],
            "ts": timestamp(),
            "type": EventType.SNAPSHOT,
            "data": resource,
        }
        if reset:
            body["reset"] = True
        terminal = resource["status"] in TERMINAL_STATUSES
        return cls(orjson.dumps(body, default=str, option=orjson.OPT_UTC_Z), body, terminal=terminal)

    @property
    def ephemeral(self) -> bool:
        return self.type in EPHEMERAL_TYPES

    @property
    def socket(self) -> bytes:
        """As one unmasked websocket text frame."""
        if self._socket is None:
            self._socket = text_frame(self.payload)
        return self._socket

    @property
    def stream(self) -> bytes:
        """As a server-sent event whose id is the position, for streams of one generation."""
        if self._stream is None:
            self._stream = self._sse(str(self.seq))
        return self._stream

    @property
    def timed_stream(self) -> bytes:
        """As a server-sent event whose id is the time, for streams of an account."""
        if self._timed is None:
            self._timed = self._sse(self.ts)
        return self._timed

    def _sse(self, id_: str) -> bytes:
        """Ephemeral frames bear no id, so that a client resumes after the last real event."""
        head = b"" if self.ephemeral else b"id: " + id_.encode() + b"\n"
        return head + b"data: " + self.payload + b"\n\n"


def text_frame(payload: bytes) -> bytes:
    """`payload` as an unmasked websocket text frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2) + payload
    return b"\x81\x7f" + size.to_bytes(8) + payload


def timestamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def control(type_: str, data: Mapping[str, Any] | None = None) -> bytes:
    """A frame that is about the connection and not about a generation."""
    body: dict[str, Any] = {"v": 1, "ts": timestamp(), "type": type_}
    if data is not None:
        body["data"] = data
    return orjson.dumps(body)


def error(code: str, message: str, **context: Any) -> bytes:
    """A frame that says what was wrong with a client's message."""
    return control("error", {"code": code, "message": message, **context})
