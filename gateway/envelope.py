"""The success envelope of the AI Media Workbench's routes: `{success: true, data, message}`.

    @operation("GET", "/api/projects", tag=TAG, summary="List projects", scope=Scope.READ,
               answers=(enveloped_answer(200, "All projects", list[ProjectResource]),))
    async def list_projects(request: Request[None, None]) -> Reply:
        return enveloped(await projects.listed(...), "2 projects.")

Their errors are the ones of every route, with the plain media type (`gateway.errors.media_of`).
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, Field, create_model

from gateway.http import NO_HEADERS, Answer, Reply, reply
from gateway.resources import Resource


def enveloped(
    data: Any, message: str = "OK", status: int = 200, headers: Mapping[str, str] = NO_HEADERS
) -> Reply:
    """`data` as JSON inside the envelope; `message` is one sentence for people."""
    return reply({"success": True, "data": data, "message": message}, status, headers)


def enveloped_answer(
    status: int, description: str, data: Any = None, *, headers: tuple[str, ...] = (), example: Any = None,
    also: tuple[str, ...] = (),
) -> Answer:  # fmt: skip
    """The documented answer around `data`: a Resource, a list of one, or None for an answer without data."""
    return Answer(status, description, envelope_of(data), example=example, headers=headers, also=also)


@cache
def envelope_of(data: Any) -> type[BaseModel]:
    """The schema, named for what it holds: `ProjectResource` gives `ProjectEnvelope`, a list `ProjectListEnvelope`."""
    return create_model(
        f"{_name(data)}Envelope",
        __base__=Resource,
        success=(Literal[True], ...),
        data=(data, ...),
        message=(str, Field(description="One sentence for people.")),
    )


def _name(data: Any) -> str:
    if data is None:
        return "Empty"
    inner = getattr(data, "__args__", None)
    if inner:
        return f"{_name(inner[0])}List"
    return re.sub(r"Resource$", "", str(data.__name__))
