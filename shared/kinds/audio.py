"""Speech from text."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from shared.kinds.base import NOT_BLANK, FileRef, Kind, Parameters, Seed, in_words

Language = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$"),
    in_words("Must be a language code such as en, de or pt-BR"),
]


SAMPLE_SECONDS = (10.0, 30.0)
"""The shortest and the longest recording of a voice that is worth a clone."""


class AudioParameters(Parameters):
    text: str = Field(min_length=1, max_length=10_000, pattern=NOT_BLANK, description="What is said.")
    voice: str | None = Field(None, min_length=1, max_length=100, description="A voice of the model.")
    language: Language = Field("en", description="ISO 639 code: en, de, pt, zh …")
    speed: float = Field(1.0, ge=0.25, le=4.0, description="1 is the voice's own speed.")
    format: Literal["mp3", "wav", "ogg"] = "mp3"
    seed: Seed | None = None
    voice_sample: FileRef | None = Field(
        None, description="A recording of the voice to speak with, 10 to 30 seconds long; needs `consent`."
    )
    consent: bool = Field(
        False,
        validate_default=True,
        description="True says that whoever speaks in `voice_sample` agreed to a copy of their voice.",
    )

    @field_validator("consent")
    @classmethod
    def _agreed(cls, consent: bool, info: ValidationInfo) -> bool:
        if info.data.get("voice_sample") is not None and not consent:
            raise ValueError("must be true with a voice_sample: its speaker has to agree to the copy")
        return consent


def _units(parameters: Parameters) -> dict[str, Decimal]:
    assert isinstance(parameters, AudioParameters)  # noqa: S101  # the registry pairs them
    return {"run": Decimal(1), "character": Decimal(len(parameters.text))}


AUDIO = Kind(
    "audio",
    AudioParameters,
    _units,
    deadline_s=600,
    file_fields={"voice_sample": "audio"},
    file_seconds={"voice_sample": SAMPLE_SECONDS},
    prompt_field="text",
    size_unit="character",
    usual_s=5.0,
)
