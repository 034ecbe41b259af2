"""What a submission sends, and by what its prediction is known again.

A create has no idempotency key. What proves that a prediction is ours is its webhook, where the API shows it,
or else a seed that we drew from the submission's id, together with all the rest of the input.
"""

import hashlib
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

from shared.kinds import Kind
from workers.providers.base import Request
from workers.providers.replicate.model import Files, Given, Input, ReplicateModel

UPLOADED = ""
"""In place of the URL of a file that was uploaded: it has another one at each call."""


class Likeness(Enum):
    """How a prediction resembles a submission."""

    OTHER = "proven to be another's"
    UNCLEAR = "not to be told from what the API shows"
    EQUAL = "all that the API shows is equal, which two submissions may have in common"
    OURS = "proven"


def derived_seed(submission_id: UUID) -> int:
    """31 bits that only this submission draws."""
    return int.from_bytes(hashlib.sha256(submission_id.bytes).digest()[:4]) >> 1


def model_input(model: ReplicateModel, given: Given, files: Files) -> Input:
    """The model's input but for its seed. Raises Refused."""
    return model.to_input(model.card.fitted(given), files)


def nameless_files(kind: Kind, given: Given) -> Files:
    """The files that came with these parameters, by name alone."""
    files: dict[str, str] = {}
    for name in kind.file_fields:
        several = given.get(name)
        if isinstance(several, list):
            files |= {f"{name}.{n}": UPLOADED for n in range(len(several))}
        elif several is not None:
            files[name] = UPLOADED
    return files


def sent_input(request: Request, model: ReplicateModel, files: Files) -> Input:
    """The model's input, the same at each call for one submission but for its files. Raises Refused."""
    sent = model_input(model, request.input, files)
    if not model.seeded:
        return sent
    seed = request.input.get("seed")
    return {**sent, "seed": derived_seed(request.submission_id) if seed is None else seed}


def draws_seed(request: Request, model: ReplicateModel) -> bool:
    """Whether the seed is one that we drew, and so proves whose a prediction is."""
    return model.seeded and request.input.get("seed") is None


def webhook_url(request: Request) -> str | None:
    """Our callback with the submission's tag; Replicate takes https only."""
    if request.callback_url is None or not request.callback_url.startswith("https://"):
        return None
    parts = urlsplit(request.callback_url)
    query = "&".join(part for part in (parts.query, urlencode({"s": str(request.submission_id)})) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def likeness(row: Mapping[str, Any], request: Request, model: ReplicateModel, sent: Given) -> Likeness:
    """How a row of the list resembles this submission, which sent `sent`."""
    if row.get("source") == "web" or row.get("model", model.slug) != model.slug:
        return Likeness.OTHER
    webhook = row.get("webhook")
    if isinstance(webhook, str):
        # The rest of the URL may have changed since; the submission's id is in no other's.
        return Likeness.OURS if str(request.submission_id) in webhook else Likeness.OTHER
    shown = row.get("input")
    if row.get("data_removed") or not isinstance(shown, dict):
        return Likeness.UNCLEAR
    # The API may add defaults to what was sent.
    if any(shown.get(name) != sent[name] for name in sent.keys() - model.file_fields):
        return Likeness.OTHER
    if draws_seed(request, model):
        return Likeness.OURS
    return _same_files(shown, request, model, sent)


def _same_files(shown: Given, request: Request, model: ReplicateModel, sent: Given) -> Likeness:
    signed = any(file.bytes is not None for file in request.files.values())
    found = Likeness.EQUAL
    for name in model.file_fields & sent.keys():
        ours, theirs = _urls(sent[name]), _urls(shown.get(name))
        if len(ours) != len(theirs):
            return Likeness.OTHER
        for one, other in zip(ours, theirs, strict=True):
            match _same_file(one, other, signed=signed):
                case False:
                    return Likeness.OTHER
                case None:
                    found = Likeness.UNCLEAR
    return found


def _same_file(ours: str, theirs: str, *, signed: bool) -> bool | None:
    """None where it cannot be told. The query of a signed URL differs from call to call."""
    if ours == theirs != UPLOADED:
        return True
    ways = {urlsplit(url).scheme for url in (ours, theirs)}
    if ways == {"https"}:
        return signed and urlsplit(ours)[:3] == urlsplit(theirs)[:3]
    return False if ways == {"data"} else None


def _urls(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(url) for url in value]
    return [] if value is None else [str(value)]
