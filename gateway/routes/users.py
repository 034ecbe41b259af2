"""The people of an installation, for its admins."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from gateway.actors import actor_of
from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.pagination import PageQuery, page, position_id
from gateway.resources import Resource
from shared.domains import users
from shared.domains.accounts import Role, Scope
from shared.domains.ops.audit import deed
from shared.errors import Conflict, InvalidInput, NotFound

TAG = "Identity"

Status = Literal["active", "suspended"]


class PersonResource(Resource):
    id: UUID = Field(description="The account's id too.")
    email: str
    name: str | None
    role: Role
    status: Status
    plan: str = Field(description="Another one is given by `PUT /api/v1/accounts/{id}/plan`.")
    created_at: datetime


class PersonPage(Resource):
    data: list[PersonResource]
    next: str | None


class PersonRequest(Body):
    role: Annotated[Role | None, Field(strict=False)] = None
    status: Status | None = None


@operation(
    "GET",
    "/api/v1/users",
    tag=TAG,
    summary="List users, newest first",
    scope=Scope.ADMIN,
    role=Role.ADMIN,
    answers=(Answer(200, "A page", PersonPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_users(request: Request[None, PageQuery]) -> Reply:
    """Everybody who has signed up, or was vouched for by a trusted issuer."""
    limit, after = request.query.limit, position_id(request)
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await users.listed(tx, after, limit + 1)
    shown = rows[:limit]
    more = [str(shown[-1]["id"])] if len(rows) > limit else None
    return page(request, [dict(row) for row in shown], more)


@operation(
    "PATCH",
    "/api/v1/users/{id}",
    tag=TAG,
    summary="Change a user's role, or suspend them",
    scope=Scope.ADMIN,
    role=Role.ADMIN,
    answers=(Answer(200, "The user, changed (within five seconds everywhere)", PersonResource),),
    errors=(NotFound, Conflict),
    example={"role": "viewer"},
)
async def change_user(request: Request[PersonRequest, None]) -> Reply:
    """Whoever is suspended can do nothing until they are active again. Nobody changes themselves: so there is always
    an admin left.
    """
    user_id, asked = request.id(), request.body
    if user_id == request.account_id:
        raise Conflict("Another admin must do that: nobody changes themselves.")
    changes = asked.model_dump(mode="json", exclude_none=True)
    async with deed(request.deps.db, actor_of(request), "user.change", f"user:{user_id}", **changes) as done:
        row = await users.change(done.tx, user_id, asked.role, asked.status)
    request.deps.authenticator.forget(lambda caller: caller.account_id == user_id)
    return reply(row)


operations = (list_users, change_user)
