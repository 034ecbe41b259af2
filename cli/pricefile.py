"""Price files: TOML, one `[[price]]` per model and day, in dollars per unit.

[[price]]
card = "replicate/flux-1.1-pro"
effective_from = 2026-12-01
source = "Replicate's pricing page of 2026-11-28"
usd.image = 0.04
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from cli.errors import BadUsage

_ENTRY = re.compile(r"^\s*\[\[\s*price\s*\]\]")
_FIELDS = {"card", "effective_from", "source", "usd", "reset"}


@dataclass(frozen=True, slots=True)
class PriceFile:
    """The entries as the API takes them, and the line in which each begins."""

    path: Path
    entries: list[dict[str, Any]]
    lines: list[int]


def read_price_file(path: Path) -> PriceFile:
    """Raises BadUsage that names the line, and the field where one is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
        found = tomllib.loads(text, parse_float=Decimal)
    except OSError as error:
        raise BadUsage(f"Cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadUsage(f"{path} is not a text file in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadUsage(f"{path} is not valid TOML: {error}.") from None
    unknown = found.keys() - {"price"}
    if unknown:
        raise BadUsage(f"{path}: unknown {min(unknown)!r}; a price file consists of [[price]] entries.")
    prices = found.get("price")
    if not isinstance(prices, list) or not prices:
        raise BadUsage(f"{path} has no [[price]] entry.")
    lines = [n for n, line in enumerate(text.splitlines(), start=1) if _ENTRY.match(line)]
    if len(lines) != len(prices):
        lines = [1] * len(prices)
    entries = [_entry(path, line, price) for line, price in zip(lines, prices, strict=True)]
    return PriceFile(path, entries, lines)


def _entry(path: Path, line: int, price: Any) -> dict[str, Any]:
    wrong = partial(_wrong, path, line)

    if not isinstance(price, dict):
        raise wrong("price", "must be a table: [[price]]")
    for name in price:
        if name not in _FIELDS:
            raise wrong(name, f"unknown field; there are {', '.join(sorted(_FIELDS))}")
    for name in ("card", "source"):
        if not isinstance(price.get(name), str) or not price[name]:
            raise wrong(name, "must be a text")
    day = price.get("effective_from")
    if not isinstance(day, date) or isinstance(day, datetime):
        raise wrong("effective_from", "must be a date such as 2026-12-01, without quotation marks")
    entry = {"card": price["card"], "effective_from": day.isoformat(), "source": price["source"]}
    if price.get("reset", False) not in (True, False) or bool(price.get("reset")) == ("usd" in price):
        raise wrong("usd", "give either usd.UNIT or reset = true")
    if "usd" not in price:
        return entry | {"reset": True}
    if not isinstance(price["usd"], dict) or not price["usd"]:
        raise wrong("usd", "must name a unit: usd.image = 0.04")
    return entry | {"usd": {unit: _rate(wrong, unit, rate) for unit, rate in price["usd"].items()}}


def _wrong(path: Path, line: int, field: str, message: str) -> BadUsage:
    return BadUsage(f"{path}, entry in line {line}, {field}: {message}.")


def _rate(wrong: Callable[[str, str], BadUsage], unit: str, rate: Any) -> str:
    """Exact: TOML's decimals never become binary fractions."""
    if isinstance(rate, bool) or not isinstance(rate, int | Decimal):
        raise wrong(f"usd.{unit}", "must be a number of dollars")
    if not Decimal(rate).is_finite() or rate < 0:
        raise wrong(f"usd.{unit}", "must not be negative or endless")
    return f"{Decimal(rate):f}"


def as_toml(priced: Iterable[Mapping[str, Any]]) -> str:
    """A price file of today's prices; models without one are left out as comments."""
    parts = ["# Dollars per unit. Change what is wrong, give it its day, and import it.\n"]
    for item in priced:
        price = item["price"]
        if price is None:
            parts.append(f"# {item['card']}: no price is known\n")
            continue
        rates = "".join(f"usd.{unit} = {rate}\n" for unit, rate in price["usd"].items())
        parts.append(
            f"[[price]]\ncard = {_quoted(item['card'])}\neffective_from = {price['effective_from']}\n"
            f"source = {_quoted(price['source'])}\n{rates}"
        )
    return "\n".join(parts)


def _quoted(text: str) -> str:
    kept = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in kept) + '"'
