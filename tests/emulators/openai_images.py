"""`images/generations` and `images/edits`: base64 only, tokens counted, partial pictures in a stream."""

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from PIL import Image

from tests.emulators.media import picture
from tests.emulators.openai_models import EmulatedModel
from tests.emulators.openai_wire import Wrong, event

QUALITY_TOKENS = {"low": 196, "medium": 439, "high": 1756, "xhigh": 3122, "max": 7024, "auto": 439}
PARTIAL_TOKENS = 100
EDIT_TOKENS = 774
_FIELDS = frozenset(
    {"model", "prompt", "n", "size", "quality", "output_format", "output_compression", "background"}
    | {"moderation", "stream", "partial_images", "safety_identifier", "user", "complexity"}
    | {"image", "image[]", "mask", "input_fidelity"}
)
_LEGACY = frozenset({"response_format"})
MOST_INPUTS = 16
_TYPES = frozenset({"image/png", "image/webp", "image/jpeg"})
_EXTENSIONS = {"png": "png", "webp": "webp", "jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A request for pictures that was found in order."""

    prompt: str
    count: int
    width: int
    height: int
    quality: str
    format: str
    partial: int
    stream: bool
    inputs: int

    @property
    def units(self) -> dict[str, int]:
        each = round(QUALITY_TOKENS[self.quality] * self.width * self.height / 1024**2)
        return {
            "text_in": math.ceil(len(self.prompt) / 4),
            "image_in": EDIT_TOKENS * self.inputs,
            "image_out": self.count * (each + PARTIAL_TOKENS * self.partial),
        }

    @property
    def usage(self) -> dict[str, Any]:
        units = self.units
        taken = units["text_in"] + units["image_in"]
        return {
            "input_tokens": taken,
            "output_tokens": units["image_out"],
            "total_tokens": taken + units["image_out"],
            "input_tokens_details": {"text_tokens": units["text_in"], "image_tokens": units["image_in"]},
            "output_tokens_details": {"image_tokens": units["image_out"], "text_tokens": 0},
        }

    def content(self) -> str:
        return base64.b64encode(picture(_EXTENSIONS[self.format], self.width, self.height)).decode()

    def about(self) -> dict[str, Any]:
        return {
            "background": "opaque",
            "output_format": self.format,
            "quality": "medium" if self.quality == "auto" else self.quality,
            "size": f"{self.width}x{self.height}",
        }


def read(body: Mapping[str, Any], model: EmulatedModel, inputs: int) -> Drawing:
    """Raises Wrong."""
    allowed = _FIELDS if model.strict_images else _FIELDS | _LEGACY
    for name in body:
        if name not in allowed:
            raise Wrong(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    prompt, count, quality = body.get("prompt"), int(body.get("n") or 1), str(body.get("quality") or "auto")
    if not isinstance(prompt, str) or not 0 < len(prompt) <= 32_000:
        raise Wrong("Invalid 'prompt'.", code="invalid_value", param="prompt")
    finer = {"xhigh", "max"} if "-2.6-" in model.name else set()
    if not 1 <= count <= 10 or quality not in QUALITY_TOKENS.keys() - finer:
        raise Wrong("Invalid 'n' or 'quality'.", code="invalid_value", param="n")
    output_format = str(body.get("output_format") or "png")
    if output_format not in _EXTENSIONS:
        raise Wrong("Invalid 'output_format'.", code="invalid_value", param="output_format")
    width, height = _size(str(body.get("size") or "auto"), model)
    partial = int(body.get("partial_images") or 0)
    stream = str(body.get("stream")).lower() == "true"
    return Drawing(prompt, count, width, height, quality, output_format, partial, stream, inputs)


def _size(text: str, model: EmulatedModel) -> tuple[int, int]:
    if text == "auto":
        return 1024, 1024
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    fits = width * height <= 3840 * 2160 and max(width, height) <= 3 * min(width, height)
    if not match or (model.strict_images and (width % 16 or height % 16 or not fits)):
        raise Wrong(f"Invalid size '{text}'.", code="invalid_value", param="size")
    return width, height


async def read_form(request: web.Request) -> tuple[dict[str, Any], list[str]]:
    """(fields, names of the files) of a multipart edit. Raises Wrong."""
    form = await request.post()
    files = {name: form.getall(name) for name in form if isinstance(form[name], web.FileField)}
    for file in (file for several in files.values() for file in several):
        if not isinstance(file, web.FileField) or file.content_type not in _TYPES:
            raise Wrong("Invalid file type.", code="invalid_image", param="image")
    pictures = [*files.get("image", ()), *files.get("image[]", ())]
    if not pictures:
        raise Wrong("Missing required parameter: 'image'.", code="missing_required_parameter", param="image")
    if len(pictures) > MOST_INPUTS:
        raise Wrong(f"At most {MOST_INPUTS} images.", code="invalid_value", param="image")
    for mask in files.get("mask", ()):
        _check_mask(mask, pictures[0])
    fields = {name: part for name, part in form.items() if not isinstance(part, web.FileField)}
    return fields, [name for name, several in files.items() for _ in several]


def _check_mask(mask: Any, picture: Any) -> None:
    """A PNG of the first picture's size with places to see through."""
    seen, masked = Image.open(picture.file), Image.open(mask.file)
    if masked.format != "PNG" or masked.size != seen.size or "A" not in masked.getbands():
        raise Wrong("Invalid mask image format.", code="invalid_image", param="mask")


def as_json(drawing: Drawing, created: int) -> dict[str, Any]:
    data = [{"b64_json": drawing.content()} for _ in range(drawing.count)]
    return {"created": created, "data": data, **drawing.about(), "usage": drawing.usage}


def as_events(drawing: Drawing, created: int) -> list[bytes]:
    content = drawing.content()
    shown = {"b64_json": content, "created_at": created, **drawing.about()}
    events = []
    for index in range(drawing.partial):
        name = "image_generation.partial_image"
        events.append(event({"type": name, "partial_image_index": index, **shown}, name))
    name = "image_generation.completed"
    return [*events, event({"type": name, **shown, "usage": drawing.usage}, name)]
