"""clamd's protocol as its manual shows it: PING and INSTREAM, and a virus wherever the EICAR test file is.

It answers the commands in their `z` form, which Penstock speaks.
"""

import asyncio
import base64
from pathlib import Path
from typing import Self

# The standard's test file, kept so that no scanner finds it here.
EICAR = base64.b64decode(
    "WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo="
)
NAME = "Eicar-Signature"


class ClamdEmulator:
    """On a TCP port, or on a Unix socket when given a path."""

    def __init__(self, path: Path | None = None, *, max_bytes: int = 25 << 20) -> None:
        self.scanned: list[int] = []
        """The length of each file that was looked at."""
        self.broken = False
        """Answers every scan with an error."""
        self._path = path
        self._max_bytes = max_bytes

    async def __aenter__(self) -> Self:
        if self._path is not None:
            self._server = await asyncio.start_unix_server(self._serve, self._path)
        else:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        if self._path is not None:
            return f"unix://{self._path}"
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"tcp://{host}:{port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = await reader.readuntil(b"\0")
            answers = {b"zPING\0": self._pong, b"zINSTREAM\0": self._instream}
            answer = await answers[command](reader) if command in answers else "UNKNOWN COMMAND"
            writer.write(answer.encode() + b"\0")
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _pong(self, _: asyncio.StreamReader) -> str:
        return "PONG"

    async def _instream(self, reader: asyncio.StreamReader) -> str:
        content = bytearray()
        while length := int.from_bytes(await reader.readexactly(4)):
            content += await reader.readexactly(length)
            if len(content) > self._max_bytes:
                return "INSTREAM size limit exceeded. ERROR"
        if self.broken:
            return "Can't allocate memory ERROR"
        self.scanned.append(len(content))
        return f"stream: {NAME} FOUND" if EICAR in content else "stream: OK"
