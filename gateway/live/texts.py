"""What has been written so far of texts, for clients that join in the middle: Redis keeps no frames."""

from uuid import UUID

from gateway.live.frames import Frame
from shared.events import EventType, delta_frame

MAX_TEXTS = 64
MAX_LENGTH = 64 << 10


class _Text:
    __slots__ = ("length", "pieces", "seq")

    def __init__(self) -> None:
        self.seq = 0
        self.length = 0
        self.pieces: list[str] = []


class Texts:
    """The texts of one account that are being written, from their beginnings on; past the bounds they are
    forgotten, and who joins late has to wait for the end."""

    __slots__ = ("_texts",)

    def __init__(self) -> None:
        self._texts: dict[str, _Text] = {}

    def hear(self, frame: Frame) -> None:
        """Take in a frame of any type: a delta goes on with its text, a change ends it."""
        if frame.type == EventType.DELTA:
            self._extend(frame)
        elif not frame.ephemeral:
            self._texts.pop(frame.id, None)

    def so_far(self, id_: str, seq: int) -> Frame | None:
        """One delta with all that was written at this position; None when that is not known."""
        text = self._texts.get(id_)
        if text is None or text.seq != seq:
            return None
        return Frame.parse(delta_frame(UUID(id_), seq, offset=0, text="".join(text.pieces)))

    def _extend(self, frame: Frame) -> None:
        offset, more = frame.data["offset"], frame.data["text"]
        text = self._begin(frame.id) if offset == 0 else self._texts.get(frame.id)
        if text is None:
            return
        if offset != text.length or text.length + len(more) > MAX_LENGTH:
            del self._texts[frame.id]
            return
        text.seq = frame.seq
        text.length += len(more)
        text.pieces.append(more)

    def _begin(self, id_: str) -> _Text:
        self._texts.pop(id_, None)
        if len(self._texts) >= MAX_TEXTS:
            del self._texts[next(iter(self._texts))]
        text = self._texts[id_] = _Text()
        return text
