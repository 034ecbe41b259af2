"""From a stored artifact to what is kept beside it: size, length, thumbnail, poster, peaks.

The executor's entry for artifacts: one download, everything that is needed from it.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from shared.media import images, sound, video
from shared.media.errors import MediaError, MediaFault
from shared.media.info import Derived
from shared.media.sniff import WEBP, Family

TIMEOUT = httpx.Timeout(30.0, connect=5.0)


def derive(source: str, family: str, max_bytes: int = 512 << 20) -> Derived:
    """`source` is a local path, or a URL of our own store (presigned): it is trusted and not followed.

    Families that have nothing to derive give an empty Derived. Raises MediaError when the file is at
    fault, httpx.HTTPError when the store is.
    """
    makers = {Family.IMAGE: _image, Family.AUDIO: _audio, Family.VIDEO: _video}
    make = makers.get(Family(family)) if family in Family else None
    if make is None:
        return Derived()
    with _local(source, max_bytes) as path:
        return make(path)


def variant(source: str, width: int, max_bytes: int) -> bytes:
    """The picture at `source`, as above, in WebP and at most `width` pixels wide. Raises MediaError."""
    with _local(source, max_bytes) as path:
        return images.narrowed(path, width)


@contextmanager
def _local(source: str, max_bytes: int) -> Iterator[Path]:
    if not source.startswith(("http://", "https://")):
        _check_bytes(Path(source).stat().st_size, max_bytes)
        yield Path(source)
        return
    with tempfile.TemporaryDirectory(prefix="penstock-derive-") as folder:
        path = Path(folder) / "artifact"
        _download(source, path, max_bytes)
        yield path


def _download(url: str, path: Path, max_bytes: int) -> None:
    with httpx.stream("GET", url, timeout=TIMEOUT) as response, path.open("wb") as file:
        response.raise_for_status()
        _check_bytes(int(response.headers.get("content-length", 0)), max_bytes)
        for chunk in response.iter_bytes(1 << 18):
            file.write(chunk)
            _check_bytes(file.tell(), max_bytes)


def _check_bytes(size: int, limit: int) -> None:
    if size > limit:
        raise MediaError(MediaFault.TOO_LARGE, f"more than {limit} bytes")


def _image(path: Path) -> Derived:
    info = images.inspect(path)
    return Derived(width=info.width, height=info.height, thumbnail=images.thumbnail(path))


def _audio(path: Path) -> Derived:
    info, document = sound.peaks(path)
    data = json.dumps(document, separators=(",", ":")).encode()
    return Derived(duration_s=round(info.duration_s, 3), peaks=data)


def _video(path: Path) -> Derived:
    info = video.probe(path)
    frame = video.poster(path)
    poster = images.encode(frame, WEBP, quality=82)
    frame.thumbnail((images.THUMBNAIL_SIDE, images.THUMBNAIL_SIDE))
    return Derived(
        width=info.width,
        height=info.height,
        duration_s=round(info.duration_s, 3),
        thumbnail=images.encode(frame, WEBP, images.THUMBNAIL_QUALITY),
        poster=poster,
    )
