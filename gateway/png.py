"""Words in a PNG: one chunk of text behind its header, where every reader finds it. The picture is not touched.

Source: PNG (Third Edition), 5.3 "Chunk layout" and 11.3.3.4 "iTXt". The header chunk comes first and is always as long,
so nothing of the file is read for it.
"""

import zlib
from collections.abc import AsyncGenerator
from contextlib import aclosing

MIME = "image/png"
KEYWORD = "penstock"
_HEAD_BYTES = 8 + 25


def text_chunk(text: str) -> bytes:
    """An iTXt chunk under our keyword, compressed."""
    data = KEYWORD.encode() + b"\0\1\0\0\0" + zlib.compress(text.encode(), 9)
    return len(data).to_bytes(4) + b"iTXt" + data + zlib.crc32(b"iTXt" + data).to_bytes(4)


async def spliced(file: AsyncGenerator[bytes], chunk: bytes) -> AsyncGenerator[bytes]:
    """A PNG's bytes with the chunk behind its header."""
    head = bytearray()
    async with aclosing(file):
        async for piece in file:
            if len(head) >= _HEAD_BYTES:
                yield piece
                continue
            head += piece
            if len(head) >= _HEAD_BYTES:
                yield bytes(head[:_HEAD_BYTES] + chunk + head[_HEAD_BYTES:])
