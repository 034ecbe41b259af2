"""API keys and one-time tickets."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from gateway.auth import TICKET_S
from gateway.generation_request import KindName
from gateway.http import Answer, Body, Reply, Request, encode, operation, reply
from gateway.instants import Instant
from gateway.resources import KeyResource, Resource, render_key
from shared.domains import accounts
from shared.domains.accounts import MAX_OVERLAP, NewKey, Scope
from shared.errors import Conflict, Forbidden, InvalidInput, NotFound
from shared.kinds import KINDS
from shared.orm import orm_session

TAG = "API keys"

ScopeName = Literal["read", "write", "admin"]


class KeyList(Resource):
    data: list[KeyResource]


class NewKeyResource(KeyResource):
    key: str | None = Field(description="The key itself, shown this once; null when the answer is repeated.")


class KeyRequest(Body):
    name: str = Field(min_length=1, max_length=100)
    scopes: list[ScopeName] = Field(
        ["write"], min_length=1, max_length=3, description="`write` includes `read`, `admin` includes both."
    )
    expires_at: Annotated[Instant | None, Field(strict=False)] = None
    project_id: UUID | None = Field(
        None, strict=False, description="What is made with the key belongs to this project."
    )
    kinds: list[KindName] = Field(
        [], max_length=len(KINDS), description="The kinds that the key may have made; empty for all."
    )
    budget_nanos: int | None = Field(
        None, ge=0, le=2**62, description="What it may spend, in nano-dollars; null is no limit."
    )
    budget_period: Literal["day", "week", "month", "total"] = Field(
        "total", description="Per which period it may spend that, or in all."
    )


class RotateRequest(Body):
    overlap_s: int = Field(
        3600, ge=0, le=int(MAX_OVERLAP.total_seconds()), description="How long the old key goes on working."
    )


class Ticket(Resource):
    ticket: str
    expires_in_s: float


@operation(
    "GET",
    "/api/v1/keys",
    tag=TAG,
    summary="List API keys",
    scope=Scope.ADMIN,
    answers=(Answer(200, "All keys that are not revoked", KeyList),),
)
async def list_keys(request: Request[None, None]) -> Reply:
    """Newest first, without their secrets."""
    async with orm_session(request.deps.orm, request.account_id) as session:
        rows = await accounts.list_keys(session)
    return reply({"data": [render_key(row) for row in rows]})


@operation(
    "POST",
    "/api/v1/keys",
    tag=TAG,
    summary="Make an API key",
    scope=Scope.ADMIN,
    answers=(Answer(201, "The key; keep it, it is not shown again", NewKeyResource),),
    errors=(InvalidInput, Conflict),
    parameters=("Idempotency-Key",),
    example={"name": "laptop", "scopes": ["write"]},
    idempotent=True,
)
async def create_key(request: Request[KeyRequest, None]) -> Reply:
    """A repetition under the same Idempotency-Key makes no second key, and does not show the first again."""
    asked = request.body
    if asked.expires_at is not None and asked.expires_at <= datetime.now(UTC):
        raise InvalidInput("The time of expiry is past.", field="expires_at", status=422)
    limited = asked.project_id is not None or asked.kinds or asked.budget_nanos is not None
    if limited and "admin" in asked.scopes:
        raise InvalidInput(
            "A key with the scope admin could lift its own limits: give it read or write.",
            field="scopes",
            status=422,
        )
    async with orm_session(request.deps.orm, request.account_id) as session:
        new = await accounts.create_key(
            session,
            request.account_id,
            request.deps.settings.secret_key.get_secret_value(),
            name=asked.name,
            scopes=[Scope(word) for word in asked.scopes],
            expires_at=asked.expires_at,
            project_id=asked.project_id,
            kinds=sorted(set(asked.kinds)),
            budget_nanos=asked.budget_nanos,
            budget_period=asked.budget_period,
        )
    return _shown_once(new)


def _shown_once(new: NewKey) -> Reply:
    resource = render_key(new.row)
    return Reply(
        encode(resource | {"key": new.text}),
        201,
        {"Cache-Control": "no-store"},
        kept=encode(resource | {"key": None}),
    )


@operation(
    "POST",
    "/api/v1/keys/{id}/rotate",
    tag=TAG,
    summary="Replace an API key",
    scope=Scope.ADMIN,
    answers=(Answer(201, "The new key; the old one goes on for `overlap_s`", NewKeyResource),),
    errors=(NotFound, Conflict, InvalidInput),
    parameters=("Idempotency-Key",),
    example={"overlap_s": 3600},
    idempotent=True,
)
async def rotate_key(request: Request[RotateRequest, None]) -> Reply:
    """A new key with the same name, scopes, limits and expiry. Its budget is the old one's, with what was spent."""
    overlap = timedelta(seconds=request.body.overlap_s)
    server_key = request.deps.settings.secret_key.get_secret_value()
    async with orm_session(request.deps.orm, request.account_id) as session:
        new = await accounts.rotate_key(session, server_key, request.id(), overlap)
    return _shown_once(new)


@operation(
    "DELETE",
    "/api/v1/keys/{id}",
    tag=TAG,
    summary="Revoke an API key",
    scope=Scope.ADMIN,
    answers=(Answer(204, "It works no longer (within five seconds everywhere)"),),
    errors=(NotFound, Conflict),
)
async def revoke_key(request: Request[None, None]) -> Reply:
    """The key that makes the request cannot revoke itself: nobody should lock themselves out by accident."""
    key_id = request.id()
    if key_id == request.principal.api_key_id:
        raise Conflict("This is the key of this very request; use another one to revoke it.")
    async with orm_session(request.deps.orm, request.account_id) as session:
        await accounts.revoke_key(session, key_id)
    return Reply(None, 204)


@operation(
    "POST",
    "/api/v1/tickets",
    tag=TAG,
    summary="Draw a one-time ticket for a websocket or an event stream",
    scope=Scope.READ,
    answers=(Answer(201, "Good for one connection", Ticket),),
    errors=(Forbidden,),
)
async def draw_ticket(request: Request[None, None]) -> Reply:
    """For browsers, which cannot send headers there: connect with `?ticket=…` within 30 seconds."""
    ticket = await request.deps.authenticator.tickets.issue(request.principal)
    return reply({"ticket": ticket, "expires_in_s": TICKET_S}, 201, {"Cache-Control": "no-store"})


operations = (list_keys, create_key, rotate_key, revoke_key, draw_ticket)
