"""When something went wrong with a generation: what Penstock does about it, and what its owner can do."""

from collections.abc import Mapping
from typing import Any

from shared.domains.repeats import RETRIABLE
from shared.domains.states import TERMINAL

_ADVICE: Mapping[str, str] = {
    "PROVIDER_RATE_LIMITED": "The provider is busy: try again in a minute",
    "PROVIDER_AUTH": "The provider does not accept the key that is kept for it: have it checked in the settings",
    "PROVIDER_REJECTED": "The provider does not take this request as it is: change it and try again",
    "PROVIDER_FAILED": "The provider failed: the same may work the next time",
    "PROVIDER_TIMEOUT": "The provider took too long: the same may work the next time",
    "CONTENT_BLOCKED": "What was asked for, or what came of it, is not allowed: ask for something else",
    "UPLOAD_FAILED": "The result could not be stored: try again when the storage works",
    "NO_PROVIDER": "Nobody who can do this is ready: try again later",
    "DEADLINE": "Its time was over: try again, perhaps with something smaller",
    "POISON": "It stopped several workers and is not begun again: change it, and tell whoever runs this installation",
    "INTERNAL": "Something went wrong on our side: try again",
    "CANCELED": "It was canceled: try again whenever you like",
}
_UNFIT = frozenset({"CONTENT_BLOCKED", "POISON"})
"""Another provider is no remedy."""


def trouble_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """The `trouble` of a row of `generations`; None while all is well, and after a good end."""
    if row["state"] in TERMINAL:
        return _over(row) if row["state"] in RETRIABLE else None
    return _going_on(row) if row["state"] == "queued" and row["error"] else None


def _going_on(row: Mapping[str, Any]) -> dict[str, Any]:
    others = row["decision"].get("fallbacks") or []
    where = f"; if that fails, {' or '.join(others)} may serve" if others else ""
    return {
        "will_retry": True,
        "next_try_at": row["wake_at"],
        "last_error": row["error"],
        "can_retry": False,
        "other_providers": [],
        "advice": f"Nothing has to be done: Penstock tries again by itself{where}.",
    }


def _over(row: Mapping[str, Any]) -> dict[str, Any]:
    code = (row["error"] or {}).get("code") or ("CANCELED" if row["state"] == "canceled" else "INTERNAL")
    tried = {row["provider"], *(name.partition("/")[0] for name in row["decision"].get("tried") or ())}
    others = [] if code in _UNFIT else _others(row, tried)
    elsewhere = f", or let {' or '.join(others)} do it" if others else ""
    return {
        "will_retry": False,
        "next_try_at": None,
        "last_error": None,
        "can_retry": True,
        "other_providers": others,
        "advice": f"{_ADVICE.get(code, _ADVICE['INTERNAL'])}{elsewhere}.",
    }


def _others(row: Mapping[str, Any], tried: set[Any]) -> list[str]:
    return list(dict.fromkeys(route["provider"] for route in row["routes"] if route["provider"] not in tried))
