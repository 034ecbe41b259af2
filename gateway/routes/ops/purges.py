"""Emptying a queue, and taking that back."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from gateway.actors import actor_of
from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.resources import Resource
from gateway.routes.ops.desk import PREFIX, TAG, queue_of
from gateway.routes.ops.jobs import MadeJob, RefusedJob, retried
from shared.domains.accounts import Role, Scope
from shared.domains.ops import purges
from shared.domains.ops.jobs import by_state
from shared.errors import Conflict, InvalidInput, NotFound


class PurgeRequest(Body):
    confirm_count: int | None = Field(
        None,
        ge=0,
        description="How many will be canceled. Without it nothing is, and the answer says how many.",
    )


class PurgeResource(Resource):
    id: str
    count: int = Field(description="How many there were.")
    canceled: int
    dry_run: bool
    purge: UUID | None = Field(description="What undoes it.")
    undo_until: datetime | None


class UndoneResource(Resource):
    purge: UUID
    done: int = Field(description="How many were asked for again.")
    passed_over: int = Field(description="Tried again or deleted by somebody else meanwhile.")
    more: bool = Field(description="Whether some are left; say it again to go on.")
    made: list[MadeJob] = Field(description="The new generations by those that were canceled.")
    refused: list[RefusedJob]


@operation(
    "POST",
    f"{PREFIX}/queues/{{queue}}/purge",
    tag=TAG,
    summary="Cancel all that queues",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "How many there were, and how many were canceled", PurgeResource),),
    errors=(NotFound, Conflict, InvalidInput),
    example={"confirm_count": 12},
)
async def purge_queue(request: Request[PurgeRequest, None]) -> Reply:
    """Ask without `confirm_count` first: that counts and changes nothing. With it, all are canceled, or none and 409
    when there are not exactly as many. What a provider was ever asked for stays. For an hour it can be undone.
    """
    kind, deps, confirmed = queue_of(request), request.deps, request.body.confirm_count
    answer = {"id": kind, "canceled": 0, "dry_run": confirmed is None, "purge": None, "undo_until": None}
    if confirmed is None:
        return reply(answer | {"count": await purges.purgeable(deps.db, request.account_id, kind)})
    purge = await purges.purge(deps.db, actor_of(request), kind, confirmed, deps.publisher, deps.bell)
    for result in purge.results:
        deps.metrics.canceled(result)
    deps.board.forget()
    canceled = by_state(purge.results)["canceled"]
    return reply(
        answer | {"count": confirmed, "canceled": canceled, "purge": purge.id, "undo_until": purge.undo_until}
    )


@operation(
    "POST",
    f"{PREFIX}/purges/{{id}}/undo",
    tag=TAG,
    summary="Undo a purge",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "What was asked for again", UndoneResource),),
    errors=(NotFound, Conflict),
)
async def undo_purge(request: Request[None, None]) -> Reply:
    """Asks again for exactly what was canceled, once, with money reserved anew on each account's plan and budget: new
    generations, whose `parent_id` is the old one. At most 1,000 at a time. 409 when nothing is left, or after an hour.
    """
    deps, purge_id = request.deps, request.id()
    undone = await purges.undo(deps.db, actor_of(request), purge_id, deps.admitter)
    for admission in undone.retried.admissions:
        deps.metrics.admitted(admission)
    deps.board.forget()
    return reply(
        {"purge": purge_id, "passed_over": undone.passed_over, "more": undone.left > 0}
        | retried(undone.retried)
    )


operations = (purge_queue, undo_purge)
