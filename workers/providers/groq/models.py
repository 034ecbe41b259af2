"""Groq's models. Where it keeps prompts in a cache, what it read there costs half."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from shared.catalog import ModelCard
from workers.providers.openai.models import Model, SpeechModel, TextModel, usd_per_million

_LISTED = "console.groq.com/docs/models as third parties checked it in May 2026"
_TEXT = frozenset({"prompt", "messages", "system", "max_tokens", "temperature", "seed"})


def _text(model: str, label: str, description: str, accepts: frozenset[str], **more: Any) -> ModelCard:
    return ModelCard(
        provider="groq",
        model=model,
        kind="text",
        label=label,
        description=description,
        accepts=accepts,
        expected_s=2.0,
        on_unknown="retry",
        **more,
    )


def _thinking(model: str, label: str, description: str, rank: int, usd: Mapping[str, str]) -> TextModel:
    """One of OpenAI's open-weight models, which think before they write; told to be brief about it."""
    card = _text(
        model,
        label,
        description,
        _TEXT | {"json_schema"},
        rank=rank,
        limits={"max_tokens": {"maximum": 65_536}},
        price=usd_per_million(date(2026, 5, 19), _LISTED, usd),
        typical_units={"cached_input_token": Decimal(0)},
        licence="Apache-2.0",
    )
    return TextModel(card, f"openai/{model}", options={"reasoning_effort": "low"})


def _llama(model: str, label: str, description: str, rank: int, usd: Mapping[str, str]) -> TextModel:
    card = _text(
        model,
        label,
        description,
        _TEXT,
        rank=rank,
        limits={"max_tokens": {"maximum": 32_768}},
        price=usd_per_million(date(2026, 4, 1), _LISTED, usd),
        licence="Llama Community License",
    )
    return TextModel(card, model)


_ORPHEUS = ModelCard(
    provider="groq",
    model="orpheus-v1-english",
    kind="audio",
    label="Orpheus English",
    description="Short, lively English sentences, as WAV.",
    accepts=frozenset({"text", "voice", "format"}),
    limits={
        "text": {"maxLength": 200},
        "voice": {"enum": ["austin", "autumn", "daniel", "diana", "hannah", "troy"]},
        "format": {"enum": ["mp3", "wav"]},
    },
    price=usd_per_million(
        date(2026, 1, 1), "$22 per million characters as commonly listed; unverified", {"character": "22"}
    ),
    expected_s=1.5,
    rank=80,
    on_unknown="retry",
)

MODELS: dict[str, Model] = {
    model.card.model: model
    for model in (
        _thinking(
            "gpt-oss-120b",
            "GPT-OSS 120B",
            "OpenAI's open-weight model, at about 500 tokens a second.",
            70,
            {"input_token": "0.15", "cached_input_token": "0.075", "output_token": "0.60"},
        ),
        _thinking(
            "gpt-oss-20b",
            "GPT-OSS 20B",
            "The smaller open-weight model, faster and cheaper.",
            71,
            {"input_token": "0.075", "cached_input_token": "0.0375", "output_token": "0.30"},
        ),
        _llama(
            "llama-3.3-70b-versatile",
            "Llama 3.3 70B",
            "A general open model that answers without thinking first.",
            72,
            {"input_token": "0.59", "output_token": "0.79"},
        ),
        _llama(
            "llama-3.1-8b-instant",
            "Llama 3.1 8B",
            "Small and very fast.",
            73,
            {"input_token": "0.05", "output_token": "0.08"},
        ),
        # Whatever format is asked for, WAV is what it makes.
        SpeechModel(
            _ORPHEUS,
            "canopylabs/orpheus-v1-english",
            voice="autumn",
            formats={"mp3": "wav", "wav": "wav"},
        ),
    )
}
CARDS = tuple(model.card for model in MODELS.values())
