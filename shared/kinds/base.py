"""What every media kind declares: its parameters, its billable units, and how long it may take."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)


class OutputRef(BaseModel):
    """One output of a generation."""

    model_config = ConfigDict(extra="forbid", strict=True)

    generation: Annotated[UUID, Field(strict=False)]
    output: int = Field(0, ge=0, le=999, description="Its number, from 0.")


def _in_short(reference: Any) -> Any:
    if not isinstance(reference, dict):
        return reference
    try:
        asked = OutputRef.model_validate(reference)
    except ValidationError:
        raise ValueError("Must have the id of a generation, and may have the number of an output") from None
    return f"{asked.generation}/{asked.output}"


FileRef = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    BeforeValidator(_in_short, json_schema_input_type=str | OutputRef),
]
"""A file input: the id of an upload, the id of a generation (its first output) with `/1` behind it for another
output, or an https URL. `{"generation": id, "output": 1}` is read as the same."""

NOT_BLANK = r"\S"
"""The pattern of what a provider is to work from: for blanks it would be paid all the same."""

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


def in_words(sentence: str) -> WrapValidator:
    """Has a refusal say `sentence` in place of a regular expression, which stays in the schema."""

    def validate(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError:
            raise ValueError(sentence) from None

    return WrapValidator(validate)


class Simulate(BaseModel):
    """Tells the `local` provider to be slow or to fail; refused in production."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seconds: float = Field(0, ge=0, le=3600, description="How long the provider pretends to take.")
    fail: str | None = Field(None, max_length=200, description="Fail with this message.")


class Parameters(BaseModel):
    """Base of all kinds' parameters: unknown fields are refused by name, types are not guessed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    simulate: Simulate | None = Field(None, description="For demonstrations with the `local` model.")


@dataclass(frozen=True, slots=True)
class Kind:
    """One media kind.

    `units` gives the billable quantities of a request by unit (`image`, `megapixel`, `input_image`,
    `character`, `output_second`, `output_second_720p`, `input_token`, `output_token`, `run`), as far as they
    are known before it runs.
    """

    name: str
    parameters: type[Parameters]
    units: Callable[[Parameters], dict[str, Decimal]]
    deadline_s: int
    start_deadline_s: int = 3600
    file_fields: Mapping[str, str] = field(default_factory=dict)
    """File inputs and the media family each must be of: {"image": "image"}. The files of a list are known as
    `images.0`, `images.1` …"""
    file_seconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """How long file inputs of sound or video may play, from and to, where that is limited."""
    prompt_field: str = "prompt"
    size_unit: str = "run"
    """What the run time grows with: one of `units`, or a parameter."""
    usual_s: float = 10.0
    """How long a run takes where nobody knows better."""

    def size(self, parameters: Parameters) -> str:
        """The class of requests that take about as long as this one, such as `1 megapixel`: powers of two."""
        quantity = self.units(parameters).get(self.size_unit) or getattr(parameters, self.size_unit)
        return _size(quantity, self.size_unit)

    def schema(self, accepts: frozenset[str], limits: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The JSON Schema of the parameters that a model accepts, narrowed by its limits."""
        full = _json_schema(self.parameters)
        properties = {
            name: spec | dict(limits.get(name, {}))
            for name, spec in full["properties"].items()
            if name in accepts
        }
        required = [name for name in full.get("required", []) if name in properties]
        schema: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
        if required:
            schema["required"] = required
        if "$defs" in full:
            schema["$defs"] = full["$defs"]
        return schema


@lru_cache(1024)
def _size(quantity: float | Decimal, unit: str) -> str:
    return f"{2.0 ** round(math.log2(quantity)):g} {unit}"


@cache
def _json_schema(parameters: type[Parameters]) -> dict[str, Any]:
    """All of a kind's parameters. Every card asks for it, and to make it takes ten milliseconds."""
    return parameters.model_json_schema()
