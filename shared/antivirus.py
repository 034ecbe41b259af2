"""Virus scans by clamd: its INSTREAM command, over TCP or a Unix socket.

The file goes as blocks, each after its length in four bytes, and ends with an empty one; the answer is
`stream: OK`, `stream: <name> FOUND` or `<why> ERROR` (clamd(8)).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

CONNECT_TIMEOUT_S: Final = 5.0
ANSWER_TIMEOUT_S: Final = 120.0
"""For a whole scan: archives in archives take their time."""
ANSWER_BYTES: Final = 4096


class ScannerFailed(Exception):
    """clamd is away, slow, or broken; the same scan may succeed later."""


class NotScannable(Exception):
    """clamd refuses to look at this file, because it is too large for it (StreamMaxLength)."""


class Scanner:
    """One clamd; every scan has a connection of its own."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)

    async def scan(self, chunks: AsyncIterator[bytes]) -> str | None:
        """The name of the virus in the stream, or None. Raises ScannerFailed, NotScannable."""
        async with self._connected() as (reader, writer):
            # clamd answers and hangs up when it has seen too much: its answer says more than the broken pipe.
            with suppress(ConnectionError):
                writer.write(b"zINSTREAM\0")
                async for chunk in chunks:
                    if chunk:
                        writer.write(len(chunk).to_bytes(4) + chunk)
                        await writer.drain()
                writer.write(bytes(4))
                await writer.drain()
            return _verdict(await _answer(reader))

    async def ping(self) -> None:
        """Raises ScannerFailed when clamd does not answer."""
        async with self._connected() as (reader, writer):
            writer.write(b"zPING\0")
            await writer.drain()
            answer = await _answer(reader)
        if answer != "PONG":
            raise ScannerFailed(f"clamd answered {answer[:100]!r}")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    reader, writer = await self._connect()
                yield reader, writer
        except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError) as error:
            raise ScannerFailed(f"clamd: {type(error).__name__}") from error
        finally:
            if writer is not None:
                writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.scheme == "unix":
            return await asyncio.open_unix_connection(self._address.path)
        return await asyncio.open_connection(self._address.hostname, self._address.port)


async def _answer(reader: asyncio.StreamReader) -> str:
    answer = await reader.readuntil(b"\0")
    return answer[:ANSWER_BYTES].rstrip(b"\0").decode(errors="replace").strip()


def _verdict(answer: str) -> str | None:
    if answer == "stream: OK":
        return None
    if answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    if "size limit exceeded" in answer:
        raise NotScannable(answer[:200])
    raise ScannerFailed(f"clamd answered {answer[:100]!r}")
