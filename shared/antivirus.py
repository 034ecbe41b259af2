"""Virus scans by clamd: its INSTREAM command, over TCP or a Unix socket.

The file goes as blocks, each after its length in four bytes, and ends with an empty one; the answer is
`stream: OK`, `stream: <name> FOUND` or `<why> ERROR` (clamd(8)).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
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
            # clamd answers and hangs up when it has seen too much. Its answer says more than the broken pipe, which
            # takes along what was not read by then: so it is listened to from the beginning.
            answer = asyncio.create_task(_answer(reader))
            try:
                with suppress(ConnectionError):
                    await _send(writer, chunks, answer)
                return _verdict(await answer)
            finally:
                answer.cancel()
                await asyncio.gather(answer, return_exceptions=True)

    @asynccontextmanager
    async def along(self) -> AsyncIterator["Along"]:
        """A scan of what passes through it, for bytes that are on their way somewhere else."""
        watching = Along(self)
        try:
            yield watching
        finally:
            await watching.end()

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


class Along:
    """A scan that reads along. It holds the stream up no longer than clamd reads, and not at all once that is gone."""

    def __init__(self, scanner: Scanner) -> None:
        self._passing: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._over = False
        self._scan = asyncio.create_task(self._watch(scanner))

    async def chunks(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The same chunks."""
        async for chunk in chunks:
            if not self._over:
                await self._passing.put(chunk)
            yield chunk

    async def verdict(self) -> str | None:
        """Of the whole stream, which has passed. As `Scanner.scan`; raises ScannerFailed, NotScannable."""
        if not self._over:
            await self._passing.put(None)
        return await self._scan

    async def end(self) -> None:
        """Gives up a scan that nobody waits for any more."""
        self._scan.cancel()
        await asyncio.gather(self._scan, return_exceptions=True)

    async def _watch(self, scanner: Scanner) -> str | None:
        try:
            return await scanner.scan(self._taken())
        finally:
            self._over = True
            while not self._passing.empty():  # lets go who waits to put something in
                self._passing.get_nowait()

    async def _taken(self) -> AsyncIterator[bytes]:
        while (chunk := await self._passing.get()) is not None:
            yield chunk


async def _send(
    writer: asyncio.StreamWriter, chunks: AsyncIterator[bytes], answer: asyncio.Task[str]
) -> None:
    """The stream in blocks, until clamd has heard enough."""
    writer.write(b"zINSTREAM\0")
    async for chunk in chunks:
        if answer.done():
            return
        if chunk:
            writer.write(len(chunk).to_bytes(4) + chunk)
            await writer.drain()
    writer.write(bytes(4))
    await writer.drain()


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
