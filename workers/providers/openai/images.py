"""Pictures: one call that answers with all of them, as base64 or, from some servers, at URLs."""

import base64
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any, Final

from openai import AsyncOpenAI
from openai.types import ImagesResponse

from shared.errors import JobError
from shared.kinds.image import dimensions
from workers.providers.base import Finished, Refused, RemoteFile, Sink, StoredFile, UnreadableAnswer, Usage
from workers.providers.billing import billed
from workers.providers.openai.inputs import Content
from workers.providers.openai.models import ImageModel
from workers.providers.styles import picture_prompt

STEP: Final = 16
LONGEST: Final = 3840
MOST_PIXELS: Final = 3840 * 2160
WIDEST: Final = 3
PNG: Final = b"\x89PNG\r\n\x1a\n"
MASK_BYTES: Final = 4 << 20
SUCCESSORS: Final = {"standard": "medium", "hd": "high"}
"""The qualities of DALL·E, in those of its successors."""


async def draw(
    client: AsyncOpenAI,
    model: ImageModel,
    given: Mapping[str, Any],
    files: Mapping[str, Content],
    sink: Sink,
) -> Finished:
    """Makes pictures, or edits where there is a picture to start from. Raises openai.APIError, Refused,
    UnreadableAnswer."""
    body = sent(model, given)
    if "image" in files:
        answer = await client.images.edit(**body, **_inputs(files))
    else:
        answer = await client.images.generate(**body)
    if not isinstance(answer, ImagesResponse) or not answer.data:
        raise UnreadableAnswer("an answer without pictures")
    counted = usage(answer)
    with billed(counted):
        outputs = await _stored(answer, f"image/{body.get('output_format', 'png')}", sink)
    return Finished(outputs, counted, answer._request_id)


async def _stored(answer: ImagesResponse, mime: str, sink: Sink) -> list[RemoteFile | StoredFile]:
    outputs: list[RemoteFile | StoredFile] = []
    for n, picture in enumerate(answer.data or ()):
        if picture.b64_json:
            content, picture.b64_json = picture.b64_json, None
            outputs.append(await sink.write(n, mime, _decoded(content)))
        elif picture.url:
            outputs.append(RemoteFile(picture.url))
        else:
            raise UnreadableAnswer("a picture without content")
    return outputs


def sent(model: ImageModel, given: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a request. Raises Refused for a size that the model does not draw."""
    width, height = dimensions(given.get("size"), given.get("aspect_ratio"), step=STEP)
    body = {
        "model": model.name,
        "prompt": picture_prompt(given),
        "n": given.get("count") or 1,
        "size": _size(width, height) if model.by_pixels else f"{width}x{height}",
        **model.options,
    }
    if (quality := given.get("quality")) is not None:
        body["quality"] = SUCCESSORS.get(quality, quality)
    if model.by_pixels:
        body["output_format"] = given.get("format") or "png"
    return body


def _inputs(files: Mapping[str, Content]) -> dict[str, Any]:
    """The picture to start from first, for the mask belongs to it. Raises Refused for a mask that is none."""
    more = sorted((name for name in files if name.startswith("images.")), key=lambda name: int(name[7:]))
    pictures = [files["image"], *(files[name] for name in more)]
    inputs: dict[str, Any] = {"image": pictures if more else pictures[0]}
    if (mask := files.get("mask")) is not None:
        content = mask[1]
        if not content.startswith(PNG) or len(content) > MASK_BYTES:
            message, field = "The mask must be a PNG of 4 MB at most.", "input.mask"
            raise Refused(JobError("PROVIDER_REJECTED", message, details={"field": field}), curable=False)
        inputs["mask"] = ("mask.png", content, "image/png")
    return inputs


def _size(width: int, height: int) -> str:
    """In steps of 16 pixels."""
    width, height = (max(STEP, round(side / STEP) * STEP) for side in (width, height))
    long, short = max(width, height), min(width, height)
    if long > LONGEST or width * height > MOST_PIXELS or long > WIDEST * short:
        message = (
            f"OpenAI draws up to {LONGEST} by 2160 pixels, and no side longer than three times the other"
        )
        refused = JobError("PROVIDER_REJECTED", message, details={"field": "input.size"})
        raise Refused(refused, curable=False)
    return f"{width}x{height}"


def usage(answer: ImagesResponse) -> Usage:
    """The tokens as they were counted; a server that counts none leaves its bill unknown."""
    units = {"run": Decimal(1), "image": Decimal(len(answer.data or ()))}
    counted = answer.usage
    if counted is None or counted.input_tokens_details is None:
        return Usage(units)
    return Usage(
        {
            **units,
            "input_token": Decimal(counted.input_tokens_details.text_tokens),
            "image_input_token": Decimal(counted.input_tokens_details.image_tokens),
            "image_output_token": Decimal(counted.output_tokens),
        }
    )


async def _decoded(content: str, piece: int = 1 << 18) -> AsyncIterator[bytes]:
    """The picture in pieces, so that it is in memory once and not twice."""
    for start in range(0, len(content), piece):
        yield base64.b64decode(content[start : start + piece])
