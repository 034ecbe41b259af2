"""Larger pictures."""

from decimal import Decimal
from typing import Literal

from pydantic import Field

from shared.kinds.base import FileRef, Kind, Parameters


class UpscaleParameters(Parameters):
    image: FileRef = Field(description="The picture to enlarge.")
    scale: int = Field(4, ge=2, le=8, description="How many times wider and higher.")
    face_restore: bool = False
    format: Literal["png", "webp", "jpeg"] | None = None


def _units(_: Parameters) -> dict[str, Decimal]:
    return {"run": Decimal(1), "image": Decimal(1)}


UPSCALE = Kind(
    "upscale",
    UpscaleParameters,
    _units,
    deadline_s=900,
    file_fields={"image": "image"},
    prompt_field="image",
    size_unit="scale",
    usual_s=25.0,
)
