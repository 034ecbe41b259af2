"""What a synchronous adapter writes to while it works: stored outputs, progress, text as it comes."""

from collections.abc import AsyncIterator

from shared.events import ProgressThrottle, Publisher, delta_frame, progress_frame
from workers.artifacts import Artifacts, Place
from workers.providers.base import StoredFile

KEPT_CHARACTERS = 64 << 10
"""Of a text that is not finished."""


class SubmissionSink:
    """The `Sink` of one submission. Its frames carry the generation's `seq` while it is being submitted.

    Without `shows_text` nobody sees text before it is whole, because it must be looked at first.
    """

    def __init__(
        self, artifacts: Artifacts, publisher: Publisher, place: Place, seq: int, *, shows_text: bool = True
    ) -> None:
        self._artifacts = artifacts
        self._publisher = publisher
        self._place = place
        self._seq = seq
        self._shows_text = shows_text
        self._throttle = ProgressThrottle(publisher.publish)
        self._shown: list[str] = []
        self._length = 0

    @property
    def shown(self) -> str:
        """The text that was shown so far, or its beginning."""
        return "".join(self._shown)[:KEPT_CHARACTERS]

    async def write(
        self, n: int, mime: str, chunks: AsyncIterator[bytes], *, text: str | None = None
    ) -> StoredFile:
        """Raises ArtifactError."""
        self._throttle.forget(self._place.generation_id)
        return await self._artifacts.write(self._place, n, mime, chunks, text)

    async def progress(self, fraction: float, stage: str = "provider_running") -> None:
        frame = progress_frame(self._place.generation_id, self._seq, progress=round(fraction, 4), stage=stage)
        self._throttle.offer(self._place.account_id, self._place.generation_id, frame)

    async def delta(self, offset: int, text: str) -> None:
        if not self._shows_text:
            return
        if self._length < KEPT_CHARACTERS:
            self._shown.append(text)
            self._length += len(text)
        frame = delta_frame(self._place.generation_id, self._seq, offset=offset, text=text)
        self._publisher.publish_soon(self._place.account_id, [frame])
