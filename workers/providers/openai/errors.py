"""What OpenAI's errors mean to us: a refusal that bills nothing, a request that never left, or nothing certain."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2
import openai

from shared.errors import JobError
from workers.providers.base import NotSent, Refused

DEFAULT_COOL_DOWN_S: Final = 10.0

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_BLOCKED = frozenset({"moderation_blocked", "content_policy_violation", "content_filter"})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_TRY_AGAIN_IN = re.compile(
    r"try again in (?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)(ms|s))?", re.IGNORECASE
)
_SECONDS = {"ms": 0.001, "s": 1.0}


class UnreadableAnswer(Exception):
    """An answer that says neither yes nor no."""


def read_error(error: openai.APIError) -> NotSent | Refused | None:
    """None when the request may have been worked on all the same: no answer, half of one, 5xx, 408."""
    if isinstance(error, openai.APIConnectionError):
        return (
            NotSent(f"no connection: {error.__cause__}") if isinstance(error.__cause__, _NOT_SENT) else None
        )
    if error.code in _BLOCKED:
        return Refused(JobError("CONTENT_BLOCKED", _text(error)), curable=False)
    if not isinstance(error, openai.APIStatusError):
        return None
    status = error.status_code
    if not 400 <= status < 500 or status == 408:
        return None
    details = {"status": status}
    # Its own words on these two are about our account, and quote a part of our key.
    if status == 402 or error.code in _NO_CREDIT or error.type in _NO_CREDIT:
        return Refused(JobError("PROVIDER_AUTH", "Our account there has no credit left", details=details))
    if status in (401, 403):
        return Refused(JobError("PROVIDER_AUTH", "Our key was not accepted there", details=details))
    if status == 429:
        limited = JobError("PROVIDER_RATE_LIMITED", _text(error), retryable=True)
        return Refused(limited, retry_after_s=retry_after_s(error.response.headers, error.body))
    # What another route may take: a model that is not there. What it may not: a bad parameter.
    return Refused(JobError("PROVIDER_REJECTED", _text(error), details=details), curable=status == 404)


def retry_after_s(headers: Mapping[str, str], body: object) -> float:
    """Seconds to wait, from wherever a 429 says it: headers, the error in the body, or its sentence."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        if (seconds := _number(headers.get(name))) is not None:
            return seconds * scale
    said = body if isinstance(body, Mapping) else {}
    if (seconds := _number(said.get("retry_after"))) is not None:
        return seconds
    match = _TRY_AGAIN_IN.search(str(said.get("message", "")))
    if match is None or not any(match.groups()):
        return DEFAULT_COOL_DOWN_S
    hours, minutes, number, unit = match.groups()
    return (
        int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(number or 0) * _SECONDS[(unit or "s").lower()]
    )


def _number(value: object) -> float | None:
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


def _text(error: openai.APIError) -> str:
    """Its own sentence, without the SDK's repetition of the body."""
    body = error.body
    said = body.get("message") if isinstance(body, Mapping) else None
    return str(said or error.message).strip()[:500]
