"""Pictures: inspect, shrink, and write anew (Pillow). Runs in the executor's children."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from shared.media.errors import MediaError, MediaFault
from shared.media.info import CleanImage, ImageInfo
from shared.media.sniff import AVIF, GIF, JPEG, PNG, WEBP, MediaType

MAX_PIXELS = 64_000_000
THUMBNAIL_SIDE = 512
THUMBNAIL_QUALITY = 75
FORMATS = {"PNG": PNG, "JPEG": JPEG, "MPO": JPEG, "WEBP": WEBP, "GIF": GIF, "AVIF": AVIF}
WRITTEN_AS = {"JPEG": "JPEG", "MPO": "JPEG", "WEBP": "WEBP", "AVIF": "WEBP"}
"""The rest (PNG, GIF's first frame) is written as PNG."""
ORIENTATION_TAG = 0x0112
Source = bytes | Path | str

# Sizes are checked right after the header is read, with an error of our own; Pillow's warning is not needed.
Image.MAX_IMAGE_PIXELS = None


@contextmanager
def opened(source: Source) -> Iterator[Image.Image]:
    """The image, its header read and its size within the limit, its pixels not yet decoded.

    Whatever Pillow raises while the block decodes it becomes MediaError CORRUPT.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else Path(source)
    try:
        with Image.open(file, formats=["PNG", "JPEG", "WEBP", "GIF", "AVIF"]) as image:
            check_pixels(*image.size)
            yield image
    except UnidentifiedImageError as error:
        raise MediaError(MediaFault.UNSUPPORTED_MEDIA, "not an image that is accepted") from error
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise MediaError(MediaFault.CORRUPT, "the image cannot be decoded") from error


def check_pixels(width: int, height: int, limit: int = MAX_PIXELS) -> None:
    if width * height > limit:
        raise MediaError(
            MediaFault.TOO_LARGE, f"{width} × {height} pixels; the limit is {limit // 1_000_000} megapixels"
        )


def inspect(source: Source) -> ImageInfo:
    """Raises MediaError. Reads the header only: pixels may still turn out to be corrupt."""
    with opened(source) as image:
        width, height = image.size
        if image.getexif().get(ORIENTATION_TAG, 1) >= 5:
            width, height = height, width
        frames = getattr(image, "n_frames", 1)
        return ImageInfo(FORMATS[image.format or ""].mime, width, height, frames, image.has_transparency_data)


def thumbnail(source: Source, longest: int = THUMBNAIL_SIDE) -> bytes:
    """WebP whose longest side is `longest` pixels, or less where the image is smaller. Raises MediaError."""
    with opened(source) as image:
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS)  # draft mode for JPEG: decodes small
        return encode(upright_srgb(image), WEBP, THUMBNAIL_QUALITY)


def narrowed(source: Source, width: int) -> bytes:
    """WebP that is `width` pixels wide, or as wide as the image where that is less. Raises MediaError."""
    with opened(source) as image:
        lies = image.getexif().get(ORIENTATION_TAG, 1) >= 5
        across, along = (image.height, image.width) if lies else image.size
        if across > width:
            size = (width, max(1, round(along * width / across)))
            image.thumbnail(size[::-1] if lies else size, Image.Resampling.LANCZOS)
        return encode(upright_srgb(image), WEBP, quality=82)


def clean(source: Source) -> CleanImage:
    """Decode every pixel, which is the proof that it is an image, and write it without metadata.

    EXIF orientation is applied, ICC colours become sRGB; PNG, JPEG and WebP stay what they are.
    Raises MediaError.
    """
    with opened(source) as image:
        media_type = FORMATS[WRITTEN_AS.get(image.format or "", "PNG")]
        image.load()
        picture = upright_srgb(image)
        data = encode(picture, media_type, quality=92)
        return CleanImage(data, media_type.mime, media_type.ext, *picture.size)


def upright_srgb(image: Image.Image) -> Image.Image:
    """An RGB, RGBA or L image with no profile and no metadata left."""
    profile = image.info.get("icc_profile")
    picture = ImageOps.exif_transpose(image)
    if picture.mode.startswith("I"):
        picture = picture.point(lambda level: level / 256).convert("L")
    if profile and picture.mode in ("RGB", "RGBA", "CMYK", "L"):
        picture = _to_srgb(picture, profile)
    if picture.mode not in ("RGB", "RGBA", "L"):
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.info.clear()
    return picture


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """A broken profile is dropped rather than refused: browsers do the same."""
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return image
    return converted or image


def encode(image: Image.Image, media_type: MediaType, quality: int = 92) -> bytes:
    if media_type is JPEG and image.mode == "RGBA":
        image = image.convert("RGB")
    options = {"compress_level": 4} if media_type is PNG else {"quality": quality}
    out = io.BytesIO()
    image.save(out, {PNG: "PNG", JPEG: "JPEG", WEBP: "WEBP"}[media_type], **options)
    return out.getvalue()
