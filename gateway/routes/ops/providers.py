"""Providers by the platform's credentials: health, limits and spend; letting one rest, trying it again, asking it."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator

from gateway.actors import actor_of
from gateway.http import Answer, Body, Query, Reply, Request, operation, reply
from gateway.instants import Instant
from gateway.resources import Money, Resource, money
from gateway.routes.ops.desk import PREFIX, TAG, polled
from gateway.routes.providers import CredentialResource, known_provider, render_credential
from shared.catalog import ModelCard
from shared.domains.accounts import Role, Scope
from shared.domains.ops import providers
from shared.errors import InvalidInput, NotFound

LONGEST_COOLDOWN_S = 30 * 86_400
LOOK_AGAIN_S = 0.25


class Spend(Resource):
    """What the platform paid, in UTC; what accounts pay by their own keys is not among it."""

    today: Money
    month: Money


class CheckResource(Resource):
    id: UUID
    provider: str
    state: Literal["pending", "done"] = Field(description="Pending until a maintenance worker has asked.")
    outcome: Literal["valid", "refused", "unreachable", "unset"] | None = Field(
        description="It answers and takes the key; it refuses the key; nothing clear; no key is set here."
    )
    took_ms: float | None
    asked_at: datetime
    done_at: datetime | None


class OpsProvider(Resource):
    id: str
    object: Literal["provider"]
    kinds: list[str]
    models: int
    available: bool
    reason: str | None = Field(description="Why it is not available.")
    status: Literal["unknown", "healthy", "degraded", "down"]
    credentials: list[CredentialResource]
    open_submissions: int = Field(description="Paid calls whose end is not known.")
    spend: Spend
    check: CheckResource | None = Field(description="The last one.")


class OpsProviderList(Resource):
    data: list[OpsProvider]


class CooldownRequest(Body):
    until: Instant | None = Field(None, strict=False)
    seconds: int | None = Field(None, ge=1, le=LONGEST_COOLDOWN_S)
    reason: str | None = Field(None, max_length=300)

    @model_validator(mode="after")
    def _until_or_seconds(self) -> Self:
        if (self.until is None) == (self.seconds is None):
            raise ValueError("give either until or seconds")
        return self


class CooldownResource(Resource):
    id: str
    cooldown_until: datetime


class OpsReset(Resource):
    id: str
    reset: int = Field(description="Credentials that had a state to forget.")


class CheckQuery(Query):
    wait: int = Field(10, ge=0, le=30, description="Seconds to wait for what comes of it.")


@operation(
    "GET",
    f"{PREFIX}/providers",
    tag=TAG,
    summary="List providers with health and spend",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(
        Answer(200, "All providers", OpsProviderList, headers=("ETag",)),
        Answer(304, "Unchanged since the ETag in If-None-Match"),
    ),
    parameters=("If-None-Match",),
)
async def list_platform_providers(request: Request[None, None]) -> Reply:
    """How the platform's credentials do. Spend and open calls are at most 15 seconds old."""
    deps = request.deps
    cards: dict[str, list[ModelCard]] = defaultdict(list)
    for card in await deps.catalog.cards():
        cards[card.provider].append(card)
    states: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in await providers.states(deps.db):
        states[row["provider"]].append(row)
    totals = await deps.board.totals(request.account_id)
    checks = await providers.last_checks(deps.db)
    names = sorted(cards)
    return polled(
        request,
        {
            "data": [
                _provider(name, cards[name], states[name], totals.get(name, {}), checks.get(name))
                for name in names
            ]
        },
    )


@operation(
    "POST",
    f"{PREFIX}/providers/{{provider}}/cooldown",
    tag=TAG,
    summary="Let a provider rest",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "Until when", CooldownResource),),
    errors=(NotFound, InvalidInput),
    example={"seconds": 600, "reason": "their status page says so"},
)
async def cool_provider_down(request: Request[CooldownRequest, None]) -> Reply:
    """Nothing is submitted there by the platform's credential before that time (within a second everywhere): other
    routes are taken, or it is waited for. What is under way there is still followed.
    """
    name, asked = await known_provider(request), request.body
    until = asked.until or datetime.now(UTC) + timedelta(seconds=asked.seconds or 0)
    if not datetime.now(UTC) < until <= datetime.now(UTC) + timedelta(seconds=LONGEST_COOLDOWN_S):
        raise InvalidInput("That time is over, or more than 30 days away.", field="until", status=422)
    await providers.cool_down(request.deps.db, actor_of(request), name, until, asked.reason)
    return reply({"id": name, "cooldown_until": until})


@operation(
    "POST",
    f"{PREFIX}/providers/{{provider}}/reset",
    tag=TAG,
    summary="Forget a provider's failures and cool-downs, on the record",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "It is tried again at once (within a second everywhere)", OpsReset),),
    errors=(NotFound,),
)
async def reset_platform_provider(request: Request[None, None]) -> Reply:
    """For when you know that it is well again."""
    name = await known_provider(request)
    return reply({"id": name, "reset": await providers.reset(request.deps.db, actor_of(request), name)})


@operation(
    "POST",
    f"{PREFIX}/providers/{{provider}}/check",
    tag=TAG,
    summary="Ask a provider whether it answers",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(
        Answer(200, "What it said", CheckResource),
        Answer(202, "Nobody has asked it yet: look at the list later", CheckResource),
    ),
    errors=(NotFound, InvalidInput),
)
async def check_provider(request: Request[None, CheckQuery]) -> Reply:
    """A maintenance worker asks it with the platform's key, the cheapest thing that it answers; that costs nothing."""
    db, name = request.deps.db, await known_provider(request)
    check_id = await providers.ask_check(db, actor_of(request), name)
    wait_s = min(request.query.wait, request.deps.settings.max_wait_s)
    until = asyncio.get_running_loop().time() + wait_s
    while True:
        row = await providers.check(db, check_id)
        assert row is not None  # noqa: S101  # it was written just now and is kept for days
        if row["done_at"] is not None or asyncio.get_running_loop().time() >= until:
            return reply(_check(row), 200 if row["done_at"] is not None else 202)
        await asyncio.sleep(LOOK_AGAIN_S)


def _provider(
    name: str,
    cards: Sequence[ModelCard],
    states: Sequence[Mapping[str, Any]],
    totals: Mapping[str, Any],
    check: Mapping[str, Any] | None,
) -> dict[str, Any]:
    available = any(card.available for card in cards)
    ranks = ["unknown", "healthy", "degraded", "down"]
    return {
        "id": name,
        "object": "provider",
        "kinds": sorted({card.kind for card in cards}),
        "models": len(cards),
        "available": available,
        "reason": None if available else cards[0].unavailable_reason,
        "status": max((row["status"] for row in states), key=ranks.index, default="unknown"),
        "credentials": [render_credential(row) for row in states],
        "open_submissions": totals.get("open_submissions", 0),
        "spend": {"today": money(totals.get("today_nanos", 0)), "month": money(totals.get("month_nanos", 0))},
        "check": None if check is None else _check(check),
    }


def _check(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "state": "pending" if row["done_at"] is None else "done"}


operations = (list_platform_providers, cool_provider_down, reset_platform_provider, check_provider)
