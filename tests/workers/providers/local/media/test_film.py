import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from shared.media import video
from shared.media.errors import MediaError
from workers.providers.local.media.film import film
from workers.providers.local.media.made import Made


def frames(made: Made, folder: Path) -> list[np.ndarray[tuple[int, ...], np.dtype[np.int16]]]:
    path = folder / "film.mp4"
    path.write_bytes(made.data)
    with video.opened(path) as container:
        return [frame.to_ndarray(format="rgb24").astype(np.int16) for frame in container.decode(video=0)]


def test_size_length_and_rate(tmp_path: Path) -> None:
    made = film("a sailing boat at sunset", 257, 145, 1.5, 12, 4)
    (tmp_path / "a.mp4").write_bytes(made.data)
    info = video.probe(tmp_path / "a.mp4")
    assert (info.width, info.height, info.fps) == (256, 144, 12.0)
    assert info.duration_s == pytest.approx(1.5, abs=0.05)
    assert made.mime == "video/mp4"


@pytest.mark.parametrize(
    "prompt", ["mountains at dawn", "a city at night", "space", "portrait", "anything at all"]
)
def test_the_camera_moves_smoothly(prompt: str, tmp_path: Path) -> None:
    pictures = frames(film(prompt, 192, 108, 2, 12, 4), tmp_path)
    steps = [float(np.abs(after - before).mean()) for before, after in pairwise(pictures)]
    whole = float(np.abs(pictures[-1] - pictures[0]).mean())
    assert whole > 1.0
    assert max(steps) < max(4.0, whole)
    assert min(float(picture.mean()) for picture in pictures) > 4


def test_deterministic_by_seed(tmp_path: Path) -> None:
    first, other = (film("a forest", 96, 64, 0.5, 12, seed) for seed in (1, 2))
    assert {film("a forest", 96, 64, 0.5, 12, 1).data for _ in range(5)} == {first.data}
    assert np.abs(frames(first, tmp_path)[0] - frames(other, tmp_path)[0]).mean() > 2


def test_starts_from_a_picture(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (300, 300), (200, 30, 30)).save(out, "JPEG")
    pictures = frames(film("x", 128, 72, 0.5, 12, 1, out.getvalue()), tmp_path)
    assert pictures[0][36, 64] == pytest.approx([200, 30, 30], abs=12)


def test_a_picture_that_is_none() -> None:
    with pytest.raises(MediaError):
        film("x", 128, 72, 0.5, 12, 1, b"<svg/>")


def test_progress_rises() -> None:
    seen: list[float] = []
    film("sea", 96, 64, 1, 12, 1, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) >= 12
