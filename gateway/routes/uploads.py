"""Uploads: files as inputs, through the gateway or straight to the object store."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage
from pydantic import Field

from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.resources import Resource, UploadResource, render_upload
from shared.domains import uploads
from shared.domains.accounts import Scope
from shared.domains.uploads import PARTS_PRESIGN_S, PRESIGN_S, PartUrl
from shared.errors import (
    Conflict,
    ContentBlocked,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    QuotaExceeded,
    UnsupportedMedia,
)

TAG = "Uploads"
CHUNK_BYTES = 1 << 16
ENVELOPE_BYTES = 64 << 10
"""How much longer than its file a multipart body may be."""

BROKEN = (ValueError, AssertionError, RuntimeError, EOFError, BadHttpMessage)
"""How aiohttp says that a multipart body is none."""

FILE_ERRORS = (InvalidInput, PayloadTooLarge, UnsupportedMedia, ContentBlocked, QuotaExceeded)


class FileFields(TypedDict):
    filename: str
    mime: str
    length: int
    sha256: str | None


class UploadRequest(Body):
    filename: str = Field(min_length=1, max_length=500)
    mime: str = Field(min_length=1, max_length=100, description="What it claims to be; its bytes decide.")
    bytes: int = Field(gt=0, description="Its length.")
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="Of the bytes that you send; others are refused when it is completed.",
    )
    multipart: bool = Field(
        False, description="Send it in parts, each to an address of its own: for large files."
    )


class PutInstruction(Resource):
    method: str
    url: str
    expires_in_s: int


class PartResource(Resource):
    n: int
    offset: int
    bytes: int
    method: str
    url: str
    uploaded: bool


class PartsResource(Resource):
    parts: list[PartResource]
    expires_in_s: int = Field(description="How long the addresses work; GET …/parts gives fresh ones.")


class PresignedUpload(Resource):
    upload: UploadResource
    put: PutInstruction | None = None
    parts: list[PartResource] | None = None
    expires_in_s: int


@operation(
    "POST",
    "/api/v1/uploads",
    tag=TAG,
    summary="Begin an upload straight to the object store",
    scope=Scope.WRITE,
    answers=(Answer(201, "Where to PUT the bytes", PresignedUpload),),
    errors=FILE_ERRORS,
    parameters=("Idempotency-Key",),
    example={"filename": "cat.png", "mime": "image/png", "bytes": 123456},
    idempotent=True,
)
async def begin_upload(request: Request[UploadRequest, None]) -> Reply:
    """PUT the bytes to `put.url`, then POST `…/complete`. With `multipart`, PUT each part to its own address, in
    any order and as often as need be. DELETE gives the upload up; after a day it is given up anyway.
    """
    asked, intake, account_id = request.body, request.deps.intake, request.account_id
    file: FileFields = {
        "filename": asked.filename,
        "mime": asked.mime,
        "length": asked.bytes,
        "sha256": asked.sha256,
    }
    answer: dict[str, Any]
    if asked.multipart:
        upload, parts = await uploads.begin_parts(intake, account_id, **file)
        answer = _render_parts(parts)
    else:
        upload, url = await uploads.begin(intake, account_id, **file)
        put = {"method": "PUT", "url": url, "expires_in_s": PRESIGN_S}
        answer = {"put": put, "expires_in_s": PRESIGN_S}
    return reply(
        {"upload": render_upload(upload, request.deps.settings.base_url), **answer}, 201, _location(upload.id)
    )


@operation(
    "GET",
    "/api/v1/uploads/{id}/parts",
    tag=TAG,
    summary="See which parts of an upload are there",
    scope=Scope.WRITE,
    answers=(Answer(200, "Its parts, with fresh addresses", PartsResource),),
    errors=(NotFound, Conflict),
)
async def get_parts(request: Request[None, None]) -> Reply:
    """To go on with an upload that broke off: send the parts that are not there."""
    parts = await uploads.parts(request.deps.intake, request.account_id, request.id())
    return reply(_render_parts(parts))


def _render_parts(parts: Sequence[PartUrl]) -> dict[str, Any]:
    return {
        "parts": [{"method": "PUT", **asdict(part)} for part in parts],
        "expires_in_s": PARTS_PRESIGN_S,
    }


@operation(
    "POST",
    "/api/v1/uploads/{id}/complete",
    tag=TAG,
    summary="Finish an upload",
    scope=Scope.WRITE,
    answers=(Answer(200, "It is checked and can be an input", UploadResource),),
    errors=(NotFound, Conflict, *FILE_ERRORS),
)
async def complete_upload(request: Request[None, None]) -> Reply:
    """Looks at the bytes that were PUT. Repeating it is harmless."""
    upload = await uploads.complete(request.deps.intake, request.account_id, request.id())
    return reply(render_upload(upload, request.deps.settings.base_url))


@operation(
    "POST",
    "/api/v1/uploads:direct",
    tag=TAG,
    summary="Upload a file",
    scope=Scope.WRITE,
    answers=(Answer(201, "It is checked and can be an input", UploadResource),),
    errors=FILE_ERRORS,
    parameters=("Idempotency-Key",),
    body_media="multipart/form-data",
    idempotent=True,
)
async def upload_file(request: Request[None, None]) -> Reply:
    """One multipart field `file`. Pictures lose their metadata; SVG, HTML and everything unknown is refused."""
    intake = request.deps.intake
    _check_length(request.raw, intake.max_bytes)
    reader, part = await _file_part(request.raw)
    upload = await uploads.receive(
        intake, request.account_id, filename=part.filename or "", chunks=_chunks(reader, part)
    )
    return reply(render_upload(upload, request.deps.settings.base_url), 201, _location(upload.id))


def _check_length(raw: web.Request, max_bytes: int) -> None:
    if raw.content_type != "multipart/form-data":
        raise UnsupportedMedia(
            "Send multipart/form-data with one field `file`.", accepted=["multipart/form-data"]
        )
    if raw.content_length is not None and raw.content_length > max_bytes + ENVELOPE_BYTES:
        raise PayloadTooLarge(
            f"The file is larger than {max_bytes >> 20} MB.", field="file", limit_bytes=max_bytes
        )


async def _file_part(raw: web.Request) -> tuple[MultipartReader, BodyPartReader]:
    """The field `file`. Raises InvalidInput for any other field and for a body that is not multipart."""
    try:
        reader = await raw.multipart()
        part = await reader.next()
    except BROKEN as error:
        raise _malformed() from error
    if not isinstance(part, BodyPartReader) or part.name != "file":
        raise _not_the_file(part)
    return reader, part


async def _chunks(reader: MultipartReader, part: BodyPartReader) -> AsyncIterator[bytes]:
    """The file's bytes. Raises InvalidInput at their end when the body is cut off or goes on with another field."""
    try:
        while chunk := await part.read_chunk(CHUNK_BYTES):
            yield chunk
        following = await reader.next()
    except BROKEN as error:
        raise _malformed() from error
    if following is not None:
        raise _not_the_file(following)
    if not reader.at_eof():
        raise _malformed()


def _malformed() -> InvalidInput:
    return InvalidInput("The body is not well-formed multipart/form-data.")


def _not_the_file(part: MultipartReader | BodyPartReader | None) -> InvalidInput:
    name = getattr(part, "name", None)
    if part is None or name == "file":
        return InvalidInput("Send one field named `file`.", field="file", status=422)
    shown = str(name)[:100]
    return InvalidInput(f"Unknown field {shown!r}.", field=shown if name else "file", status=422)


@operation(
    "GET",
    "/api/v1/uploads/{id}",
    tag=TAG,
    summary="Get an upload",
    scope=Scope.READ,
    answers=(Answer(200, "The upload", UploadResource),),
    errors=(NotFound,),
)
async def get_upload(request: Request[None, None]) -> Reply:
    """Its state and what is known of the file."""
    upload = await uploads.get(request.deps.intake, request.account_id, request.id())
    return reply(render_upload(upload, request.deps.settings.base_url))


@operation(
    "DELETE",
    "/api/v1/uploads/{id}",
    tag=TAG,
    summary="Delete an upload",
    scope=Scope.WRITE,
    answers=(Answer(204, "It and its bytes are gone"),),
    errors=(NotFound, Conflict),
)
async def delete_upload(request: Request[None, None]) -> Reply:
    """Gives up one that is under way. Generations that were made with it stay; those that still need it fail."""
    await uploads.delete(request.deps.intake, request.account_id, request.id())
    return Reply(None, 204)


def _location(upload_id: object) -> dict[str, str]:
    return {"Location": f"/api/v1/uploads/{upload_id}"}


operations = (begin_upload, get_parts, complete_upload, upload_file, get_upload, delete_upload)
