"""Delivered files: streamed from the object store with ranges and entity tags."""

import re
import unicodedata
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import hdrs, web
from pydantic import Field

from gateway.http import Answer, Operation, Query, Reply, Request, operation
from shared.domains.accounts import Scope
from shared.errors import NotFound, Unavailable
from shared.kinds import KINDS
from shared.media.sniff import by_mime
from shared.storage import ObjectMissing, StorageError

TAG = "Outputs"
FOREVER = "private, max-age=31536000, immutable"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})").fullmatch
_TEXT_EXTENSIONS = {"text/plain": "txt", "text/markdown": "md", "application/json": "json"}


class FileQuery(Query):
    download: bool = Field(False, description="Have browsers save it instead of showing it.")


@dataclass(frozen=True, slots=True)
class _File:
    """One stored object and how it is told to the caller. `bytes` None is not known beforehand."""

    key: str
    mime: str
    etag: str
    name: str
    bytes: int | None


FILE_ANSWERS = (
    Answer(200, "The file", media="application/octet-stream", headers=("ETag", "Content-Disposition")),
    Answer(206, "The part that Range asks for", media="application/octet-stream", headers=("ETag",)),
    Answer(304, "Unchanged"),
    Answer(416, "The range lies outside the file"),
)
FILE_PARAMETERS = ("Range", "If-None-Match")


@operation(
    "GET",
    "/api/v1/generations/{id}/outputs/{n}",
    tag=TAG,
    summary="Download an output",
    scope=Scope.READ,
    answers=FILE_ANSWERS,
    errors=(NotFound,),
    parameters=FILE_PARAMETERS,
)
async def get_output(request: Request[None, FileQuery]) -> Reply | web.StreamResponse:
    """The delivered file. It never changes, so it may be cached for ever."""
    return await _send_output(request, download=request.query.download)


@operation(
    "GET",
    "/api/v1/generations/{id}/outputs/{n}/download",
    tag=TAG,
    summary="Save an output",
    scope=Scope.READ,
    answers=FILE_ANSWERS,
    errors=(NotFound,),
    parameters=FILE_PARAMETERS,
)
async def download_output(request: Request[None, None]) -> Reply | web.StreamResponse:
    """The delivered file, for browsers to save under a name made of the prompt."""
    return await _send_output(request, download=True)


async def _send_output(request: Request[None, Any], *, download: bool) -> Reply | web.StreamResponse:
    row, output = await _output(request)
    name = f"{_slug(row)}-{output['n']}.{_extension(output['mime'])}"
    file = _File(output["key"], output["mime"], output["sha256"], name, output["bytes"])
    return await _send(request, file, download=download)


def _derived(part: str, column: str, summary: str, mime: str) -> Operation:
    """The operation of a file that was derived from an output."""

    async def get_derived(request: Request[None, FileQuery]) -> Reply | web.StreamResponse:
        """Outputs of a kind that has no such file answer 404."""
        row, output = await _output(request)
        key = output[column]
        if key is None:
            raise NotFound(f"This output has no {part}.")
        name = f"{_slug(row)}-{output['n']}-{part}.{key.rpartition('.')[2]}"
        file = _File(key, mime, f"{output['sha256']}-{part}", name, None)
        return await _send(request, file, download=request.query.download)

    get_derived.__name__ = f"get_{part}"
    declare = operation(
        "GET",
        f"/api/v1/generations/{{id}}/outputs/{{n}}/{part}",
        tag=TAG,
        summary=summary,
        scope=Scope.READ,
        answers=(Answer(200, summary, media=mime, headers=("ETag",)), *FILE_ANSWERS[1:]),
        errors=(NotFound,),
        parameters=FILE_PARAMETERS,
    )
    return declare(get_derived)


async def _output(request: Request[None, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    generation_id, n = request.id(), request.number("n")
    row = await request.deps.reader.get(request.account_id, generation_id)
    if row is None:
        raise NotFound(f"There is no generation {generation_id}.")
    for output in row["outputs"]:
        if output["n"] == n:
            return row, output
    raise NotFound(f"This generation has no output {n}.")


async def _send(request: Request[None, Any], file: _File, *, download: bool) -> Reply | web.StreamResponse:
    etag = f'"{file.etag}"'
    disposition = "attachment" if download else "inline"
    headers = {
        "ETag": etag,
        "Cache-Control": FOREVER,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"{disposition}; filename=\"{file.name}\"; filename*=UTF-8''{quote(file.name)}",
    }
    if etag in _tags(request.headers.get("If-None-Match")):
        return Reply(None, 304, headers)
    length = file.bytes
    if length is None:
        info = await request.deps.store.head(file.key)
        if info is None:
            raise NotFound("The file is no longer stored.")
        length = info.bytes
    asked = request.headers.get("Range")
    if asked is not None and request.headers.get("If-Range", etag) == etag:
        span = _span(asked, length)
    else:
        span = (0, length - 1)
    if span is None:
        return Reply(None, 416, headers | {"Content-Range": f"bytes */{length}"})
    return await _stream(request, file, headers, span, length)


async def _stream(
    request: Request[None, Any],
    file: _File,
    headers: dict[str, str],
    span: tuple[int, int],
    length: int,
) -> web.StreamResponse:
    start, end = span
    partial = end - start + 1 != length
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    response.content_length = end - start + 1
    response.headers["Content-Type"] = _content_type(file.mime)
    if partial:
        response.headers["Content-Range"] = f"bytes {start}-{end}/{length}"
    if request.raw.method == hdrs.METH_HEAD or length == 0:
        await response.prepare(request.raw)
        return response
    chunks = (
        request.deps.store.get_stream(file.key, start, end)
        if partial
        else request.deps.store.get_stream(file.key)
    )
    first = await _first(chunks)
    await response.prepare(request.raw)
    await response.write(first)
    async for chunk in chunks:
        await response.write(chunk)
    await response.write_eof()
    return response


async def _first(chunks: AsyncIterator[bytes]) -> bytes:
    """The first bytes, read before the head is sent, so that a missing object is still a proper error."""
    try:
        return await anext(chunks, b"")
    except ObjectMissing:
        raise NotFound("The file is no longer stored.") from None
    except StorageError:
        raise Unavailable(
            "The object store cannot be reached just now; try again.", retry_after_s=1
        ) from None


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


def _extension(mime: str) -> str:
    known = by_mime(mime)
    return known.ext if known else _TEXT_EXTENSIONS.get(mime, "bin")


def _slug(row: Mapping[str, Any]) -> str:
    """A file name from the prompt: plain ASCII words without accents, at most 60 characters."""
    prompt = row["input"].get(KINDS[row["kind"]].prompt_field)
    plain = unicodedata.normalize("NFKD", prompt.casefold()) if isinstance(prompt, str) else ""
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    words = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
    short = words[:60].rstrip("-")
    return short if short and row["kind"] != "upscale" else f"{row['kind']}-{str(row['id'])[-8:]}"


operations = (
    get_output,
    download_output,
    _derived("thumbnail", "thumbnail_key", "Get an output's thumbnail", "image/webp"),
    _derived("poster", "poster_key", "Get a video's poster", "image/webp"),
    _derived("peaks", "peaks_key", "Get a sound's waveform", "application/json"),
)
