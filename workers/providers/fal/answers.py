"""What fal's queue and its models' results mean to us.

A request that has ended is `COMPLETED` however it ended; its result has the status that the model answered with.

What is billed (fal's pages on pricing and its FAQ): outputs; never an error of the 500s, nor the wait. An
error of the 400s may be, if a machine worked before it was noticed. The result's `x-fal-billable-units` says
how much, where the model tells it.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

from shared.errors import JobError
from workers.providers.base import Answer, Ended, Finished, Gone, Pending, RemoteFile, UnreadableAnswer, Usage
from workers.providers.fal.models import FalModel
from workers.providers.fal.wire import CONTENT_POLICY, said
from workers.providers.reply import Reply

BILLABLE_UNITS: Final = "x-fal-billable-units"

_MIME = {
    "png": "image/png",
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
}
_PROGRESS = re.compile(r"^\s*(\d{1,3})%\s*\|", re.MULTILINE)
_CANCELED = frozenset({"client_cancelled", "client_canceled"})
_TIMED_OUT = frozenset({"startup_timeout", "request_timeout", "generation_timeout"})
_CURABLE = _TIMED_OUT | {
    "downstream_service_error",
    "downstream_service_unavailable",
    "feature_not_supported",
    "file_download_error",
    "internal_server_error",
    "no_media_generated",
}
"""Errors of the 400s that another route may not have."""
_NOT_THE_WORKS = frozenset({401, 402, 403, 408, 429})
"""Of these a question may die, whatever became of the work."""
_NO_COST = Usage(cost_nanos=0)


def read_status(body: Mapping[str, Any]) -> Pending | None:
    """None when it has ended and there is a result to be asked for. Raises UnreadableAnswer."""
    match body.get("status"):
        case "IN_QUEUE":
            place = body.get("queue_position")
            return Pending(running=False, queue_position=place if isinstance(place, int) else None)
        case "IN_PROGRESS":
            return Pending(running=True, progress=progress(body.get("logs")))
        case "COMPLETED":
            return None
        case status:
            raise UnreadableAnswer(f"unknown status {status!r}")


def progress(logs: object) -> float | None:
    """0 to 1 from the last of tqdm's lines in the logs, or None."""
    if not isinstance(logs, list):
        return None
    lines = "\n".join(str(line.get("message", "")) for line in logs if isinstance(line, dict))
    found = _PROGRESS.findall(lines)
    return min(1.0, int(found[-1]) / 100) if found else None


def read_result(reply: Reply, status: Mapping[str, Any], model: FalModel, given: Mapping[str, Any]) -> Answer:
    """`status` is what the queue said before. Raises UnreadableAnswer when the question has to be asked again."""
    code = reply.status or 0
    if code == 200:
        return _delivered(reply, model, given)
    if code == 404:
        return Gone()
    failed_in_queue = isinstance(status.get("error_type") or status.get("error"), str)
    if code < 400 or code in _NOT_THE_WORKS or (code >= 500 and not (_is_fals(reply) or failed_in_queue)):
        raise UnreadableAnswer(f"fal answered {code} for the result")
    return _failed(code, reply, status, model)


def _delivered(reply: Reply, model: FalModel, given: Mapping[str, Any]) -> Answer:
    body = reply.json()
    usage = _counted(reply, model) or Usage(model.units(given, body))
    files = list(_files(body))
    shown = [file for file, blocked in zip(files, _blocked(body, len(files)), strict=True) if not blocked]
    if shown:
        seed = body.get("seed")
        details = {"seed": seed} if isinstance(seed, int) else {}
        return Finished([RemoteFile(file["url"], _mime(file), details) for file in shown], usage)
    # It has been billed all the same, and running it again would be billed again.
    if files:
        error = JobError("CONTENT_BLOCKED", "The model took what it made for unsafe and blackened it")
        return Ended(error, usage, curable=False)
    error = JobError("PROVIDER_FAILED", "The model ended without an output", retryable=True)
    return Ended(error, usage, curable=False)


def _is_fals(reply: Reply) -> bool:
    """Whether it comes from fal rather than from a proxy before it."""
    return "x-fal-request-id" in reply.headers


def _failed(code: int, reply: Reply, status: Mapping[str, Any], model: FalModel) -> Ended:
    text, types = said(reply)
    types |= {str(status.get("error_type"))}
    text = text or str(status.get("error") or "The model failed")[:500]
    details = {"status": code}
    if types & _CANCELED:
        # Nobody here asked for it, or the generation would have ended before.
        error = JobError("PROVIDER_FAILED", "It was canceled at fal", retryable=True)
        return Ended(error, _counted(reply, model) or _NO_COST, canceled=True)
    if CONTENT_POLICY in types:
        return Ended(
            JobError("CONTENT_BLOCKED", text, details=details), _maybe_billed(reply, status, model),
            curable=False,
        )  # fmt: skip
    if types & _TIMED_OUT:
        error = JobError("PROVIDER_TIMEOUT", text, retryable=True, details=details)
        return Ended(error, _NO_COST if code >= 500 else _maybe_billed(reply, status, model))
    if code >= 500:
        return Ended(JobError("PROVIDER_FAILED", text, retryable=True, details=details), _NO_COST)
    usage = _maybe_billed(reply, status, model)
    if types & _CURABLE:
        return Ended(JobError("PROVIDER_FAILED", text, retryable=True, details=details), usage)
    return Ended(JobError("PROVIDER_REJECTED", text, details=details), usage, curable=False)


def _counted(reply: Reply, model: FalModel) -> Usage | None:
    """What fal says that it bills, where we know what its count is of."""
    try:
        count = Decimal(reply.headers[BILLABLE_UNITS])
    except (KeyError, InvalidOperation):
        return None
    if not count.is_finite() or count < 0:
        return None
    if count == 0:
        return _NO_COST
    return Usage({model.billed_in: count}) if model.billed_in is not None else None


def _maybe_billed(reply: Reply, status: Mapping[str, Any], model: FalModel) -> Usage:
    """Nothing where no machine worked; else an unknown bill, unless fal names it: nobody knows the price of
    a second of it."""
    if (counted := _counted(reply, model)) is not None:
        return counted
    metrics = status.get("metrics")
    seconds = metrics.get("inference_time") if isinstance(metrics, dict) else None
    if BILLABLE_UNITS not in reply.headers and not seconds:
        return _NO_COST
    return Usage({"compute_second": Decimal(str(seconds or 0))})


def _files(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The file objects of an answer, under whichever name a model delivers them."""
    for name in ("images", "image", "video", "audio", "audio_file"):
        found = body.get(name)
        for file in found if isinstance(found, list) else [found]:
            if isinstance(file, dict) and isinstance(file.get("url"), str) and file["url"]:
                yield file


def _blocked(body: Mapping[str, Any], count: int) -> list[bool]:
    flags = body.get("has_nsfw_concepts")
    known = flags if isinstance(flags, list) and len(flags) == count else [False] * count
    return [flag is True for flag in known]


def _mime(file: Mapping[str, Any]) -> str | None:
    extension = urlsplit(file["url"]).path.rpartition(".")[2].lower()
    told = file.get("content_type")
    return _MIME.get(extension) or (told if told in _MIME.values() else None)
