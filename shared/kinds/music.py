"""Music from text."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.kinds.base import NOT_BLANK, Kind, Parameters, Seed, in_words

Tag = Annotated[
    str,
    StringConstraints(min_length=1, max_length=40, pattern=r"^[\w &/'-]+$"),
    in_words("Must be one or a few words, 40 characters at most, such as lo-fi or drum & bass"),
]


class MusicParameters(Parameters):
    prompt: str = Field(
        min_length=1, max_length=4000, pattern=NOT_BLANK, description="What the music is like."
    )
    genre: Tag | None = Field(None, description="ambient, classical, jazz, rock, lo-fi …")
    mood: Tag | None = Field(None, description="happy, sad, energetic, calm, mysterious, epic …")
    tempo: int | None = Field(None, ge=40, le=220, description="Beats per minute.")
    duration_s: float = Field(30, ge=3, le=600, description="Length in seconds.")
    seed: Seed | None = None
    format: Literal["mp3", "wav"] = "mp3"
    instrumental: bool = True


def _units(parameters: Parameters) -> dict[str, Decimal]:
    assert isinstance(parameters, MusicParameters)  # noqa: S101  # the registry pairs them
    return {"run": Decimal(1), "output_second": Decimal(str(parameters.duration_s))}


MUSIC = Kind("music", MusicParameters, _units, deadline_s=1200, size_unit="output_second", usual_s=20.0)
