"""The emulated Replicate's models for video: official ones, billed by the film or by its seconds."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.emulators import media
from tests.emulators.replicate_model import (
    PROMPT,
    SEED,
    URI,
    EmulatedModel,
    Input,
    Schema,
    choice,
    flag,
    integer,
    text,
    whole,
)

_HEIGHTS = {"480p": 480, "720p": 720, "1080p": 1080}
_WAN_SIZES = ("1280*720", "832*480", "480*832", "720*1280", "1920*1080", "1080*1920")
_NANOS = 1_000_000_000
_SHRUNK = 8
"""Films are this much smaller than they would be: nobody looks at them, and encoding takes its time."""


def _one_of(*options: int) -> Schema:
    return {"type": "integer", "enum": list(options), "default": options[0]}


def _resolution(given: Input, default: str) -> str:
    if "size" in given:
        short = min(map(int, given["size"].split("*")))
        return next(name for name, height in _HEIGHTS.items() if height == short)
    return str(given.get("resolution", default))


def _shape(given: Input, default: str) -> tuple[int, int]:
    """(width, height) as filmed here, even numbers both."""
    short = _HEIGHTS[_resolution(given, default)] // _SHRUNK
    across, down = map(int, given.get("aspect_ratio", "16:9").split(":"))
    if "size" in given:
        across, down = map(int, given["size"].split("*"))
    scale = short / min(across, down)
    return round(across * scale / 2) * 2, round(down * scale / 2) * 2


def _film(
    slug: str,
    inputs: Schema,
    seconds: int,
    resolution: str,
    usd: str | Mapping[str, str],
    required: tuple[str, ...] = ("prompt",),
) -> EmulatedModel:
    """A model that films `seconds` at `resolution` where it is not told otherwise, for so many dollars a second."""

    def output(given: Input) -> list[tuple[str, bytes]]:
        return [("mp4", media.video(*_shape(given, resolution), float(given.get("duration", seconds))))]

    def price(given: Input) -> int:
        rate = usd if isinstance(usd, str) else usd[_resolution(given, resolution)]
        return whole(Decimal(rate) * _NANOS * given.get("duration", seconds))

    def metrics(given: Input) -> Mapping[str, Any]:
        return {
            "video_output_count": 1,
            "video_output_duration_seconds": given.get("duration", seconds),
            "resolution_target": _resolution(given, resolution),
        }

    return EmulatedModel(slug, inputs, output, required=required, price=price, metrics=metrics)


def _flat(usd: str) -> Callable[[Input], int]:
    return lambda _: whole(Decimal(usd) * _NANOS)


_WAN_USD = {"480p": "0.05", "720p": "0.10", "1080p": "0.15"}
_WAN: Schema = {
    "prompt": PROMPT,
    "negative_prompt": text(),
    "audio": URI,
    "duration": _one_of(5, 10),
    "enable_prompt_expansion": flag(True),
    "seed": SEED,
}
_SEEDANCE: Schema = {
    "prompt": PROMPT,
    "image": URI,
    "last_frame_image": URI,
    "duration": integer(2, 12, 5),
    "resolution": choice("720p", "480p", "1080p"),
    "aspect_ratio": choice("16:9", "4:3", "1:1", "3:4", "9:16", "21:9", "9:21"),
    "fps": _one_of(24),
    "camera_fixed": flag(False),
    "seed": SEED,
}
_VEO: Schema = {
    "prompt": PROMPT,
    "negative_prompt": text(),
    "image": URI,
    "duration": _one_of(8, 4, 6),
    "resolution": choice("720p", "1080p"),
    "aspect_ratio": choice("16:9", "9:16"),
    "generate_audio": flag(True),
    "seed": SEED,
}

FILM_MODELS = (
    EmulatedModel(
        "minimax/video-01",
        {
            "prompt": PROMPT,
            "prompt_optimizer": flag(True),
            "first_frame_image": URI,
            "subject_reference": URI,
        },
        lambda _: [("mp4", media.video(160, 90, 6.0))],
        price=_flat("0.50"),
        metrics=lambda _: {"video_output_count": 1},
    ),
    _film("wan-video/wan-2.5-t2v", {**_WAN, "size": choice(*_WAN_SIZES)}, 5, "720p", _WAN_USD),
    _film(
        "wan-video/wan-2.5-i2v",
        {**_WAN, "image": URI, "resolution": choice("720p", "480p", "1080p")},
        5,
        "720p",
        _WAN_USD,
        required=("prompt", "image"),
    ),
    _film(
        "kwaivgi/kling-v2.5-turbo-pro",
        {
            "prompt": PROMPT,
            "negative_prompt": text(),
            "start_image": URI,
            "duration": _one_of(5, 10),
            "aspect_ratio": choice("16:9", "9:16", "1:1"),
        },
        5,
        "1080p",
        "0.07",
    ),
    _film("google/veo-3", _VEO, 8, "720p", "0.40"),
    _film("google/veo-3-fast", _VEO, 8, "720p", "0.15"),
    _film(
        "bytedance/seedance-1-lite",
        _SEEDANCE,
        5,
        "720p",
        {"480p": "0.018", "720p": "0.036", "1080p": "0.072"},
    ),
    _film(
        "bytedance/seedance-1-pro",
        _SEEDANCE,
        5,
        "1080p",
        {"480p": "0.03", "720p": "0.06", "1080p": "0.15"},
    ),
)
