"""Providers: how they do, what they may do, which come first, and a way to forget what is held against one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.actors import actor_of
from gateway.generation_request import Name
from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.resources import Resource
from shared.catalog import ModelCard, is_retired
from shared.domains import providers
from shared.domains.accounts import Role, Scope
from shared.domains.ops import providers as ops
from shared.domains.providers import MAX_ORDER, Order, Wish
from shared.errors import InvalidInput, NotFound

TAG = "Providers"


class LimitsResource(Resource):
    rpm: int | None = Field(description="New calls per minute; null is no limit.")
    concurrent: int | None = Field(description="Calls at once; null is no limit.")


class CredentialResource(Resource):
    """How one account at a provider does."""

    credential: str = Field(description="`platform` for ours.")
    status: Literal["unknown", "healthy", "degraded", "down"]
    error_rate: float = Field(description="Share of calls that fail, 0 to 1; the newest weigh most.")
    response_ms: float | None = Field(description="How long submits take to be answered.")
    cooldown_until: datetime | None = Field(description="Nothing is sent before.")
    probing: bool = Field(description="Whether one call looks right now if it is back.")
    reason: str | None = Field(description="The last failure or limit, while it matters.")
    last_success_at: datetime | None
    last_failure_at: datetime | None
    limits: LimitsResource


class ProviderResource(Resource):
    id: str
    object: Literal["provider"]
    kinds: list[str]
    models: list[str] = Field(description="Ids of its models, as `GET /api/v1/models` has them.")
    available: bool
    reason: str | None = Field(description="Why it is not available.")
    priority: int | None = Field(description="Its place in your order; null when you gave it none.")
    enabled: bool = Field(description="Whether it may serve you.")
    credentials: list[CredentialResource]


class ProviderList(Resource):
    data: list[ProviderResource]


class ResetResource(Resource):
    id: str
    reset: int = Field(description="Credentials that had a state to forget.")


class WishResource(Resource):
    provider: str
    priority: int
    enabled: bool


class OrderResource(Resource):
    data: list[WishResource]


class WishRequest(Body):
    provider: Name
    enabled: bool = True


class OrderRequest(Body):
    providers: Annotated[list[WishRequest], Field(max_length=MAX_ORDER)] = Field(
        description="The first is tried first. Those left out come after these, by the ranks of their models."
    )


@operation(
    "GET",
    "/api/v1/providers",
    tag=TAG,
    summary="List providers",
    scope=Scope.READ,
    answers=(Answer(200, "All providers and how they do", ProviderList),),
)
async def list_providers(request: Request[None, None]) -> Reply:
    """With what they can make, their health, cool-downs and limits by credential, and their place in your order."""
    cards: dict[str, list[ModelCard]] = defaultdict(list)
    for card in await request.deps.catalog.cards():
        cards[card.provider].append(card)
    states: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    async with request.deps.db.transaction(request.account_id) as tx:
        for row in await providers.states(tx):
            states[row["provider"]].append(row)
        order = await providers.order(tx, request.account_id)
    names = sorted(cards, key=lambda name: (order.place(name), name))
    return reply({"data": [_provider(name, cards[name], states[name], order) for name in names]})


@operation(
    "POST",
    "/api/v1/providers/{provider}/reset",
    tag=TAG,
    summary="Forget a provider's failures and cool-downs",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "It is tried again at once (within a second everywhere)", ResetResource),),
    errors=(NotFound,),
)
async def reset_provider(request: Request[None, None]) -> Reply:
    """For when you know that it is well again. What waits for it comes back within a minute."""
    name = await known_provider(request)
    return reply({"id": name, "reset": await ops.reset(request.deps.db, actor_of(request), name)})


@operation(
    "GET",
    "/api/v1/providers/order",
    tag=TAG,
    summary="Get your order of providers",
    scope=Scope.READ,
    answers=(Answer(200, "The first choice first", OrderResource),),
)
async def get_order(request: Request[None, None]) -> Reply:
    """Empty when you have none: then models decide by their ranks."""
    async with request.deps.db.transaction(request.account_id) as tx:
        order = await providers.order(tx, request.account_id)
    return reply(_order(order))


@operation(
    "PUT",
    "/api/v1/providers/order",
    tag=TAG,
    summary="Set your order of providers",
    scope=Scope.WRITE,
    answers=(Answer(200, "The new order", OrderResource),),
    errors=(InvalidInput,),
    example={"providers": [{"provider": "replicate"}, {"provider": "openai", "enabled": False}]},
)
async def put_order(request: Request[OrderRequest, None]) -> Reply:
    """Replaces the whole order; an empty one forgets it. A request's own `provider.order` goes before it, and
    what is not enabled serves no request of yours. It holds for what is submitted from now on (within five
    seconds everywhere).
    """
    known = frozenset(card.provider for card in await request.deps.catalog.cards())
    wishes = [Wish(wish.provider, n, wish.enabled) for n, wish in enumerate(request.body.providers, start=1)]
    async with request.deps.db.transaction(request.account_id) as tx:
        await providers.set_order(tx, request.account_id, wishes, known)
    request.deps.admitter.orders.forget(request.account_id)
    return reply(_order(Order(wishes)))


async def known_provider(request: Request[Any, Any]) -> str:
    """The provider in the path. Raises NotFound."""
    name = request.raw.match_info["provider"]
    if all(card.provider != name for card in await request.deps.catalog.cards()):
        raise NotFound(f"There is no provider {name[:64]!r}.")
    return name


def _provider(
    name: str, cards: Sequence[ModelCard], states: Sequence[Mapping[str, Any]], order: Order
) -> dict[str, Any]:
    obstacles = [order.obstacle(card) for card in cards]
    available = any(
        obstacle is None and not is_retired(card) for card, obstacle in zip(cards, obstacles, strict=True)
    )
    return {
        "id": name,
        "object": "provider",
        "kinds": sorted({card.kind for card in cards}),
        "models": [card.id for card in cards],
        "available": available,
        "reason": None if available else next(iter(obstacles), None),
        "priority": order.places.get(name),
        "enabled": name not in order.disabled,
        "credentials": [render_credential(row) for row in states],
    }


def render_credential(row: Mapping[str, Any]) -> dict[str, Any]:
    troubled = row["status"] in {"degraded", "down"} or row["cooldown_until"] is not None
    return {
        "credential": row["credential"],
        "status": row["status"],
        "error_rate": round(max(row["error_rates"].values(), default=0.0), 3),
        "response_ms": None if row["response_ms"] is None else round(row["response_ms"], 1),
        "cooldown_until": row["cooldown_until"],
        "probing": row["probing"],
        "reason": row["error_message"] if troubled else None,
        "last_success_at": row["last_success_at"],
        "last_failure_at": row["last_failure_at"],
        "limits": {"rpm": row["rpm"], "concurrent": row["concurrent"]},
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "data": [
            {"provider": wish.provider, "priority": wish.priority, "enabled": wish.enabled}
            for wish in order.wishes
            if wish.priority is not None
        ]
    }


operations = (list_providers, reset_provider, get_order, put_order)
