"""What a prediction object of Replicate means to us.

Parsed from raw JSON: the SDK knows no `aborted`, and one such row would lose it a whole page. An `output` says
nothing by itself; only the status `succeeded` does.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from shared.errors import JobError
from workers.providers.base import Answer, Ended, Finished, Pending, RemoteFile, UnreadableAnswer, Usage
from workers.providers.replicate.model import ReplicateModel

_MIME = {
    "png": "image/png",
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
}
_PERCENT = re.compile(
    r"^(?:[^\n|%]{0,60}:)?\s*(\d{1,3})(?:\.\d+)?%\s*(?:\||$)|^\s*Tile (\d+)/(\d+)",
    re.MULTILINE | re.IGNORECASE,
)
"""A line of tqdm's (`Sampling:  40%|████      | 20/50 …`), a percentage alone, or an upscaler's `Tile 3/9`."""
_BLOCKED = re.compile(r"nsfw|flagged as sensitive|content polic|moderat|\bE005\b", re.IGNORECASE)
_SEED = re.compile(r"^Using seed: (\d{1,18})\b", re.MULTILINE)
_NO_COST = Usage(cost_nanos=0)
_UNKNOWN = Usage({"run": Decimal(1)})
"""It ran, and nobody says what that came to: without the priced unit, its bill is unknown rather than nothing."""


def read(prediction: Mapping[str, Any], model: ReplicateModel) -> Answer:
    """Raises UnreadableAnswer for a status that we do not know."""
    match prediction.get("status"):
        case "starting":
            return Pending(running=False)
        case "processing":
            return Pending(running=True, progress=progress(prediction.get("logs")))
        case "succeeded":
            return _succeeded(prediction, model)
        case "failed":
            return _failed(prediction, model)
        case "canceled":
            return _canceled(prediction, model)
        case "aborted":
            error = JobError(
                "PROVIDER_TIMEOUT", "Replicate did not start it within its time limit", retryable=True
            )
            return Ended(error, _NO_COST)
        case status:
            raise UnreadableAnswer(f"unknown status {status!r}")


def progress(logs: object) -> float | None:
    """0 to 1 from the last line in the logs that tells it, or None."""
    found = _PERCENT.findall(logs) if isinstance(logs, str) else None
    if not found:
        return None
    percent, tile, tiles = found[-1]
    # A tile is announced before it is worked on.
    share = int(percent) / 100 if percent else (int(tile) - 1) / max(1, int(tiles))
    return min(1.0, share)


def _succeeded(prediction: Mapping[str, Any], model: ReplicateModel) -> Answer:
    urls = _urls(prediction.get("output"))
    if urls:
        details = _details(prediction)
        outputs = [RemoteFile(url, _MIME.get(urlsplit(url).path.rpartition(".")[2]), details) for url in urls]
        return Finished(outputs, _usage(prediction, model, len(urls)))
    # It has been billed all the same, and running it again would be billed again.
    removed = "The result was removed before it could be fetched" if prediction.get("data_removed") else None
    error = JobError("PROVIDER_FAILED", removed or "The model ended without an output", retryable=True)
    return Ended(error, _usage(prediction, model, 1), curable=False)


def _details(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """The seed that the model says it took, else the one that it was sent."""
    logs, sent = prediction.get("logs"), prediction.get("input")
    if isinstance(logs, str) and (found := _SEED.search(logs)):
        return {"seed": int(found[1])}
    seed = sent.get("seed") if isinstance(sent, dict) else None
    return {"seed": seed} if isinstance(seed, int) else {}


def _failed(prediction: Mapping[str, Any], model: ReplicateModel) -> Ended:
    text = str(prediction.get("error") or "The model failed").strip()[:500]
    blocked = _BLOCKED.search(text) is not None
    error = JobError("CONTENT_BLOCKED" if blocked else "PROVIDER_FAILED", text, retryable=not blocked)
    return Ended(error, _time_used(prediction, model), curable=not blocked)


def _canceled(prediction: Mapping[str, Any], model: ReplicateModel) -> Ended:
    """By its deadline, when it has one and reached it; else by somebody's wish."""
    usage = _time_used(prediction, model)
    deadline, ended_at = _moment(prediction.get("deadline")), _moment(prediction.get("completed_at"))
    if deadline is not None and ended_at is not None and ended_at >= deadline:
        error = JobError("PROVIDER_TIMEOUT", "Replicate stopped it at its time limit", retryable=True)
        return Ended(error, usage)
    # Nobody here asked for it, or the generation would have ended before.
    return Ended(
        JobError("PROVIDER_FAILED", "It was canceled at Replicate", retryable=True), usage, canceled=True
    )


def _usage(prediction: Mapping[str, Any], model: ReplicateModel, files: int) -> Usage:
    if model.units is None:
        return _time_used(prediction, model)
    sent, metrics = prediction.get("input"), prediction.get("metrics")
    try:
        counted = model.units(
            sent if isinstance(sent, dict) else {}, files, metrics if isinstance(metrics, dict) else {}
        )
    except (KeyError, ArithmeticError, TypeError):
        return _UNKNOWN
    return Usage(counted)


def _time_used(prediction: Mapping[str, Any], model: ReplicateModel) -> Usage:
    """What is billed without a result: nothing for a model that is billed for its output, or for one that never
    started, else the time that it ran."""
    if model.units is not None:
        return _NO_COST
    metrics = prediction.get("metrics")
    seconds = metrics.get("predict_time") if isinstance(metrics, dict) else None
    if prediction.get("started_at") is None:
        return _NO_COST
    if seconds is None:
        started_at, ended_at = _moment(prediction["started_at"]), _moment(prediction.get("completed_at"))
        if started_at is None or ended_at is None:
            return _UNKNOWN
        seconds = (ended_at - started_at).total_seconds()
    return Usage({"compute_second": Decimal(str(seconds))})


def _urls(output: object) -> Sequence[str]:
    if isinstance(output, str):
        return [output]
    if isinstance(output, list):
        return [url for url in output if isinstance(url, str)]
    return []


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
