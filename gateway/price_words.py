"""What a model costs, in words for people."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from shared.catalog import Price

_PER: Final[Mapping[str, tuple[int, str]]] = {
    "run": (1, "per run"),
    "image": (1, "per picture"),
    "megapixel": (1, "per megapixel"),
    "input_image": (1, "per picture to start from"),
    "character": (1000, "per 1,000 characters"),
    "output_second": (1, "per second"),
    "input_token": (1_000_000, "per million tokens in"),
    "output_token": (1_000_000, "per million tokens out"),
}
_NANOS = Decimal(1_000_000_000)


def in_words(price: Price | None) -> str:
    """`$0.04 per picture + $0.01 per megapixel`, `Free`, or that it is not known.

    >>> in_words(None)
    'Price not known'
    """
    if price is None:
        return "Price not known"
    parts = [_part(unit, nanos) for unit, nanos in price.units.items() if nanos]
    return " + ".join(parts) if parts else "Free"


def _part(unit: str, nanos: Decimal) -> str:
    times, words = _PER.get(unit, (1, f"per {unit.replace('_', ' ')}"))
    return f"{_dollars(nanos * times / _NANOS)} {words}"


def _dollars(amount: Decimal) -> str:
    """Exact, with two decimals at least."""
    whole, _, fraction = f"{amount.normalize():f}".partition(".")
    return f"${whole}.{fraction.ljust(2, '0')}"
