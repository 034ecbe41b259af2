"""Pictures: a scene drawn from the words of the prompt, in a style."""

import io

import numpy as np
from PIL import Image

from workers.providers.local.media import brief as briefs
from workers.providers.local.media import scene
from workers.providers.local.media.finish import STYLES, to_image
from workers.providers.local.media.made import Made, ReportProgress, unreported

MAX_DRAWN_PIXELS = 2_400_000
"""Larger pictures are drawn at this size and enlarged: their forms are smooth, memory is not endless."""
FORMATS = {
    "png": ("PNG", "image/png", "png"),
    "webp": ("WEBP", "image/webp", "webp"),
    "jpeg": ("JPEG", "image/jpeg", "jpg"),
}


def paint(
    prompt: str,
    width: int,
    height: int,
    seed: int,
    style: str | None = None,
    negative_prompt: str | None = None,
    format: str = "png",  # noqa: A002 - the word of the API
    progress: ReportProgress = unreported,
) -> Made:
    """The same arguments give the same bytes. A style that is not known is drawn as `realistic`."""
    brief = briefs.read(prompt, seed, negative_prompt)
    drawn = drawn_size(width, height)
    progress(0.05)
    canvas, _ = scene.build(brief, *drawn)
    progress(0.6)
    name = style if style in STYLES else "realistic"
    picture = STYLES[name](canvas.flat(), np.random.default_rng(brief.seed + 1))
    progress(0.85)
    image = to_image(picture)
    if drawn != (width, height):
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    metadata = {
        "width": width, "height": height, "seed": seed, "style": name, "scene": brief.scene, "hour": brief.hour,
        "things": sorted(brief.things),
    }  # fmt: skip
    return _encoded(image, format, metadata)


def drawn_size(width: int, height: int, limit: int = MAX_DRAWN_PIXELS) -> tuple[int, int]:
    shrink = min(1.0, (limit / (width * height)) ** 0.5)
    return max(8, round(width * shrink)), max(8, round(height * shrink))


def _encoded(image: Image.Image, format: str, metadata: dict[str, object]) -> Made:  # noqa: A002
    name, mime, ext = FORMATS[format]
    out = io.BytesIO()
    if name == "PNG":
        image.save(out, name, compress_level=3)
    else:
        image.save(out, name, quality=92, **({"method": 2} if name == "WEBP" else {}))
    return Made(out.getvalue(), mime, ext, metadata)
