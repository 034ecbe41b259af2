"""A request that names a product, made to fit the models that are here.

Pages of the seeds name products (`flux-2`, `coqui`) and send every slider of their form. A product that nobody here
serves gives way to another, and what the chosen model has no such slider for is left out; both are told as warnings.
Everything else that a model cannot honour stays, so that it is refused with its limit.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.catalog import Catalog, ModelCard
from shared.domains.providers import Order
from shared.domains.routing import default_model, ready_cards
from shared.kinds import KINDS

OF_ITS_MODEL = frozenset({"voice"})
"""Values that are names of one model's own, and mean nothing to another."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What to ask for instead. `at_once` is how many outputs one run gives at most."""

    model: str
    given: dict[str, Any]
    warnings: Sequence[Mapping[str, Any]]
    at_once: int


async def fit(
    catalog: Catalog, kind: str, products: Sequence[str], given: Mapping[str, Any], hints: Collection[str],
    wishes: Order,
) -> Fit:  # fmt: skip
    """The first of the products that somebody here serves, else the kind's default, with as many of the `hints` as
    it takes. Raises NoProvider when nobody can make the kind."""
    model, cards = await _served(catalog, kind, products, wishes)
    warnings: list[Mapping[str, Any]] = []
    asked = dict(given)
    if model != products[0]:
        warnings.append({"code": "MODEL_UNAVAILABLE", "model": products[0], "successor": model})
        asked = {name: value for name, value in asked.items() if name not in OF_ITS_MODEL}
    card = _able(kind, cards, {name: value for name, value in asked.items() if name not in (*hints, "count")})
    left_out = [name for name in hints if name in asked and _refuses(card, name, asked[name])]
    # Nobody misses what would have been the kind's default.
    missed = [name for name in left_out if asked[name] != KINDS[kind].parameters.model_fields[name].default]
    warnings += [{"code": "PARAMETER_IGNORED", "parameter": name, "model": card.id} for name in missed]
    kept = {name: value for name, value in asked.items() if name not in left_out}
    return Fit(model, kept, warnings, _at_once(card))


async def _served(
    catalog: Catalog, kind: str, products: Sequence[str], wishes: Order
) -> tuple[str, Sequence[ModelCard]]:
    for name in products:
        if cards := await ready_cards(catalog, kind, name, wishes):
            return name, cards
    name = await default_model(catalog, kind, {}, wishes)
    return name, await ready_cards(catalog, kind, name, wishes)


def _able(kind: str, cards: Sequence[ModelCard], firm: Mapping[str, Any]) -> ModelCard:
    """The first that takes what must not be left out; the first of all when none does. Defaults are no demand."""
    fields = KINDS[kind].parameters.model_fields
    demands = {name: value for name, value in firm.items() if value != fields[name].default}
    return next((card for card in cards if card.refusal(demands) is None), cards[0])


def _refuses(card: ModelCard, name: str, value: Any) -> bool:
    refusal = card.refusal({name: value})
    return refusal is not None and refusal[0] == name


def _at_once(card: ModelCard) -> int:
    most = card.limits.get("count", {}).get("maximum", 4) if "count" in card.accepts else 1
    return int(most)
