"""The models that the emulated fal knows: their input schemas, their outputs and what they cost.

Prices are the emulator's own, so that they are an account independent of Penstock's cards.
"""

import base64
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator
from PIL import Image

from tests.emulators import media

Input = Mapping[str, Any]
Schema = dict[str, Any]

_MEGAPIXEL = 1 << 20
_TYPES = {"minimum": "greater_than_equal", "maximum": "less_than_equal", "enum": "literal_error"}


def text(**more: Any) -> Schema:
    return {"type": "string", **more}


def integer(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def number(low: float, high: float) -> Schema:
    return {"type": "number", "minimum": low, "maximum": high}


def choice(*options: str) -> Schema:
    return {"type": "string", "enum": list(options)}


FLAG: Schema = {"type": "boolean"}
SEED: Schema = {"type": "integer"}
URI: Schema = {"type": "string", "minLength": 1}
SIZE: Schema = {
    "type": "object",
    "required": ["width", "height"],
    "properties": {"width": integer(1, 14142), "height": integer(1, 14142)},
}


@dataclass(frozen=True)
class File:
    extension: str
    content: bytes
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True)
class EmulatedModel:
    """`field` is the name under which the answer holds its files, a list only for `images`. `nanos` is what
    `units` of an input cost; the units are told where the model `reports` them."""

    endpoint: str
    inputs: Schema
    output: Callable[[Input], list[File]]
    units: Callable[[Input], Decimal]
    nanos: Callable[[Input, Decimal], int]
    field: str = "images"
    required: tuple[str, ...] = ("prompt",)
    reports: bool = True

    @property
    def app(self) -> str:
        return "/".join(self.endpoint.split("/")[:2])

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(
            {
                "type": "object",
                "required": list(self.required),
                "properties": self.inputs,
                "additionalProperties": False,
            }
        )

    def complaints(self, given: Input) -> list[dict[str, Any]]:
        """fal's typed errors, one for each wrong input."""
        return [
            {
                "loc": ["body", *error.absolute_path],
                "msg": error.message,
                "type": _TYPES.get(str(error.validator), "value_error"),
                "url": "https://docs.fal.ai/errors",
                "input": None,
            }
            for error in self._validator.iter_errors(given)
        ]

    def bill(self, given: Input) -> int:
        return self.nanos(given, self.units(given))


def _flat(rate: int) -> Callable[[Input, Decimal], int]:
    return lambda _, units: int(rate * units)


def _pictures(given: Input) -> list[File]:
    size = given.get("image_size", {"width": 1024, "height": 768})
    kind = given.get("output_format", given.get("format", "jpeg"))
    extension = "jpg" if kind == "jpeg" else kind
    content = media.picture(extension, size["width"], size["height"])
    return [File(extension, content, size["width"], size["height"])] * given.get("num_images", 1)


def _megapixels(given: Input) -> Decimal:
    size = given.get("image_size", {"width": 1024, "height": 768})
    each = math.ceil(size["width"] * size["height"] / _MEGAPIXEL)
    return Decimal(each * given.get("num_images", 1))


def _original(given: Input) -> tuple[int, int]:
    """The input picture's size; URLs to elsewhere are not followed."""
    url = str(given["image_url"])
    if not url.startswith("data:"):
        return 64, 48
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        return image.size


def _enlarged(given: Input) -> list[File]:
    factor = given.get("upscale_factor", given.get("scale", 2))
    width, height = (round(side * factor) for side in _original(given))
    return [File("png", media.picture("png", width, height), width, height)]


def _enlarged_megapixels(given: Input) -> Decimal:
    file = _enlarged(given)[0]
    return Decimal(math.ceil((file.width or 0) * (file.height or 0) / _MEGAPIXEL))


def _clip(given: Input) -> list[File]:
    return [File("mp4", media.video())]


def _song(given: Input) -> list[File]:
    return [File("wav", media.sound("wav", min(2.0, _seconds(given))))]


def _seconds(given: Input) -> float:
    return float(given.get("duration", given.get("seconds_total", 5)))


def _whole_seconds(given: Input) -> Decimal:
    return Decimal(str(_seconds(given)))


def _once(_: Input) -> Decimal:
    return Decimal(1)


_PICTURE: Schema = {
    "prompt": text(minLength=1),
    "image_size": SIZE,
    "seed": SEED,
    "output_format": choice("jpeg", "png"),
    "enable_safety_checker": FLAG,
    "sync_mode": FLAG,
}
_COUNT: Schema = {"num_images": integer(1, 4)}
_WAN_NANOS = {"480p": 50_000_000, "720p": 100_000_000, "1080p": 150_000_000}
_WAN: Schema = {
    "prompt": text(minLength=1, maxLength=800),
    "duration": choice("5", "10"),
    "resolution": choice(*_WAN_NANOS),
    "seed": SEED,
}
_KLING: Schema = {
    "prompt": text(maxLength=2500),
    "duration": choice("5", "10"),
    "negative_prompt": text(),
    "cfg_scale": number(0, 1),
}
_RATIO: Schema = {"aspect_ratio": choice("16:9", "9:16", "1:1")}
_SDXL: Schema = {
    **{name: schema for name, schema in _PICTURE.items() if name != "output_format"},
    "negative_prompt": text(),
    "num_inference_steps": integer(1, 50),
    "guidance_scale": number(0, 20),
    "num_images": integer(1, 8),
    "format": choice("jpeg", "png"),
}


def _wan_nanos(given: Input, seconds: Decimal) -> int:
    return int(_WAN_NANOS[given.get("resolution", "1080p")] * seconds)


def _flux_2_pro_nanos(_: Input, megapixels: Decimal) -> int:
    return int(15_000_000 + 15_000_000 * megapixels)


MODELS = (
    EmulatedModel(
        "fal-ai/flux-2-pro",
        {**_PICTURE, "safety_tolerance": choice("1", "2", "3", "4", "5")},
        _pictures,
        _megapixels,
        _flux_2_pro_nanos,
        reports=False,
    ),
    EmulatedModel(
        "fal-ai/flux-2-flex",
        {**_PICTURE, "num_inference_steps": integer(2, 50), "guidance_scale": number(1.5, 10)},
        _pictures,
        _megapixels,
        _flat(50_000_000),
    ),
    EmulatedModel("fal-ai/flux-pro/v1.1", {**_PICTURE, **_COUNT}, _pictures, _megapixels, _flat(40_000_000)),
    EmulatedModel(
        "fal-ai/flux/dev",
        {**_PICTURE, **_COUNT, "num_inference_steps": integer(1, 50), "guidance_scale": number(1, 20)},
        _pictures,
        _megapixels,
        _flat(25_000_000),
    ),
    EmulatedModel(
        "fal-ai/flux/schnell",
        {**_PICTURE, **_COUNT, "num_inference_steps": integer(1, 12), "guidance_scale": number(1, 20)},
        _pictures,
        _megapixels,
        _flat(3_000_000),
    ),
    EmulatedModel("fal-ai/fast-sdxl", _SDXL, _pictures, _once, _flat(1_250_000), reports=False),
    EmulatedModel(
        "fal-ai/fast-sdxl/image-to-image",
        {**_SDXL, "image_url": URI, "strength": number(0.05, 1)},
        _pictures,
        _once,
        _flat(1_250_000),
        required=("prompt", "image_url"),
        reports=False,
    ),
    EmulatedModel(
        "fal-ai/wan-25-preview/text-to-video",
        {**_WAN, **_RATIO},
        _clip,
        _whole_seconds,
        _wan_nanos,
        field="video",
        reports=False,
    ),
    EmulatedModel(
        "fal-ai/wan-25-preview/image-to-video",
        {**_WAN, "image_url": URI},
        _clip,
        _whole_seconds,
        _wan_nanos,
        field="video",
        required=("prompt", "image_url"),
        reports=False,
    ),
    EmulatedModel(
        "fal-ai/kling-video/v2.5-turbo/pro/text-to-video",
        {**_KLING, **_RATIO},
        _clip,
        _whole_seconds,
        _flat(70_000_000),
        field="video",
    ),
    EmulatedModel(
        "fal-ai/kling-video/v2.5-turbo/pro/image-to-video",
        {**_KLING, "image_url": URI, "tail_image_url": URI},
        _clip,
        _whole_seconds,
        _flat(70_000_000),
        field="video",
        required=("prompt", "image_url"),
    ),
    EmulatedModel(
        "fal-ai/stable-audio-25/text-to-audio",
        {
            "prompt": text(minLength=1),
            "seconds_total": integer(1, 190),
            "num_inference_steps": integer(4, 8),
            "guidance_scale": number(1, 25),
            "seed": SEED,
        },
        _song,
        _once,
        _flat(200_000_000),
        field="audio",
    ),
    EmulatedModel(
        "fal-ai/ace-step/prompt-to-audio",
        {"prompt": text(minLength=1), "instrumental": FLAG, "duration": number(5, 240), "seed": SEED},
        _song,
        _whole_seconds,
        _flat(200_000),
        field="audio",
    ),
    EmulatedModel(
        "fal-ai/clarity-upscaler",
        {"image_url": URI, "prompt": text(), "upscale_factor": number(1, 4), "creativity": number(0, 1)},
        _enlarged,
        _enlarged_megapixels,
        _flat(30_000_000),
        field="image",
        required=("image_url",),
    ),
    EmulatedModel(
        "fal-ai/esrgan",
        {"image_url": URI, "scale": number(1, 8), "face": FLAG, "output_format": choice("png", "jpeg")},
        _enlarged,
        _once,
        _flat(2_000_000),
        field="image",
        required=("image_url",),
        reports=False,
    ),
)

BY_ENDPOINT = {model.endpoint: model for model in MODELS}
