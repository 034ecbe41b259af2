"""What every media kind declares: its parameters, its billable units, and how long it may take."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

FileRef = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
"""A file input: the id of an upload, the id of a generation (its first output), or an https URL."""

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

    `units` gives the billable quantities of a request by unit (`image`, `megapixel`, `character`,
    `second`, `input_token`, `output_token`, `run`), as far as they are known before it runs.
    """

    name: str
    parameters: type[Parameters]
    units: Callable[[Parameters], dict[str, Decimal]]
    deadline_s: int
    start_deadline_s: int = 3600
    file_fields: Mapping[str, str] = field(default_factory=dict)
    """File inputs and the media family each must be of: {"image": "image"}."""
    prompt_field: str = "prompt"

    def schema(self, accepts: frozenset[str], limits: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The JSON Schema of the parameters that a model accepts, narrowed by its limits."""
        full = self.parameters.model_json_schema()
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
