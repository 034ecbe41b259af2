"""What our parameters are called at fal's models, and what a run of them is counted in."""

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from shared.errors import JobError
from shared.kinds.image import parse_size
from workers.providers.base import Refused
from workers.providers.styles import music_prompt, picture_prompt

Input = dict[str, Any]
Given = Mapping[str, Any]
Files = Mapping[str, str]
ToInput = Callable[[Given, Files], Input]
Units = Callable[[Given, Mapping[str, Any]], Mapping[str, Decimal]]
"""What a run delivered, from our parameters and the model's answer. A unit that is missing is not known."""

MEGAPIXEL: Final = 1 << 20
SHAPES: Final = {
    "1:1": (1024, 1024),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
    "4:3": (1152, 864),
    "3:4": (864, 1152),
    "3:2": (1248, 832),
    "2:3": (832, 1248),
    "21:9": (1536, 640),
}
"""Each just within one megapixel, for a begun one is billed as a whole."""
SIDES: Final = (256, 2048)
_STEP: Final = 16


def picture(given: Given, files: Files) -> Input:
    """FLUX without settings: it makes one picture."""
    width, height = shape(given)
    return {
        "prompt": picture_prompt(given),
        "image_size": {"width": width, "height": height},
        "output_format": given.get("format") or "png",
    }


def pictures(given: Given, files: Files) -> Input:
    return {**picture(given, files), "num_images": given.get("count") or 1}


def tuned(given: Given, files: Files) -> Input:
    chosen = _optional(num_inference_steps=given.get("steps"), guidance_scale=given.get("guidance"))
    return {**picture(given, files), **chosen}


def tuned_pictures(given: Given, files: Files) -> Input:
    return {**pictures(given, files), **tuned(given, files)}


def stable_diffusion(given: Given, files: Files) -> Input:
    sent = {**tuned_pictures(given, files)}
    sent["format"] = sent.pop("output_format")
    return {
        **sent,
        **_optional(negative_prompt=given.get("negative_prompt"), image_url=files.get("image")),
    }


def clip(given: Given, files: Files) -> Input:
    """With a first frame, its shape is the clip's."""
    frame = {"image_url": files["image"]} if "image" in files else {"aspect_ratio": given["aspect_ratio"]}
    return {"prompt": given["prompt"], "duration": f"{given['duration_s']:g}", **frame}


def clip_of(resolution: str) -> ToInput:
    """A model that is asked for a resolution, and priced by it."""
    return lambda given, files: {**clip(given, files), "resolution": resolution}


def stable_audio(given: Given, _: Files) -> Input:
    return {"prompt": music_prompt(given), "seconds_total": math.ceil(given["duration_s"])}


def ace_step(given: Given, _: Files) -> Input:
    return {
        "prompt": music_prompt(given),
        "duration": given["duration_s"],
        "instrumental": given["instrumental"],
    }


def clarity(given: Given, files: Files) -> Input:
    return {"image_url": files["image"], "upscale_factor": given["scale"]}


def esrgan(given: Given, files: Files) -> Input:
    return {
        "image_url": files["image"],
        "scale": given["scale"],
        "face": given["face_restore"],
        "output_format": given.get("format") or "png",
    }


def shape(given: Given) -> tuple[int, int]:
    """(width, height) in pixels, in steps of 16. Raises Refused when a side is out of bounds."""
    if given.get("size") is None:
        return SHAPES[given.get("aspect_ratio") or "1:1"]
    width, height = parse_size(given["size"])
    low, high = SIDES
    if not all(low <= side <= high for side in (width, height)):
        message = f"This model takes sides of {low} to {high} pixels"
        raise Refused(JobError("PROVIDER_REJECTED", message, details={"field": "input.size"}))
    return round(width / _STEP) * _STEP, round(height / _STEP) * _STEP


def one_run(_: Given, __: Mapping[str, Any]) -> Mapping[str, Decimal]:
    return {"run": Decimal(1)}


def whole_megapixels(given: Given, answer: Mapping[str, Any]) -> Mapping[str, Decimal]:
    """Those of each picture, rounded up."""
    files = answer.get("images") or [answer.get("image")]
    counted = [_whole_megapixels(file, given) for file in files]
    known: Mapping[str, Decimal] = {"run": Decimal(1), "image": Decimal(len(files))}
    return known if None in counted else {**known, "megapixel": Decimal(sum(filter(None, counted)))}


def output_seconds(given: Given, _: Mapping[str, Any]) -> Mapping[str, Decimal]:
    return {"run": Decimal(1), "output_second": Decimal(str(given["duration_s"]))}


def _whole_megapixels(file: Any, given: Given) -> int | None:
    """Of the picture as it is described, or else as it was asked for, which is not known of an enlarged one."""
    width, height = (file.get(side) if isinstance(file, dict) else None for side in ("width", "height"))
    if not isinstance(width, int) or not isinstance(height, int) or width * height <= 0:
        if "scale" in given:
            return None
        width, height = shape(given)
    return math.ceil(width * height / MEGAPIXEL)


def _optional(**fields: Any) -> Input:
    return {name: value for name, value in fields.items() if value is not None}
