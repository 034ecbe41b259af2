"""Groq's models. Where it keeps prompts in a cache, what it read there costs half.

The names of retired models stand for their successors, and an answer says so.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from shared.catalog import ModelCard
from workers.providers.openai.models import Model, SpeechModel, TextModel, usd_per_million

_LLAMA_ENDED = date(2026, 8, 16)
_TEXT = frozenset({"prompt", "messages", "system", "max_tokens", "temperature", "seed", "json_schema"})


def _thinking(
    model: str, label: str, description: str, rank: int, retired: str, usd: Mapping[str, str]
) -> TextModel:
    """One of OpenAI's open-weight models, which think before they write; told to be brief about it. `retired`
    is the model that Groq wants it to stand in for."""
    card = ModelCard(
        provider="groq",
        model=model,
        kind="text",
        label=label,
        description=description,
        accepts=_TEXT,
        limits={"max_tokens": {"maximum": 65_536}},
        price=usd_per_million(
            date(2026, 1, 4),
            f"groq.com/pricing, {label}, as models.dev recorded it on 2026-01-04 and 2026-05-27",
            usd,
        ),
        typical_units={"cached_input_token": Decimal(0)},
        expected_s=2.0,
        rank=rank,
        aliases=(retired,),
        replaces={retired: _LLAMA_ENDED},
        on_unknown="retry",
        licence="Apache-2.0",
    )
    return TextModel(card, f"openai/{model}", options={"reasoning_effort": "low"})


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
        "format": {"enum": ["wav"], "default": "wav"},
    },
    price=usd_per_million(
        date(2026, 1, 1),
        "$22 per million characters for Orpheus English as commonly listed; found on no page of Groq's",
        {"character": "22"},
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
            "llama-3.3-70b-versatile",
            {"input_token": "0.15", "cached_input_token": "0.075", "output_token": "0.60"},
        ),
        _thinking(
            "gpt-oss-20b",
            "GPT-OSS 20B",
            "The smaller open-weight model, faster and cheaper.",
            71,
            "llama-3.1-8b-instant",
            {"input_token": "0.075", "cached_input_token": "0.0375", "output_token": "0.30"},
        ),
        SpeechModel(
            _ORPHEUS,
            "canopylabs/orpheus-v1-english",
            voice="autumn",
            # It makes nothing else, and is asked for nothing else where the kind's own default is MP3.
            formats={"mp3": "wav", "wav": "wav"},
        ),
    )
}
CARDS = tuple(model.card for model in MODELS.values())
