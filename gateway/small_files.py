"""Thumbnails and peaks, kept in memory: a page asks for fifty of them at once, and then again."""

from collections import OrderedDict
from contextlib import aclosing

from shared.storage import ObjectStore

EACH_BYTES = 128 << 10
ALL_BYTES = 32 << 20


class SmallFiles:
    """The small files that were asked for last, by key. What lies under such a key never changes; whether somebody
    may see it is asked before."""

    def __init__(self, *, each_bytes: int = EACH_BYTES, all_bytes: int = ALL_BYTES) -> None:
        self._each_bytes = each_bytes
        self._all_bytes = all_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    async def read(self, store: ObjectStore, key: str) -> bytes | None:
        """The whole file; None if it is not small. Raises ObjectMissing, StorageError."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        found = bytearray()
        async with aclosing(store.get_stream(key)) as chunks:
            async for chunk in chunks:
                found += chunk
                if len(found) > self._each_bytes:
                    return None
        return self._keep(key, bytes(found))

    def _keep(self, key: str, content: bytes) -> bytes:
        if key not in self._kept:
            self._kept[key] = content
            self._bytes += len(content)
        while self._bytes > self._all_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest)
        return content
