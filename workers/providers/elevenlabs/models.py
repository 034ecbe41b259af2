"""ElevenLabs' models: their cards, the voices that have names, and how our parameters become a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from shared.catalog import ModelCard, Price
from shared.money import NANOS_PER_USD

Given = Mapping[str, Any]

DEFAULT_VOICE = "sarah"
VOICES = {
    "adam": "pNInz6obpgDQGcFmaJgB",
    "daniel": "onwK4e9ZLuTAKqWW03F9",
    "george": "JBFqnCBsd6RMkjVDRZzb",
    "laura": "FGY2WhTYpPnrIDTdsKH5",
    "matilda": "XrExE9yKIg1WjnnlVkGX",
    "rachel": "21m00Tcm4TlvDq8ikWAM",
    "sarah": "EXAVITQu4vr4xnSDxMaL",
}
"""Premade voices that every account has; the setting ELEVENLABS_VOICES adds to them."""

SPEECH_FORMATS = {
    "mp3": ("mp3_44100_128", "audio/mpeg"),
    # WAV at 44.1 kHz and more needs a larger plan than the rest.
    "wav": ("wav_24000", "audio/wav"),
    "ogg": ("opus_48000_96", "audio/ogg"),
}
MUSIC_FORMAT = ("mp3_44100_128", "audio/mpeg")
EFFECT_FORMATS = {"mp3": ("mp3_44100_128", "audio/mpeg"), "wav": ("wav_24000", "audio/wav")}
EFFECT_MOST_S = 30.0

_COMMERCIAL = "What it makes may be used commercially on a paid plan of ElevenLabs, under its terms."
_MUSIC_TERMS = (
    "Commercial use on a paid plan; ElevenLabs' music terms leave out some uses, such as film, television "
    "and games, on its smaller plans."
)
_MULTILINGUAL = [
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "fi", "fil", "fr", "hi", "hr", "id", "it", "ja", "ko", "ms",
    "nl", "pl", "pt", "ro", "ru", "sk", "sv", "ta", "tr", "uk", "zh",
]  # fmt: skip
_FLASH = sorted([*_MULTILINGUAL, "hu", "no", "vi"])
_RESELLER = "a reseller's list, 2026-11, unverified: {}"
_LIST = "developer.puter.com (third party, 2026-06) of elevenlabs.io/pricing/api: {}"


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """`takes_language` is false for a model that finds out the language by itself and refuses to be told."""

    card: ModelCard
    takes_language: bool = True


@dataclass(frozen=True, slots=True)
class MusicModel:
    card: ModelCard


@dataclass(frozen=True, slots=True)
class EffectModel:
    card: ModelCard


def _per_character(usd_per_1000: str, effective_from: date, source: str) -> Price:
    rate = Decimal(usd_per_1000) * NANOS_PER_USD / 1000
    return Price({"character": rate}, effective_from, source)


def _speech(
    model: str,
    label: str,
    description: str,
    price: Price,
    *,
    rank: int,
    expected_s: float,
    characters: int,
    languages: list[str] | None = None,
    aliases: tuple[str, ...] = (),
) -> ModelCard:
    limits: dict[str, dict[str, Any]] = {
        "text": {"maxLength": characters},
        "speed": {"minimum": 0.7, "maximum": 1.2},
        "voice": {"examples": sorted(VOICES), "default": DEFAULT_VOICE},
    }
    if languages is not None:
        limits["language"] = {"enum": languages}
    return ModelCard(
        provider="elevenlabs",
        model=model,
        kind="audio",
        label=label,
        description=description,
        accepts=frozenset(
            {"text", "voice", "language", "speed", "format", "seed", "voice_sample", "consent"}
        ),
        price=price,
        expected_s=expected_s,
        aliases=aliases,
        rank=rank,
        limits=limits,
        licence=_COMMERCIAL,
    )


def _music(
    model: str, label: str, description: str, *, rank: int, aliases: tuple[str, ...] = ()
) -> ModelCard:
    rate = Decimal("0.30") * NANOS_PER_USD / 60
    return ModelCard(
        provider="elevenlabs",
        model=model,
        kind="music",
        label=label,
        description=description,
        accepts=frozenset({"prompt", "genre", "mood", "tempo", "duration_s", "format", "instrumental"}),
        price=Price({"output_second": rate}, date(2026, 6, 1), _LIST.format("$0.30 per minute of music")),
        expected_s=40.0,
        aliases=aliases,
        rank=rank,
        # Genre, mood and tempo are written into the prompt, which may have 4,100 characters.
        limits={"prompt": {"maxLength": 3900}, "format": {"enum": ["mp3"]}},
        licence=_MUSIC_TERMS,
    )


SPEECH_MODELS = (
    SpeechModel(
        _speech(
            "eleven_multilingual_v2",
            "Eleven Multilingual v2",
            "Steady, lifelike speech in 29 languages; clones a voice from a sample.",
            _per_character("0.10", date(2026, 6, 1), _LIST.format("$0.10 per 1,000 characters")),
            rank=20,
            expected_s=5.0,
            characters=10_000,
            languages=_MULTILINGUAL,
            aliases=("elevenlabs",),
        ),
        takes_language=False,
    ),
    SpeechModel(
        _speech(
            "eleven_v4",
            "Eleven v4",
            "The newest and most expressive voices, in more than 70 languages.",
            _per_character("0.08", date(2026, 11, 20), _RESELLER.format("$0.08 per 1,000 characters")),
            rank=21,
            expected_s=8.0,
            characters=10_000,
        )
    ),
    SpeechModel(
        _speech(
            "eleven_v4_turbo",
            "Eleven v4 Turbo",
            "Eleven v4 at half the price, a little less refined.",
            _per_character("0.04", date(2026, 11, 20), _RESELLER.format("$0.04 per 1,000 characters")),
            rank=22,
            expected_s=4.0,
            characters=10_000,
        )
    ),
    SpeechModel(
        _speech(
            "eleven_v3",
            "Eleven v3",
            "Expressive speech that follows stage directions in square brackets.",
            _per_character("0.10", date(2026, 6, 1), _LIST.format("$0.10 per 1,000 characters")),
            rank=23,
            expected_s=8.0,
            characters=3_000,
        )
    ),
    SpeechModel(
        _speech(
            "eleven_flash_v2_5",
            "Eleven Flash v2.5",
            "Fast and cheap speech in 32 languages.",
            _per_character("0.05", date(2026, 6, 1), _LIST.format("$0.05 per 1,000 characters")),
            rank=24,
            expected_s=2.0,
            characters=10_000,
            languages=_FLASH,
        )
    ),
)
MUSIC_MODELS = (
    MusicModel(
        _music(
            "music_v2",
            "Eleven Music v2",
            "Studio music with or without a voice, up to ten minutes.",
            rank=20,
            aliases=("elevenlabs", "eleven-music"),
        )
    ),
    MusicModel(_music("music_v2_5", "Eleven Music v2.5", "The newest of ElevenLabs' music models.", rank=21)),
    MusicModel(
        _music(
            "music_v1", "Eleven Music v1", "The first of the music models; ElevenLabs deprecates it.", rank=60
        )
    ),
)

EFFECT_MODELS = (
    EffectModel(
        ModelCard(
            provider="elevenlabs",
            model="eleven_text_to_sound_v2",
            kind="music",
            label="ElevenLabs sound effects",
            description="Sounds of up to thirty seconds: a door, rain, a crowd. Not music.",
            accepts=frozenset({"prompt", "duration_s", "format"}),
            price=None,
            expected_s=8.0,
            aliases=("sound-effects",),
            rank=90,
            limits={"prompt": {"maxLength": 450}, "duration_s": {"maximum": EFFECT_MOST_S}},
            licence=_COMMERCIAL,
        )
    ),
)

Model = SpeechModel | MusicModel | EffectModel
MODELS: dict[str, Model] = {
    model.card.model: model for model in (*SPEECH_MODELS, *MUSIC_MODELS, *EFFECT_MODELS)
}
CARDS = tuple(model.card for model in MODELS.values())


def language_code(given: Given) -> str:
    """ISO 639-1, without the region that ElevenLabs does not take."""
    return str(given.get("language") or "en").partition("-")[0]
