"""Files at the emulated Replicate: those that callers upload, and the outputs of predictions."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from aiohttp import BodyPartReader, web

from tests.emulators.base import Effect, Fault, cut
from tests.emulators.media import MIME
from tests.emulators.replicate_predictions import Prediction, iso

UPLOAD_LIMIT_BYTES = 100 << 20
UPLOAD_LIFE_S = 24 * 3600

_GARBAGE = b"<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


class TooLarge(Exception):
    """The upload is larger than 100 MB."""


class Uploads:
    """Uploaded files, kept in memory for a day of the emulator's clock."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self._cards: dict[str, dict[str, Any]] = {}

    async def take(
        self, request: web.Request, file_id: str, now: float, base_url: str
    ) -> dict[str, Any] | None:
        """The new file's card, or None when there is no `content`. Raises TooLarge."""
        parts = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            parts[part.name] = (bytes(await part.read(decode=True)), part)
        if "content" not in parts:
            return None
        content, head = parts["content"]
        if len(content) > UPLOAD_LIMIT_BYTES:
            raise TooLarge
        self.contents[file_id] = content
        self._cards[file_id] = {
            "id": file_id,
            "name": head.filename,
            "content_type": head.headers.get("Content-Type", "application/octet-stream"),
            "size": len(content),
            "etag": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "checksums": {"sha256": hashlib.sha256(content).hexdigest()},
            "metadata": orjson.loads(parts["metadata"][0]) if "metadata" in parts else {},
            "created_at": iso(now),
            "expires_at": iso(now + UPLOAD_LIFE_S),
            "urls": {"get": f"{base_url}/v1/files/{file_id}"},
        }
        return self._cards[file_id]

    def card(self, file_id: str, now: float) -> dict[str, Any] | None:
        card = self._cards.get(file_id)
        if card is None or now > datetime.fromisoformat(card["expires_at"]).timestamp():
            return None
        return card


async def deliver(
    request: web.Request, prediction: Prediction, file: str, faults: Mapping[Effect, Fault]
) -> web.StreamResponse | None:
    """An output as replicate.delivery serves it, with its length; None when there is no such file."""
    number = re.match(r"out-(\d+)\.", file)
    files = prediction.model.output(prediction.input)
    if Effect.OUTPUT_404 in faults or number is None or int(number[1]) >= len(files):
        return None
    extension, content = files[int(number[1])]
    mime = MIME[extension]
    if fault := faults.get(Effect.OUTPUT_HUGE):
        return await _stream_huge(request, mime, content, fault.bytes)
    if Effect.OUTPUT_TRUNCATED in faults:
        return await _stream_half(request, mime, content)
    if Effect.OUTPUT_GARBAGE in faults:
        content = _GARBAGE
    if Effect.OUTPUT_WRONG_TYPE in faults:
        mime = "text/html"
    return web.Response(body=content, content_type=mime)


async def _stream_huge(request: web.Request, mime: str, head: bytes, size: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": mime})
    await response.prepare(request)
    async for chunk in _padded(head, size):
        await response.write(chunk)
    return response


async def _padded(head: bytes, size: int) -> AsyncIterator[bytes]:
    yield head[:size]
    left, block = size - len(head), bytes(1 << 16)
    while left > 0:
        yield block[:left]
        left -= len(block)


async def _stream_half(request: web.Request, mime: str, content: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": mime, "Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    # Long enough for the half to leave the socket's buffer, which a reset would drop.
    await asyncio.sleep(0.05)
    cut(request)
    return response
