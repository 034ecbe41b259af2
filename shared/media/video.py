"""Video: probe, poster frame, encode (PyAV). Runs in the executor's children."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from PIL import Image

from shared.media.errors import MediaError, MediaFault
from shared.media.images import check_pixels
from shared.media.info import VideoInfo

Pixels = NDArray[np.uint8]
MAX_FRAME_PIXELS = 34_000_000
"""A little over 8K."""
DARK = 16.0
"""A frame whose mean level (of 255) is under this says nothing about its film."""
POSTER_TRIES = 90
CRF = 20


@contextmanager
def opened(path: Path | str) -> Iterator[Any]:
    """The container, with a first video stream of bearable size. FFmpeg's errors become CORRUPT."""
    try:
        with av.open(str(path), mode="r") as container:
            if not container.streams.video:
                raise MediaError(MediaFault.CORRUPT, "there is no picture in the file")
            stream = container.streams.video[0]
            check_pixels(stream.width, stream.height, MAX_FRAME_PIXELS)
            yield container
    except (av.FFmpegError, EOFError, UnicodeDecodeError) as error:
        raise MediaError(MediaFault.CORRUPT, "the video cannot be decoded") from error


def probe(path: Path | str) -> VideoInfo:
    """Raises MediaError."""
    with opened(path) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate or 0
        return VideoInfo(
            codec=stream.codec_context.name,
            width=stream.width,
            height=stream.height,
            duration_s=_duration_s(container),
            fps=round(float(rate), 3),
            has_sound=bool(container.streams.audio),
        )


def poster(path: Path | str, longest: int = 1280) -> Image.Image:
    """The first frame that is not black, from 10 % of the film or 1 s on, whichever is earlier.

    Raises MediaError CORRUPT when not one frame can be decoded.
    """
    with opened(path) as container:
        stream = container.streams.video[0]
        start_s = min(1.0, _duration_s(container) / 10)
        best: Image.Image | None = None
        for tries, frame in enumerate(_from(container, stream, start_s)):
            best = Image.fromarray(frame.to_ndarray(format="rgb24"))
            if tries == POSTER_TRIES or _mean_level(best) > DARK:
                break
    if best is None:
        raise MediaError(MediaFault.CORRUPT, "the video has no frame that can be decoded")
    best.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return best


def encode(
    frames: Iterable[Pixels],
    width: int,
    height: int,
    fps: int,
    *,
    count: int = 0,
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """MP4 that browsers play while it loads: H.264, yuv420p, index in front.

    The same frames give the same bytes, which x264 keeps to with one thread only, and without its macroblock
    tree: that reads memory that nobody wrote.

    `frames` are (height, width, 3) RGB; width and height must be even. `count`, where known, is for
    `progress`.
    """
    with tempfile.TemporaryDirectory(prefix="penstock-film-") as folder:
        path = Path(folder) / "film.mp4"  # the index is moved to the front by reopening the file by name
        with av.open(str(path), mode="w", options={"movflags": "+faststart"}) as container:
            stream: Any = container.add_stream("libx264", rate=fps)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.time_base = Fraction(1, fps)
            stream.options = {"crf": str(CRF), "preset": "veryfast", "threads": "1", "mbtree": "0"}
            for index, pixels in enumerate(frames):
                container.mux(stream.encode(VideoFrame.from_ndarray(pixels, format="rgb24")))
                if progress is not None and count:
                    progress(index / count)
            container.mux(stream.encode(None))
        return path.read_bytes()


def _from(container: Any, stream: Any, start_s: float) -> Iterator[VideoFrame]:
    """Frames from `start_s` on; where none is that late, the last one that there is."""
    last: VideoFrame | None = None
    for frame in container.decode(stream):
        last = frame
        if (frame.time or 0.0) >= start_s:
            yield frame
            last = None
    if last is not None:
        yield last


def _duration_s(container: Any) -> float:
    stream = container.streams.video[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return float(container.duration or 0) / 1_000_000


def _mean_level(image: Image.Image) -> float:
    return float(np.asarray(image.convert("L").resize((32, 32))).mean())
