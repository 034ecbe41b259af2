"""How something was made, as a file: to keep beside it, to give away, and to make it again."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.files import FileQuery, disposition
from gateway.http import Answer, Reply, Request, encode, operation
from gateway.resources import Resource
from gateway.routes.generations import of_caller
from gateway.routes.outputs import slug_of
from shared.domains.accounts import Scope
from shared.domains.repeats import RETRIABLE, drawn_seed, special
from shared.errors import NotFound

TAG = "Generations"
VERSION = 1


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
    given = special(row)
    if "seed" not in given and row["state"] not in RETRIABLE and (drawn := drawn_seed(row)) is not None:
        given["seed"] = drawn
    details = [output["details"] for output in row["outputs"]]
    body = {
        "object": "recipe",
        "version": VERSION,
        "generation_id": row["id"],
        "request": {"kind": row["kind"], "model": row["model"], "input": given},
        "made": {
            "provider": row["provider"],
            "model": row["provider_model"],
            "at": row["completed_at"],
            "seeds": [made["seed"] for made in details if isinstance(made.get("seed"), int)],
            "sha256": [output["sha256"] for output in row["outputs"]],
        },
    }
    kind = "attachment" if request.query.download else "inline"
    name = f"{slug_of(row)}.penstock.json"
    return Reply(
        encode(body), 200, {"Content-Disposition": disposition(kind, name), "Cache-Control": "no-store"}
    )


operations = (get_recipe,)
