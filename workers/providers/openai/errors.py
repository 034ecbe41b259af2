"""What OpenAI's errors mean to us: a refusal that bills nothing, a request that never left, or nothing certain."""

from collections.abc import Mapping
from typing import Final

import httpx2
import openai

from shared.errors import JobError
from workers.providers.base import NotSent, Refused
from workers.providers.throttle import retry_after_s

DEFAULT_COOL_DOWN_S: Final = 10.0

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_BLOCKED = frozenset({"moderation_blocked", "content_policy_violation", "content_filter"})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})


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
        wait_s = retry_after_s(error.response.headers, error.body, DEFAULT_COOL_DOWN_S)
        return Refused(limited, retry_after_s=wait_s)
    # What another route may take: a model that is not there. What it may not: a bad parameter.
    return Refused(JobError("PROVIDER_REJECTED", _text(error), details=details), curable=status == 404)


def _text(error: openai.APIError) -> str:
    """Its own sentence, without the SDK's repetition of the body."""
    body = error.body
    said = body.get("message") if isinstance(body, Mapping) else None
    return str(said or error.message).strip()[:500]
