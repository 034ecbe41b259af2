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
    assert made.metadata["original_size"] == [60, 40]
    assert made.metadata["new_size"] == [60 * scale, 40 * scale]


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


def test_edges_are_no_staircase() -> None:
    """A slope stays a slope: no step between neighbours is near the source's own."""
    row = np.asarray(opened(enlarge(picture((9, 9)), 8).data).convert("L"), int)[36]
    assert np.abs(np.diff(row)).max() < 16


@pytest.mark.parametrize("face_restore", [False, True])
def test_hidden_colours_do_not_bleed_into_edges(face_restore: bool) -> None:
    image, out = Image.new("RGBA", (20, 20), (255, 0, 0, 0)), io.BytesIO()
    image.paste((0, 200, 0, 255), (5, 5, 15, 15))
    image.save(out, "PNG")
    pixels = np.asarray(opened(enlarge(out.getvalue(), 4, face_restore).data), int)
    seen = pixels[pixels[..., 3] > 40]
    assert seen[:, 0].max() < 12
    assert np.abs(seen[:, 1] - 200).max() < 40


def test_transparent_is_white_in_jpeg() -> None:
    image, out = Image.new("RGBA", (20, 20), (255, 0, 0, 0)), io.BytesIO()
    image.save(out, "PNG")
    assert opened(enlarge(out.getvalue(), 2, False, "jpeg").data).getpixel((20, 20)) == (255, 255, 255)


def test_face_restore_takes_out_noise() -> None:
    rng = np.random.default_rng(1)
    out = io.BytesIO()
    Image.fromarray((128 + rng.normal(0, 20, (40, 40))).clip(0, 255).astype(np.uint8)).save(out, "PNG")
    plain, restored = (
        np.asarray(opened(enlarge(out.getvalue(), 2, restore).data), float) for restore in (False, True)
    )
    assert restored.std() < 0.75 * plain.std()


@pytest.mark.parametrize(
    ("given", "kind", "name"),
    [
        ("JPEG", None, "JPEG"), ("WEBP", None, "WEBP"), ("PNG", None, "PNG"), ("GIF", None, "PNG"),
        ("JPEG", "png", "PNG"), ("JPEG", "webp", "WEBP"), ("PNG", "jpeg", "JPEG"),
    ],
)  # fmt: skip
def test_formats(given: str, kind: str | None, name: str) -> None:
    made = enlarge(picture(kind=given), 2, False, kind)
    assert opened(made.data).format == name
    assert made.mime == f"image/{name.lower()}"


def test_too_large_is_refused_before_decoding() -> None:
    with pytest.raises(MediaError) as caught:
        enlarge(picture((2000, 1001)), 8)
    assert caught.value.code == "TOO_LARGE"
    assert "2000 × 1001" in caught.value.message
    assert "16000 × 8008" in caught.value.message


@pytest.mark.parametrize("data", [b"", b"<svg/>", b"\x89PNG\r\n\x1a\nbroken"])
def test_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(MediaError):
        enlarge(data, 2)


def test_progress_rises() -> None:
    seen: list[float] = []
    enlarge(picture(), 8, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) >= 4
