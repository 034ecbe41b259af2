"""Model cards: what can be asked of whom, at what price.

Adapters write cards, workers publish them in `model_cards`, and everyone else reads them from there, so the
gateway needs to know no provider.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self

from shared.db import Database
from shared.kinds import KINDS, Parameters
from shared.money import Nanos, multiply

_CACHE_S = 2.0
_MISS_CACHE_S = 0.2


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs, in nano-dollars (maybe fractional). `units` are `Kind.units` names."""

    units: Mapping[str, Decimal]
    effective_from: date
    source: str
    _json: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        units = {unit: str(rate) for unit, rate in self.units.items()}
        effective_from = self.effective_from.isoformat()
        kept = {"units": units, "effective_from": effective_from, "source": self.source}
        object.__setattr__(self, "_json", kept)

    def estimate(self, quantities: Mapping[str, Decimal]) -> Nanos:
        """Nano-dollars for these quantities. Raises KeyError when a priced unit is not among them."""
        return Nanos(sum(multiply(rate, quantities[unit]) for unit, rate in self.units.items()))

    def as_json(self) -> dict[str, Any]:
        """Made once, for it is written into every route: it is not to be changed."""
        return self._json

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        units = {unit: Decimal(rate) for unit, rate in body["units"].items()}
        return cls(units, date.fromisoformat(body["effective_from"]), body["source"])


FREE = Price({"run": Decimal(0)}, date(2026, 1, 1), "runs on this machine")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One provider's model.

    `aliases` are the product names that resolve to it; among cards of one name the lowest `rank` goes first.
    `accepts` names the kind's parameters that it honours, `limits` narrows them in JSON Schema words
    (`maximum`, `enum`, `maxLength`). A price of None is unknown, which is not free. `expected_s` is a first
    guess of the run time. `on_unknown` says what to do with a submission whose fate cannot be found out:
    `retry` where a second charge is cheap, else `fail`.
    """

    provider: str
    model: str
    kind: str
    label: str
    description: str
    accepts: frozenset[str]
    price: Price | None
    expected_s: float
    aliases: tuple[str, ...] = ()
    rank: int = 100
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    licence: str | None = None
    shutdown_on: date | None = None
    successor: str | None = None
    on_unknown: str = "fail"
    typical_units: Mapping[str, Decimal] = field(default_factory=dict)
    """Quantities that only the provider knows, such as compute seconds, as estimated beforehand."""
    typical_per: str = "run"
    """The unit of the kind that `typical_units` are told for, such as `megapixel`."""
    replaces: Mapping[str, date] = field(default_factory=dict)
    """Aliases of models that were retired, with the day; who asks for one is told what runs instead."""
    available: bool = True
    unavailable_reason: str | None = None
    id: str = field(init=False, compare=False)
    names: frozenset[str] = field(init=False, repr=False, compare=False)
    """All names that a request may call it by."""
    price_id: str | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        card_id = f"{self.provider}/{self.model}" if self.provider != "local" else f"local/{self.kind}"
        price_id = f"{card_id}@{self.price.effective_from.isoformat()}" if self.price else None
        object.__setattr__(self, "id", card_id)
        object.__setattr__(self, "names", frozenset((card_id, self.model, *self.aliases)))
        object.__setattr__(self, "price_id", price_id)

    @property
    def schema(self) -> dict[str, Any]:
        return KINDS[self.kind].schema(self.accepts, self.limits)

    def refusal(self, given: Mapping[str, Any]) -> tuple[str, str] | None:
        """(field, reason) of the first given parameter that this model cannot honour, or None."""
        for name, value in given.items():
            if name not in self.accepts:
                return name, f"{self.label} does not take {name}"
            reason = _over_limit(value, self.limits.get(name, {}))
            if reason:
                return name, f"{self.label} takes {name} {reason}"
        return None

    def estimate(self, parameters: Parameters) -> Nanos | None:
        """Nano-dollars expected, or None without a price."""
        if self.price is None:
            return None
        units = KINDS[self.kind].units(parameters)
        typical = {unit: units[self.typical_per] * each for unit, each in self.typical_units.items()}
        return self.price.estimate({**units, **typical})


def _over_limit(value: Any, limit: Mapping[str, Any]) -> str | None:
    if "enum" in limit and value not in limit["enum"]:
        return f"only as one of {', '.join(map(str, limit['enum']))}"
    if "maximum" in limit and value > limit["maximum"]:
        return f"up to {limit['maximum']}"
    if "minimum" in limit and value < limit["minimum"]:
        return f"from {limit['minimum']}"
    if "maxLength" in limit and len(value) > limit["maxLength"]:
        return f"up to {limit['maxLength']} characters long"
    return None


class Catalog:
    """The published cards, read again when the copy is older than two seconds."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cards: tuple[ModelCard, ...] = ()
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def cards(self, kind: str | None = None) -> Sequence[ModelCard]:
        """All cards (of a kind), best rank first."""
        if time.monotonic() - self._read_at > _CACHE_S:
            # Everybody who comes now waits for one reader.
            async with self._reading:
                if time.monotonic() - self._read_at > _CACHE_S:
                    rows = await self._db.fetch("SELECT * FROM model_cards ORDER BY rank, id")
                    self._cards = tuple(_card(row) for row in rows)
                    self._read_at = time.monotonic()
        return [card for card in self._cards if kind is None or card.kind == kind]

    async def find(self, name: str, kind: str) -> Sequence[ModelCard]:
        """The cards that a model name stands for, best rank first; empty when nobody knows it."""
        found = [card for card in await self.cards(kind) if name in card.names]
        if not found and time.monotonic() - self._read_at > _MISS_CACHE_S:
            # It may have been published a moment ago.
            self._read_at = float("-inf")
            found = [card for card in await self.cards(kind) if name in card.names]
        return found

    async def card(self, card_id: str) -> ModelCard | None:
        return next((card for card in await self.cards() if card.id == card_id), None)


def _card(row: Mapping[str, Any]) -> ModelCard:
    limits = row["limits"]
    return ModelCard(
        provider=row["provider"],
        model=row["model"],
        kind=row["kind"],
        label=row["label"],
        description=row["description"],
        accepts=frozenset(row["parameters"]["properties"]),
        price=Price.from_json(row["price"]) if row["price"] else None,
        expected_s=row["expected_s"],
        aliases=tuple(row["aliases"]),
        rank=row["rank"],
        limits=limits["parameters"],
        licence=row["licence"],
        shutdown_on=row["shutdown_on"],
        successor=row["successor"],
        on_unknown=limits["on_unknown"],
        typical_units={unit: Decimal(value) for unit, value in limits["typical_units"].items()},
        typical_per=limits.get("typical_per", "run"),
        replaces={name: date.fromisoformat(day) for name, day in limits.get("replaces", {}).items()},
        available=row["available"],
        unavailable_reason=row["unavailable_reason"],
    )


PUBLISH_CARD = """
INSERT INTO model_cards (id, provider, model, kind, label, description, aliases, rank, parameters, limits,
    price, expected_s, licence, shutdown_on, successor, available, unavailable_reason, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, now())
ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, model = excluded.model, kind = excluded.kind,
    label = excluded.label, description = excluded.description, aliases = excluded.aliases,
    rank = excluded.rank, parameters = excluded.parameters, limits = excluded.limits,
    price = excluded.price, expected_s = excluded.expected_s, licence = excluded.licence,
    shutdown_on = excluded.shutdown_on, successor = excluded.successor, available = excluded.available,
    unavailable_reason = excluded.unavailable_reason, updated_at = now()
"""


async def publish(db: Database, cards: Sequence[ModelCard]) -> None:
    """Writes the cards for everyone to read; cards of the same providers that are gone are withdrawn."""
    async with db.transaction() as tx:
        for card in sorted(cards, key=lambda card: card.id):
            await tx.execute(PUBLISH_CARD, *_row(card))
        await tx.execute(
            "DELETE FROM model_cards WHERE provider = ANY ($1) AND NOT id = ANY ($2)",
            sorted({card.provider for card in cards}),
            [card.id for card in cards],
        )


def _row(card: ModelCard) -> tuple[Any, ...]:
    limits = {
        "parameters": {name: dict(limit) for name, limit in card.limits.items()},
        "on_unknown": card.on_unknown,
        "typical_units": {unit: str(value) for unit, value in card.typical_units.items()},
        "typical_per": card.typical_per,
        "replaces": {name: day.isoformat() for name, day in card.replaces.items()},
    }
    return (
        card.id, card.provider, card.model, card.kind, card.label, card.description, list(card.aliases),
        card.rank, card.schema, limits, card.price.as_json() if card.price else None, card.expected_s,
        card.licence, card.shutdown_on, card.successor, card.available, card.unavailable_reason,
    )  # fmt: skip


def is_retired(card: ModelCard, today: date | None = None) -> bool:
    return card.shutdown_on is not None and card.shutdown_on <= (today or datetime.now(UTC).date())
