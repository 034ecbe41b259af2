"""Stored files as answers: streamed from the object store with ranges, entity tags and safe types."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import hdrs, web
from pydantic import Field

from gateway.http import Answer, Query, Reply, Request
from gateway.png import spliced, text_chunk
from shared.buckets import Bucket
from shared.domains.variants import MIME, SOURCES, WIDTHS, Variants, variant_key
from shared.errors import InvalidInput, NotFound, Unavailable
from shared.log import get_logger
from shared.media.sniff import MEDIA_TYPES, Family, by_mime
from shared.storage import ObjectMissing, ObjectStore, StorageError

log = get_logger(__name__)

FOREVER = "private, max-age=31536000, immutable"
UNKNOWN = "application/octet-stream"
TEXT_TYPES = {"txt": "text/plain", "md": "text/markdown", "json": "application/json"}
TYPES = {media.ext: media.mime for media in MEDIA_TYPES} | TEXT_TYPES
SHOWN = frozenset(
    {media.mime for media in MEDIA_TYPES if media.family in (Family.IMAGE, Family.AUDIO, Family.VIDEO)}
    | {"application/pdf", *TEXT_TYPES.values()}
)
"""What browsers may show; all else, markup and scripts above all, is only saved."""
_TEXT_EXTENSIONS = {mime: ext for ext, mime in TEXT_TYPES.items()}
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})").fullmatch

FILE_ANSWERS = (
    Answer(200, "The file", media=UNKNOWN, headers=("ETag", "Content-Disposition")),
    Answer(206, "The part that Range asks for", media=UNKNOWN, headers=("ETag",)),
    Answer(304, "Unchanged"),
    Answer(416, "The range lies outside the file"),
)
FILE_PARAMETERS = ("Range", "If-None-Match")


class FileQuery(Query):
    download: bool = Field(False, description="Have browsers save it instead of showing it.")


class PictureQuery(FileQuery):
    w: int | None = Field(
        None, description="A picture in WebP no wider than this: 320, 640, 960, 1280 or 1920."
    )


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One stored object and how it is told to the caller. `bytes` None: something small that was derived."""

    key: str
    mime: str
    etag: str
    name: str
    bytes: int | None
    width: int | None = None
    """Of a picture, where it is known."""
    bucket: Bucket = Bucket.ASSETS
    cache: str = FOREVER
    words: str | None = None
    """Sent within a PNG, which is stored without."""


def type_of(name: str) -> str:
    """The media type by a name's ending; unknown ones, HTML and SVG among them, are plain bytes."""
    return TYPES.get(name.rpartition(".")[2].lower(), UNKNOWN)


def extension_of(mime: str) -> str:
    """The ending of a type's file names, without its dot."""
    known = by_mime(mime)
    return known.ext if known else _TEXT_EXTENSIONS.get(mime, "bin")


async def narrowed(variants: Variants, file: StoredFile, width: int) -> StoredFile:
    """The picture no wider than `width`: a file that is not wider is itself. Raises InvalidInput (field `w`)."""
    if width not in WIDTHS:
        allowed = ", ".join(str(width) for width in WIDTHS)
        raise InvalidInput(
            f"Pictures come in the widths {allowed}.", field="w", status=422, allowed=list(WIDTHS)
        )
    if file.mime not in SOURCES:
        raise InvalidInput(f"Only pictures have widths; this is {file.mime}.", field="w", status=422)
    if file.width is not None and file.width <= width:
        return file
    length = await variants.length_of(file.key, width, file.bucket)
    return StoredFile(
        variant_key(file.key, width),
        MIME,
        f"{file.etag}-w{width}",
        f"{file.name.rpartition('.')[0] or file.name}-{width}.webp",
        length,
        width,
        file.bucket,
        file.cache,
    )


async def send_file(
    request: Request[Any, Any], file: StoredFile, *, download: bool
) -> Reply | web.StreamResponse:
    """The file, the part that Range asks for, 304 or 416; nobody holds more of it than a few blocks.

    Raises NotFound when it is no longer stored, Unavailable without the object store.
    """
    store = request.deps.store if file.bucket is Bucket.ASSETS else request.deps.store.within(file.bucket)
    etag = f'"{file.etag}"'
    shown = not download and file.mime in SHOWN
    headers = {
        "ETag": etag,
        "Cache-Control": file.cache,
        "Accept-Ranges": "none" if file.words else "bytes",
        "Content-Disposition": disposition("inline" if shown else "attachment", file.name),
    }
    tags = _tags(request.headers.get("If-None-Match"))
    if etag in tags or "*" in tags:
        return Reply(None, 304, headers)
    content, length = await _known(request, store, file)
    asked = None if file.words else request.headers.get("Range")
    if asked is not None and request.headers.get("If-Range", etag) == etag:
        span = _span(asked, length)
    else:
        span = (0, length - 1)
    if span is None:
        return Reply(None, 416, headers | {"Content-Range": f"bytes */{length}"})
    if content is not None:
        return _part(content, file, headers, span)
    return await _stream(request.raw, store, file, headers, span, length)


async def _known(
    request: Request[Any, Any], store: ObjectStore, file: StoredFile
) -> tuple[bytes | None, int]:
    """The file, if it is small, and its length. Raises NotFound, Unavailable."""
    if file.bytes is not None:
        return None, file.bytes
    try:
        content = await request.deps.small_files.read(store, file.key)
        info = None if content is not None else await store.head(file.key)
    except ObjectMissing:
        info = content = None
    except StorageError:
        raise _away() from None
    if content is not None:
        return content, len(content)
    if info is None:
        raise NotFound("The file is no longer stored.")
    return None, info.bytes


def _part(
    content: bytes, file: StoredFile, headers: Mapping[str, str], span: tuple[int, int]
) -> web.Response:
    """aiohttp leaves the body away where only the head is asked for."""
    start, end = span
    partial = end - start + 1 != len(content)
    ranged = {"Content-Range": f"bytes {start}-{end}/{len(content)}"} if partial else {}
    sent = {**headers, **ranged, "Content-Type": _content_type(file.mime)}
    return web.Response(body=content[start : end + 1], status=206 if partial else 200, headers=sent)


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition that every browser reads: plain ASCII first, then the name as it is (RFC 6266)."""
    plain = re.sub(r'[^\x20-\x7e]|["\\%;]', "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _stream(
    raw: web.Request,
    store: ObjectStore,
    file: StoredFile,
    headers: Mapping[str, str],
    span: tuple[int, int],
    length: int,
) -> web.StreamResponse:
    start, end = span
    partial = end - start + 1 != length
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    words = text_chunk(file.words) if file.words else b""
    response.content_length = end - start + 1 + len(words)
    response.headers["Content-Type"] = _content_type(file.mime)
    if partial:
        response.headers["Content-Range"] = f"bytes {start}-{end}/{length}"
    if raw.method == hdrs.METH_HEAD or length == 0:
        await response.prepare(raw)
        return response
    bounds = (start, end) if partial else ()
    stored = store.get_stream(file.key, *bounds)
    async with aclosing(spliced(stored, words) if words else stored) as chunks:
        first = await _first(chunks)
        await response.prepare(raw)
        try:
            await response.write(first)
            async for chunk in chunks:
                await response.write(chunk)
            await response.write_eof()
        except ConnectionError:
            log.debug("reader_left", key=file.key)
        except StorageError as error:
            # The head is sent: all that can still be said is that this is not the whole file.
            log.warning("file_broke_off", key=file.key, error=str(error))
            if raw.transport is not None:
                raw.transport.abort()
    return response


async def _first(chunks: AsyncGenerator[bytes]) -> bytes:
    """The first bytes, read before the head is sent, so that a missing object is still a proper error."""
    try:
        return await anext(chunks, b"")
    except ObjectMissing:
        raise NotFound("The file is no longer stored.") from None
    except StorageError:
        raise _away() from None


def _away() -> Unavailable:
    return Unavailable("The object store cannot be reached just now; try again.", retry_after_s=1)


def _span(header: str, length: int) -> tuple[int, int] | None:
    """First and last byte of a single range, the whole file for what is not understood, None outside of it."""
    found = _RANGE(header.strip())
    if found is None or found[0] == "bytes=-":
        return 0, length - 1
    first, last = found[1], found[2]
    if not first:
        size = min(int(last), length)
        return (length - size, length - 1) if size else None
    start = int(first)
    end = min(int(last), length - 1) if last else length - 1
    if start >= length:
        return None
    return (start, end) if start <= end else (0, length - 1)


def _tags(header: str | None) -> list[str]:
    return [tag.strip().removeprefix("W/") for tag in header.split(",")] if header else []


def _content_type(mime: str) -> str:
    return f"{mime}; charset=utf-8" if mime.startswith("text/") else mime
