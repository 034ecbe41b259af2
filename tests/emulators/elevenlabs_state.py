"""What the emulated ElevenLabs keeps: voices, the speech of the history, what it sold, and how much it costs."""

import io
import math
import secrets
import string
from dataclasses import dataclass
from functools import cache
from typing import Any

import av

from tests.emulators.base import InvoiceLine
from tests.emulators.media import sound, wav_tone

CREDIT_NANOS = 100_000
"""$0.10 per 1,000 credits."""
MUSIC_NANOS_PER_S = 5_000_000
"""$0.30 per minute."""
EFFECT_CREDITS = 200
CHARACTER_COST = {
    "eleven_v4": 0.8,
    "eleven_v4_turbo": 0.4,
    "eleven_v3": 1.0,
    "eleven_multilingual_v2": 1.0,
    "eleven_flash_v2_5": 0.5,
}
"""Credits per character of each model."""
MUSIC_MODELS = ("music_v1", "music_v2", "music_v2_5")
TEXT_LENGTH = {"eleven_v3": 3_000, "eleven_flash_v2_5": 40_000}
TONE_S = 1.0

_ALPHABET = string.ascii_letters + string.digits


def new_id() -> str:
    """20 letters and digits, as ElevenLabs' are."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(20))


@dataclass(frozen=True, slots=True)
class Voice:
    voice_id: str
    name: str
    category: str
    created_at: float
    sample_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "voice_id": self.voice_id,
            "name": self.name,
            "category": self.category,
            "labels": {},
            "available_for_tiers": [],
            "high_quality_base_model_ids": [],
            "created_at_unix": int(self.created_at) if self.category == "cloned" else None,
        }


@dataclass(slots=True)
class Speech:
    """A row of the history."""

    history_item_id: str
    request_id: str
    voice: Voice
    model_id: str
    text: str
    made_at: float
    spent: tuple[int, int]
    """The account's credits used before and after it."""
    output_format: str
    settings: dict[str, Any] | None
    visible_at: float
    state: str = "created"

    def as_json(self) -> dict[str, Any]:
        return {
            "history_item_id": self.history_item_id,
            "request_id": self.request_id,
            "voice_id": self.voice.voice_id,
            "voice_name": self.voice.name,
            "voice_category": self.voice.category,
            "model_id": self.model_id,
            "text": self.text,
            "date_unix": int(self.made_at),
            "character_count_change_from": self.spent[0],
            "character_count_change_to": self.spent[1],
            "content_type": mime(self.output_format),
            "state": self.state,
            "settings": self.settings,
            "source": "TTS",
            "output_format": self.output_format,
        }


@dataclass(slots=True)
class Sale:
    """One line of the invoice."""

    id: str
    model: str
    nanos: int
    at: float
    input: dict[str, Any]

    def bill(self) -> InvoiceLine:
        return InvoiceLine(self.id, self.model, "made", self.nanos, True, self.at, input=self.input)


def credits_of(text: str, model_id: str) -> int:
    """Rounded up, for each request."""
    return math.ceil(round(len(text) * CHARACTER_COST[model_id], 6))


def mime(output_format: str) -> str:
    codec = output_format.partition("_")[0]
    return {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg"}.get(codec, "audio/basic")


def audio(output_format: str) -> bytes:
    """A tone in the format; the bare codecs are the tone without a header."""
    codec = output_format.partition("_")[0]
    if codec in ("mp3", "auto"):
        return sound("mp3", TONE_S)
    if codec == "opus":
        return _opus(TONE_S)
    return sound("wav", TONE_S) if codec == "wav" else sound("wav", TONE_S)[44:]


@cache
def _opus(seconds: float) -> bytes:
    buffer = io.BytesIO()
    with (
        av.open(io.BytesIO(wav_tone(seconds)), "r") as source,
        av.open(buffer, "w", format="ogg") as container,
    ):
        stream = container.add_stream("libopus", rate=48_000)
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in source.decode(audio=0):
            for resampled in resampler.resample(frame):
                container.mux(stream.encode(resampled))
        container.mux(stream.encode())
    return buffer.getvalue()
