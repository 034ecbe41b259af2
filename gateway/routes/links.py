"""Links: addresses of a file that work for everybody until they end."""

from datetime import UTC, datetime, timedelta
from typing import Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.resources import Resource
from gateway.routes.assets import file_name
from gateway.routes.outputs import output_name
from shared.buckets import Bucket
from shared.domains import assets, uploads
from shared.domains.accounts import Scope
from shared.errors import Conflict, InvalidInput, NotFound
from shared.links import signed_path

TAG = "Files"
MAX_DAYS = 30


class LinkRequest(Body):
    """One file: an asset's, an output of a generation, or an upload."""

    asset_id: UUID | None = Field(None, strict=False)
    generation_id: UUID | None = Field(None, strict=False)
    n: int = Field(0, ge=0, le=99_999, description="Which output of the generation.")
    upload_id: UUID | None = Field(None, strict=False)
    expires_in_s: int = Field(86_400, ge=60, le=MAX_DAYS * 86_400)

    @model_validator(mode="after")
    def _names_one_file(self) -> Self:
        if [self.asset_id, self.generation_id, self.upload_id].count(None) != 2:
            raise ValueError("Give one of asset_id, generation_id and upload_id.")
        return self


class LinkResource(Resource):
    object: Literal["link"]
    url: str = Field(description="Add `&w=640` for a smaller picture, `&download=true` to save it.")
    expires_at: datetime


@operation(
    "POST",
    "/api/v1/links",
    tag=TAG,
    summary="Share a file",
    scope=Scope.WRITE,
    answers=(Answer(201, "The address", LinkResource),),
    errors=(NotFound, Conflict, InvalidInput),
    example={
        "generation_id": "0192f0c1-2b3c-7d4e-8f50-617283940a1b",
        "n": 0,
        "expires_in_s": 86_400,
    },
)
async def create_link(request: Request[LinkRequest, None]) -> Reply:
    """Whoever has the address may read the file until it ends; it cannot be called back before, except by deleting
    the file.
    """
    asked = request.body
    if asked.asset_id is not None:
        key, name = await _asset(request, asked.asset_id)
    elif asked.upload_id is not None:
        key, name = await _upload(request, asked.upload_id)
    else:
        key, name = await _output(request)
    settings = request.deps.settings
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=asked.expires_in_s)
    path = signed_path(
        settings.secret_key.get_secret_value(), Bucket.ASSETS, key, expires_at=expires_at, name=name
    )
    return reply({"object": "link", "url": settings.base_url + path, "expires_at": expires_at}, 201)


async def _asset(request: Request[LinkRequest, None], asset_id: UUID) -> tuple[str, str]:
    """Key and name. Raises NotFound."""
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await assets.get(tx, asset_id)
    return row["file_url"], file_name(row)


async def _output(request: Request[LinkRequest, None]) -> tuple[str, str]:
    """Key and name. Raises NotFound."""
    generation_id, n = request.body.generation_id, request.body.n
    assert generation_id is not None  # noqa: S101  # the body names one file
    row = await request.deps.reader.get(request.account_id, generation_id)
    if row is None:
        raise NotFound(f"There is no generation {generation_id}.")
    for output in row["outputs"]:
        if output["n"] == n:
            return output["key"], output_name(row, output)
    raise NotFound(f"This generation has no output {n}.")


async def _upload(request: Request[LinkRequest, None], upload_id: UUID) -> tuple[str, str]:
    """Key and name. Raises NotFound, Conflict."""
    upload = await uploads.get(request.deps.intake, request.account_id, upload_id)
    if upload.state != "ready":
        raise Conflict("That upload is not complete.", upload_status=upload.state)
    return upload.key, upload.filename


operations = (create_link,)
