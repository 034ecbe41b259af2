"""From a model name to candidate routes with frozen prices. Which of them runs is the worker's choice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.catalog import Catalog, ModelCard, is_retired
from shared.errors import InvalidInput, ModelRetired, NoProvider
from shared.kinds import Parameters
from shared.money import Nanos


@dataclass(frozen=True, slots=True)
class Route:
    """One way to serve a request. `as_json` is what `generations.routes` keeps."""

    card: ModelCard
    estimate: Nanos | None

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
            "on_unknown": card.on_unknown,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request would run on and cost. `reserve` covers the dearest candidate."""

    model: str
    routes: Sequence[Route]
    warnings: Sequence[Mapping[str, Any]]
    reserve: Nanos = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reserve", Nanos(max((route.estimate or 0) for route in self.routes)))

    @property
    def estimate(self) -> Nanos | None:
        return self.routes[0].estimate


async def plan_routes(
    catalog: Catalog, kind: str, model: str | None, parameters: Parameters, prefer: Mapping[str, Any]
) -> Plan:
    """Raises InvalidInput (field), ModelRetired or NoProvider when there is no route."""
    given = parameters.model_dump(exclude_none=True, exclude_defaults=True)
    name = model or await _default_model(catalog, kind)
    cards = await catalog.find(name, kind)
    if not cards:
        raise InvalidInput(f"No model for {kind} is called {name!r}.", field="model", status=422, model=name)
    live = [card for card in cards if not is_retired(card)]
    if not live:
        raise ModelRetired(
            f"{name} was retired on {cards[0].shutdown_on}.", field="model", successor=cards[0].successor
        )
    ready = _in_order([card for card in live if card.available], prefer)
    if not ready:
        reason = live[0].unavailable_reason or "none of the providers that may serve it is ready"
        raise NoProvider(f"{name} cannot run here: {reason}.", field="model")
    refusals = [(card, card.refusal(given)) for card in ready]
    capable = [card for card, refusal in refusals if refusal is None]
    if not capable:
        where, why = next(refusal for _, refusal in refusals if refusal is not None)
        raise InvalidInput(f"{why}.", field=f"input.{where}", status=422)
    routes = [Route(card, card.estimate(parameters)) for card in capable]
    return Plan(name, routes, [warning for card in capable[:1] for warning in _warnings(card, name)])


async def _default_model(catalog: Catalog, kind: str) -> str:
    for card in await catalog.cards(kind):
        if card.available and not is_retired(card):
            return card.aliases[0] if card.aliases else card.id
    raise NoProvider(f"Nothing here can make {kind} at the moment.", field="kind")


def _in_order(cards: Sequence[ModelCard], prefer: Mapping[str, Any]) -> list[ModelCard]:
    """The caller's providers first, then by rank; without fallbacks only the first, and none but theirs."""
    order = list(prefer.get("order") or ())
    ranked = sorted(
        cards,
        key=lambda card: (order.index(card.provider) if card.provider in order else len(order), card.rank),
    )
    if prefer.get("fallbacks", True):
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
