import io

import numpy as np
import pytest
from PIL import Image

from shared.media.errors import MediaError
from workers.providers.local.media.enlarge import enlarge


def picture(size: tuple[int, int] = (60, 40), mode: str = "RGB", kind: str = "PNG") -> bytes:
    ramp = np.linspace(0, 255, size[0], dtype=np.uint8)[None, :].repeat(size[1], 0)
    out = io.BytesIO()
    Image.fromarray(ramp).convert(mode).save(out, kind)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("scale", range(2, 9))
def test_scales(scale: int) -> None:
    made = enlarge(picture(), scale)
    assert opened(made.data).size == (60 * scale, 40 * scale)
    assert made.metadata["original"] == [60, 40]


def test_it_is_the_same_picture() -> None:
    back = opened(enlarge(picture(), 4, True).data).resize((60, 40), Image.Resampling.BOX)
    difference = np.asarray(back.convert("L"), int) - np.asarray(opened(picture()).convert("L"), int)
    assert np.abs(difference).mean() < 4


def test_transparency_is_kept() -> None:
    image, out = Image.new("RGBA", (20, 20), (255, 0, 0, 0)), io.BytesIO()
    image.paste((0, 255, 0, 255), (5, 5, 15, 15))
    image.save(out, "PNG")
    result = opened(enlarge(out.getvalue(), 2).data)
    assert result.mode == "RGBA"
    assert result.getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert result.getpixel((20, 20))[3] == 255  # type: ignore[index]


@pytest.mark.parametrize(("kind", "name"), [(None, "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
def test_formats(kind: str | None, name: str) -> None:
    assert opened(enlarge(picture(kind="JPEG"), 2, False, kind).data).format == name


def test_too_large_is_refused_before_decoding() -> None:
    with pytest.raises(MediaError) as caught:
        enlarge(picture((2000, 1001)), 8)
    assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(MediaError):
        enlarge(data, 2)


def test_progress_rises() -> None:
    seen: list[float] = []
    enlarge(picture(), 8, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) >= 4
