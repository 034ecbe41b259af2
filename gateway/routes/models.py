"""Models: what can be asked for, with which parameters, at what price."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from gateway.generation_request import KindName
from gateway.http import Answer, Query, Reply, Request, operation, reply
from gateway.resources import ModelResource, Resource, render_model
from shared.catalog import Catalog, ModelCard
from shared.domains.accounts import Scope
from shared.domains.providers import Order
from shared.errors import NotFound

TAG = "Models"


class ModelList(Resource):
    data: list[ModelResource]


class ModelWithRoutes(ModelResource):
    routes: list[str] = Field(description="Ids of all models that this name stands for, first choice first.")


class ModelQuery(Query):
    kind: KindName | None = None
    available: bool | None = Field(
        None, description="Only those that can run now, or only those that cannot."
    )


@operation(
    "GET",
    "/api/v1/models",
    tag=TAG,
    summary="List models",
    scope=Scope.READ,
    answers=(Answer(200, "All models, best rank first", ModelList),),
)
async def list_models(request: Request[None, ModelQuery]) -> Reply:
    """Each with its aliases, JSON Schema of parameters, price, limits, shutdown date and successor."""
    cards = await request.deps.catalog.cards(request.query.kind)
    order = await request.deps.admitter.orders.of(request.account_id)
    models = [render_model(card, order) for card in cards]
    wanted = request.query.available
    return reply({"data": [model for model in models if wanted is None or model["available"] == wanted]})


class OneModelQuery(Query):
    kind: KindName | None = Field(None, description="For names that several kinds share, such as `local`.")


@operation(
    "GET",
    "/api/v1/models/{id:.+}",
    tag=TAG,
    summary="Get a model",
    scope=Scope.READ,
    answers=(Answer(200, "The model that the name stands for", ModelWithRoutes),),
    errors=(NotFound,),
)
async def get_model(request: Request[None, OneModelQuery]) -> Reply:
    """By id (`local/image`), provider's name or alias (`flux-2`). An alias gives its first choice."""
    name = request.raw.match_info["id"].rstrip("/")
    order = await request.deps.admitter.orders.of(request.account_id)
    found = await _named(request.deps.catalog, name, request.query.kind, order)
    if not found:
        raise NotFound(f"There is no model {name[:200]!r}.", field="id")
    resource: dict[str, Any] = render_model(found[0], order)
    return reply({**resource, "routes": [card.id for card in found]})


async def _named(catalog: Catalog, name: str, kind: str | None, order: Order) -> Sequence[ModelCard]:
    """Cards that the name stands for, an exact id before aliases, available ones first."""
    cards = [card for card in await catalog.cards(kind) if name in (card.id, card.model, *card.aliases)]
    return sorted(cards, key=lambda card: (card.id != name, order.obstacle(card) is not None, card.rank))


operations = (list_models, get_model)
