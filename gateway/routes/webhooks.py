"""Outgoing webhooks: who is told of what, with which secret, and what became of each message."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from gateway.http import NO_HEADERS, Answer, Body, Reply, Request, encode, operation, reply
from gateway.pagination import PageQuery, page, position
from gateway.resources import API, Resource
from shared.domains import deliveries, webhooks
from shared.domains.accounts import Scope
from shared.domains.deliveries import ENDED, TYPES, LogFilter
from shared.domains.webhooks import MAX_ENDPOINTS, MAX_OVERLAP_S, EndpointChange, Signing
from shared.errors import Conflict, InvalidInput, NotFound
from shared.netguard import MAX_URL_LENGTH, check_url

TAG = "Webhooks"
DAY_S = 86_400
EXAMPLE = {"url": "https://example.org/penstock", "events": ["generation.completed", "generation.failed"]}


def _known_type(name: str) -> str:
    if name not in TYPES:
        raise ValueError(f"must be one of {', '.join(TYPES)}")
    return name


EventName = Annotated[str, AfterValidator(_known_type), Field(json_schema_extra={"enum": list(TYPES)})]
Events = Annotated[
    list[EventName], Field(min_length=1, max_length=len(TYPES), description="What it is told of.")
]
Url = Annotated[str, Field(max_length=MAX_URL_LENGTH, description="https, at a public address.")]
Description = Annotated[str, Field(max_length=500)]
State = Literal["pending", "delivered", "failed", "abandoned"]


class EndpointResource(Resource):
    id: UUID
    object: Literal["webhook"]
    url: str
    events: list[str]
    description: str
    enabled: bool
    disabled_reason: str | None = Field(description="Why we disabled it; null when you did.")
    created_at: datetime


class NewEndpointResource(EndpointResource):
    secret: str | None = Field(description="`whsec_…`, shown this once; null when the answer is repeated.")


class EndpointList(Resource):
    data: list[EndpointResource]


class SecretResource(Resource):
    secret: str | None = Field(description="`whsec_…`; null when the answer to a rotation is repeated.")
    created_at: datetime
    previous_expires_at: datetime | None = Field(description="Until then the secret before it signs too.")


class DeliveryResource(Resource):
    """One message to one receiver, with what came of it so far."""

    id: UUID = Field(description="The `webhook-id` of every attempt.")
    object: Literal["webhook_delivery"]
    webhook_id: UUID | None = Field(description="The endpoint; null when a request named the `url`.")
    url: str | None
    type: str
    generation_id: UUID | None
    data: dict[str, Any]
    state: State
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None = Field(
        description="The HTTP status of the last attempt; null without an answer."
    )
    last_response: str | None = Field(description="How its body begins.")
    last_error: str | None
    last_attempt_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


class DeliveryPage(Resource):
    data: list[DeliveryResource]
    next: str | None


class EndpointRequest(Body):
    url: Url
    events: Events = Field(default_factory=lambda: list(ENDED))
    description: Description = ""
    enabled: bool = True


class EndpointPatch(Body):
    """What is left out stays as it is."""

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    enabled: bool | None = None


class SecretRotation(Body):
    overlap_s: int = Field(
        DAY_S,
        ge=0,
        le=MAX_OVERLAP_S,
        description="How long the old secret goes on signing beside the new one.",
    )


class DeliveryQuery(PageQuery):
    state: State | None = None


class AllDeliveriesQuery(DeliveryQuery):
    generation: UUID | None = None


@operation(
    "GET",
    "/api/v1/webhooks",
    tag=TAG,
    summary="List webhook endpoints",
    scope=Scope.READ,
    answers=(Answer(200, "All endpoints", EndpointList),),
)
async def list_webhooks(request: Request[None, None]) -> Reply:
    """Newest first, without their secrets."""
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await webhooks.list_endpoints(tx)
    return reply({"data": [_render(row) for row in rows]})


@operation(
    "POST",
    "/api/v1/webhooks",
    tag=TAG,
    summary="Make a webhook endpoint",
    description=f"Its messages are signed as Standard Webhooks 1.0.0 with the secret that is shown this once. An "
    f"account has at most {MAX_ENDPOINTS} endpoints.",
    scope=Scope.WRITE,
    answers=(Answer(201, "The endpoint; keep its secret, it is not shown again", NewEndpointResource),),
    errors=(InvalidInput, Conflict),
    parameters=("Idempotency-Key",),
    example=EXAMPLE,
    idempotent=True,
)
async def create_webhook(request: Request[EndpointRequest, None]) -> Reply:
    asked = request.body
    await _check(request, asked.url)
    async with request.deps.db.transaction(request.account_id) as tx:
        row, secret = await webhooks.create(
            tx, request.account_id, _server_key(request), url=asked.url, events=_distinct(asked.events),
            description=asked.description, enabled=asked.enabled,
        )  # fmt: skip
    headers = {"Location": f"{API}/webhooks/{row['id']}"}
    return _shown_once(_render(row), secret, headers)


@operation(
    "GET",
    "/api/v1/webhooks/default/secret",
    tag=TAG,
    summary="Get the secret of webhooks that requests name",
    scope=Scope.WRITE,
    answers=(Answer(200, "The account's own secret", SecretResource),),
    errors=(Conflict,),
)
async def get_default_secret(request: Request[None, None]) -> Reply:
    """What goes to the `webhook` of a request has no endpoint, and is signed with this secret of the account. It is
    made when it is first needed."""
    async with request.deps.db.transaction(request.account_id) as tx:
        signing = await webhooks.own_secret(tx, request.account_id, _server_key(request))
    return Reply(
        encode(_render_signing(signing) | {"secret": signing.secret}), 200, {"Cache-Control": "no-store"}
    )


@operation(
    "POST",
    "/api/v1/webhooks/default/rotate",
    tag=TAG,
    summary="Replace the secret of webhooks that requests name",
    scope=Scope.WRITE,
    answers=(Answer(201, "The new secret; the old one signs too for `overlap_s`", SecretResource),),
    errors=(InvalidInput, Conflict),
    parameters=("Idempotency-Key",),
    example={"overlap_s": DAY_S},
    idempotent=True,
)
async def rotate_default_secret(request: Request[SecretRotation, None]) -> Reply:
    """During the overlap every message carries both signatures."""
    return await _rotate(request, None)


@operation(
    "GET",
    "/api/v1/webhooks/{id}",
    tag=TAG,
    summary="Get a webhook endpoint",
    scope=Scope.READ,
    answers=(Answer(200, "The endpoint", EndpointResource),),
    errors=(NotFound,),
)
async def get_webhook(request: Request[None, None]) -> Reply:
    """Without its secret."""
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await webhooks.get(tx, request.id())
    return reply(_render(row))


@operation(
    "PATCH",
    "/api/v1/webhooks/{id}",
    tag=TAG,
    summary="Change a webhook endpoint",
    scope=Scope.WRITE,
    answers=(Answer(200, "The endpoint as it is now", EndpointResource),),
    errors=(NotFound, InvalidInput),
    example={"events": ["generation.failed"]},
)
async def change_webhook(request: Request[EndpointPatch, None]) -> Reply:
    """A new URL is also that of what is still to be sent. Disabling gives up what is still to be sent."""
    asked, endpoint_id = request.body, request.id()
    if asked.url is not None:
        await _check(request, asked.url)
    events = _distinct(asked.events) if asked.events is not None else None
    wanted = EndpointChange(asked.url, events, asked.description, asked.enabled)
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await webhooks.change(tx, endpoint_id, wanted)
    return reply(_render(row))


@operation(
    "DELETE",
    "/api/v1/webhooks/{id}",
    tag=TAG,
    summary="Delete a webhook endpoint",
    scope=Scope.WRITE,
    answers=(Answer(204, "It is told of nothing any more"),),
    errors=(NotFound,),
)
async def delete_webhook(request: Request[None, None]) -> Reply:
    """What was sent to it stays in `GET /api/v1/deliveries` for 30 days."""
    async with request.deps.db.transaction(request.account_id) as tx:
        await webhooks.delete(tx, request.id())
    return Reply(None, 204)


@operation(
    "POST",
    "/api/v1/webhooks/{id}/rotate",
    tag=TAG,
    summary="Replace the secret of a webhook endpoint",
    scope=Scope.WRITE,
    answers=(Answer(201, "The new secret; the old one signs too for `overlap_s`", SecretResource),),
    errors=(NotFound, InvalidInput, Conflict),
    parameters=("Idempotency-Key",),
    example={"overlap_s": DAY_S},
    idempotent=True,
)
async def rotate_webhook(request: Request[SecretRotation, None]) -> Reply:
    """During the overlap every message carries both signatures. The new secret is shown this once."""
    return await _rotate(request, request.id())


@operation(
    "POST",
    "/api/v1/webhooks/{id}/test",
    tag=TAG,
    summary="Send a test message",
    scope=Scope.WRITE,
    answers=(Answer(202, "The message; look at it again for what came of it", DeliveryResource),),
    errors=(NotFound, Conflict),
)
async def send_test_message(request: Request[None, None]) -> Reply:
    """A message of the type `webhook.test`, whatever the endpoint's `events` are."""
    endpoint_id = request.id()
    async with request.deps.db.transaction(request.account_id) as tx:
        if not (await webhooks.get(tx, endpoint_id))["enabled"]:
            raise Conflict("This endpoint is disabled; enable it first.")
        data = {"webhook_id": str(endpoint_id), "sent_at": datetime.now(UTC).isoformat()}
        delivery_id = await deliveries.enqueue_test(tx, request.account_id, endpoint_id, data)
        row = await deliveries.get(tx, delivery_id)
    return reply(_render_delivery(row), 202)


@operation(
    "GET",
    "/api/v1/webhooks/{id}/deliveries",
    tag=TAG,
    summary="See what was sent to a webhook endpoint",
    scope=Scope.READ,
    answers=(Answer(200, "A page", DeliveryPage, headers=("Link",)),),
    errors=(NotFound, InvalidInput),
)
async def list_webhook_deliveries(request: Request[None, DeliveryQuery]) -> Reply:
    """Newest first, kept for 30 days."""
    endpoint_id = request.id()
    async with request.deps.db.transaction(request.account_id) as tx:
        await webhooks.get(tx, endpoint_id)
    return await _log(request, LogFilter(endpoint_id=endpoint_id, state=request.query.state))


@operation(
    "GET",
    "/api/v1/deliveries",
    tag=TAG,
    summary="See what was sent to webhooks",
    scope=Scope.READ,
    answers=(Answer(200, "A page", DeliveryPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_deliveries(request: Request[None, AllDeliveriesQuery]) -> Reply:
    """To all endpoints, also deleted ones, and to URLs that requests named. Newest first, kept for 30 days."""
    asked = request.query
    return await _log(request, LogFilter(generation_id=asked.generation, state=asked.state))


@operation(
    "POST",
    "/api/v1/deliveries/{id}/redeliver",
    tag=TAG,
    summary="Send a message again",
    scope=Scope.WRITE,
    answers=(Answer(202, "It is due now", DeliveryResource),),
    errors=(NotFound, Conflict),
)
async def redeliver(request: Request[None, None]) -> Reply:
    """The same message under the same `webhook-id`, whatever became of it before; the schedule begins anew."""
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await deliveries.redeliver(tx, request.id())
    return reply(_render_delivery(row), 202)


async def _check(request: Request[Any, Any], url: str) -> None:
    """Raises InvalidInput for a URL that would be refused when something is sent to it."""
    await check_url(url, field="url", allow_private=request.deps.settings.allow_private_urls)


def _distinct(events: list[str]) -> list[str]:
    return list(dict.fromkeys(events))


def _server_key(request: Request[Any, Any]) -> str:
    return request.deps.settings.secret_key.get_secret_value()


async def _rotate(request: Request[SecretRotation, None], endpoint_id: UUID | None) -> Reply:
    async with request.deps.db.transaction(request.account_id) as tx:
        signing = await webhooks.rotate(
            tx, request.account_id, _server_key(request), endpoint_id, request.body.overlap_s
        )
    return _shown_once(_render_signing(signing), signing.secret)


def _shown_once(resource: dict[str, Any], secret: str, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
    """A repetition under the same Idempotency-Key gets the answer without the secret."""
    return Reply(
        encode(resource | {"secret": secret}), 201, {"Cache-Control": "no-store", **headers},
        kept=encode(resource | {"secret": None}),
    )  # fmt: skip


async def _log[Q: DeliveryQuery](request: Request[None, Q], where: LogFilter) -> Reply:
    found, limit = position(request), request.query.limit
    after = (datetime.fromisoformat(found[0]), UUID(found[1])) if found else None
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await deliveries.page(tx, where, after, limit + 1)
    shown = rows[:limit]
    more = [shown[-1]["created_at"].isoformat(), str(shown[-1]["id"])] if len(rows) > limit else None
    return page(request, [_render_delivery(row) for row in shown], more)


def _render(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "object": "webhook",
        "url": row["url"],
        "events": row["events"],
        "description": row["description"],
        "enabled": row["enabled"],
        "disabled_reason": row["disabled_reason"],
        "created_at": row["created_at"],
    }


def _render_signing(signing: Signing) -> dict[str, Any]:
    """Without the secret."""
    return {"created_at": signing.created_at, "previous_expires_at": signing.previous_expires_at}


def _render_delivery(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "object": "webhook_delivery",
        "webhook_id": row["endpoint_id"],
        "url": row["url"],
        "type": row["type"],
        "generation_id": row["generation_id"],
        "data": row["data"],
        "state": row["state"],
        "attempts": row["attempts"],
        "next_attempt_at": row["next_at"],
        "last_status": row["status"],
        "last_response": row["response"],
        "last_error": row["error"],
        "last_attempt_at": row["attempted_at"],
        "created_at": row["created_at"],
        "delivered_at": row["delivered_at"],
    }


operations = (
    list_webhooks,
    create_webhook,
    get_default_secret,
    rotate_default_secret,
    get_webhook,
    change_webhook,
    delete_webhook,
    rotate_webhook,
    send_test_message,
    list_webhook_deliveries,
    list_deliveries,
    redeliver,
)
