from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shared.media import sound, video
from shared.media.errors import MediaError


def frames(count: int, dark: int = 0) -> Iterator[video.Pixels]:
    for index in range(count):
        level = 0 if index < dark else 200
        frame = np.zeros((96, 128, 3), np.uint8)
        frame[..., 0] = level
        frame[:, : index % 128, 1] = level
        yield frame


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(video.encode(frames(48, dark=30), 128, 96, 24))
    return path


def test_what_is_written_can_be_played(film: Path) -> None:
    info = video.probe(film)
    assert (info.codec, info.width, info.height, info.fps, info.has_sound) == ("h264", 128, 96, 24.0, False)
    assert info.duration_s == pytest.approx(2.0, abs=0.05)
    with video.opened(film) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert sum(1 for _ in container.decode(video=0)) == 48


def test_the_index_comes_before_the_pictures(film: Path) -> None:
    data = film.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_poster_is_not_black(film: Path) -> None:
    poster = video.poster(film)
    assert poster.size == (128, 96)
    assert np.asarray(poster).mean() > 30


def test_a_black_film_has_a_poster_too(tmp_path: Path) -> None:
    path = tmp_path / "black.mp4"
    path.write_bytes(video.encode(frames(10, dark=10), 128, 96, 24))
    assert video.poster(path).size == (128, 96)


@pytest.mark.parametrize("cut", [0.0, 0.1, 0.5])
def test_a_broken_film_is_corrupt(film: Path, tmp_path: Path, cut: float) -> None:
    data = film.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: int(len(data) * cut)].replace(b"moov", b"m00v"))
    with pytest.raises(MediaError) as caught:
        video.probe(path)
    assert caught.value.code == "CORRUPT"


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    path.write_bytes(sound.encode(np.zeros((4410, 1), np.float32), 44_100, "wav"))
    with pytest.raises(MediaError):
        video.probe(path)


def test_progress_rises() -> None:
    seen: list[float] = []
    video.encode(frames(12), 128, 96, 24, count=12, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) == 12
