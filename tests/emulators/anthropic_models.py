"""What the emulated Anthropic serves, and the prices on its invoice."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True, slots=True)
class EmulatedClaude:
    """`rates` are nano-dollars per token; prompts of more than `long_prompt` tokens cost `long_factor` times as
    much. `thinking` are the settings that the model takes, its own first."""

    name: str
    rates: Mapping[str, str]
    thinking: tuple[str, ...]
    long_prompt: int | None = None
    long_factor: int = 1

    def cost_nanos(self, units: Mapping[str, int]) -> int:
        exact = sum(Decimal(rate) * units.get(unit, 0) for unit, rate in self.rates.items())
        prompt = units.get("in", 0) + units.get("cached", 0) + units.get("cache_write", 0)
        is_long = self.long_prompt is not None and prompt > self.long_prompt
        factor = self.long_factor if is_long else 1
        return int((Decimal(exact) * factor).quantize(Decimal(1), ROUND_HALF_EVEN))


MODELS = {
    model.name: model
    for model in (
        EmulatedClaude(
            "claude-sonnet-5-5",
            {"in": "2000", "cached": "100", "cache_write": "2500", "out": "10000"},
            ("adaptive", "between_tools"),
        ),
        EmulatedClaude(
            "claude-haiku-5-5",
            {"in": "100", "cached": "10", "cache_write": "125", "out": "500"},
            ("adaptive", "disabled"),
            long_prompt=100_000,
            long_factor=5,
        ),
        EmulatedClaude(
            "claude-opus-5-5",
            {"in": "4000", "cached": "200", "cache_write": "5000", "out": "20000"},
            ("adaptive",),
        ),
    )
}
