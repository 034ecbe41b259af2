"""A sink that keeps in memory what a synchronous adapter writes."""

import hashlib
from collections.abc import AsyncIterator

from workers.providers.base import StoredFile


class MemorySink:
    """`raises` is what comes of the next write, once the first chunk has arrived."""

    def __init__(self, raises: Exception | None = None) -> None:
        self.files: dict[int, bytes] = {}
        self.chunks = 0
        self._raises = raises

    async def write(
        self, n: int, mime: str, chunks: AsyncIterator[bytes], *, text: str | None = None
    ) -> StoredFile:
        content = bytearray()
        async for chunk in chunks:
            if self._raises is not None:
                raise self._raises
            self.chunks += 1
            content += chunk
        self.files[n] = bytes(content)
        return StoredFile(f"test/{n}", mime, len(content), hashlib.sha256(content).hexdigest(), text)

    async def progress(self, fraction: float, stage: str = "provider_running") -> None: ...

    async def delta(self, offset: int, text: str) -> None: ...
