"""The emulated Replicate's models that enlarge pictures."""

import base64
import io

from PIL import Image

from tests.emulators import media
from tests.emulators.replicate_model import T4, URI, EmulatedModel, Input, choice, flag, number

_UNSEEN = (64, 48)
"""The size of a picture that was named by its URL, which nobody fetches here."""


def _size(url: str) -> tuple[int, int]:
    if not url.startswith("data:"):
        return _UNSEEN
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
        return picture.size


def _enlarged(url: str, scale: float) -> list[tuple[str, bytes]]:
    width, height = _size(url)
    return [("png", media.picture("png", round(width * scale), round(height * scale)))]


def _real_esrgan(given: Input) -> list[tuple[str, bytes]]:
    return _enlarged(given["image"], given.get("scale", 4))


def _gfpgan(given: Input) -> list[tuple[str, bytes]]:
    return _enlarged(given["img"], given.get("scale", 2))


UPSCALE_MODELS = (
    EmulatedModel(
        "nightmareai/real-esrgan",
        {"image": URI, "scale": number(0, 10, 4), "face_enhance": flag(False)},
        _real_esrgan,
        required=("image",),
        version="f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa",
        hardware=T4,
        tiles=9,
    ),
    EmulatedModel(
        "tencentarc/gfpgan",
        {"img": URI, "scale": number(0, 10, 2), "version": choice("v1.4", "v1.2", "v1.3", "RestoreFormer")},
        _gfpgan,
        required=("img",),
        version="9283608cc6b7be6b65a8e44983db012355fde4132009bf99d976b2f0896856a3",
        hardware=T4,
    ),
)
