"""Text from text."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from shared.kinds.base import NOT_BLANK, Kind, Parameters, Seed
from shared.kinds.json_schema import checked

_CHARACTERS_PER_TOKEN = 4

JSONSchema = Annotated[dict[str, Any], AfterValidator(checked)]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1, max_length=200_000, pattern=NOT_BLANK)


class TextParameters(Parameters):
    prompt: str | None = Field(
        None, min_length=1, max_length=200_000, pattern=NOT_BLANK, description="Excludes `messages`."
    )
    messages: list[Message] | None = Field(None, min_length=1, max_length=200)
    system: str | None = Field(None, max_length=50_000, description="How to behave.")
    max_tokens: int = Field(1024, ge=1, le=128_000)
    temperature: float | None = Field(None, ge=0, le=2)
    seed: Seed | None = None
    json_schema: JSONSchema | None = Field(
        None, description="Answer with JSON that fits this schema (JSON Schema, references within it only)."
    )

    @model_validator(mode="after")
    def _one_source(self) -> "TextParameters":
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give either prompt or messages")
        return self


def _units(parameters: Parameters) -> dict[str, Decimal]:
    """Tokens in are guessed at four characters each; what is billed is what the provider counts."""
    assert isinstance(parameters, TextParameters)  # noqa: S101  # the registry pairs them
    length = len(parameters.prompt or "") + len(parameters.system or "")
    length += sum(len(message.content) for message in parameters.messages or [])
    return {
        "run": Decimal(1),
        "input_token": Decimal(-(-length // _CHARACTERS_PER_TOKEN)),
        "output_token": Decimal(parameters.max_tokens),
    }


TEXT = Kind("text", TextParameters, _units, deadline_s=600, size_unit="output_token", usual_s=5.0)
