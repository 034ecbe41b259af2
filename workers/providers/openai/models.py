"""OpenAI's models: their cards, their prices, and what sets one model's requests apart from another's.

Pictures and texts are billed by the tokens that each answer reports, `tts-1` by the characters that were sent.
The names of retired models stand for their successors, and an answer says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from shared.catalog import ModelCard, Price
from shared.money import NANOS_PER_USD

VOICES = ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer")
LATER_VOICES = ("ballad", "cedar", "marin", "verse")
_SPEECH_ENDS = date(2027, 1, 6)
_DALL_E_ENDED = date(2026, 5, 12)
_GPT_4_ENDED = date(2026, 10, 23)


@dataclass(frozen=True, slots=True)
class TextModel:
    """`name` is the model's at the API. `options` go with every request; `limit` is the field that holds the
    most tokens to write, which differs between generations of the API."""

    card: ModelCard
    name: str
    limit: str = "max_completion_tokens"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageModel:
    """`options` go with every request. `by_pixels` says that a size is free in steps of 16 pixels and that the
    format may be chosen, as with GPT Image."""

    card: ModelCard
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    by_pixels: bool = True


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """`reports_usage` says that the model can stream events, of which the last one counts its tokens.
    `formats` maps ours to the API's."""

    card: ModelCard
    name: str
    voice: str = "alloy"
    reports_usage: bool = False
    formats: Mapping[str, str] = field(default_factory=lambda: {"mp3": "mp3", "wav": "wav", "ogg": "opus"})


Model = TextModel | ImageModel | SpeechModel


def usd_per_million(effective_from: date, source: str, usd: Mapping[str, str]) -> Price:
    """A price from dollars per million of each unit."""
    units = {unit: Decimal(amount) * NANOS_PER_USD / 1_000_000 for unit, amount in usd.items()}
    return Price(units, effective_from, source)


# Pictures. No partial pictures are asked for: each would be billed as 100 tokens more.

_IMAGE_TOKENS = {"input_token": "5", "image_input_token": "8", "image_output_token": "30"}
_IMAGE = frozenset(
    {"prompt", "size", "aspect_ratio", "count", "style", "quality", "format", "image", "images", "mask"}
)
_TYPICAL_PICTURE = {
    "input_token": Decimal(60),
    "image_input_token": Decimal(0),
    "image_output_token": Decimal(439),
}
"""Per megapixel, at medium quality, which is what is drawn when nothing is said."""
_QUALITY_TOKENS = {"low": 196, "medium": 439, "standard": 439, "high": 1756, "hd": 1756, "auto": 1756}
"""What a megapixel is drawn with; `auto` leaves it to the model, so much is set aside. Those of dall-e-3 go on
in the words of its successors."""
_FINER_TOKENS = {"xhigh": 3122, "max": 7024}
"""What version 2.5 has besides."""


def _image(
    model: str,
    label: str,
    description: str,
    price: Price,
    rank: int,
    qualities: Mapping[str, int] = _QUALITY_TOKENS,
    **more: Any,
) -> ImageModel:
    card = ModelCard(
        provider="openai",
        model=model,
        kind="image",
        label=label,
        description=description,
        accepts=_IMAGE,
        limits={"quality": {"enum": list(qualities)}},
        price=price,
        rank=rank,
        typical_units=_TYPICAL_PICTURE,
        typical_per="megapixel",
        typical_by={
            "quality": {
                quality: {"image_output_token": Decimal(tokens)} for quality, tokens in qualities.items()
            }
        },
        **more,
    )
    return ImageModel(card, model, {"quality": "medium"})


_IMAGE_2_5 = usd_per_million(
    date(2026, 9, 8),
    "OpenAI's token prices as three third parties give them, checked 2026-11-20",
    _IMAGE_TOKENS,
)
_IMAGE_2_6 = usd_per_million(
    date(2026, 11, 4),
    "two resellers that forward OpenAI's token prices, read 2026-11-20",
    _IMAGE_TOKENS,
)

IMAGE_MODELS = (
    _image(
        "gpt-image-2.5-flare",
        "GPT Image 2.5 flare",
        "Fast pictures that follow a long prompt, and edits of a picture.",
        _IMAGE_2_5,
        60,
        _QUALITY_TOKENS | _FINER_TOKENS,
        expected_s=12.0,
        aliases=("dall-e-3", "gpt-image"),
        replaces={"dall-e-3": _DALL_E_ENDED},
    ),
    _image(
        "gpt-image-2.5-sunburst",
        "GPT Image 2.5 sunburst",
        "Slower and more precise: details, lettering, edits that leave the rest alone.",
        _IMAGE_2_5,
        62,
        _QUALITY_TOKENS | _FINER_TOKENS,
        expected_s=35.0,
    ),
    _image(
        "gpt-image-2.6-flare",
        "GPT Image 2.6 flare",
        "The newest fast model: pictures within about ten seconds.",
        _IMAGE_2_6,
        61,
        expected_s=10.0,
    ),
    _image(
        "gpt-image-2.6-sunburst",
        "GPT Image 2.6 sunburst",
        "The newest precise model, steady over many edits.",
        _IMAGE_2_6,
        63,
        expected_s=30.0,
    ),
)


# Speech. The voices speak the language of the text.


def _speech(
    model: str, label: str, description: str, price: Price, voices: tuple[str, ...], **more: Any
) -> ModelCard:
    return ModelCard(
        provider="openai",
        model=model,
        kind="audio",
        label=label,
        description=description,
        accepts=frozenset({"text", "voice", "language", "speed", "format"}),
        limits={"text": {"maxLength": 4096}, "voice": {"enum": sorted(voices)}},
        price=price,
        expected_s=4.0,
        aliases=("openai",),
        shutdown_on=_SPEECH_ENDS,
        on_unknown="retry",
        **more,
    )


SPEECH_MODELS = (
    SpeechModel(
        _speech(
            "gpt-4o-mini-tts",
            "GPT-4o mini TTS",
            "Lively speech in thirteen voices.",
            usd_per_million(
                date(2025, 3, 20),
                "developers.openai.com/api/docs/models/gpt-4o-mini-tts, stored copy read 2026-11-20",
                {"input_token": "0.60", "audio_output_token": "12"},
            ),
            (*VOICES, *LATER_VOICES),
            rank=60,
            typical_units={"input_token": Decimal("0.25"), "audio_output_token": Decimal("1.5")},
            typical_per="character",
        ),
        "gpt-4o-mini-tts",
        reports_usage=True,
    ),
    SpeechModel(
        _speech(
            "tts-1",
            "TTS-1",
            "Plain speech, quickly.",
            usd_per_million(
                date(2023, 11, 6),
                "$15 per million characters; an invoice measured in November 2025 agrees",
                {"character": "15"},
            ),
            VOICES,
            rank=61,
        ),
        "tts-1",
    ),
    SpeechModel(
        _speech(
            "tts-1-hd",
            "TTS-1 HD",
            "The same voices with less noise.",
            usd_per_million(
                date(2023, 11, 6), "$30 per million characters; unverified today", {"character": "30"}
            ),
            VOICES,
            rank=62,
        ),
        "tts-1-hd",
    ),
)


# Text.

_TEXT = frozenset({"prompt", "messages", "system", "max_tokens", "temperature", "json_schema"})
NOT_CACHED = {"cached_input_token": Decimal(0), "cache_write_token": Decimal(0)}
"""Nothing is expected from a cache, and whatever it spares is settled."""

TEXT_MODELS = (
    TextModel(
        ModelCard(
            provider="openai",
            model="gpt-4o",
            kind="text",
            label="GPT-4o",
            description="A versatile model that answers without thinking first.",
            accepts=_TEXT | {"seed"},
            limits={"max_tokens": {"maximum": 16_384}},
            price=usd_per_million(
                date(2024, 10, 1),
                "seed-003: $2.50 in, $10 out per million tokens; cached input at half price as OpenAI lists it",
                {"input_token": "2.50", "cached_input_token": "1.25", "output_token": "10"},
            ),
            typical_units=NOT_CACHED,
            expected_s=6.0,
            rank=60,
            aliases=("gpt-4",),
            replaces={"gpt-4": _GPT_4_ENDED},
            shutdown_on=date(2027, 1, 14),
            successor="openai/gpt-6-luna",
            on_unknown="retry",
        ),
        "gpt-4o",
    ),
    TextModel(
        ModelCard(
            provider="openai",
            model="gpt-6-luna",
            kind="text",
            label="GPT-6 Luna",
            description="The least expensive of the GPT-6 family, for focused work in bulk.",
            accepts=_TEXT,
            price=usd_per_million(
                date(2026, 9, 22),
                "developers.openai.com/api/docs/models/gpt-6-luna, stored copy read 2026-11-20; "
                "prompts over 272,000 tokens cost more",
                {
                    "input_token": "0.10",
                    "cached_input_token": "0.01",
                    "cache_write_token": "0.125",
                    "output_token": "0.50",
                },
            ),
            typical_units=NOT_CACHED,
            expected_s=5.0,
            rank=61,
            aliases=("gpt-4",),
            replaces={"gpt-4": _GPT_4_ENDED},
            on_unknown="retry",
        ),
        "gpt-6-luna",
        # It thinks unless told not to, bills its thoughts as output, and takes a temperature only without them.
        options={"reasoning_effort": "none"},
    ),
)

MODELS: dict[str, Model] = {
    model.card.model: model for model in (*IMAGE_MODELS, *SPEECH_MODELS, *TEXT_MODELS)
}
CARDS = tuple(model.card for model in MODELS.values())

SEED_PRICES = {
    "gpt-4o": Price(
        {"input_token": Decimal(2_500), "output_token": Decimal(10_000)}, date(2024, 10, 1), "seed-003"
    ),
    **{
        f"dall-e-3/{size}": Price(
            {"image": Decimal(cents) * NANOS_PER_USD / 100}, date(2024, 10, 1), "seed-003"
        )
        for size, cents in (("1024x1024", 20), ("1792x1024", 25), ("1024x1792", 25))
    },
}
"""What the seed says that they cost. No card uses those of dall-e-3: its successor has a live price."""
