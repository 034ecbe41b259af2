"""Prices: what each model is billed by, and what an operator knows better than the model's card."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gateway.actors import actor_of
from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.resources import Resource
from shared.catalog import ModelCard, Price, own_cards
from shared.domains import prices
from shared.domains.accounts import Role, Scope
from shared.domains.ops.audit import deed
from shared.domains.prices import MOST_ENTRIES, Difference, Imported, NewPrice
from shared.errors import InvalidInput
from shared.money import NANOS_PER_USD

TAG = "Prices"

Rate = Annotated[Decimal, Field(strict=False, ge=0, le=100_000, max_digits=30)]
Day = Annotated[date, Field(strict=False, ge=date(2020, 1, 1), le=date(2100, 1, 1))]

EXAMPLE = {
    "prices": [
        {
            "card": "replicate/flux-1.1-pro",
            "effective_from": "2026-12-01",
            "source": "Replicate's pricing page of 2026-11-28",
            "usd": {"image": "0.04"},
        }
    ]
}


class PriceEntry(Body):
    card: str = Field(min_length=1, max_length=200, description="A model's id.")
    effective_from: Day = Field(description="From the beginning of this day, in UTC.")
    source: str = Field(min_length=1, max_length=300, description="Where the price was read.")
    usd: dict[str, Rate] | None = Field(
        None, min_length=1, max_length=10, description="Dollars per unit. Numbers may be sent as text."
    )
    reset: bool = Field(False, description="In place of `usd`: back to the price of the model's own card.")

    @model_validator(mode="after")
    def _usd_or_reset(self) -> "PriceEntry":
        if (self.usd is None) != self.reset:
            raise ValueError("give either usd or reset")
        return self

    def read(self) -> NewPrice:
        units = None if self.usd is None else {unit: _nanos(rate) for unit, rate in self.usd.items()}
        return NewPrice(self.card, self.effective_from, units, self.source)


class PriceList(Body):
    prices: list[PriceEntry] = Field(min_length=1, max_length=MOST_ENTRIES)


class PriceInForce(Resource):
    price_id: str
    units: dict[str, str] = Field(description="Nano-dollars per unit, exact.")
    usd: dict[str, str] = Field(description="The same in dollars.")
    effective_from: date
    source: str


class ImportedPrice(Resource):
    effective_from: date
    is_to_come: bool = Field(description="Whether its day has not begun.")
    price: PriceInForce | None = Field(description="Null gives the model its card's own price back.")
    source: str


class PricedModel(Resource):
    card: str
    kind: str
    provider: str
    origin: Literal["card", "import"] | None = Field(description="Where today's price comes from.")
    price: PriceInForce | None = Field(description="Today's price; null is unknown, not free.")
    own: PriceInForce | None = Field(description="What the card itself says.")
    imported: list[ImportedPrice] = Field(description="All that was imported for it, oldest first.")


class PricedModels(Resource):
    data: list[PricedModel]


class PriceChange(Resource):
    card: str
    effective_from: date
    change: Literal["new", "changed", "same", "reset"]
    before: PriceInForce | None
    after: PriceInForce | None


class PriceChanges(Resource):
    data: list[PriceChange]
    changed: int = Field(description="How many entries change something.")


@operation(
    "GET",
    "/api/v1/prices",
    tag=TAG,
    summary="List prices",
    scope=Scope.READ,
    answers=(Answer(200, "The price of every model today, and what was imported", PricedModels),),
)
async def list_prices(request: Request[None, None]) -> Reply:
    """In order of the models' ids."""
    db = request.deps.db
    owned, known = await own_cards(db), await prices.history(db)
    today = datetime.now(UTC).date()
    return reply({"data": [_priced(owned[card], known.get(card, ()), today) for card in sorted(owned)]})


@operation(
    "POST",
    "/api/v1/prices",
    tag=TAG,
    summary="Import prices",
    scope=Scope.ADMIN,
    role=Role.ADMIN,
    answers=(Answer(200, "What was changed", PriceChanges),),
    errors=(InvalidInput,),
    example=EXAMPLE,
)
async def import_prices(request: Request[PriceList, None]) -> Reply:
    """All entries, or none when one is wrong. Each overrides its model's price from its day on; what was admitted
    before keeps the price that it was admitted with. Importing the same again changes nothing.
    """
    new = [entry.read() for entry in request.body.prices]
    db = request.deps.db
    owned = await own_cards(db)
    async with deed(db, actor_of(request), "price.import", "prices") as done:
        found = await prices.import_prices(done.tx, new, owned, request.account_id)
        done.details["cards"] = sorted({one.card.id for one in found if one.change != "same"})
    request.deps.catalog.forget()
    return _changes(found)


@operation(
    "POST",
    "/api/v1/prices:diff",
    tag=TAG,
    summary="See what an import would change",
    scope=Scope.ADMIN,
    role=Role.ADMIN,
    answers=(Answer(200, "What would be changed", PriceChanges),),
    errors=(InvalidInput,),
    example=EXAMPLE,
)
async def diff_prices(request: Request[PriceList, None]) -> Reply:
    """Takes what an import takes, refuses what it would refuse, and writes nothing."""
    new = [entry.read() for entry in request.body.prices]
    db = request.deps.db
    return _changes(prices.compare(new, await own_cards(db), await prices.history(db)))


def _nanos(dollars: Decimal) -> Decimal:
    return Decimal(f"{(dollars * NANOS_PER_USD).normalize():f}")


def _priced(card: ModelCard, imported: Sequence[Imported], today: date) -> dict[str, Any]:
    price = prices.price_on(today, imported, card.price)
    return {
        "card": card.id,
        "kind": card.kind,
        "provider": card.provider,
        "origin": None if price is None else "card" if price is card.price else "import",
        "price": _shown(card, price),
        "own": _shown(card, card.price),
        "imported": [
            {
                "effective_from": one.effective_from,
                "is_to_come": one.effective_from > today,
                "price": None if one.units is None else _shown(card, prices.as_price(one)),
                "source": one.source,
            }
            for one in imported
        ],
    }


def _changes(found: Sequence[Difference]) -> Reply:
    rows = [
        {
            "card": one.card.id,
            "effective_from": one.effective_from,
            "change": one.change,
            "before": _shown(one.card, one.before),
            "after": _shown(one.card, one.after),
        }
        for one in found
    ]
    return reply({"data": rows, "changed": sum(one.change != "same" for one in found)})


def _shown(card: ModelCard, price: Price | None) -> dict[str, Any] | None:
    if price is None:
        return None
    return {
        "price_id": price.id_for(card.id),
        "units": {unit: str(rate) for unit, rate in price.units.items()},
        "usd": {unit: f"{(rate / NANOS_PER_USD).normalize():f}" for unit, rate in price.units.items()},
        "effective_from": price.effective_from,
        "source": price.source,
    }


operations = (list_prices, import_prices, diff_prices)
