"""A text as a model writes it: shown piece by piece, kept as a whole, and looked at before it is stored."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from shared.errors import JobError
from workers.providers.base import Ended, Finished, Sink, Usage
from workers.providers.billing import billed


class Writing:
    """The text of one answer. `given` are the parameters of the request."""

    def __init__(self, given: Mapping[str, Any], sink: Sink) -> None:
        self._wants_json = given.get("json_schema") is not None
        self._sink = sink
        self._pieces: list[str] = []
        self._length = 0

    async def add(self, piece: str) -> None:
        await self._sink.delta(self._length, piece)
        self._pieces.append(piece)
        self._length += len(piece)

    async def end(self, usage: Usage, remote_id: str | None, *, cut: bool) -> Finished | Ended:
        """Stores the text; `cut` says that `max_tokens` ended it. What was not asked for is not delivered, but
        it is billed: no text at all, and no JSON where there had to be some."""
        text = "".join(self._pieces)
        if not text:
            why = "max_tokens were used up before it wrote anything" if cut else "The model wrote nothing"
            return Ended(JobError("PROVIDER_FAILED", f"{why}."), usage, curable=not cut)
        if self._wants_json and not _is_json(text):
            why = "was cut off by max_tokens" if cut else "is none"
            error = JobError("PROVIDER_FAILED", f"JSON was asked for, and the answer {why}.")
            return Ended(error, usage, curable=not cut)
        with billed(usage):
            mime = "application/json" if self._wants_json else "text/plain"
            stored = await self._sink.write(0, mime, _once(text.encode()), text=text)
        return Finished([stored], usage, remote_id)


def declined(reason: str | None, usage: Usage) -> Ended:
    """A model that would not answer: it is asked nowhere else, and bills what it read and wrote."""
    return Ended(
        JobError("CONTENT_BLOCKED", (reason or "The model would not answer")[:500]), usage, curable=False
    )


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
