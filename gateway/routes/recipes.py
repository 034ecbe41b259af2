"""How something was made, as a file: to keep beside it, to give away, and to make it again."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.files import FileQuery, disposition
from gateway.http import Answer, Reply, Request, encode, operation
from gateway.recipes import ENDING, recipe_of
from gateway.resources import Resource
from gateway.routes.generations import of_caller
from gateway.routes.outputs import slug_of
from shared.domains.accounts import Scope
from shared.errors import NotFound

TAG = "Generations"


class MadeBy(Resource):
    provider: str | None
    model: str | None
    at: datetime | None
    seeds: list[int] = Field(description="Of each output, where its maker says so.")
    sha256: list[str]


class Recipe(Resource):
    object: Literal["recipe"]
    version: Literal[1]
    generation_id: UUID
    request: dict[str, Any] = Field(
        description="What `POST /api/v1/generations` takes: kind, model and what was asked for, with the seed that"
        " was drawn."
    )
    made: MadeBy


@operation(
    "GET",
    "/api/v1/generations/{id}/recipe",
    tag=TAG,
    summary="Get the settings of a generation",
    scope=Scope.READ,
    answers=(Answer(200, "Its recipe", Recipe),),
    errors=(NotFound,),
)
async def get_recipe(request: Request[None, FileQuery]) -> Reply:
    """Send its `request` to make the same again. With `?download=true` browsers save it beside the output."""
    row = await of_caller(request, request.id())
    kind = "attachment" if request.query.download else "inline"
    headers = {
        "Content-Disposition": disposition(kind, f"{slug_of(row)}{ENDING}"),
        "Cache-Control": "no-store",
    }
    return Reply(encode(recipe_of(row)), 200, headers)


operations = (get_recipe,)
