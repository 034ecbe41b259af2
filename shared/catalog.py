"""Model cards: what can be asked of whom, at what price.

Adapters write cards, workers publish them in `model_cards`, and everyone else reads them from there, so the
gateway needs to know no provider.
"""

import asyncio
import time
from collections import defaultdict
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
    """What one unit costs, in nano-dollars (maybe fractional). `units` are `Kind.units` names.

    A `revision` above 1 is a correction of another price of the same day.
    """

    units: Mapping[str, Decimal]
    effective_from: date
    source: str
    revision: int = 1
    _json: dict[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        units = {unit: str(rate) for unit, rate in self.units.items()}
        effective_from = self.effective_from.isoformat()
        kept: dict[str, Any] = {"units": units, "effective_from": effective_from, "source": self.source}
        if self.revision > 1:
            kept["revision"] = self.revision
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
        day = date.fromisoformat(body["effective_from"])
        return cls(units, day, body["source"], body.get("revision", 1))

    def id_for(self, card_id: str) -> str:
        """`card@day`, or `card@day.2` for a correction: one price for ever."""
        correction = f".{self.revision}" if self.revision > 1 else ""
        return f"{card_id}@{self.effective_from.isoformat()}{correction}"


FREE = Price({"run": Decimal(0)}, date(2026, 1, 1), "runs on this machine")


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One provider's model.

    `aliases` are the product names that resolve to it; among cards of one name the lowest `rank` goes first.
    `accepts` names the kind's parameters that it honours, `requires` those of them that it cannot do without,
    `limits` narrows them in JSON Schema words (`maximum`, `enum`, `maxLength`, and `default` for what it does
    instead of a default of the kind that it cannot honour). A price of None is unknown, which is not free.
    `expected_s` is a first guess of the run time. `on_unknown` says what to do with a submission whose fate
    cannot be found out: `retry` where a second charge is cheap, else `fail`.
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
    requires: frozenset[str] = frozenset()
    licence: str | None = None
    shutdown_on: date | None = None
    successor: str | None = None
    on_unknown: str = "fail"
    typical_units: Mapping[str, Decimal] = field(default_factory=dict)
    """Quantities that only the provider knows, such as compute seconds, as estimated beforehand."""
    typical_per: str = "run"
    """The unit of the kind that `typical_units` are told for, such as `megapixel`."""
    typical_by: Mapping[str, Mapping[str, Mapping[str, Decimal]]] = field(default_factory=dict)
    """What takes their place under a value of a parameter: {"quality": {"low": {"image_output_token": 196}}}."""
    replaces: Mapping[str, date] = field(default_factory=dict)
    """Aliases of models that were retired, with the day; who asks for one is told what runs instead."""
    available: bool = True
    unavailable_reason: str | None = None
    own_key: bool = False
    """Whether an account's own key for the provider can run it, even where the platform has none."""
    id: str = field(init=False, compare=False)
    names: frozenset[str] = field(init=False, repr=False, compare=False)
    """All names that a request may call it by."""
    price_id: str | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        card_id = f"{self.provider}/{self.model}" if self.provider != "local" else f"local/{self.kind}"
        price_id = self.price.id_for(card_id) if self.price else None
        object.__setattr__(self, "id", card_id)
        object.__setattr__(self, "names", frozenset((card_id, self.model, *self.aliases)))
        object.__setattr__(self, "price_id", price_id)

    @property
    def schema(self) -> dict[str, Any]:
        schema = KINDS[self.kind].schema(self.accepts, self.limits)
        if self.requires:
            schema["required"] = sorted({*schema.get("required", ()), *self.requires})
        return schema

    def refusal(self, given: Mapping[str, Any]) -> tuple[str, str] | None:
        """(field, reason) of the first given parameter that this model cannot honour, or that it misses, or
        None."""
        for name, value in given.items():
            if name not in self.accepts:
                return name, f"{self.label} does not take {name}"
            reason = _over_limit(value, self.limits.get(name, {}))
            if reason:
                return name, f"{self.label} takes {name} {reason}"
        missing = next((name for name in sorted(self.requires) if given.get(name) is None), None)
        return (missing, f"{self.label} needs {missing}") if missing is not None else None

    def fitted(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters as this model takes them. What is still beyond its limits, once `refusal` has found
        nothing, is a default of the kind, and gives way to the model's own."""
        own = {
            name: limit["default"]
            for name, limit in self.limits.items()
            if "default" in limit and (given.get(name) is None or _over_limit(given[name], limit))
        }
        return {**given, **own}

    def estimate(self, parameters: Parameters) -> Nanos | None:
        """Nano-dollars expected, or None without a price."""
        if self.price is None:
            return None
        limited = {name: getattr(parameters, name) for name in self.limits}
        fitted = self.fitted(limited)
        taken = parameters if fitted == limited else parameters.model_copy(update=fitted)
        units = KINDS[self.kind].units(taken)
        each_unit = dict(self.typical_units)
        for name, by_value in self.typical_by.items():
            each_unit |= by_value.get(getattr(parameters, name), {})
        typical = {unit: units[self.typical_per] * each for unit, each in each_unit.items()}
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
    if "maxItems" in limit and len(value) > limit["maxItems"]:
        return f"up to {limit['maxItems']} at a time"
    return None


# An imported price holds from its day on, in UTC; one without units gives the card its own back.
_PRICED = """
FROM model_cards c LEFT JOIN LATERAL (
    SELECT *, xmin AS written_by FROM prices
    WHERE card = c.id AND effective_from <= (now() AT TIME ZONE 'UTC')::date
    ORDER BY effective_from DESC, revision DESC LIMIT 1
) p ON true
"""
_READ = f"""
SELECT c.*, CASE WHEN p.units IS NOT NULL THEN jsonb_build_object('units', p.units,
    'effective_from', p.effective_from, 'source', p.source, 'revision', p.revision) END AS imported_price
{_PRICED}
ORDER BY c.rank, c.id
"""
# Which transactions wrote what is read: it changes when any of it does.
_VERSION = f"""
SELECT string_agg(concat_ws(' ', c.id, c.xmin, p.effective_from, p.revision, p.written_by), ',' ORDER BY c.id)
{_PRICED}
"""


class Catalog:
    """The published cards, compared with the record when the copy is older than two seconds.

    It is read again only when it changed: to make a hundred cards keeps an event loop from all else for 60 ms.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._cards: tuple[ModelCard, ...] = ()
        self._named: Mapping[tuple[str, str], Sequence[ModelCard]] = {}
        self._version: str | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def cards(self, kind: str | None = None) -> Sequence[ModelCard]:
        """All cards (of a kind), best rank first."""
        await self._refresh()
        return [card for card in self._cards if kind is None or card.kind == kind]

    async def _refresh(self) -> None:
        if time.monotonic() - self._read_at > _CACHE_S:
            # Everybody who comes now waits for one reader.
            async with self._reading:
                if time.monotonic() - self._read_at > _CACHE_S:
                    await self._read()
                    self._read_at = time.monotonic()

    async def _read(self) -> None:
        # Before the cards, so that what is written in between is read the next time.
        version = await self._db.fetchval(_VERSION)
        if version != self._version or version is None:
            rows = await self._db.fetch(_READ)
            self._cards = tuple(_card(row, _price_today(row)) for row in rows)
            self._named = _by_name(self._cards)
            self._version = version

    async def find(self, name: str, kind: str) -> Sequence[ModelCard]:
        """The cards that a model name stands for, best rank first; empty when nobody knows it."""
        await self._refresh()
        if (kind, name) not in self._named and time.monotonic() - self._read_at > _MISS_CACHE_S:
            # It may have been published a moment ago.
            self._read_at = float("-inf")
            await self._refresh()
        return self._named.get((kind, name), ())

    def forget(self) -> None:
        """Something was changed: whoever asks next reads anew. Other processes do so within two seconds."""
        self._read_at = float("-inf")

    async def card(self, card_id: str) -> ModelCard | None:
        return next((card for card in await self.cards() if card.id == card_id), None)


def _by_name(cards: Sequence[ModelCard]) -> dict[tuple[str, str], list[ModelCard]]:
    """The cards by kind and each of their names, in their order: every admission looks for one."""
    found: dict[tuple[str, str], list[ModelCard]] = defaultdict(list)
    for card in cards:
        for name in card.names:
            found[card.kind, name].append(card)
    return dict(found)


async def own_cards(db: Database) -> dict[str, ModelCard]:
    """The published cards by id, with the prices that their adapters tell."""
    return {row["id"]: _card(row, _own_price(row)) for row in await db.fetch("SELECT * FROM model_cards")}


def _own_price(row: Mapping[str, Any]) -> Price | None:
    return Price.from_json(row["price"]) if row["price"] else None


def _price_today(row: Mapping[str, Any]) -> Price | None:
    return Price.from_json(row["imported_price"]) if row["imported_price"] else _own_price(row)


def _card(row: Mapping[str, Any], price: Price | None) -> ModelCard:
    limits = row["limits"]
    return ModelCard(
        provider=row["provider"],
        model=row["model"],
        kind=row["kind"],
        label=row["label"],
        description=row["description"],
        accepts=frozenset(row["parameters"]["properties"]),
        price=price,
        expected_s=row["expected_s"],
        aliases=tuple(row["aliases"]),
        rank=row["rank"],
        limits=limits["parameters"],
        requires=frozenset(limits.get("requires", ())),
        licence=row["licence"],
        shutdown_on=row["shutdown_on"],
        successor=row["successor"],
        on_unknown=limits["on_unknown"],
        typical_units={unit: Decimal(value) for unit, value in limits["typical_units"].items()},
        typical_per=limits.get("typical_per", "run"),
        typical_by={
            name: {
                value: {unit: Decimal(each) for unit, each in units.items()}
                for value, units in by_value.items()
            }
            for name, by_value in limits.get("typical_by", {}).items()
        },
        replaces={name: date.fromisoformat(day) for name, day in limits.get("replaces", {}).items()},
        available=row["available"],
        unavailable_reason=row["unavailable_reason"],
        own_key=limits.get("own_key", False),
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
        "typical_by": {
            name: {
                value: {unit: str(each) for unit, each in units.items()} for value, units in by_value.items()
            }
            for name, by_value in card.typical_by.items()
        },
        "requires": sorted(card.requires),
        "replaces": {name: day.isoformat() for name, day in card.replaces.items()},
        "own_key": card.own_key,
    }
    return (
        card.id, card.provider, card.model, card.kind, card.label, card.description, list(card.aliases),
        card.rank, card.schema, limits, card.price.as_json() if card.price else None, card.expected_s,
        card.licence, card.shutdown_on, card.successor, card.available, card.unavailable_reason,
    )  # fmt: skip


def is_retired(card: ModelCard, today: date | None = None) -> bool:
    return card.shutdown_on is not None and card.shutdown_on <= (today or datetime.now(UTC).date())
