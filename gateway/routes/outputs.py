"""Delivered files: streamed from the object store with ranges and entity tags."""

import re
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from pydantic import Field

from gateway import png
from gateway.files import (
    FILE_ANSWERS,
    FILE_PARAMETERS,
    FileQuery,
    PictureQuery,
    StoredFile,
    extension_of,
    narrowed,
    send_file,
)
from gateway.http import Answer, Operation, Query, Reply, Request, encode, operation
from gateway.recipes import recipe_of
from shared.domains.accounts import Scope
from shared.errors import InvalidInput, NotFound, PayloadTooLarge, UnsupportedMedia
from shared.kinds import KINDS

TAG = "Outputs"


@operation(
    "GET",
    "/api/v1/generations/{id}/outputs/{n}",
    tag=TAG,
    summary="Download an output",
    scope=Scope.READ,
    answers=FILE_ANSWERS,
    errors=(NotFound, InvalidInput, PayloadTooLarge, UnsupportedMedia),
    parameters=FILE_PARAMETERS,
)
async def get_output(request: Request[None, PictureQuery]) -> Reply | web.StreamResponse:
    """The delivered file. It never changes, so it may be cached for ever."""
    file = await _output_file(request)
    if request.query.w is not None:
        file = await narrowed(request.deps.variants, file, request.query.w)
    return await send_file(request, file, download=request.query.download)


class DownloadQuery(Query):
    recipe: bool = Field(False, description="Have a PNG carry how it was made.")


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
async def download_output(request: Request[None, DownloadQuery]) -> Reply | web.StreamResponse:
    """The delivered file, for browsers to save under a name made of the prompt. With `?recipe=true` a PNG carries how
    it was made, as text under the keyword `penstock`; other files, and every other address, stay without.
    """
    row, output = await _output(request)
    file = _file_of(row, output)
    if request.query.recipe and file.mime == png.MIME:
        words = encode(recipe_of(row)).decode()
        etag = f"{file.etag}-{zlib.crc32(words.encode()):08x}"
        file = replace(file, etag=etag, cache="private, no-cache", words=words)
    return await send_file(request, file, download=True)


async def _output_file(request: Request[None, Any]) -> StoredFile:
    return _file_of(*await _output(request))


def _file_of(row: Mapping[str, Any], output: Mapping[str, Any]) -> StoredFile:
    name, width = output_name(row, output), output["width"]
    return StoredFile(output["key"], output["mime"], output["sha256"], name, output["bytes"], width)


def output_name(row: Mapping[str, Any], output: Mapping[str, Any]) -> str:
    """What an output of the generation `row` is saved under."""
    return f"{slug_of(row)}-{output['n']}.{extension_of(output['mime'])}"


def _derived(part: str, column: str, summary: str, mime: str) -> Operation:
    """The operation of a file that was derived from an output."""

    async def get_derived(request: Request[None, FileQuery]) -> Reply | web.StreamResponse:
        """Outputs of a kind that has no such file answer 404."""
        row, output = await _output(request)
        key = output[column]
        if key is None:
            raise NotFound(f"This output has no {part}.")
        name = f"{slug_of(row)}-{output['n']}-{part}.{key.rpartition('.')[2]}"
        file = StoredFile(key, mime, f"{output['sha256']}-{part}", name, None)
        return await send_file(request, file, download=request.query.download)

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


def slug_of(row: Mapping[str, Any]) -> str:
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
