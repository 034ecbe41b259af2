"""What Anthropic's errors mean to us: a refusal that bills nothing, a request that never left, or nothing certain."""

import re
from typing import Final

import anthropic
import httpx2

from shared.errors import JobError
from workers.providers.base import NotSent, Refused
from workers.providers.throttle import retry_after_s

DEFAULT_COOL_DOWN_S: Final = 10.0
OVERLOADED: Final = 529

_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_SPENT = "enforced_spend_limit_reached"
_NO_CREDIT = re.compile(r"credit balance|spend limit|usage limits?\b", re.IGNORECASE)


def read_error(error: anthropic.APIError) -> NotSent | Refused | None:
    """None when the request may have been worked on all the same: no answer, half of one, 5xx, 408."""
    if isinstance(error, anthropic.APIConnectionError):
        return (
            NotSent(f"no connection: {error.__cause__}") if isinstance(error.__cause__, _NOT_SENT) else None
        )
    if not isinstance(error, anthropic.APIStatusError):
        return None
    status, said = error.status_code, _text(error)
    if status == OVERLOADED:
        # Turned away at the door, for everybody: another try soon, or another route.
        busy = JobError("PROVIDER_RATE_LIMITED", said, retryable=True)
        wait_s = retry_after_s(error.response.headers, None, 0.0)
        return Refused(busy, retry_after_s=wait_s or None)
    if not 400 <= status < 500 or status == 408:
        return None
    details = {"status": status}
    # Its own words on these two are about our account.
    if _is_without_credit(error, said):
        return Refused(JobError("PROVIDER_AUTH", "Our account there has no credit left", details=details))
    if status in (401, 403):
        return Refused(JobError("PROVIDER_AUTH", "Our key was not accepted there", details=details))
    if status == 429:
        limited = JobError("PROVIDER_RATE_LIMITED", said, retryable=True)
        wait_s = retry_after_s(error.response.headers, {"message": said}, DEFAULT_COOL_DOWN_S)
        return Refused(limited, retry_after_s=wait_s)
    # What another route may take: a model that is not there. What it may not: a bad parameter.
    return Refused(JobError("PROVIDER_REJECTED", said, details=details), curable=status == 404)


def _is_without_credit(error: anthropic.APIStatusError, said: str) -> bool:
    if error.status_code == 402 or error.type == "billing_error" or error.error_code == _SPENT:
        return True
    # Accounts that pay in advance are told so by an ordinary 400, which has no code of its own.
    return error.status_code == 400 and _NO_CREDIT.search(said) is not None


def _text(error: anthropic.APIStatusError) -> str:
    """Its own sentence, without the SDK's repetition of the body."""
    return str(error.api_message or error.message).strip()[:500]
