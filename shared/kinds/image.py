"""Images from text."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from shared.kinds.base import NOT_BLANK, FileRef, Kind, Parameters, Seed, in_words

Style = Literal[
    "realistic",
    "artistic",
    "anime",
    "3d-render",
    "watercolor",
    "oil-painting",
    "pencil-sketch",
    "vivid",
    "natural",
]
Quality = Literal["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"]
AspectRatio = Literal["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "21:9"]

MIN_SIDE, MAX_SIDE = 64, 4096
_MEGAPIXEL = 1_048_576


def parse_size(size: str) -> tuple[int, int]:
    """(width, height) in pixels of `WIDTHxHEIGHT`."""
    width, height = re.split("x", size)
    return int(width), int(height)


def _possible(size: str) -> str:
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in parse_size(size)):
        raise ValueError("a side is out of range")
    return size


Size = Annotated[
    str,
    StringConstraints(pattern=r"^[1-9]\d{1,3}x[1-9]\d{1,3}$"),
    AfterValidator(_possible),
    in_words(f"Must be WIDTHxHEIGHT in pixels, such as 1024x768, with {MIN_SIDE} to {MAX_SIDE} on each side"),
]


class ImageParameters(Parameters):
    prompt: str = Field(
        min_length=1, max_length=8000, pattern=NOT_BLANK, description="What the picture shows."
    )
    negative_prompt: str | None = Field(None, max_length=2000, description="What it must not show.")
    size: Size | None = Field(None, description="WIDTHxHEIGHT in pixels; excludes `aspect_ratio`.")
    aspect_ratio: AspectRatio | None = Field(None, description="The shape, at the model's own resolution.")
    count: int = Field(1, ge=1, le=4, description="How many pictures.")
    seed: Seed | None = Field(None, description="The same seed and parameters give the same picture.")
    steps: int | None = Field(None, ge=1, le=100, description="Denoising steps, where the model has them.")
    guidance: float | None = Field(None, ge=0, le=20, description="How closely to follow the prompt.")
    style: Style | None = None
    quality: Quality | None = Field(
        None, description="How carefully it is drawn, where the model has a choice; it sets the price."
    )
    format: Literal["png", "webp", "jpeg"] | None = None
    image: FileRef | None = Field(None, description="A picture to start from.")
    images: list[FileRef] | None = Field(
        None, min_length=1, max_length=8, description="More pictures to take from; goes with `image`."
    )
    mask: FileRef | None = Field(
        None, description="A PNG as large as `image`, transparent where that is to change."
    )

    @model_validator(mode="after")
    def _one_shape(self) -> "ImageParameters":
        if self.size is not None and self.aspect_ratio is not None:
            raise ValueError("give either size or aspect_ratio, not both")
        return self

    @model_validator(mode="after")
    def _something_to_edit(self) -> "ImageParameters":
        if self.image is None and (self.images is not None or self.mask is not None):
            raise ValueError("images and mask go with image")
        return self


@lru_cache(1024)
def dimensions(
    size: str | None, aspect_ratio: str | None, *, area: int = _MEGAPIXEL, step: int = 16
) -> tuple[int, int]:
    """(width, height) in pixels: the size as given, else the ratio at about `area`, in `step`s."""
    if size is not None:
        return parse_size(size)
    across, down = (int(part) for part in (aspect_ratio or "1:1").split(":"))
    width = (area * across / down) ** 0.5
    return max(step, round(width / step) * step), max(step, round(width * down / across / step) * step)


def _units(parameters: Parameters) -> dict[str, Decimal]:
    assert isinstance(parameters, ImageParameters)  # noqa: S101  # the registry pairs them
    width, height = dimensions(parameters.size, parameters.aspect_ratio)
    count = Decimal(parameters.count)
    return {
        "run": Decimal(1),
        "image": count,
        "megapixel": count * width * height / _MEGAPIXEL,
        "input_image": Decimal((parameters.image is not None) + len(parameters.images or ())),
    }


IMAGE = Kind(
    "image",
    ImageParameters,
    _units,
    deadline_s=600,
    file_fields={"image": "image", "images": "image", "mask": "image"},
    size_unit="megapixel",
    usual_s=8.0,
)
