"""Speech by XTTS v2, in the voice of a sample, and music by MusicGen."""

import math
from decimal import Decimal

from shared.catalog import ModelCard
from workers.providers.replicate.model import A100, Files, Given, Input, ReplicateModel
from workers.providers.styles import music_prompt

XTTS_LANGUAGES = (
    "en",
    "es",
    "fr",
    "de",
    "it",
    "pt",
    "pl",
    "tr",
    "ru",
    "nl",
    "cs",
    "ar",
    "zh",
    "hu",
    "ko",
    "hi",
)
MUSICGEN_LONGEST_S = 30
DEFAULT_SPEAKER = "https://replicate.delivery/pbxt/Jt79w0xsT64R1JsiJ0LQRL8UcWspg5J4RFrU6YwEKpOT1ukS/male.wav"
"""The sample of the model's own example, for speech in no particular voice."""


def _xtts(given: Given, files: Files) -> Input:
    return {
        "text": given["text"],
        "language": given.get("language") or "en",
        "speaker": files.get("voice_sample", DEFAULT_SPEAKER),
        "cleanup_voice": "voice_sample" in files,
    }


def _musicgen(given: Given, _: Files) -> Input:
    return {
        "prompt": music_prompt(given),
        "duration": math.ceil(given["duration_s"]),
        "model_version": "stereo-large",
        "normalization_strategy": "loudness",
        "output_format": given.get("format") or "mp3",
    }


SPEECH_MODELS = (
    ReplicateModel(
        ModelCard(
            provider="replicate",
            model="xtts-v2",
            kind="audio",
            label="Coqui XTTS v2",
            description="Speech in 16 languages, in the voice of a short recording if there is one.",
            accepts=frozenset({"text", "language", "voice_sample", "consent", "format"}),
            aliases=("coqui",),
            limits={
                "language": {"enum": list(XTTS_LANGUAGES)},
                "format": {"enum": ["wav"], "default": "wav"},
            },
            price=A100,
            # It speaks several times faster than a listener hears: some fifty characters a second.
            typical_units={"compute_second": Decimal("0.02")},
            typical_per="character",
            expected_s=3.0,
            rank=50,
            licence="Coqui Public Model License: the weights are for non-commercial use only.",
            on_unknown="retry",
        ),
        "lucataco/xtts-v2",
        _xtts,
        version="49ff6cfa14bd4e7f80f62e2279f82f23dfc2e7970f825f8db5599f8a6213c009",
        file_fields=frozenset({"speaker"}),
        seeded=False,
    ),
)

MUSIC_MODELS = (
    ReplicateModel(
        ModelCard(
            provider="replicate",
            model="musicgen",
            kind="music",
            label="MusicGen",
            description="Instrumental music of up to 30 seconds, in stereo, by Meta.",
            accepts=frozenset(
                {"prompt", "genre", "mood", "tempo", "duration_s", "seed", "format", "instrumental"}
            ),
            limits={"duration_s": {"maximum": MUSICGEN_LONGEST_S}, "instrumental": {"enum": [True]}},
            price=A100,
            typical_units={"compute_second": Decimal("0.8")},
            typical_per="output_second",
            expected_s=20.0,
            rank=50,
            licence="CC-BY-NC-4.0: the weights are for non-commercial use only.",
        ),
        "meta/musicgen",
        _musicgen,
        version="671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb",
    ),
)
