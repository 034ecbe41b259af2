"""What media work hands back across the process boundary: plain data, free of heavy imports."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Width and height in pixels, as shown (after EXIF orientation)."""

    mime: str
    width: int
    height: int
    frames: int
    has_alpha: bool


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An image decoded and written anew: upright, sRGB, without metadata."""

    data: bytes
    mime: str
    ext: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SoundInfo:
    codec: str
    sample_rate: int
    channels: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class VideoInfo:
    codec: str
    width: int
    height: int
    duration_s: float
    fps: float
    has_sound: bool


@dataclass(frozen=True, slots=True)
class Derived:
    """What is kept beside an artifact. `thumbnail` and `poster` are WebP, `peaks` is JSON."""

    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    thumbnail: bytes | None = None
    poster: bytes | None = None
    peaks: bytes | None = None
