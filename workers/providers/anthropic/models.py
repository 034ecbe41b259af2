"""Anthropic's models: their cards, their prices, and what sets one model's requests apart from another's.

Texts are billed by the tokens that each answer reports, thoughts among them. None of these models takes a
temperature, a seed, or an answer that was begun for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from shared.catalog import ModelCard, Price
from shared.money import NANOS_PER_USD

_SONNET_3_5_ENDED = date(2025, 10, 28)
MOST_TOKENS = 16_384
"""The models write up to 128,000 tokens; this many surely fit into one call."""


@dataclass(frozen=True, slots=True)
class ClaudeModel:
    """`options` go with every request. A prompt of more than `long_prompt` tokens is billed by the units that
    begin with `long_`, its answer too."""

    card: ModelCard
    options: Mapping[str, Any] = field(default_factory=dict)
    long_prompt: int | None = None


def _price(effective_from: date, source: str, usd_per_million: Mapping[str, str]) -> Price:
    units = {unit: Decimal(usd) * NANOS_PER_USD / 1_000_000 for unit, usd in usd_per_million.items()}
    return Price(units, effective_from, source)


def _card(model: str, label: str, description: str, price: Price, **more: Any) -> ModelCard:
    seen_before = {"input_token", "output_token"}
    return ModelCard(
        provider="anthropic",
        model=model,
        kind="text",
        label=label,
        description=description,
        accepts=frozenset({"prompt", "messages", "system", "max_tokens", "json_schema"}),
        limits={"max_tokens": {"maximum": MOST_TOKENS}},
        price=price,
        # Nothing is expected from a cache, and no long prompt.
        typical_units={unit: Decimal(0) for unit in price.units if unit not in seen_before},
        **more,
    )


_MODELS = (
    ClaudeModel(
        _card(
            "claude-sonnet-5-5",
            "Claude Sonnet 5.5",
            "Fast and able: texts of every sort, told to write without thinking first.",
            _price(
                date(2026, 10, 7),
                "platform.claude.com, Claude Sonnet 5.5, stored copy read 2026-11-20; "
                "cache reads as two third parties checked them after they became cheaper",
                {
                    "input_token": "2",
                    "cached_input_token": "0.10",
                    "cache_write_token": "2.50",
                    "output_token": "10",
                },
            ),
            expected_s=6.0,
            rank=65,
            aliases=("claude", "claude-3-5-sonnet"),
            replaces={"claude-3-5-sonnet": _SONNET_3_5_ENDED},
            on_unknown="retry",
        ),
        # It thinks unless told not to, and its thoughts are billed and count toward max_tokens.
        options={"thinking": {"type": "between_tools"}},
    ),
    ClaudeModel(
        _card(
            "claude-haiku-5-5",
            "Claude Haiku 5.5",
            "The fastest and least expensive Claude, for short work in bulk.",
            _price(
                date(2026, 10, 7),
                "platform.claude.com, Claude Haiku 5.5, stored copy read 2026-11-20; "
                "prompts over 100,000 tokens cost five times as much",
                {
                    "input_token": "0.10",
                    "cached_input_token": "0.01",
                    "cache_write_token": "0.125",
                    "output_token": "0.50",
                    "long_input_token": "0.50",
                    "long_cached_input_token": "0.05",
                    "long_cache_write_token": "0.625",
                    "long_output_token": "2.50",
                },
            ),
            expected_s=3.0,
            rank=66,
            aliases=("claude",),
            on_unknown="retry",
        ),
        options={"thinking": {"type": "disabled"}},
        long_prompt=100_000,
    ),
    ClaudeModel(
        _card(
            "claude-opus-5-5",
            "Claude Opus 5.5",
            "The most able Claude. It always thinks first, here briefly; leave it room in max_tokens.",
            _price(
                date(2026, 9, 22),
                "platform.claude.com, Claude Opus 5.5, stored copy read 2026-11-20",
                {
                    "input_token": "4",
                    "cached_input_token": "0.20",
                    "cache_write_token": "5",
                    "output_token": "20",
                },
            ),
            expected_s=15.0,
            rank=67,
        ),
        options={"output_config": {"effort": "low"}},
    ),
)

MODELS: dict[str, ClaudeModel] = {model.card.model: model for model in _MODELS}
CARDS = tuple(model.card for model in _MODELS)

SEED_PRICES = {
    "claude-3-5-sonnet": Price(
        {"input_token": Decimal(3_000), "output_token": Decimal(15_000)}, date(2024, 10, 1), "seed-003"
    )
}
"""What the seed says that it cost. No card uses it: the model is retired, and its successor has a live price."""
