"""Projects, in the workbench's envelope and as resources."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from gateway.changes import Changes
from gateway.envelope import enveloped, enveloped_answer
from gateway.generation_request import Metadata
from gateway.http import Answer, Query, Reply, Request, operation, reply
from gateway.pagination import PageQuery, following, page, position_id
from gateway.resources import Money, Resource
from shared.db import Tx
from shared.domains import assets, projects
from shared.domains.accounts import Scope
from shared.domains.projects import Holdings, Row
from shared.errors import Conflict, InvalidInput, NotFound
from shared.money import NANOS_PER_CENT, Nanos, as_json, cents

TAG = "Projects"
EXAMPLE = {"name": "Spring campaign", "description": "Lighthouses, mostly", "budget_cents": 5000}
MOST_CENTS = 2**31 - 1
"""What the column of cents can hold: 21 million dollars."""


def _named(name: str) -> str:
    if not name.strip():
        raise ValueError("must not be blank")
    return name.strip()


def _web_address(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("must begin with https://")
    return url


Title = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_named)]
Address = Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]


class _Changes(Changes):
    """What can be set when a project is made and later."""

    description: str | None = Field(None, max_length=10_000)
    thumbnail_url: Address | None = None
    thumbnail_asset_id: UUID | None = Field(
        None, strict=False, description="In place of an address: an asset."
    )
    budget_cents: int = Field(0, ge=0, le=MOST_CENTS, description="0 is no budget.")
    budget_nanos: int = Field(0, ge=0, le=MOST_CENTS * NANOS_PER_CENT, description="The same, finer.")
    settings: Metadata = Field({}, description="Any JSON object of up to 16 kB.")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        for one, other in (("budget_cents", "budget_nanos"), ("thumbnail_url", "thumbnail_asset_id")):
            if {one, other} <= self.model_fields_set:
                raise ValueError(f"give either {one} or {other}")
        return self


class NewProject(_Changes):
    name: Title


class ProjectChanges(_Changes):
    name: Title = "unnamed"
    archived: bool = Field(False, description="Puts it away, or takes it back.")


class ProjectResource(Resource):
    id: UUID
    object: Literal["project"]
    user_id: UUID
    name: str
    description: str | None
    thumbnail_url: str | None
    budget_cents: int = Field(description="0 is no budget.")
    spent_cents: int
    budget: Money
    spent: Money
    settings: dict[str, Any]
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    generations: int | None = Field(
        description="All that were ever made for it; null unless a list was asked for it."
    )


class ProjectPage(Resource):
    data: list[ProjectResource]
    next: str | None


class ProjectsQuery(PageQuery):
    archived: Literal["true", "false", "all"] = Field(
        "false", description="Those that were put away, or all."
    )


class CountedQuery(ProjectsQuery):
    counted: bool = Field(False, description="Count the generations of each.")


class DeletionQuery(Query):
    hard: bool = Field(False, description="Delete it for good instead of archiving it.")
    dry_run: bool = Field(False, description="Only say what would go and what would stay.")


class DeletionGoes(Resource):
    project: bool
    assets: int = Field(description="They go to the trash, where they can be restored for thirty days.")
    bytes: int


class DeletionStays(Resource):
    generations: int = Field(description="They stay, without a project, under the name that it had.")
    spent: Money = Field(description="The ledger stays as it is.")


class ProjectDeletion(Resource):
    id: UUID
    outcome: Literal["archived", "deleted", "none"]
    goes: DeletionGoes
    stays: DeletionStays


@operation(
    "GET",
    "/api/projects",
    tag=TAG,
    summary="List projects (workbench)",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "A page", list[ProjectResource], headers=("Link",)),),
    errors=(InvalidInput,),
)
async def workbench_projects(request: Request[None, ProjectsQuery]) -> Reply:
    """Newest first; the Link header leads to the page after."""
    rows, more = await _page(request)
    _, headers = following(request, more)
    return enveloped(
        [_render(request, row) for row in rows], f"Projects found: {len(rows)}.", headers=headers
    )


@operation(
    "POST",
    "/api/projects",
    tag=TAG,
    summary="Create a project (workbench)",
    scope=Scope.WRITE,
    answers=(enveloped_answer(201, "It is made", ProjectResource, headers=("Location",)),),
    errors=(InvalidInput,),
    parameters=("Idempotency-Key",),
    example=EXAMPLE,
    idempotent=True,
)
async def workbench_create_project(request: Request[NewProject, None]) -> Reply:
    """Amounts of money are stored to the nano-dollar, and told in cents too."""
    row = await _create(request)
    headers = {"Location": f"/api/projects/{row['id']}"}
    return enveloped(_render(request, row), "Project created.", 201, headers)


@operation(
    "GET",
    "/api/projects/{id}",
    tag=TAG,
    summary="Get a project (workbench)",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "The project", ProjectResource),),
    errors=(NotFound,),
)
async def workbench_project(request: Request[None, None]) -> Reply:
    """With what was spent for it so far."""
    return enveloped(_render(request, await _get(request)))


@operation(
    "PUT",
    "/api/projects/{id}",
    tag=TAG,
    summary="Change a project (workbench)",
    scope=Scope.WRITE,
    answers=(enveloped_answer(200, "As it is now", ProjectResource),),
    errors=(NotFound, InvalidInput),
    example={"name": "Summer campaign", "archived": False},
)
async def workbench_change_project(request: Request[ProjectChanges, None]) -> Reply:
    """What is left out stays as it is."""
    return enveloped(_render(request, await _change(request)), "Project updated.")


@operation(
    "DELETE",
    "/api/projects/{id}",
    tag=TAG,
    summary="Archive or delete a project (workbench)",
    scope=Scope.WRITE,
    answers=(enveloped_answer(200, "What went and what stays", ProjectDeletion),),
    errors=(NotFound, Conflict),
)
async def workbench_delete_project(request: Request[None, DeletionQuery]) -> Reply:
    """Archives it; with `hard=true` deletes it. Its ledger stays in any case."""
    done = await _delete(request)
    words = {"archived": "Project archived.", "deleted": "Project deleted.", "none": "Nothing was changed."}
    return enveloped(done, words[done["outcome"]])


@operation(
    "GET",
    "/api/v1/projects",
    tag=TAG,
    summary="List projects, newest first",
    scope=Scope.READ,
    answers=(Answer(200, "A page", ProjectPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_projects(request: Request[None, CountedQuery]) -> Reply:
    """Without those that were archived, unless asked for."""
    rows, more = await _page(request)
    shown = [_render(request, row) for row in rows]
    if request.query.counted:
        async with request.deps.db.transaction(request.account_id) as tx:
            counts = await projects.generations(tx, [row["id"] for row in rows])
        shown = [one | {"generations": counts.get(one["id"], 0)} for one in shown]
    return page(request, shown, more)


@operation(
    "POST",
    "/api/v1/projects",
    tag=TAG,
    summary="Create a project",
    scope=Scope.WRITE,
    answers=(Answer(201, "It is made", ProjectResource, headers=("Location",)),),
    errors=(InvalidInput,),
    parameters=("Idempotency-Key",),
    example=EXAMPLE,
    idempotent=True,
)
async def create_project(request: Request[NewProject, None]) -> Reply:
    """Generations and assets can name it from then on."""
    row = await _create(request)
    return reply(_render(request, row), 201, {"Location": f"/api/v1/projects/{row['id']}"})


@operation(
    "GET",
    "/api/v1/projects/{id}",
    tag=TAG,
    summary="Get a project",
    scope=Scope.READ,
    answers=(Answer(200, "The project", ProjectResource),),
    errors=(NotFound,),
)
async def get_project(request: Request[None, None]) -> Reply:
    """With what was spent for it so far."""
    return reply(_render(request, await _get(request)))


@operation(
    "PATCH",
    "/api/v1/projects/{id}",
    tag=TAG,
    summary="Change a project",
    scope=Scope.WRITE,
    answers=(Answer(200, "As it is now", ProjectResource),),
    errors=(NotFound, InvalidInput),
    example={"budget_cents": 10_000},
)
async def change_project(request: Request[ProjectChanges, None]) -> Reply:
    """What is left out stays as it is; `archived` puts it away or takes it back."""
    return reply(_render(request, await _change(request)))


@operation(
    "DELETE",
    "/api/v1/projects/{id}",
    tag=TAG,
    summary="Archive or delete a project",
    scope=Scope.WRITE,
    answers=(Answer(200, "What went and what stays", ProjectDeletion),),
    errors=(NotFound, Conflict),
)
async def delete_project(request: Request[None, DeletionQuery]) -> Reply:
    """Archives it; with `hard=true` deletes it, unless work of it has not ended (409). `dry_run=true` only tells
    what would go and what would stay.
    """
    return reply(await _delete(request))


async def _page(request: Request[None, Any]) -> tuple[list[Row], list[str] | None]:
    limit, after = request.query.limit, position_id(request)
    archived = {"true": True, "false": False, "all": None}[request.query.archived]
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await projects.page(tx, archived, after, limit + 1)
    return rows[:limit], [str(rows[limit - 1]["id"])] if len(rows) > limit else None


async def _create(request: Request[NewProject, None]) -> Row:
    async with request.deps.db.transaction(request.account_id) as tx:
        return await projects.create(tx, request.account_id, await _columns(tx, request.body))


async def _get(request: Request[None, None]) -> Row:
    async with request.deps.db.transaction(request.account_id) as tx:
        return await projects.get(tx, request.id())


async def _change(request: Request[ProjectChanges, None]) -> Row:
    asked = request.body
    archived = asked.archived if asked.gives("archived") else None
    async with request.deps.db.transaction(request.account_id) as tx:
        return await projects.update(tx, request.id(), await _columns(tx, asked), archived)


async def _delete(request: Request[None, DeletionQuery]) -> dict[str, Any]:
    project_id, asked = request.id(), request.query
    async with request.deps.db.transaction(request.account_id) as tx:
        if asked.hard and not asked.dry_run:
            held = await projects.delete(tx, project_id)
            return _deletion(project_id, "deleted", held, goes=True)
        held = await projects.holdings(tx, project_id)
        if not asked.dry_run:
            await projects.update(tx, project_id, {}, archived=True)
    return _deletion(project_id, "none" if asked.dry_run else "archived", held, goes=asked.hard)


def _deletion(project_id: UUID, outcome: str, held: Holdings, *, goes: bool) -> dict[str, Any]:
    return {
        "id": project_id,
        "outcome": outcome,
        "goes": {
            "project": goes,
            "assets": held.assets if goes else 0,
            "bytes": held.bytes if goes else 0,
        },
        "stays": {"generations": held.generations, "spent": as_json(Nanos(held.spent_nanos))},
    }


async def _columns(tx: Tx, asked: _Changes) -> dict[str, Any]:
    """The columns that the request sets. Raises InvalidInput for a thumbnail that is none."""
    columns = asked.model_dump(
        include=asked.model_fields_set & projects.CHANGEABLE, exclude={"budget_cents", "thumbnail_asset_id"}
    )
    if asked.gives("budget_cents"):
        columns["budget_nanos"] = asked.budget_cents * NANOS_PER_CENT
    if asked.gives("thumbnail_asset_id"):
        columns["thumbnail_url"] = await _thumbnail(tx, asked.thumbnail_asset_id)
    return columns


async def _thumbnail(tx: Tx, asset_id: UUID | None) -> str | None:
    if asset_id is None:
        return None
    try:
        asset = await assets.get(tx, asset_id)
    except NotFound as missing:
        raise InvalidInput(missing.message, field="thumbnail_asset_id", status=422) from None
    if asset["thumbnail_url"] is None and asset["type"] != "image":
        raise InvalidInput("This asset has no picture.", field="thumbnail_asset_id", status=422)
    return f"/api/v1/assets/{asset_id}/{'thumbnail' if asset['thumbnail_url'] else 'file'}"


def _render(request: Request[Any, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    thumbnail, budget, spent = row["thumbnail_url"], Nanos(row["budget_nanos"]), Nanos(row["spent_nanos"])
    if thumbnail is not None and thumbnail.startswith("/"):
        thumbnail = request.deps.settings.base_url + thumbnail
    return {
        "id": row["id"],
        "object": "project",
        "user_id": row["user_id"],
        "name": row["name"],
        "description": row["description"],
        "thumbnail_url": thumbnail,
        "budget_cents": cents(budget),
        "spent_cents": cents(spent),
        "budget": as_json(budget),
        "spent": as_json(spent),
        "settings": row["settings"],
        "archived_at": row["archived_at"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "generations": None,
    }


operations = (
    workbench_projects,
    workbench_create_project,
    workbench_project,
    workbench_change_project,
    workbench_delete_project,
    list_projects,
    create_project,
    get_project,
    change_project,
    delete_project,
)
