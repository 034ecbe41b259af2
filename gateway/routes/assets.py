"""The library of assets, in the workbench's envelope and as resources."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from aiohttp import web
from pydantic import BeforeValidator, Field, model_validator

from gateway.changes import Changes
from gateway.envelope import enveloped, enveloped_answer
from gateway.files import (
    FILE_ANSWERS,
    FILE_PARAMETERS,
    FileQuery,
    PictureQuery,
    StoredFile,
    narrowed,
    send_file,
)
from gateway.generation_request import Metadata
from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.instants import Instant
from gateway.library import Tag, Tags, tell_assets
from gateway.pagination import PageQuery, following, page, position
from gateway.resources import Resource, generation_path
from shared.domains import assets
from shared.domains.accounts import Scope
from shared.domains.assets import MAX_BULK, MAX_TAGS, TRASH_DAYS, Action, Place, Row, Search, Sort
from shared.domains.variants import SOURCES, WIDTHS
from shared.errors import Conflict, InvalidInput, NotFound, PayloadTooLarge, UnsupportedMedia

TAG = "Assets"

Type = Literal["image", "video", "audio", "text"]
Id = Annotated[UUID, Field(strict=False)]
Text = Annotated[str, Field(min_length=1, max_length=200)]


def _words(value: Any) -> Any:
    """`a,b` or a repeated parameter as a list."""
    parts = value if isinstance(value, list) else [value]
    return [word for part in parts for word in str(part).split(",") if word]


class AssetResource(Resource):
    id: UUID
    object: Literal["asset"]
    user_id: UUID
    project_id: UUID | None
    type: Type
    kind: str = Field(description="What made it: a music is of the type audio, an upscale of the type image.")
    name: str | None
    description: str | None
    file_url: str = Field(description="With `?w=640` a picture no wider than that.")
    thumbnail_url: str | None
    peaks_url: str | None = Field(description="The waveform of a sound that was made here.")
    file_size_bytes: int
    file_format: str | None
    mime: str
    sha256: str | None
    width: int | None
    height: int | None
    duration_seconds: float | None
    generation_id: UUID | None
    output: int | None = Field(description="Which output of the generation it is.")
    upload_id: UUID | None
    model: str | None = Field(description="The name that was asked for.")
    provider: str | None
    provider_model: str | None
    prompt: str | None = Field(description="Its first 4,000 characters.")
    text: str | None = Field(description="The first 4,000 characters of a text.")
    seed: int | None
    metadata: dict[str, Any]
    tags: list[str]
    favorite: bool
    rating: int | None = Field(description="1 to 5.")
    archived_at: datetime | None
    published_at: datetime | None
    deleted_at: datetime | None
    restorable_until: datetime | None = Field(description="Set in the trash: when it is gone for good.")
    created_at: datetime
    updated_at: datetime


class AssetPage(Resource):
    data: list[AssetResource]
    next: str | None


class AssetsQuery(PageQuery):
    """Which assets; a list takes several words, comma-separated or repeated."""

    q: str | None = Field(
        None, min_length=1, max_length=500,
        description="Words that begin one of the name, description, prompt, text, model, seed, size (1024x1024), day "
        '(2026-11-20) or tags; `"a phrase"`, `-without`.',
    )  # fmt: skip
    type: Annotated[list[Type] | None, BeforeValidator(_words)] = None
    kind: Text | None = None
    project: UUID | Literal["none"] | None = None
    favorite: bool | None = None
    tag: Annotated[list[Tag] | None, Field(max_length=MAX_TAGS), BeforeValidator(_words)] = None
    model: Text | None = Field(
        None, description="A part of its name: as it was asked for, as its provider calls it, or its label."
    )
    provider: Text | None = None
    generation: UUID | None = None
    seed: int | None = Field(None, ge=0, le=2**63 - 1)
    rating: int | None = Field(None, ge=1, le=5, description="At least so many stars.")
    archived: Literal["true", "false", "all"] = "false"
    deleted: bool = Field(False, description="What is in the trash.")
    created_after: Instant | None = None
    created_before: Instant | None = None
    sort: Sort = Sort.NEWEST


class AssetChanges(Changes):
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    description: str | None = Field(None, max_length=10_000)
    project_id: UUID | None = Field(None, strict=False, description="Null takes it out of its project.")
    metadata: Metadata = Field({}, description="Any JSON object of up to 16 kB.")
    tags: Tags = Field([])
    favorite: bool = False
    rating: int | None = Field(None, ge=1, le=5)
    archived: bool = False
    published: bool = False


class NewAsset(Body):
    """An upload becomes an asset."""

    upload_id: Id
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    description: str | None = Field(None, max_length=10_000)
    project_id: UUID | None = Field(None, strict=False)
    metadata: Metadata = Field({}, description="Any JSON object of up to 16 kB.")
    tags: Tags = Field([])


class AssetBulk(Body):
    ids: list[Id] = Field(min_length=1, max_length=MAX_BULK)
    action: Action = Field(strict=False)
    tags: Tags | None = Field(None, description="For `tag` and `untag`.")
    project_id: UUID | None = Field(
        None, strict=False, description="For `move`; null takes them out of theirs."
    )

    @model_validator(mode="after")
    def _what_the_action_needs(self) -> Self:
        tagging = self.action in (Action.TAG, Action.UNTAG)
        if tagging != bool(self.tags):
            raise ValueError("tags go with the actions tag and untag")
        if (self.action is Action.MOVE) != ("project_id" in self.model_fields_set):
            raise ValueError("project_id goes with the action move")
        return self


class AssetBulkResult(Resource):
    action: Action
    changed: int
    missing: list[UUID] = Field(
        description="There are no such assets, or not where the action looks for them."
    )


@operation(
    "GET",
    "/api/assets",
    tag=TAG,
    summary="List assets (workbench)",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "A page", list[AssetResource], headers=("Link",)),),
    errors=(InvalidInput,),
)
async def workbench_assets(request: Request[None, AssetsQuery]) -> Reply:
    """Newest first; the Link header leads to the page after."""
    rows, more = await _page(request)
    _, headers = following(request, more)
    return enveloped([_show(request, row) for row in rows], f"Assets found: {len(rows)}.", headers=headers)


@operation(
    "GET",
    "/api/assets/{id}",
    tag=TAG,
    summary="Get an asset (workbench)",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "The asset", AssetResource),),
    errors=(NotFound,),
)
async def workbench_asset(request: Request[None, None]) -> Reply:
    """What is known of it; its bytes are at `file_url`."""
    return enveloped(_show(request, await _get(request)))


@operation(
    "PUT",
    "/api/assets/{id}",
    tag=TAG,
    summary="Change an asset (workbench)",
    scope=Scope.WRITE,
    answers=(enveloped_answer(200, "As it is now", AssetResource),),
    errors=(NotFound, InvalidInput),
    example={"favorite": True, "tags": ["hero"]},
)
async def workbench_change_asset(request: Request[AssetChanges, None]) -> Reply:
    """What is left out stays as it is."""
    return enveloped(_show(request, await _change(request)), "Asset updated.")


@operation(
    "DELETE",
    "/api/assets/{id}",
    tag=TAG,
    summary="Delete an asset (workbench)",
    scope=Scope.WRITE,
    answers=(enveloped_answer(200, "It is in the trash", AssetResource),),
    errors=(NotFound,),
)
async def workbench_delete_asset(request: Request[None, None]) -> Reply:
    """It can be restored for thirty days; then it and its bytes are gone."""
    async with request.deps.db.transaction(request.account_id) as tx:
        await assets.delete(tx, request.id())
        row = await assets.get(tx, request.id(), deleted=True)
    tell_assets(request, [row["id"]], "deleted")
    return enveloped(_show(request, row), f"Asset deleted; it can be restored for {TRASH_DAYS} days.")


@operation(
    "GET",
    "/api/v1/assets",
    tag=TAG,
    summary="Search and list assets",
    scope=Scope.READ,
    answers=(Answer(200, "A page", AssetPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_assets(request: Request[None, AssetsQuery]) -> Reply:
    """Filters add up; `next` is the cursor of the page after."""
    rows, more = await _page(request)
    return page(request, [_show(request, row) for row in rows], more)


@operation(
    "POST",
    "/api/v1/assets",
    tag=TAG,
    summary="Add an upload to the library",
    scope=Scope.WRITE,
    answers=(
        Answer(201, "It is an asset", AssetResource, headers=("Location",)),
        Answer(200, "It was one already", AssetResource, headers=("Location",)),
    ),
    errors=(InvalidInput, Conflict),
    example={"upload_id": "0190f7a2-3c7e-7d5a-8a7b-7e6d5c4b3a29", "tags": ["reference"]},
)
async def add_asset(request: Request[NewAsset, None]) -> Reply:
    """What generations deliver is there by itself. An upload in the library is deleted as an asset."""
    asked = request.body
    async with request.deps.db.transaction(request.account_id) as tx:
        row, new = await assets.add_upload(tx, asked.upload_id, asked.model_dump(exclude={"upload_id"}))
    if new:
        tell_assets(request, [row["id"]], "added")
    headers = {"Location": f"/api/v1/assets/{row['id']}"}
    return reply(_show(request, row), 201 if new else 200, headers)


@operation(
    "POST",
    "/api/v1/assets/bulk",
    tag=TAG,
    summary="Change many assets at once",
    scope=Scope.WRITE,
    answers=(Answer(200, "How many were changed, and which were not there", AssetBulkResult),),
    errors=(InvalidInput,),
    example={"ids": ["0190f7a2-3c7e-7d5a-8a7b-7e6d5c4b3a29"], "action": "tag", "tags": ["hero"]},
)
async def change_assets(request: Request[AssetBulk, None]) -> Reply:
    """All of them in one transaction. `restore` looks in the trash, everything else outside of it."""
    asked = request.body
    value = asked.project_id if asked.action is Action.MOVE else asked.tags
    async with request.deps.db.transaction(request.account_id) as tx:
        done = set(await assets.act(tx, asked.ids, asked.action, value))
    tell_assets(request, sorted(done), _NEWS.get(asked.action, "changed"))
    missing = [asset_id for asset_id in dict.fromkeys(asked.ids) if asset_id not in done]
    return reply({"action": asked.action, "changed": len(done), "missing": missing})


@operation(
    "GET",
    "/api/v1/assets/{id}",
    tag=TAG,
    summary="Get an asset",
    scope=Scope.READ,
    answers=(Answer(200, "The asset", AssetResource),),
    errors=(NotFound,),
)
async def get_asset(request: Request[None, None]) -> Reply:
    """What is in the trash is only in the list of the trash."""
    return reply(_show(request, await _get(request)))


@operation(
    "PATCH",
    "/api/v1/assets/{id}",
    tag=TAG,
    summary="Change an asset",
    scope=Scope.WRITE,
    answers=(Answer(200, "As it is now", AssetResource),),
    errors=(NotFound, InvalidInput),
    example={"rating": 5, "description": "The one with the gull"},
)
async def change_asset(request: Request[AssetChanges, None]) -> Reply:
    """What is left out stays as it is. Tags are kept in lower case."""
    return reply(_show(request, await _change(request)))


@operation(
    "DELETE",
    "/api/v1/assets/{id}",
    tag=TAG,
    summary="Delete an asset",
    scope=Scope.WRITE,
    answers=(Answer(204, "It is in the trash"),),
    errors=(NotFound,),
)
async def delete_asset(request: Request[None, None]) -> Reply:
    """It can be restored for thirty days; then it and its bytes are gone. The generation stays."""
    async with request.deps.db.transaction(request.account_id) as tx:
        await assets.delete(tx, request.id())
    tell_assets(request, [request.id()], "deleted")
    return Reply(None, 204)


@operation(
    "POST",
    "/api/v1/assets/{id}/restore",
    tag=TAG,
    summary="Take an asset back from the trash",
    scope=Scope.WRITE,
    answers=(Answer(200, "It is back", AssetResource),),
    errors=(NotFound,),
)
async def restore_asset(request: Request[None, None]) -> Reply:
    """Repeating it is harmless. Retention counts the asset's age from now."""
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await assets.restore(tx, request.id())
    tell_assets(request, [row["id"]], "restored")
    return reply(_show(request, row))


@operation(
    "GET",
    "/api/v1/assets/{id}/file",
    tag=TAG,
    summary="Download an asset",
    scope=Scope.READ,
    answers=FILE_ANSWERS,
    errors=(NotFound, InvalidInput, PayloadTooLarge, UnsupportedMedia),
    parameters=FILE_PARAMETERS,
)
async def get_asset_file(request: Request[None, PictureQuery]) -> Reply | web.StreamResponse:
    """The file. It never changes, so it may be cached for ever; from the trash it can be had too."""
    row = await _get(request, deleted=True)
    etag = row["sha256"] or str(row["id"])
    file = StoredFile(
        row["file_url"], row["mime"], etag, file_name(row), row["file_size_bytes"], row["width"]
    )
    if request.query.w is not None:
        file = await narrowed(request.deps.variants, file, request.query.w)
    return await send_file(request, file, download=request.query.download)


@operation(
    "GET",
    "/api/v1/assets/{id}/thumbnail",
    tag=TAG,
    summary="Get an asset's thumbnail",
    scope=Scope.READ,
    answers=(Answer(200, "The picture", media="image/webp", headers=("ETag",)), *FILE_ANSWERS[1:]),
    errors=(NotFound,),
    parameters=FILE_PARAMETERS,
)
async def get_asset_thumbnail(request: Request[None, FileQuery]) -> Reply | web.StreamResponse:
    """Of a picture itself, of a video its poster. What has neither answers 404."""
    row = await _get(request, deleted=True)
    key = row["thumbnail_url"]
    if key is None:
        raise NotFound("This asset has no thumbnail.")
    name = f"{row['id']}-thumbnail.{key.rpartition('.')[2]}"
    file = StoredFile(key, "image/webp", f"{row['sha256']}-thumbnail", name, None)
    return await send_file(request, file, download=request.query.download)


def file_name(row: Row) -> str:
    """A name for people: plain words of the asset's own name, and the end of its id, which makes it the only one."""
    words = "".join(char if char.isascii() and char.isalnum() else " " for char in row["name"] or row["type"])
    slug = "-".join(words.lower().split())[:60].strip("-") or row["type"]
    return f"{slug}-{str(row['id'])[-8:]}.{row['file_format'] or 'bin'}"


async def _page(request: Request[None, AssetsQuery]) -> tuple[list[Row], list[Any] | None]:
    limit, found = request.query.limit, position(request)
    after = Place(UUID(found[0]), found[1]) if found else None
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await assets.page(tx, _search(request.query), after, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], None if last is None else [str(last["id"]), last["rating"]]


def _search(asked: AssetsQuery) -> Search:
    where = Search(
        q=asked.q, types=asked.type, kind=asked.kind, favorite=asked.favorite, tags=asked.tag, model=asked.model,
        provider=asked.provider, generation=asked.generation, seed=asked.seed, rating=asked.rating,
        archived={"true": True, "false": False, "all": None}[asked.archived], deleted=asked.deleted,
        created_after=asked.created_after, created_before=asked.created_before, sort=asked.sort,
    )  # fmt: skip
    if isinstance(asked.project, UUID):
        return replace(where, project=asked.project)
    return replace(where, loose=asked.project is not None)


async def _get(request: Request[None, Any], *, deleted: bool = False) -> Row:
    async with request.deps.db.transaction(request.account_id) as tx:
        return await assets.get(tx, request.id(), deleted=deleted)


async def _change(request: Request[AssetChanges, None]) -> Row:
    asked = request.body
    columns = asked.model_dump(include=asked.model_fields_set & assets.CHANGEABLE)
    if asked.gives("rating"):
        columns["rating"] = asked.rating or 0
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await assets.update(
            tx,
            request.id(),
            columns,
            archived=asked.archived if asked.gives("archived") else None,
            published=asked.published if asked.gives("published") else None,
        )
    tell_assets(request, [row["id"]], "changed")
    return row


def _show(request: Request[Any, Any], row: Row) -> dict[str, Any]:
    return render_asset(row, request.deps.settings.base_url)


def render_asset(row: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The resource of a row of `assets`."""
    link = f"{base_url}/api/v1/assets/{row['id']}"
    deleted_at = row["deleted_at"]
    return {
        "id": row["id"],
        "object": "asset",
        **{name: row[name] for name in _AS_THEY_ARE},
        "file_url": f"{link}/file",
        "thumbnail_url": _thumbnail(row, link),
        "peaks_url": _peaks(row, base_url),
        "output": row["output_n"],
        "text": row["excerpt"],
        "rating": row["rating"] or None,
        "restorable_until": deleted_at and deleted_at + timedelta(days=TRASH_DAYS),
    }


def _thumbnail(row: Row, link: str) -> str | None:
    """Of a picture that was added there is none yet: it is made when it is first looked at."""
    if row["thumbnail_url"]:
        return f"{link}/thumbnail"
    return f"{link}/file?w={WIDTHS[0]}" if row["mime"] in SOURCES else None


def _peaks(row: Row, base_url: str) -> str | None:
    if row["type"] != "audio" or row["generation_id"] is None:
        return None
    return f"{base_url}{generation_path(row['generation_id'])}/outputs/{row['output_n']}/peaks"


_NEWS: Mapping[Action, Literal["deleted", "restored"]] = {
    Action.DELETE: "deleted",
    Action.RESTORE: "restored",
}
_AS_THEY_ARE: Sequence[str] = (
    "user_id", "project_id", "type", "kind", "name", "description", "file_size_bytes", "file_format", "mime", "sha256",
    "width", "height", "duration_seconds", "generation_id", "upload_id", "model", "provider", "provider_model",
    "prompt", "seed", "metadata", "tags", "favorite", "archived_at", "published_at", "deleted_at", "created_at",
    "updated_at",
)  # fmt: skip


operations = (
    workbench_assets,
    workbench_asset,
    workbench_change_asset,
    workbench_delete_asset,
    list_assets,
    add_asset,
    change_assets,
    get_asset,
    change_asset,
    delete_asset,
    restore_asset,
    get_asset_file,
    get_asset_thumbnail,
)
