"""What the emulated OpenAI (or Groq, or one's own server) serves, and the prices on its invoice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal


@dataclass(frozen=True, slots=True)
class EmulatedModel:
    """`rates` are nano-dollars per unit. `thinks` marks models that refuse `max_tokens` and bill their thoughts."""

    name: str
    kind: str
    rates: Mapping[str, str] = field(default_factory=dict)
    voices: frozenset[str] = frozenset()
    counts_speech: bool = False
    thinks: bool = False
    strict_images: bool = True

    def cost_nanos(self, units: Mapping[str, int]) -> int:
        exact = sum(Decimal(rate) * units.get(unit, 0) for unit, rate in self.rates.items())
        return int(Decimal(exact).quantize(Decimal(1), ROUND_HALF_EVEN))


_PICTURE = {"text_in": "5000", "image_in": "8000", "image_out": "30000"}
_NINE = frozenset(["alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer"])
_ALL = _NINE | {"ballad", "cedar", "marin", "verse"}
_ORPHEUS = frozenset(["austin", "autumn", "daniel", "diana", "hannah", "troy"])


def _by_name(*models: EmulatedModel) -> dict[str, EmulatedModel]:
    return {model.name: model for model in models}


OPENAI = _by_name(
    *(
        EmulatedModel(f"gpt-image-{version}-{variant}", "image", _PICTURE)
        for version in ("2.5", "2.6")
        for variant in ("flare", "sunburst")
    ),
    EmulatedModel("tts-1", "audio", {"characters": "15000"}, _NINE),
    EmulatedModel("tts-1-hd", "audio", {"characters": "30000"}, _NINE),
    EmulatedModel("gpt-4o-mini-tts", "audio", {"in": "600", "audio_out": "12000"}, _ALL, counts_speech=True),
    EmulatedModel("gpt-4o", "text", {"in": "2500", "cached": "1250", "out": "10000"}),
    EmulatedModel(
        "gpt-6-luna", "text", {"in": "100", "cached": "10", "cache_write": "125", "out": "500"}, thinks=True
    ),
    EmulatedModel("omni-moderation-latest", "moderation"),
)
GROQ = _by_name(
    EmulatedModel("openai/gpt-oss-120b", "text", {"in": "150", "cached": "75", "out": "600"}, thinks=True),
    EmulatedModel("openai/gpt-oss-20b", "text", {"in": "75", "cached": "37.5", "out": "300"}, thinks=True),
    EmulatedModel("canopylabs/orpheus-v1-english", "audio", {"characters": "22000"}, _ORPHEUS),
)
OWN_SERVER = _by_name(
    EmulatedModel("qwen3:8b", "text"),
    EmulatedModel("sdxl-local", "image", strict_images=False),
    EmulatedModel("kokoro", "audio", voices=_NINE),
)
