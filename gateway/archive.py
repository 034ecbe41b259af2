"""Zip archives written while they are sent: nothing is held but the piece at hand.

The standard library writes to a file that cannot seek, which leaves each member's length to be told behind it. The
members are "deflated" at level 0, because media is compressed already, and because a reader that streams finds the
end of a deflated member by itself.
"""

import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

from shared.storage import ObjectMissing


@dataclass(frozen=True, slots=True)
class Member:
    """A file on its way into an archive."""

    name: str
    length: int
    chunks: AsyncIterator[bytes]


class Archive:
    """A zip archive under way. Send what `add`, `note` and `finish` give, in their order."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED, compresslevel=0)  # type: ignore[call-overload]  # what cannot seek will do
        self.missing: list[str] = []
        """The names of members that were no longer stored; nothing stands in their place."""

    async def add(self, member: Member) -> AsyncIterator[bytes]:
        """The archive's bytes up to the end of this member. Raises StorageError when it breaks off."""
        try:
            first = await anext(member.chunks, b"")
        except ObjectMissing:
            self.missing.append(member.name)
            return
        large = member.length > zipfile.ZIP64_LIMIT // 2
        with self._zip.open(member.name, "w", force_zip64=large) as file:
            file.write(first)
            yield self._sink.take()
            async for chunk in member.chunks:
                file.write(chunk)
                yield self._sink.take()
        yield self._sink.take()

    def note(self, name: str, content: bytes) -> bytes:
        """A small member."""
        with self._zip.open(name, "w") as file:
            file.write(content)
        return self._sink.take()

    def finish(self, name: str, content: bytes) -> bytes:
        """A last small member, and the archive's end."""
        last = self.note(name, content)
        self._zip.close()
        return last + self._sink.take()


class _Sink:
    """Keeps what was written until somebody takes it."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken
