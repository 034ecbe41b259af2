"""Large answers, compressed for whoever takes it.

Only JSON and text that is already whole in memory: streams are not touched, files are encoded when they are built, and
what the accept path answers is smaller than it would be worth.
"""

import asyncio
import zlib
from typing import Final

from aiohttp import hdrs, web

from gateway.static_files import codings

WORTHWHILE_BYTES: Final = 4_096
INLINE_BYTES: Final = 65_536
"""Up to here compressing takes less than a millisecond; more of it happens beside the event loop."""

LEVEL: Final = 4
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_TEXT: Final = ("application/json", "application/problem+json", "text/")


async def compress(request: web.Request, response: web.Response) -> None:
    """Changes `response` in place, unless it is small, no text, or the caller does not take gzip."""
    body = response.body
    if not isinstance(body, bytes) or len(body) < WORTHWHILE_BYTES:
        return
    if hdrs.CONTENT_ENCODING in response.headers or not response.content_type.startswith(_TEXT):
        return
    response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
    if "gzip" not in codings(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
        return
    small = _gzip(body) if len(body) <= INLINE_BYTES else await asyncio.to_thread(_gzip, body)
    response.headers[hdrs.CONTENT_ENCODING] = "gzip"
    response.body = small


def _gzip(body: bytes) -> bytes:
    """zlib lets other threads run while it works."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
    return packer.compress(body) + packer.flush()
