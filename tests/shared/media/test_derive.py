import functools
import io
import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from shared.executor import Executor
from shared.media import sound, video
from shared.media.derive import derive
from shared.media.errors import MediaError
from shared.media.info import Derived


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    Image.effect_noise((900, 600), 40).save(path)
    return path


def test_an_image_from_the_store(store: str, picture: Path) -> None:
    derived = derive(f"{store}/{picture.name}", "image")
    assert (derived.width, derived.height, derived.duration_s) == (900, 600, None)
    assert derived.thumbnail is not None
    assert Image.open(io.BytesIO(derived.thumbnail)).size == (512, 341)


def test_a_sound(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(sound.encode(np.zeros((48_000, 1), np.float32) + 0.1, 48_000, "ogg"))
    derived = derive(str(path), "audio")
    assert derived.duration_s == pytest.approx(1.0, abs=0.05)
    assert derived.peaks is not None
    assert json.loads(derived.peaks)["length"] == 1000


def test_a_film(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(video.encode([np.full((540, 960, 3), 90, np.uint8)] * 12, 960, 540, 12))
    derived = derive(str(path), "video")
    assert (derived.width, derived.height, derived.duration_s) == (960, 540, 1.0)
    assert derived.poster is not None
    assert derived.thumbnail is not None
    assert Image.open(io.BytesIO(derived.poster)).size == (960, 540)
    assert Image.open(io.BytesIO(derived.thumbnail)).size == (512, 288)


@pytest.mark.parametrize("family", ["document", "archive", "text", "else"])
def test_other_families_have_nothing(family: str) -> None:
    assert derive("/nowhere", family) == Derived()


def test_more_bytes_than_allowed(store: str, picture: Path) -> None:
    for source in (f"{store}/{picture.name}", str(picture)):
        with pytest.raises(MediaError) as caught:
            derive(source, "image", 1000)
        assert caught.value.code == "TOO_LARGE"


def test_a_missing_object_is_the_stores_fault(store: str) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        derive(f"{store}/none.png", "image")


@pytest.fixture
def broken(picture: Path) -> Path:
    path = picture.with_name("broken.png")
    path.write_bytes(picture.read_bytes()[:4000])
    return path


async def test_in_the_executor(picture: Path, broken: Path) -> None:
    async with Executor() as executor:
        derived = await executor.call("shared.media.derive:derive", str(picture), "image")
        assert derived.width == 900
        with pytest.raises(MediaError):
            await executor.call("shared.media.derive:derive", str(broken), "image")
