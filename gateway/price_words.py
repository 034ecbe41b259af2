"""What a model costs, in words for people."""

import re
from collections.abc import Mapping, Sequence
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
    "compute_second": (1, "per second of computing"),
}
_TOKENS: Final[Mapping[str, str]] = {
    "input_token": "in",
    "output_token": "out",
    "image_input_token": "for pictures in",
    "image_output_token": "for pictures out",
    "audio_output_token": "for sound out",
}
"""Caches and very long prompts have prices of their own, which are no part of a short answer."""
_SIZE = re.compile(r"_(\d+p)$")
_NANOS = Decimal(1_000_000_000)


def in_words(price: Price | None) -> str:
    """`$0.04 per picture + $0.01 per megapixel`, `Free`, or that it is not known.

    What grows with the size of a film is told from its least to its most; tokens by the million.

    >>> in_words(None)
    'Price not known'
    """
    if price is None:
        return "Price not known"
    charged = {unit: nanos for unit, nanos in price.units.items() if nanos}
    tokens = [
        f"{_dollars(nanos, 1_000_000)} {_TOKENS[unit]}" for unit, nanos in charged.items() if unit in _TOKENS
    ]
    parts = [_part(unit, nanos) for unit, nanos in _by_unit(charged).items()]
    if tokens:
        parts.append(f"{', '.join(tokens)} per million tokens")
    return " + ".join(parts) if parts else "Free"


def _by_unit(charged: Mapping[str, Decimal]) -> dict[str, list[Decimal]]:
    """All prices of a unit, whatever the size; none of tokens."""
    units: dict[str, list[Decimal]] = {}
    for unit, nanos in charged.items():
        if not unit.endswith("_token"):
            units.setdefault(_SIZE.sub("", unit), []).append(nanos)
    return units


def _part(unit: str, prices: Sequence[Decimal]) -> str:
    times, words = _PER.get(unit, (1, f"per {unit.replace('_', ' ')}"))
    ends = dict.fromkeys(_dollars(nanos, times) for nanos in (min(prices), max(prices)))
    return f"{' to '.join(ends)} {words}"


def _dollars(nanos: Decimal, times: int) -> str:
    """Exact, with two decimals at least."""
    whole, _, fraction = f"{(nanos * times / _NANOS).normalize():f}".partition(".")
    return f"${whole}.{fraction.ljust(2, '0')}"
