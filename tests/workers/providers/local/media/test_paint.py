import io

import numpy as np
import pytest
from PIL import Image

from workers.providers.local.media import brief
from workers.providers.local.media.finish import STYLES
from workers.providers.local.media.paint import paint


def pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int16)


PROMPTS = [
    "a lighthouse in fog", "snowy mountains", "a city at night in the rain", "a deer in the forest", "desert dunes",
    "a cat in a meadow, a house", "a planet in space", "portrait of a queen", "purple thoughts",
    "a whale in the ocean, birds", "aurora over a lake, stars", "hot air balloon over mountains",
]  # fmt: skip


@pytest.mark.parametrize("prompt", PROMPTS)
def test_scenes_have_form_and_are_not_noise(prompt: str) -> None:
    made = paint(prompt, 256, 192, 3)
    picture = pixels(made.data)
    assert picture.shape == (192, 256, 3)
    assert picture.std() > 12
    neighbours = np.abs(np.diff(picture, axis=1)).mean()
    assert neighbours < picture.std() * 0.6
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 300


@pytest.mark.parametrize("style", STYLES)
def test_every_style_renders_and_differs(style: str) -> None:
    plain = pixels(paint("a sailing boat at sunset", 192, 192, 3, "natural").data)
    styled = paint("a sailing boat at sunset", 192, 192, 3, style)
    assert styled.metadata["style"] == style
    if style not in ("realistic", "natural"):
        assert np.abs(pixels(styled.data) - plain).mean() > 2


def test_same_seed_same_bytes() -> None:
    assert (
        paint("a forest", 128, 128, 5, "oil-painting").data
        == paint("a forest", 128, 128, 5, "oil-painting").data
    )


def test_seed_and_prompt_change_the_picture() -> None:
    first = pixels(paint("a forest", 128, 128, 5).data)
    assert np.abs(first - pixels(paint("a forest", 128, 128, 6).data)).mean() > 4
    assert np.abs(first - pixels(paint("a desert", 128, 128, 5).data)).mean() > 10


@pytest.mark.parametrize(("kind", "name"), [("png", "PNG"), ("webp", "WEBP"), ("jpeg", "JPEG")])
def test_formats(kind: str, name: str) -> None:
    made = paint("sea", 96, 64, 1, None, None, kind)
    assert Image.open(io.BytesIO(made.data)).format == name


@pytest.mark.parametrize("size", [(64, 64), (64, 1024), (1024, 64)])
@pytest.mark.parametrize(
    "prompt", ["a lighthouse", "a city", "a meadow with a horse", "mountains", "abstract"]
)
def test_odd_shapes(size: tuple[int, int], prompt: str) -> None:
    assert Image.open(io.BytesIO(paint(prompt, *size, 1).data)).size == size


def test_what_is_not_wanted_is_left_out() -> None:
    assert "fog" in brief.read("a lighthouse in fog", 1).things
    assert brief.read("a lighthouse in fog", 1, "fog, birds").things == {"lighthouse"}


def test_colours_that_are_named_are_used() -> None:
    red, blue = (
        pixels(paint(f"{hue} abstract waves", 96, 96, 2).data).mean((0, 1)) for hue in ("red", "blue")
    )
    assert red[0] - red[2] > blue[0] - blue[2] + 25


def test_progress_rises() -> None:
    seen: list[float] = []
    paint("sea", 64, 64, 1, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) >= 3
