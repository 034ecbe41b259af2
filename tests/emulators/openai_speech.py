"""`audio/speech`: sound as bytes, or as server-sent events of which the last counts the tokens."""

import base64
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import av

from tests.emulators.media import sound, wav_tone
from tests.emulators.openai_models import EmulatedModel
from tests.emulators.openai_wire import Wrong, event

MIME = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "opus": "audio/ogg",
    "pcm": "audio/pcm",
}
_FIELDS = frozenset(["model", "input", "voice", "instructions", "response_format", "speed", "stream_format"])
_PIECE = 4096


@dataclass(frozen=True, slots=True)
class Recording:
    """A request for speech that was found in order."""

    text: str
    format: str
    events: bool
    counted: bool

    @property
    def units(self) -> dict[str, int]:
        if not self.counted:
            return {"characters": len(self.text)}
        return {"in": math.ceil(len(self.text) / 4), "audio_out": math.ceil(len(self.text) * 1.3)}

    def pieces(self) -> list[bytes]:
        content = _content(self.format)
        pieces = [content[start : start + _PIECE] for start in range(0, len(content), _PIECE)]
        if not self.events:
            return pieces
        name = "speech.audio.delta"
        shown = [event({"type": name, "audio": base64.b64encode(piece).decode()}) for piece in pieces]
        units = self.units
        usage = {
            "input_tokens": units["in"],
            "output_tokens": units["audio_out"],
            "total_tokens": units["in"] + units["audio_out"],
        }
        return [*shown, event({"type": "speech.audio.done", "usage": usage})]


def read(body: Mapping[str, Any], model: EmulatedModel, formats: frozenset[str]) -> Recording:
    """Raises Wrong."""
    for name in body:
        if name not in _FIELDS:
            raise Wrong(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    text, output_format = body.get("input"), body.get("response_format", "mp3")
    if not isinstance(text, str) or not 0 < len(text) <= 4096:
        raise Wrong("String should have at most 4096 characters", code="string_too_long", param="input")
    if body.get("voice") not in model.voices:
        raise Wrong(f"Invalid voice: {body.get('voice')!r}", code="invalid_value", param="voice")
    if output_format not in formats:
        raise Wrong(f"Invalid format {output_format!r}", code="invalid_value", param="response_format")
    if not 0.25 <= float(body.get("speed", 1)) <= 4:
        raise Wrong("Invalid speed", code="invalid_value", param="speed")
    events = body.get("stream_format") == "sse"
    if events and not model.counts_speech:
        raise Wrong("sse is not supported for this model", code="invalid_value", param="stream_format")
    return Recording(text, str(output_format), events, model.counts_speech)


@cache
def _content(output_format: str) -> bytes:
    if output_format in ("mp3", "wav"):
        return sound(output_format)
    if output_format == "pcm":
        return wav_tone(1.0)[44:]
    buffer = io.BytesIO()
    with av.open(io.BytesIO(wav_tone(1.0)), "r") as source, av.open(buffer, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000)
        for frame in source.decode(audio=0):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()
