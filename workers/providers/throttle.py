"""How long a throttled provider asks us to stay away."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_HEADERS: Final = (("retry-after-ms", 0.001), ("retry-after", 1.0))
_IN_WORDS = re.compile(
    r"(?:resets|try again) in ~?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)\s*(ms|s))?", re.IGNORECASE
)
_SECONDS = {"ms": 0.001, "s": 1.0}


def retry_after_s(headers: Mapping[str, str], body: object, default_s: float) -> float:
    """Seconds to wait, from wherever a 429 says it: `retry-after-ms` or `Retry-After`, `retry_after` in the
    body, or a sentence in the body's `detail` or `message`; else `default_s`.

    `body` is the parsed error, or None where there is none that could be read.
    """
    said = {name.lower(): value for name, value in headers.items()}
    for name, scale in _HEADERS:
        if (seconds := _seconds(said.get(name))) is not None:
            return seconds * scale
    if not isinstance(body, Mapping):
        return default_s
    if (seconds := _seconds(body.get("retry_after"))) is not None:
        return seconds
    words = (_in_words(body.get(name)) for name in ("detail", "message"))
    return next((seconds for seconds in words if seconds is not None), default_s)


def _seconds(value: object) -> float | None:
    """Seconds of a number, of digits, or until an HTTP date."""
    if not isinstance(value, str | int | float):
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(str(value)) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _in_words(text: object) -> float | None:
    """Seconds of "resets in ~30s" or "try again in 1h2m3.5s"."""
    match = _IN_WORDS.search(text) if isinstance(text, str) else None
    if match is None or not any(match.groups()):
        return None
    hours, minutes, number, unit = match.groups()
    seconds = float(number or 0) * _SECONDS[(unit or "s").lower()]
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + seconds
