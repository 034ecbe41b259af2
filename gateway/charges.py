"""What a generation costs, in words for whoever pays: what was charged, by whom, and why."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from shared.domains.states import TERMINAL
from shared.money import Nanos, amount

_BEFORE = {"reserved", "reconciling", "unpriced"}


def explain(row: Mapping[str, Any]) -> str:
    """One or two sentences for a row of `generations`, in any state of its work and of its money."""
    if row["billed_to"] == "byok":
        return _on_own_key(row)
    if row["state"] not in TERMINAL:
        return _under_way(row)
    if row["cost_status"] in _BEFORE:
        return _open(row)
    if not row["cost_nanos"]:
        return _nothing_charged(row)
    return (
        f"{_how_it_ended(row)}, which bills {_dollars(row['cost_nanos'])} for it:"
        f" that was charged.{_too_late(row)}{_doubt(row)}"
    )


def _under_way(row: Mapping[str, Any]) -> str:
    if row["cost_status"] == "unpriced" or row["estimate_nanos"] is None:
        text = "The price of this model is not known yet: what it costs is settled later."
    elif not row["estimate_nanos"]:
        text = "This model is free."
    else:
        text = f"About {_dollars(row['estimate_nanos'])}: {_dollars(row['reserved_nanos'])} is set aside until it ends."
    if row["cost_nanos"]:
        text += f" Of that, {_dollars(row['cost_nanos'])} was charged for an earlier try."
    if row["cancel_requested_at"] is not None:
        text += f" Its cancel waits for {_provider(row)}'s word."
    return text + _doubt(row)


def _open(row: Mapping[str, Any]) -> str:
    """It has ended, but its bill has not come, or cannot be read."""
    so_far = f" So far {_dollars(row['cost_nanos'])} was charged." if row["cost_nanos"] else ""
    aside = (
        f"{_dollars(row['reserved_nanos'])} stays set aside"
        if row["reserved_nanos"]
        else "nothing is set aside"
    )
    if row["cost_status"] == "unpriced":
        return f"{_how_it_ended(row)}, whose price is not known yet: {aside}.{so_far}{_doubt(row)}"
    return f"{_how_it_ended(row)}: {aside} until its final bill is known.{so_far}{_doubt(row)}"


def _nothing_charged(row: Mapping[str, Any]) -> str:
    if _possibly_billed(row):
        return f"No clear answer came: {_provider(row)} may have billed for it; you were not charged."
    if row["started_at"] is None:
        return "Nothing was charged: it never reached a provider."
    if row["estimate_nanos"] == 0:
        return "Nothing was charged: this model is free."
    if row["state"] == "completed":
        return f"Nothing was charged: {_provider(row)} bills nothing for it."
    return f"{_how_it_ended(row)}, which bills nothing for that: nothing was charged."


def _on_own_key(row: Mapping[str, Any]) -> str:
    """We charge nothing; what is known of the provider's bill is told."""
    owner = f"{_capital(_provider(row))} bills your own key"
    if row["state"] in TERMINAL and row["started_at"] is None:
        return "Nothing was charged: it never reached a provider."
    if _possibly_billed(row):
        return f"{_capital(_provider(row))} may have billed your own key for it; here nothing is charged."
    if row["cost_nanos"]:
        return f"{owner}: {_dollars(row['cost_nanos'])} by its prices. Here nothing is charged."
    if row["state"] in TERMINAL and row["cost_status"] not in _BEFORE:
        return f"{owner}, and nothing for this. Here nothing is charged."
    if row["estimate_nanos"] is None or row["cost_status"] == "unpriced":
        return f"{owner}, by a price that is not known here. Here nothing is charged."
    return f"{owner}: about {_dollars(row['estimate_nanos'])}. Here nothing is charged."


def _how_it_ended(row: Mapping[str, Any]) -> str:
    """`Canceled after 3.2 s at replicate`."""
    return f"{_capital(row['state'])}{_after(row)} at {_provider(row)}"


def _after(row: Mapping[str, Any]) -> str:
    if row["started_at"] is None or row["completed_at"] is None:
        return ""
    seconds = max(0.0, (row["completed_at"] - row["started_at"]).total_seconds())
    return f" after {seconds:.1f} s" if seconds < 100 else f" after {seconds / 60:.0f} min"


def _too_late(row: Mapping[str, Any]) -> str:
    asked = row["cancel_requested_at"] is not None and row["state"] == "completed"
    return " The cancel came too late to stop it." if asked else ""


def _doubt(row: Mapping[str, Any]) -> str:
    return (
        " The provider may have billed more; you were not charged for that." if _possibly_billed(row) else ""
    )


def _possibly_billed(row: Mapping[str, Any]) -> bool:
    details = (row["error"] or {}).get("details") or {}
    return bool(details.get("possibly_billed"))


def _provider(row: Mapping[str, Any]) -> str:
    return str(row["provider"] or "the provider")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@lru_cache(4096)
def _dollars(nanos: int) -> str:
    """`$0.04`: at least two decimals, and as many as it takes to be exact. The same prices come again and again."""
    whole, _, fraction = amount(Nanos(nanos)).partition(".")
    return f"${whole}.{fraction.rstrip('0').ljust(2, '0')}"
