"""Larger pictures: Lanczos in steps of two at most, each followed by a gentle sharpening."""

import io

from PIL import Image, ImageFilter

from shared.media.errors import MediaError, MediaFault
from shared.media.images import MAX_PIXELS, opened, upright_srgb
from workers.providers.local.media.made import Made, ReportProgress, unreported

SCALES = range(2, 9)
FORMATS = {
    "png": ("PNG", "image/png", "png"),
    "webp": ("WEBP", "image/webp", "webp"),
    "jpeg": ("JPEG", "image/jpeg", "jpg"),
}
KEPT = {"JPEG": "jpeg", "MPO": "jpeg", "WEBP": "webp"}
"""Formats of the input that the output has too; any other becomes PNG."""
WEBP_SIDE = 16_383
"""The longest side that WebP can hold."""
CARRY = 4
"""Pixels; Lanczos looks three around."""
PAPER = (255, 255, 255)
"""What shows through where JPEG cannot say transparent."""


def enlarge(
    data: bytes,
    scale: int = 4,
    face_restore: bool = False,
    format: str | None = None,  # noqa: A002 - the word of the API
    progress: ReportProgress = unreported,
) -> Made:
    """A resampling: no detail is made up, and `face_restore` only takes out noise before and firms edges after.

    The output has the input's format where `format` names none. Transparency is kept, except in JPEG.
    Raises MediaError, TOO_LARGE over 64 megapixels.
    """
    if scale not in SCALES:
        raise MediaError(MediaFault.TOO_LARGE, f"scale must be {SCALES.start} to {SCALES.stop - 1}")
    with opened(data) as source:
        _check_result(source.width, source.height, scale)
        kind = format or KEPT.get(source.format or "", "png")
        image = upright_srgb(source)
    original = image.size
    progress(0.1)
    image = _worked(image, scale, face_restore, progress)
    progress(0.8)
    if kind == "webp" and max(image.size) > WEBP_SIDE:
        kind = "png"
    metadata = {
        "original_size": list(original),
        "new_size": list(image.size),
        "scale": scale,
        "face_restore": face_restore,
    }
    return _encoded(image, kind, metadata)


def _check_result(width: int, height: int, scale: int) -> None:
    """Before a pixel is decoded."""
    if width * height * scale**2 > MAX_PIXELS:
        message = (
            f"{width} × {height} pixels enlarged {scale} times are {width * scale} × {height * scale}; "
            f"the limit is {MAX_PIXELS // 1_000_000} megapixels"
        )
        raise MediaError(MediaFault.TOO_LARGE, message)


def _worked(image: Image.Image, scale: int, face_restore: bool, progress: ReportProgress) -> Image.Image:
    """Colour and transparency each for itself, so that an outline gets no rim."""
    if image.mode != "RGBA":
        return _coloured(image, scale, face_restore, progress)
    alpha = _grow(image.getchannel("A"), scale, unreported)
    image = _coloured(_opaque(image), scale, face_restore, progress)
    image.putalpha(alpha)
    return image


def _opaque(image: Image.Image) -> Image.Image:
    """The colours alone, those of the outline carried on into what is hidden, whatever is stored there."""
    carried = image.convert("RGBa").filter(ImageFilter.BoxBlur(CARRY)).convert("RGBA").convert("RGB")
    shown = image.getchannel("A").point(lambda level: 255 if level else 0)
    return Image.composite(image.convert("RGB"), carried, shown)


def _coloured(image: Image.Image, scale: int, face_restore: bool, progress: ReportProgress) -> Image.Image:
    if face_restore:
        image = image.filter(ImageFilter.MedianFilter(3))
    image = _grow(image, scale, progress)
    if face_restore:
        image = image.filter(ImageFilter.UnsharpMask(radius=scale, percent=55, threshold=2))
    return image


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
        paper = Image.new("RGB", image.size, PAPER)
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    out = io.BytesIO()
    if name == "PNG":
        image.save(out, name, compress_level=3)
    else:
        image.save(out, name, quality=92, **({"method": 2} if name == "WEBP" else {}))
    return Made(out.getvalue(), mime, ext, metadata)
