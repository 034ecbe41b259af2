"""The emulated Replicate's models for speech and music."""

from tests.emulators import media
from tests.emulators.replicate_model import (
    A100,
    PROMPT,
    SEED,
    URI,
    EmulatedModel,
    Input,
    choice,
    flag,
    integer,
    number,
    text,
)

_CHARACTERS_PER_SECOND = 15


def _speech(given: Input) -> list[tuple[str, bytes]]:
    return [("wav", media.sound("wav", max(0.2, len(given["text"]) / _CHARACTERS_PER_SECOND)))]


def _music(given: Input) -> list[tuple[str, bytes]]:
    extension = given.get("output_format", "wav")
    return [(extension, media.sound(extension, given.get("duration", 8)))]


SOUND_MODELS = (
    EmulatedModel(
        "lucataco/xtts-v2",
        {
            "text": PROMPT,
            "speaker": URI,
            "language": choice("en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "zh",
                               "hu", "ko", "hi"),
            "cleanup_voice": flag(False),
        },
        _speech,
        required=("speaker",),
        version="49ff6cfa14bd4e7f80f62e2279f82f23dfc2e7970f825f8db5599f8a6213c009",
        extra_versions=("684bc3855b37866c0c65add2ff39c78f3dea3f4ff103a436465326e0f438d55e",),
        hardware=A100,
    ),
    EmulatedModel(
        "meta/musicgen",
        {
            "prompt": text(),
            "duration": integer(1, 30, 8),
            "model_version": choice("stereo-melody-large", "stereo-large", "melody-large", "large"),
            "input_audio": URI,
            "continuation": flag(False),
            "normalization_strategy": choice("loudness", "clip", "peak", "rms"),
            "top_k": integer(0, 1000, 250),
            "top_p": number(0, 1, 0),
            "temperature": number(0, 5, 1),
            "classifier_free_guidance": integer(0, 20, 3),
            "output_format": choice("wav", "mp3"),
            "seed": SEED,
        },
        _music,
        required=(),
        version="671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
        hardware=A100,
        logs=True,
    ),
)  # fmt: skip
