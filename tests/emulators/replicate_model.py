"""What a model of the emulated Replicate is: its input schema, its outputs and what it costs.

Prices are the emulator's own, so that they are an account independent of Penstock's cards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator

Input = Mapping[str, Any]
Schema = dict[str, Any]

T4, L40S, A100 = 225_000, 975_000, 1_400_000
"""Nano-dollars per second of use."""


def text(**more: Any) -> Schema:
    return {"type": "string", **more}


def integer(low: int, high: int, default: int | None = None) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high, "default": default}


def number(low: float, high: float, default: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high, "default": default}


def choice(*options: str) -> Schema:
    return {"type": "string", "enum": list(options), "default": options[0]}


def flag(default: bool) -> Schema:
    return {"type": "boolean", "default": default}


URI: Schema = {"type": "string", "format": "uri"}
SEED: Schema = {"type": "integer"}
PROMPT = text(minLength=1)


def urls(most: int) -> Schema:
    return {"type": "array", "items": URI, "maxItems": most}


@dataclass(frozen=True)
class EmulatedModel:
    """`output` gives (extension, bytes) of each file. Official models are billed for their output by
    `price`, in nano-dollars; community models, whose `price` is None, for their time on `hardware`."""

    slug: str
    inputs: Schema
    output: Callable[[Input], list[tuple[str, bytes]]]
    required: tuple[str, ...] = ("prompt",)
    as_list: bool = False
    version: str | None = None
    """None for official models, whose version is hidden."""
    price: Callable[[Input], int] | None = None
    hardware: int = L40S
    logs: bool = False
    steps_field: str = "num_inference_steps"
    tiles: int = 0
    """Into how many tiles it cuts a picture, each of which it logs in place of tqdm's lines."""
    metrics: Callable[[Input], Mapping[str, Any]] | None = None
    """What a prediction that succeeded reports of its output, beside its times."""
    extra_versions: tuple[str, ...] = field(default=())

    @property
    def official(self) -> bool:
        return self.version is None

    @cached_property
    def input_schema(self) -> Schema:
        return {
            "type": "object",
            "title": "Input",
            "required": list(self.required),
            "properties": self.inputs,
            "additionalProperties": False,
        }

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.input_schema)

    def complaints(self, given: Input) -> list[tuple[str, str]]:
        """(field, message) for each wrong input."""
        return [
            (".".join(map(str, error.absolute_path)) or "input", error.message)
            for error in self._validator.iter_errors(given)
        ]

    def bill(self, given: Input, status: str, predict_time: str | None) -> int:
        """Nano-dollars. A prediction that never ran costs nothing. One that ran costs an official model's
        caller only when it succeeded (there is nothing delivered, and no price for time), and a community
        model's caller the time that it used, whether it succeeded, failed or was canceled."""
        if self.price is not None:
            return self.price(given) if status == "succeeded" else 0
        return whole(Decimal(predict_time or 0) * self.hardware)


def whole(nanos: Decimal) -> int:
    return int(nanos.to_integral_value(ROUND_HALF_EVEN))
