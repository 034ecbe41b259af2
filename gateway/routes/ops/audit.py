"""Who did what to the installation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.http import Answer, Reply, Request, operation
from gateway.instants import Instant
from gateway.pagination import PageQuery, page, position_id
from gateway.resources import Resource
from gateway.routes.ops.desk import PREFIX, TAG
from shared.domains.accounts import Role, Scope
from shared.domains.ops import audit
from shared.domains.ops.audit import AuditFilter
from shared.errors import InvalidInput


class ActorResource(Resource):
    id: UUID
    name: str
    role: str
    credential: str = Field(
        description="What proved who it was: an API key's public id, a session, or open mode."
    )
    address: str | None


class AuditEntry(Resource):
    id: UUID
    object: Literal["audit_entry"]
    at: datetime
    actor: ActorResource
    action: str
    target: str
    details: dict[str, Any]


class AuditPage(Resource):
    data: list[AuditEntry]
    next: str | None


class AuditQuery(PageQuery):
    action: str | None = Field(
        None, max_length=100, description="`queue.pause`, or `queue` for all about queues."
    )
    target: str | None = Field(None, max_length=200, description="Such as `queue:image` or `job:…`.")
    actor: str | None = Field(None, max_length=300, description="Their id or name.")
    since: Instant | None = None
    until: Instant | None = None


@operation(
    "GET",
    f"{PREFIX}/audit",
    tag=TAG,
    summary="See who did what",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(Answer(200, "A page, newest first", AuditPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_audit(request: Request[None, AuditQuery]) -> Reply:
    """Every action of an operator, written with the action itself. Nothing is ever changed here, and all is kept for
    seven years."""
    asked, limit, after = request.query, request.query.limit, position_id(request)
    where = AuditFilter(asked.action, asked.target, asked.actor, asked.since, asked.until)
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await audit.read(tx, where, after, limit + 1)
    shown = rows[:limit]
    more = [str(shown[-1]["id"])] if len(rows) > limit else None
    return page(request, [_entry(row) for row in shown], more)


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "object": "audit_entry",
        "at": row["at"],
        "actor": {
            "id": row["actor_id"],
            "name": row["actor"],
            "role": row["role"],
            "credential": row["credential"],
            "address": row["address"],
        },
        "action": row["action"],
        "target": row["target"],
        "details": row["details"],
    }


operations = (list_audit,)
