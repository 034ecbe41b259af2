"""A TCP proxy that can do what networks do: swallow everything for a while, or cut all connections."""

import asyncio
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

CHUNK_BYTES = 1 << 16
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards to `host:port` while it is open. In a black hole nothing passes and nobody is told."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._passing = asyncio.Event()
        self._passing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @classmethod
    def before(cls, url: str) -> Self:
        """In front of the server that a URL names."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        return cls(parts.hostname, parts.port)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for pump in tuple(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def swallow(self) -> None:
        """From now on nothing passes; connections stay open and new ones are taken."""
        self._passing.clear()

    def resume(self) -> None:
        """What was held back arrives late."""
        self._passing.set()

    def cut(self) -> None:
        """Resets every connection, as a middlebox does that has forgotten them."""
        for writer in tuple(self._writers):
            with suppress(OSError, ValueError):  # ValueError: it was closed meanwhile
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            await self._passing.wait()
            onward_reader, onward_writer = await asyncio.open_connection(*self._target)
        except OSError:
            self._drop(writer)
            return
        self._writers.add(onward_writer)
        for source, target in ((reader, onward_writer), (onward_reader, writer)):
            pump = asyncio.create_task(self._pump(source, target))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError, RuntimeError):  # RuntimeError: uvloop's word for what was closed meanwhile
            while data := await source.read(CHUNK_BYTES):
                await self._passing.wait()
                target.write(data)
                await target.drain()
        self._drop(target)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        with suppress(OSError):
            writer.close()


def through(environment: Mapping[str, str], name: str, proxy: Proxy) -> str:
    """The URL of this setting, by way of the proxy."""
    parts = urlsplit(environment[name])
    netloc = parts.netloc.rpartition(":")[0] + f":{proxy.port}"
    return urlunsplit(parts._replace(netloc=netloc))
