"""Where an account is signed in, and how to end that."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.http import Answer, Reply, Request, operation, reply
from gateway.resources import Resource
from shared.domains import sessions
from shared.domains.accounts import Scope
from shared.domains.sessions import Ended
from shared.errors import NotFound

TAG = "Identity"


class SessionResource(Resource):
    id: UUID
    object: Literal["session"]
    current: bool = Field(description="Whether it is the session of this very request.")
    user_agent: str | None
    address: str | None = Field(description="Where it was used from last.")
    created_at: datetime
    last_used_at: datetime = Field(description="When it was opened or refreshed last.")
    expires_at: datetime


class SessionList(Resource):
    data: list[SessionResource]


@operation(
    "GET",
    "/api/v1/sessions",
    tag=TAG,
    summary="List sessions",
    scope=Scope.READ,
    answers=(Answer(200, "All that have not ended, the last used first", SessionList),),
)
async def list_sessions(request: Request[None, None]) -> Reply:
    """API keys and tokens of trusted issuers are no sessions of ours."""
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await sessions.live(tx, request.account_id)
    return reply({"data": [_session(row, request.principal.session_id) for row in rows]})


@operation(
    "DELETE",
    "/api/v1/sessions/{id}",
    tag=TAG,
    summary="End a session",
    scope=Scope.ADMIN,
    answers=(Answer(204, "It is good for nothing any more (within five seconds everywhere)"),),
    errors=(NotFound,),
)
async def revoke_session(request: Request[None, None]) -> Reply:
    """Its access token and its refresh token end with it, and so do its live connections within half a minute."""
    session_id = request.id()
    async with request.deps.db.transaction(request.account_id) as tx:
        await sessions.revoke(tx, request.account_id, session_id, Ended.REVOKED)
    request.deps.authenticator.forget(lambda caller: caller.session_id == session_id)
    return Reply(None, 204)


def _session(row: Mapping[str, Any], current: UUID | None) -> dict[str, Any]:
    return {"object": "session", **row, "current": row["id"] == current}


operations = (list_sessions, revoke_session)
