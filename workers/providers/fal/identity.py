"""How one of our requests is told from all others at fal.

There is no tag. What only one submission sends is a seed that we drew from its id, together with all the rest
of the input; where the user chose the seed, or the model takes none, an equal request may be somebody else's.
"""

import hashlib
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from workers.providers.base import Request
from workers.providers.fal.models import FalModel


class Likeness(Enum):
    OURS = auto()
    EQUAL = auto()
    """It asks for the same, which somebody else may have done."""
    UNCLEAR = auto()
    """It does not show enough."""
    OTHER = auto()


def derived_seed(submission_id: UUID) -> int:
    """31 bits that only this submission draws."""
    return int.from_bytes(hashlib.sha256(submission_id.bytes).digest()[:4]) >> 1


def draws_seed(request: Request, model: FalModel) -> bool:
    return model.seeded and request.input.get("seed") is None


def sent_input(request: Request, model: FalModel, files: Mapping[str, str]) -> dict[str, Any]:
    """The model's input, the same at each call for one submission but for its files. Raises Refused."""
    sent = model.to_input(request.input, files)
    if not model.seeded:
        return sent
    seed = derived_seed(request.submission_id) if draws_seed(request, model) else request.input["seed"]
    return {**sent, "seed": seed}


def likeness(row: Mapping[str, Any], request: Request, model: FalModel) -> Likeness:
    """How a row of the list, which was sent to the request's endpoint, resembles the request."""
    shown = row.get("json_input")
    if not isinstance(shown, dict):
        # The account has fal keep no payloads.
        return Likeness.UNCLEAR
    # The API may add defaults to what was sent, and files travel at URLs that differ from call to call.
    given = {"image": ""} if request.input.get("image") is not None else {}
    sent = sent_input(request, model, given)
    if any(shown.get(name) != value for name, value in sent.items() if name != "image_url"):
        return Likeness.OTHER
    if draws_seed(request, model):
        return Likeness.OURS
    if not given:
        return Likeness.EQUAL
    return _by_picture(shown.get("image_url"), request)


def _by_picture(shown: object, request: Request) -> Likeness:
    """One file has one address, whatever its signature; nothing is known of one that was handed over."""
    file = request.files.get("image")
    urls = (shown, file.url if file is not None else None)
    if not all(isinstance(url, str) and url.startswith("https://") for url in urls):
        return Likeness.UNCLEAR
    first, second = (urlsplit(str(url))[:3] for url in urls)
    return Likeness.EQUAL if first == second else Likeness.OTHER
