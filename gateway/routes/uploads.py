"""Uploads: files as inputs, through the gateway or straight to the object store."""

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage
from pydantic import Field

from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.resources import Resource, UploadResource, render_upload
from shared.domains import uploads
from shared.domains.accounts import Scope
from shared.domains.uploads import PRESIGN_S, Intake
from shared.errors import Conflict, InvalidInput, NotFound, PayloadTooLarge, UnsupportedMedia

TAG = "Uploads"
CHUNK_BYTES = 1 << 16
ENVELOPE_BYTES = 64 << 10
"""How much longer than its file a multipart body may be."""

BROKEN = (ValueError, AssertionError, RuntimeError, EOFError, BadHttpMessage)
"""How aiohttp says that a multipart body is none."""

FILE_ERRORS = (InvalidInput, PayloadTooLarge, UnsupportedMedia)


class UploadRequest(Body):
    filename: str = Field(min_length=1, max_length=500)
    mime: str = Field(min_length=1, max_length=100, description="What it claims to be; its bytes decide.")
    bytes: int = Field(gt=0, description="Its length.")


class PutInstruction(Resource):
    method: str
    url: str
    expires_in_s: int


class PresignedUpload(Resource):
    upload: UploadResource
    put: PutInstruction


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
    """PUT the bytes to `put.url`, then POST `…/complete`."""
    asked = request.body
    upload, url = await uploads.begin(
        _intake(request), request.account_id, filename=asked.filename, mime=asked.mime, length=asked.bytes
    )
    put = {"method": "PUT", "url": url, "expires_in_s": PRESIGN_S}
    return reply({"upload": render_upload(upload), "put": put}, 201, _location(upload.id))


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
    upload = await uploads.complete(_intake(request), request.account_id, request.id())
    return reply(render_upload(upload))


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
    intake = _intake(request)
    _check_length(request.raw, intake.max_bytes)
    reader, part = await _file_part(request.raw)
    upload = await uploads.receive(
        intake, request.account_id, filename=part.filename or "", chunks=_chunks(reader, part)
    )
    return reply(render_upload(upload), 201, _location(upload.id))


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
    return reply(render_upload(await uploads.get(_intake(request), request.account_id, request.id())))


@operation(
    "DELETE",
    "/api/v1/uploads/{id}",
    tag=TAG,
    summary="Delete an upload",
    scope=Scope.WRITE,
    answers=(Answer(204, "It and its bytes are gone"),),
    errors=(NotFound,),
)
async def delete_upload(request: Request[None, None]) -> Reply:
    """Generations that were made with it stay; those that still need it fail."""
    await uploads.delete(_intake(request), request.account_id, request.id())
    return Reply(None, 204)


def _intake(request: Request[Any, Any]) -> Intake:
    deps = request.deps
    return Intake(deps.orm, deps.store, deps.executor, deps.settings.max_upload_bytes)


def _location(upload_id: object) -> dict[str, str]:
    return {"Location": f"/api/v1/uploads/{upload_id}"}


operations = (begin_upload, complete_upload, upload_file, get_upload, delete_upload)
