"""Many assets as one zip archive, with what is known of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from aiohttp import web
from pydantic import Field

from gateway.archive import Archive, Member
from gateway.http import Answer, Body, Request, encode, operation
from gateway.recipes import ENDING, recipe_of
from gateway.routes.assets import TAG, file_name, render_asset
from shared.domains import assets, history
from shared.domains.accounts import Scope
from shared.domains.assets import MAX_BULK, Row
from shared.errors import InvalidInput, NotFound
from shared.log import get_logger
from shared.storage import StorageError

log = get_logger(__name__)

METADATA = "metadata.json"


class ZipRequest(Body):
    ids: list[Annotated[UUID, Field(strict=False)]] = Field(min_length=1, max_length=MAX_BULK)


@operation(
    "POST",
    "/api/v1/assets/zip",
    tag=TAG,
    summary="Download assets as a zip archive",
    scope=Scope.READ,
    answers=(Answer(200, "The archive", media="application/zip", headers=("Content-Disposition",)),),
    errors=(InvalidInput, NotFound),
    example={"ids": ["0190f7a2-3c7e-7d5a-8a7b-7e6d5c4b3a29"]},
)
async def download_assets(request: Request[ZipRequest, None]) -> web.StreamResponse:
    """Sent while it is made, in the order of the ids. Beside each that was generated lies its recipe. `metadata.json`,
    its last file, describes each of them, and names those that were not there. None of them there is 404.
    """
    asked = request.body.ids
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await assets.get_many(tx, asked)
        made = await history.get_many(tx, list({row["generation_id"] for row in rows} - {None}))
    if not rows:
        raise NotFound("There are no such assets.")
    response = web.StreamResponse()
    response.content_type = "application/zip"
    name = f"assets-{datetime.now(UTC):%Y-%m-%d}.zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    await response.prepare(request.raw)
    try:
        await _send(request, response, rows, made)
    except StorageError as error:
        # Half an archive must not look like a whole one: the connection breaks off.
        log.warning("archive_broken_off", account_id=str(request.account_id), error=str(error))
        if request.raw.transport is not None:
            request.raw.transport.abort()
        return response
    await response.write_eof()
    return response


async def _send(
    request: Request[ZipRequest, None],
    response: web.StreamResponse,
    rows: list[Row],
    made: Mapping[UUID, Mapping[str, Any]],
) -> None:
    deps, archive = request.deps, Archive()
    for row in rows:
        name = file_name(row)
        member = Member(name, row["file_size_bytes"], deps.store.get_stream(row["file_url"]))
        async for piece in archive.add(member):
            await response.write(piece)
        if (generation := made.get(row["generation_id"])) is not None and name not in archive.missing:
            beside = f"{name.rpartition('.')[0]}{ENDING}"
            await response.write(archive.note(beside, encode(recipe_of(generation))))
    found = {row["id"] for row in rows}
    listed = [
        {"file": None if file_name(row) in archive.missing else file_name(row)}
        | render_asset(row, deps.settings.base_url)
        for row in rows
    ]
    missing = [str(asset_id) for asset_id in dict.fromkeys(request.body.ids) if asset_id not in found]
    described = {"made_at": datetime.now(UTC), "assets": listed, "missing": missing}
    await response.write(
        archive.finish(METADATA, orjson.dumps(described, default=str, option=orjson.OPT_INDENT_2))
    )


operations = (download_assets,)
