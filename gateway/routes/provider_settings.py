"""How an account's requests are routed: its providers' order, caps, defaults and fallbacks, in the workbench's
envelope."""

from typing import Annotated, Any

from pydantic import Field

from gateway.envelope import enveloped, enveloped_answer
from gateway.generation_request import KindName, Name
from gateway.http import Body, Reply, Request, operation
from gateway.resources import Resource
from shared.catalog import is_retired
from shared.domains import providers
from shared.domains.accounts import Scope
from shared.domains.providers import MAX_ORDER, Order, Wish
from shared.errors import InvalidInput
from shared.money import NANOS_PER_CENT, Nanos, cents

TAG = "Providers"
MOST_CENTS = 2**31 - 1


class ProviderSettingResource(Resource):
    provider: str
    kinds: list[str]
    available: bool
    reason: str | None = Field(description="Why it is not available.")
    priority: int | None = Field(description="Its place in your order; null when you gave it none.")
    enabled: bool = Field(description="Whether it may serve you.")
    monthly_cap_cents: int | None = Field(description="What it may cost you in a month; null is no cap.")
    takes_own_key: bool = Field(description="Whether you may bring along a key of your own.")
    own_key: bool = Field(description="Whether your own key serves you there.")


class ProviderSettingsResource(Resource):
    providers: list[ProviderSettingResource]
    defaults: dict[str, str] = Field(description="By kind, the model of requests that name none.")
    fallbacks: bool = Field(description="Whether another provider may serve when the first cannot.")


class ProviderSettingRequest(Body):
    provider: Name
    enabled: bool = True
    monthly_cap_cents: int | None = Field(
        None, ge=0, le=MOST_CENTS, description="Null lifts the cap; left out, it stays as it is."
    )


class ProviderSettingsRequest(Body):
    """What is left out stays as it is."""

    providers: Annotated[list[ProviderSettingRequest], Field(max_length=MAX_ORDER)] | None = Field(
        None, description="Your order, the first choice first. Those left out come after these."
    )
    defaults: dict[KindName, Name] | None = Field(
        None, description="By kind, the model of requests that name none; replaces all defaults."
    )
    fallbacks: bool | None = None


@operation(
    "GET",
    "/api/settings/providers",
    tag=TAG,
    summary="Get your settings of providers",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "All providers in your order", ProviderSettingsResource),),
)
async def get_provider_settings(request: Request[None, None]) -> Reply:
    """With what each can make, whether it may serve you and on whose key, and what it may cost you in a month."""
    async with request.deps.db.transaction(request.account_id) as tx:
        order = await providers.order(tx, request.account_id)
    return enveloped(await _settings(request, order))


@operation(
    "PUT",
    "/api/settings/providers",
    tag=TAG,
    summary="Change your settings of providers",
    scope=Scope.WRITE,
    answers=(enveloped_answer(200, "The settings as they are now", ProviderSettingsResource),),
    errors=(InvalidInput,),
    example={
        "providers": [
            {"provider": "replicate", "monthly_cap_cents": 5000},
            {"provider": "openai", "enabled": False},
        ],
        "defaults": {"image": "flux-2"},
        "fallbacks": True,
    },
)
async def put_provider_settings(request: Request[ProviderSettingsRequest, None]) -> Reply:
    """A request's own `provider` and `model` go before these. They hold for what is submitted from now on (within
    five seconds everywhere)."""
    asked, account_id = request.body, request.account_id
    known = frozenset(card.provider for card in await request.deps.catalog.cards())
    await _check_defaults(request, asked.defaults or {})
    async with request.deps.db.transaction(account_id) as tx:
        if asked.providers is not None:
            wishes = [Wish(one.provider, n, one.enabled) for n, one in enumerate(asked.providers, start=1)]
            await providers.set_order(tx, account_id, wishes, known)
            await providers.set_caps(tx, account_id, _caps(asked.providers))
        if asked.defaults is not None or asked.fallbacks is not None:
            await providers.set_routing(tx, account_id, defaults=asked.defaults, fallbacks=asked.fallbacks)
        order = await providers.order(tx, account_id)
    request.deps.admitter.orders.forget(account_id)
    return enveloped(await _settings(request, order), "The settings are changed.")


async def _check_defaults(request: Request[Any, Any], defaults: dict[str, str]) -> None:
    for kind, name in defaults.items():
        if not await request.deps.catalog.find(name, kind):
            field = f"defaults.{kind}"
            raise InvalidInput(f"No model for {kind} is called {name!r}.", field=field, status=422)


def _caps(given: list[ProviderSettingRequest]) -> dict[str, int | None]:
    return {
        one.provider: None if one.monthly_cap_cents is None else one.monthly_cap_cents * NANOS_PER_CENT
        for one in given
        if "monthly_cap_cents" in one.model_fields_set
    }


async def _settings(request: Request[Any, Any], order: Order) -> dict[str, Any]:
    cards = await request.deps.catalog.cards()
    names = sorted({card.provider for card in cards}, key=lambda name: (order.place(name), name))
    caps = {wish.provider: wish.monthly_cap_nanos for wish in order.wishes}
    found = []
    for name in names:
        own = [card for card in cards if card.provider == name]
        obstacles = [order.obstacle(card) for card in own if not is_retired(card)]
        cap = caps.get(name)
        found.append({
            "provider": name,
            "kinds": sorted({card.kind for card in own}),
            "available": None in obstacles,
            "reason": None if None in obstacles else next(iter(obstacles), "its models were retired"),
            "priority": order.places.get(name),
            "enabled": name not in order.disabled,
            "monthly_cap_cents": None if cap is None else cents(Nanos(cap)),
            "takes_own_key": any(card.own_key for card in own),
            "own_key": name in order.keys and order.keys[name].active,
        })  # fmt: skip
    return {"providers": found, "defaults": dict(order.defaults), "fallbacks": order.fallbacks}


operations = (get_provider_settings, put_provider_settings)
