"""What is to be known of one of Replicate's models.

Official models are called by name and billed for their output. Community models are called by a pinned
version, whose existence is checked before the first paid call, and billed for the seconds that they ran.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from shared.catalog import ModelCard, Price
from shared.money import NANOS_PER_USD

Input = dict[str, Any]
Given = Mapping[str, Any]
Files = Mapping[str, str]
"""URLs of the files that came with a request, by our names of them."""

READ_ON = date(2026, 11, 20)
"""When the prices that nobody dates were looked up."""


@dataclass(frozen=True, slots=True)
class ReplicateModel:
    """`to_input` makes the model's input of our parameters and file URLs, without the seed; it raises Refused
    for what the model cannot do. `units` counts what a successful run delivered."""

    card: ModelCard
    slug: str
    to_input: Callable[[Given, Files], Input]
    units: Callable[[Given, int, Given], Mapping[str, Decimal]] | None = None
    """From the input, the number of files and the prediction's own metrics; None for models that are billed for
    their time."""
    version: str | None = None
    """The pinned version; None for official models."""
    file_fields: frozenset[str] = frozenset()
    """The fields of the model's input that hold URLs of files."""
    seeded: bool = True
    """Whether the model takes a `seed`."""


def usd(effective_from: date, source: str, **units: str) -> Price:
    """A price of US dollars per unit."""
    return Price(
        {unit: Decimal(rate) * NANOS_PER_USD for unit, rate in units.items()}, effective_from, source
    )


def _hardware(rate: str, source: str) -> Price:
    return usd(READ_ON, source, compute_second=rate)


T4 = _hardware("0.000225", "Replicate's own rate for a T4, as its training pages show it")
L40S = _hardware("0.000975", "third-party copy of Replicate's hardware prices (L40S); unverified")
A100 = _hardware("0.0014", "third-party copy of Replicate's hardware prices (A100, 80 GB); unverified")


def in_order(files: Files) -> list[str]:
    """The pictures of a request: `image`, then `images.0`, `images.1` …"""
    more = sorted((name for name in files if name.startswith("images.")), key=lambda name: int(name[7:]))
    return [files[name] for name in ("image", *more) if name in files]


def given_only(**fields: Any) -> Input:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}
