"""Larger pictures: Lanczos in steps of two at most, each followed by a gentle sharpening."""

import io

from PIL import Image, ImageFilter

from shared.media.errors import MediaError, MediaFault
from shared.media.images import check_pixels, opened, upright_srgb
from workers.providers.local.media.made import Made, ReportProgress, unreported

SCALES = range(2, 9)
FORMATS = {
    "png": ("PNG", "image/png", "png"),
    "webp": ("WEBP", "image/webp", "webp"),
    "jpeg": ("JPEG", "image/jpeg", "jpg"),
}
WEBP_SIDE = 16_383
"""The longest side that WebP can hold."""


def enlarge(
    data: bytes,
    scale: int = 4,
    face_restore: bool = False,
    format: str | None = None,  # noqa: A002 - the word of the API
    progress: ReportProgress = unreported,
) -> Made:
    """A resampling: no detail is made up, and `face_restore` only takes out noise before and firms edges after.

    Transparency is kept, except in JPEG. Raises MediaError, TOO_LARGE over 64 megapixels.
    """
    if scale not in SCALES:
        raise MediaError(MediaFault.TOO_LARGE, f"scale must be {SCALES.start} to {SCALES.stop - 1}")
    with opened(data) as source:
        check_pixels(source.width * scale, source.height * scale)
        kind = format or {"JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp"}.get(source.format or "", "png")
        image = upright_srgb(source)
    original = image.size
    progress(0.1)
    if face_restore:
        image = image.filter(ImageFilter.MedianFilter(3))
    image = _grow(image, scale, progress)
    if face_restore:
        image = image.filter(ImageFilter.UnsharpMask(radius=scale, percent=55, threshold=2))
    progress(0.8)
    if kind == "webp" and max(image.size) > WEBP_SIDE:
        kind = "png"
    return _encoded(
        image,
        kind,
        {"original": list(original), "width": image.width, "height": image.height, "scale": scale},
    )


def _grow(image: Image.Image, scale: int, progress: ReportProgress) -> Image.Image:
    width, height = image.size
    done = 1.0
    while done < scale:
        done = min(float(scale), done * 2)
        image = image.resize((round(width * done), round(height * done)), Image.Resampling.LANCZOS)
        image = image.filter(ImageFilter.UnsharpMask(radius=1.2, percent=45, threshold=2))
        progress(0.1 + 0.65 * done / scale)
    return image


def _encoded(image: Image.Image, kind: str, metadata: dict[str, object]) -> Made:
    name, mime, ext = FORMATS[kind]
    if name == "JPEG" and image.mode == "RGBA":
        image = image.convert("RGB")
    out = io.BytesIO()
    if name == "PNG":
        image.save(out, name, compress_level=3)
    else:
        image.save(out, name, quality=92, **({"method": 2} if name == "WEBP" else {}))
    return Made(out.getvalue(), mime, ext, metadata)
