"""What Runware's answers mean: a task's results, its errors, and what they cost.

Every error has a `code` in camel case; Runware says that they vary between models, so that they are known here
by their families. A result names its cost in US dollars; an error names none, and is taken to be free.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from shared.errors import JobError
from shared.money import NANOS_PER_USD, multiply
from workers.providers.base import (
    Answer,
    Ended,
    Finished,
    Job,
    Pending,
    Refused,
    RemoteFile,
    UnreadableAnswer,
    Usage,
)
from workers.providers.runware.models import DEFAULT_FORMAT, FORMATS, RunwareModel

Item = Mapping[str, Any]

CONFLICT: Final = "conflictTaskUUID"
COOL_DOWN_S: Final = 10.0

_BLOCKED = ("contentpolicy", "sensitivecontent", "nsfw", "unsafecontent", "promptblocked", "imageblocked",
            "moderation")  # fmt: skip
_NO_CREDIT = ("insufficientcredits", "quotaexceeded", "paymentrequired")
_NO_ACCESS = ("apikey", "unauthorized", "forbidden", "permission", "authenticationfailed", "authfailed",
              "tokenexpired", "suspended", "organizationdisabled")  # fmt: skip
_NO_TASK = ("tasknotfound", "taskexpired", "taskfailedornotfound")
_NO_MODEL = ("modelnotfound", "unknownmodel", "invalidmodel", "modelunavailable", "modeldisabled")
_INVALID = ("invalid", "missing", "unsupported", "unknown", "value", "array", "incompatible", "duplicate",
            "mismatch", "max")  # fmt: skip
_WORKING = ("processing", "queued", "pending", "scheduled", "waiting")


def read(job: Job, model: RunwareModel, results: Sequence[Item], errors: Sequence[Item]) -> Answer | None:
    """What a task's results and errors mean, None when Runware does not know the task.

    Some pictures of a task may be done before others; it ends when none is left in the making. Raises Refused
    when it is the question that was refused, not the task.
    """
    count = int(job.input.get("count") or 1)
    done = [item for item in results if item.get("imageURL")]
    failed = [error for error in errors if not _is_missing(error)]
    for error in failed:
        if error.get("status") != "error" and (refused := _about_us(error)):
            raise refused
    if any(_is_working(item) for item in results) or (done and len(done) + len(failed) < count):
        return Pending(running=True, progress=len(done) / count if count > 1 else None)
    if done:
        return _finished(job, model, done)
    if results and not failed:
        raise UnreadableAnswer(f"a result without a picture: {str(results[0])[:200]}")
    return _ended(failed[0]) if failed else None


def refusal(error: Item) -> Refused | None:
    """What an error says to a paid call; None when it does not prove that nothing is billed."""
    code, text, details = _said(error)
    if about_us := _about_us(error):
        return about_us
    if _has(code, _BLOCKED):
        return Refused(JobError("CONTENT_BLOCKED", text, details=details), curable=False)
    # What another route may take: a model that is not there. What it may not: a bad parameter.
    if _has(code, _NO_MODEL):
        return Refused(JobError("PROVIDER_REJECTED", text, details=details))
    if code.startswith(_INVALID) and code != "unknownerror":
        return Refused(JobError("PROVIDER_REJECTED", text, details=details), curable=False)
    return None


def _about_us(error: Item) -> Refused | None:
    """What it says of our account or our pace, whatever was asked."""
    code, text, details = _said(error)
    if "ratelimit" in code:
        limited = JobError("PROVIDER_RATE_LIMITED", text, retryable=True, details=details)
        return Refused(limited, retry_after_s=COOL_DOWN_S)
    if _has(code, _NO_CREDIT) or _has(code, _NO_ACCESS):
        return Refused(JobError("PROVIDER_AUTH", text, details=details))
    return None


def _ended(error: Item) -> Ended:
    if refused := refusal(error):
        return Ended(refused.error, curable=refused.curable)
    _, text, details = _said(error)
    return Ended(JobError("PROVIDER_FAILED", text, retryable=True, details=details))


def _finished(job: Job, model: RunwareModel, done: Sequence[Item]) -> Finished:
    mime = FORMATS[job.input.get("format") or DEFAULT_FORMAT][1]
    outputs = [RemoteFile(str(item["imageURL"]), mime, _details(item)) for item in done]
    return Finished(outputs, Usage(model.units(job.input, len(done)), _cost_nanos(done)))


def _details(item: Item) -> dict[str, Any]:
    seed = item.get("seed")
    return {"seed": int(seed)} if isinstance(seed, int | Decimal) else {}


def _cost_nanos(done: Sequence[Item]) -> int | None:
    """The sum of the results' costs; None where one names none, so that the card's price counts."""
    costs = [item.get("cost") for item in done]
    if not all(isinstance(cost, int | Decimal) for cost in costs):
        return None
    return multiply(Decimal(NANOS_PER_USD), sum((Decimal(str(cost)) for cost in costs), Decimal(0)))


def _is_working(item: Item) -> bool:
    """An acknowledgement says neither a status nor a picture."""
    return item.get("status") in _WORKING or not (item.get("status") or item.get("imageURL"))


def _is_missing(error: Item) -> bool:
    return _has(_said(error)[0], _NO_TASK)


def _said(error: Item) -> tuple[str, str, dict[str, Any]]:
    """The code in small letters, a sentence for people, and details."""
    code = str(error.get("code") or "")
    text = str(error.get("message") or f"Runware answered {code or 'an error'}")[:500]
    named = {"reason": code, "parameter": error.get("parameter")}
    return code.lower(), text, {name: value for name, value in named.items() if value}


def _has(code: str, parts: Sequence[str]) -> bool:
    return any(part in code for part in parts)
