"""Video from text, or from a picture."""

from decimal import Decimal
from typing import Literal, get_args

from pydantic import Field

from shared.kinds.base import NOT_BLANK, FileRef, Kind, Parameters, Seed

Resolution = Literal["360p", "480p", "720p", "1080p"]


class VideoParameters(Parameters):
    prompt: str = Field(min_length=1, max_length=4000, pattern=NOT_BLANK, description="What happens.")
    duration_s: float = Field(5, ge=1, le=60, description="Length in seconds.")
    aspect_ratio: Literal["16:9", "9:16", "1:1", "4:3", "3:4", "21:9"] = "16:9"
    resolution: Resolution = "480p"
    fps: int = Field(24, ge=8, le=60)
    seed: Seed | None = None
    image: FileRef | None = Field(None, description="The first frame.")


def seconds_by_resolution(seconds: Decimal, resolution: str) -> dict[str, Decimal]:
    """The units of film, for prices that are the same at each resolution and for those that are not."""
    each = {f"output_second_{one}": seconds * (one == resolution) for one in get_args(Resolution)}
    return {"output_second": seconds, **each}


def _units(parameters: Parameters) -> dict[str, Decimal]:
    assert isinstance(parameters, VideoParameters)  # noqa: S101  # the registry pairs them
    seconds = Decimal(str(parameters.duration_s))
    return {"run": Decimal(1), **seconds_by_resolution(seconds, parameters.resolution)}


VIDEO = Kind(
    "video",
    VideoParameters,
    _units,
    deadline_s=3600,
    file_fields={"image": "image"},
    size_unit="output_second",
    usual_s=60.0,
)
