"""From a model name to candidate routes with frozen prices. Which of them runs is the worker's choice."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.catalog import Catalog, ModelCard, is_retired
from shared.domains.provider_keys import PLATFORM, billed_to
from shared.domains.providers import NO_WISHES, Order
from shared.errors import InvalidInput, ModelRetired, NoProvider
from shared.kinds import KINDS, Parameters
from shared.money import Nanos


@dataclass(frozen=True, slots=True)
class Route:
    """One way to serve a request. `as_json` is what `generations.routes` keeps."""

    card: ModelCard
    estimate: Nanos | None
    size: str
    """The class of sizes by which run times are kept; see `Kind.size`."""
    credential: str = PLATFORM
    """Whose account at the provider serves it: the platform's, or one of the caller's own keys."""

    def as_json(self) -> dict[str, Any]:
        card = self.card
        return {
            "card": card.id,
            "provider": card.provider,
            "model": card.model,
            "price_id": card.price_id,
            "price": card.price.as_json() if card.price else None,
            "estimate_nanos": self.estimate,
            "expected_s": card.expected_s,
            "size": self.size,
            "on_unknown": card.on_unknown,
            "credential": self.credential,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request would run on and cost. `reserve` covers the dearest candidate that the platform pays for."""

    model: str
    routes: Sequence[Route]
    warnings: Sequence[Mapping[str, Any]]
    reserve: Nanos = field(init=False)

    def __post_init__(self) -> None:
        ours = [route.estimate or 0 for route in self.routes if billed_to(route.credential) == "platform"]
        object.__setattr__(self, "reserve", Nanos(max(ours, default=0)))

    @property
    def billed_to(self) -> str:
        """Who pays for the first choice: `platform` or `byok`."""
        return billed_to(self.routes[0].credential)

    @property
    def payees(self) -> frozenset[str]:
        """The providers that may serve it at the platform's expense."""
        return frozenset(
            route.card.provider for route in self.routes if billed_to(route.credential) == "platform"
        )

    @property
    def estimate(self) -> Nanos | None:
        return self.routes[0].estimate

    def without(self, providers: Collection[str]) -> "Plan | None":
        """Without what these would serve at the platform's expense; None when nothing is left."""
        kept = [
            route
            for route in self.routes
            if route.card.provider not in providers or billed_to(route.credential) == "byok"
        ]
        return Plan(self.model, kept, self.warnings) if kept else None


async def plan_routes(
    catalog: Catalog, kind: str, model: str | None, parameters: Parameters, prefer: Mapping[str, Any],
    wishes: Order = NO_WISHES,
) -> Plan:  # fmt: skip
    """The routes in the order of the request's preference, then of the account's wishes, then of rank.

    Raises InvalidInput (field), ModelRetired or NoProvider when there is no route.
    """
    given = _said(parameters)
    name = model or await default_model(catalog, kind, prefer, wishes)
    cards = await catalog.find(name, kind)
    if not cards:
        raise InvalidInput(f"No model for {kind} is called {name!r}.", field="model", status=422, model=name)
    live = [card for card in cards if not is_retired(card)]
    if not live:
        raise ModelRetired(
            f"{name} was retired on {cards[0].shutdown_on}.", field="model", successor=cards[0].successor
        )
    ready = _in_order([card for card in live if wishes.obstacle(card) is None], prefer, wishes)
    if not ready:
        reason = wishes.obstacle(live[0]) or "none of the providers that may serve it is ready"
        if any(wishes.obstacle(card) is None and card.provider in wishes.disabled for card in live):
            reason = "your order of providers leaves out those that could"
        raise NoProvider(f"{name} cannot run here: {reason}.", field="model")
    refusals = [(card, card.refusal(given.of_interest_to(card))) for card in ready]
    capable = [card for card, refusal in refusals if refusal is None]
    if not capable:
        where, why = next(refusal for _, refusal in refusals if refusal is not None)
        raise InvalidInput(f"{why}.", field=f"input.{where}", status=422)
    size = KINDS[kind].size(parameters)
    routes = [Route(card, card.estimate(parameters), size, wishes.credential(card)) for card in capable]
    return Plan(name, routes, [warning for card in capable[:1] for warning in _warnings(card, name)])


@dataclass(frozen=True, slots=True)
class _Said:
    """The parameters as the caller gave them, and those among them that are not the kind's defaults."""

    all: Mapping[str, Any]
    special: Mapping[str, Any]

    def of_interest_to(self, card: ModelCard) -> dict[str, Any]:
        """A default that was given all the same must fit a card's limits, but a card need not know of it."""
        return {
            name: value for name, value in self.all.items() if name in self.special or name in card.limits
        }


def _said(parameters: Parameters) -> _Said:
    special = parameters.model_dump(exclude_none=True, exclude_defaults=True)
    return _Said(parameters.model_dump(exclude_none=True, exclude_unset=True) | special, special)


async def ready_cards(catalog: Catalog, kind: str, model: str, wishes: Order) -> Sequence[ModelCard]:
    """The cards that may serve this name for the account now, its first choice first; empty when none is ready."""
    cards = await catalog.find(model, kind)
    ready = [card for card in cards if not is_retired(card) and wishes.obstacle(card) is None]
    return _in_order(ready, {}, wishes)


async def default_model(catalog: Catalog, kind: str, prefer: Mapping[str, Any], wishes: Order) -> str:
    """The name of what makes this kind when nobody says. Raises NoProvider."""
    own = wishes.defaults.get(kind)
    if own is not None and await catalog.find(own, kind):
        return own
    cards = await catalog.cards(kind)
    live = [card for card in cards if wishes.obstacle(card) is None and not is_retired(card)]
    for card in _in_order(live, prefer, wishes):
        return card.aliases[0] if card.aliases else card.id
    raise NoProvider(f"Nothing here can make {kind} at the moment.", field="kind")


def _in_order(cards: Sequence[ModelCard], prefer: Mapping[str, Any], wishes: Order) -> list[ModelCard]:
    """The caller's providers first, then by the account's wishes, then by rank; without fallbacks only the
    first, and none but theirs. What the account disabled never serves."""
    order = list(prefer.get("order") or ())

    def place(card: ModelCard) -> tuple[float, ...]:
        asked = order.index(card.provider) if card.provider in order else len(order)
        return asked, wishes.place(card.provider), card.rank

    ranked = sorted((card for card in cards if card.provider not in wishes.disabled), key=place)
    if prefer.get("fallbacks", wishes.fallbacks):
        return ranked
    return [card for card in ranked[:1] if not order or card.provider in order]


def _warnings(card: ModelCard, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if name in card.replaces:
        retired_on = card.replaces[name].isoformat()
        found.append({"code": "MODEL_REPLACED", "model": name, "date": retired_on, "successor": card.id})
    if card.shutdown_on is not None:
        day = card.shutdown_on.isoformat()
        found.append({"code": "MODEL_SHUTDOWN", "date": day, "successor": card.successor})
    return found
