"""Prices that an operator imports: they override the cards' own from a day on.

An imported price is never changed or removed: a frozen price id (`card@day`, or `card@day.2` for a correction of
the same day) names one price for ever.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from shared.catalog import ModelCard, Price
from shared.db import Database, Tx
from shared.errors import InvalidInput
from shared.kinds import KINDS

MOST_ENTRIES = 2_000
IMPORT_LOCK = 0x9121CE

_HISTORY = """
SELECT card, effective_from, revision, units, source, imported_at FROM prices ORDER BY card, effective_from, revision
"""

_INSERT = """
INSERT INTO prices (card, effective_from, revision, units, source, imported_by)
SELECT p.*, $6 FROM unnest($1::text[], $2::date[], $3::int[], $4::jsonb[], $5::text[]) AS p
"""


@dataclass(frozen=True, slots=True)
class NewPrice:
    """One entry of a price file. `units` are nano-dollars per unit; None gives the card its own price back."""

    card: str
    effective_from: date
    units: Mapping[str, Decimal] | None
    source: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A price as it was imported; `units` None as in `NewPrice`."""

    effective_from: date
    revision: int
    units: Mapping[str, Decimal] | None
    source: str

    def is_like(self, new: NewPrice) -> bool:
        return (self.effective_from, self.units, self.source) == (new.effective_from, new.units, new.source)


@dataclass(frozen=True, slots=True)
class Difference:
    """What one entry would change: the price that holds on its day without it, and with it.

    `change` is `new` where no price was known, `changed`, `same`, or `reset` for the card's own price.
    """

    card: ModelCard
    effective_from: date
    change: str
    before: Price | None
    after: Price | None


type History = Mapping[str, Sequence[Imported]]


async def history(source: Database | Tx) -> History:
    """All imported prices by card, oldest first."""
    found: dict[str, list[Imported]] = defaultdict(list)
    for row in await source.fetch(_HISTORY):
        units = row["units"]
        rates = None if units is None else {unit: Decimal(rate) for unit, rate in units.items()}
        found[row["card"]].append(Imported(row["effective_from"], row["revision"], rates, row["source"]))
    return found


def price_on(day: date, imported: Sequence[Imported], own: Price | None) -> Price | None:
    """The price of a card on a day; `own` is the card's own."""
    due = [price for price in imported if price.effective_from <= day]
    if not due or due[-1].units is None:
        return own
    return as_price(due[-1])


def as_price(imported: Imported) -> Price:
    assert imported.units is not None  # noqa: S101  # asked by the caller
    return Price(imported.units, imported.effective_from, imported.source, imported.revision)


def compare(new: Sequence[NewPrice], owned: Mapping[str, ModelCard], known: History) -> list[Difference]:
    """What the entries would change, in their order. `owned` are the cards with their own prices, by id.

    Raises InvalidInput that names the entry and its field.
    """
    _check(new, owned)
    return [_difference(entry, owned[entry.card], known.get(entry.card, ())) for entry in new]


def _difference(entry: NewPrice, card: ModelCard, imported: Sequence[Imported]) -> Difference:
    before = price_on(entry.effective_from, imported, card.price)
    if any(price.is_like(entry) for price in imported[-1:]) or _holds(entry, before):
        return Difference(card, entry.effective_from, "same", before, before)
    if entry.units is None:
        return Difference(card, entry.effective_from, "reset", before, card.price)
    after = as_price(_numbered(entry, card, imported))
    return Difference(card, entry.effective_from, "new" if before is None else "changed", before, after)


def _holds(entry: NewPrice, before: Price | None) -> bool:
    """Whether the very price of the entry holds on its day already."""
    return before is not None and entry.units is not None and (
        (before.units, before.effective_from, before.source) == (entry.units, entry.effective_from, entry.source)
    )  # fmt: skip


def _numbered(entry: NewPrice, card: ModelCard, imported: Sequence[Imported]) -> Imported:
    """With the next revision of its day; the card's own price of that day is the first."""
    taken = [price.revision for price in imported if price.effective_from == entry.effective_from]
    if card.price is not None and card.price.effective_from == entry.effective_from:
        taken.append(card.price.revision)
    revision = 1 + max(taken, default=0)
    return Imported(entry.effective_from, revision, entry.units, entry.source)


async def import_prices(
    tx: Tx, new: Sequence[NewPrice], owned: Mapping[str, ModelCard], account_id: UUID
) -> list[Difference]:
    """Writes all entries that change something. Raises InvalidInput like `compare`."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", IMPORT_LOCK)
    known = await history(tx)
    found = compare(new, owned, known)
    rows = [
        _numbered(entry, difference.card, known.get(entry.card, ()))
        for entry, difference in zip(new, found, strict=True) if difference.change != "same"
    ]  # fmt: skip
    cards = [difference.card.id for difference in found if difference.change != "same"]
    await tx.execute(
        _INSERT,
        cards,
        [row.effective_from for row in rows],
        [row.revision for row in rows],
        [
            None if row.units is None else {unit: str(rate) for unit, rate in row.units.items()}
            for row in rows
        ],
        [row.source for row in rows],
        account_id,
    )
    return found


def _check(new: Sequence[NewPrice], owned: Mapping[str, ModelCard]) -> None:
    seen: set[tuple[str, date]] = set()
    for n, entry in enumerate(new):
        card = owned.get(entry.card)
        if card is None:
            raise _wrong(
                n, "card", f"There is no model card {entry.card!r}; `GET /api/v1/models` lists their ids."
            )
        if (entry.card, entry.effective_from) in seen:
            raise _wrong(
                n, "effective_from", f"{entry.card} has another price for {entry.effective_from} here."
            )
        seen.add((entry.card, entry.effective_from))
        possible = billable_units(card)
        for unit in entry.units or ():
            if unit not in possible:
                raise _wrong(
                    n, f"usd.{unit}", f"{entry.card} is not billed by {unit!r}: {', '.join(possible)}."
                )


def _wrong(n: int, field: str, message: str) -> InvalidInput:
    return InvalidInput(message, field=f"prices.{n}.{field}", status=422)


def billable_units(card: ModelCard) -> list[str]:
    """What a price of this card may be told for: units whose quantity can be estimated beforehand."""
    kind = KINDS[card.kind]
    units = kind.units(kind.parameters.model_validate({kind.prompt_field: "x"}))
    return sorted({*units, *card.typical_units})
