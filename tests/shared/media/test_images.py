import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from shared.media import images
from shared.media.errors import MediaError


def picture(
    kind: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: object
) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(side: int = 50_000) -> bytes:
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("work", [images.inspect, images.thumbnail, images.clean])
def test_a_bomb_is_refused_before_it_is_unpacked(work: object) -> None:
    with pytest.raises(MediaError) as caught:
        work(bomb())  # type: ignore[operator]
    assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize(
    "data", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"", b"BM" + b"\0" * 60]
)
def test_what_is_no_accepted_image_is_unsupported(data: bytes) -> None:
    with pytest.raises(MediaError) as caught:
        images.clean(data)
    assert caught.value.code == "UNSUPPORTED_MEDIA"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_cut_off_image_is_corrupt(kind: str) -> None:
    data = picture(kind)
    with pytest.raises(MediaError) as caught:
        images.clean(data[: len(data) // 2])
    assert caught.value.code == "CORRUPT"


@pytest.mark.parametrize(
    ("kind", "mime"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/png")],
)
def test_clean_keeps_the_format_where_it_can(kind: str, mime: str) -> None:
    cleaned = images.clean(picture(kind))
    assert (cleaned.mime, cleaned.width, cleaned.height) == (mime, 300, 200)
    assert Image.MIME[decoded(cleaned.data).format or ""] == mime


def test_clean_turns_upright_and_drops_where_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.0)
    source = picture("JPEG", exif=exif.tobytes(), comment=b"my home")
    assert images.inspect(source).width == 200
    cleaned = images.clean(source)
    result = decoded(cleaned.data)
    assert result.size == (200, 300)
    assert not result.getexif()
    assert not {"exif", "comment", "icc_profile"} & set(result.info)
    assert b"my home" not in cleaned.data


def test_clean_drops_text_of_png() -> None:
    image, out = Image.new("RGB", (8, 8)), io.BytesIO()
    image.info["secret"] = "x"
    image.save(out, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert set(decoded(images.clean(out.getvalue()).data).info) == set()


def test_clean_converts_colours_of_a_profile() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"tmp1").replace(b"gXYZ", b"rXYZ").replace(b"tmp1", b"gXYZ")
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (250, 0, 0)).save(out, "PNG", icc_profile=swapped)
    red, green, _ = np.asarray(decoded(images.clean(out.getvalue()).data))[4, 4]
    assert green > 230
    assert red < 30


def test_a_broken_profile_is_dropped() -> None:
    assert images.clean(picture("PNG", icc_profile=b"broken")).mime == "image/png"


def test_clean_keeps_transparency() -> None:
    cleaned = images.clean(picture("PNG", mode="RGBA"))
    assert decoded(cleaned.data).mode == "RGBA"


def test_sixteen_bits_and_cmyk_are_brought_to_eight_bit_rgb() -> None:
    out = io.BytesIO()
    Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(out, "PNG")
    assert decoded(images.clean(out.getvalue()).data).getpixel((4, 4)) == 156
    assert decoded(images.clean(picture("JPEG", mode="CMYK")).data).mode == "RGB"


def test_thumbnail_is_webp_of_at_most_512() -> None:
    small = decoded(images.thumbnail(picture("JPEG", (1600, 900))))
    assert (small.format, small.size) == ("WEBP", (512, 288))
    assert decoded(images.thumbnail(picture("PNG", (100, 50)))).size == (100, 50)
