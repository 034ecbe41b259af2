"""Video: a camera that moves through the planes of a painted scene, or over a given picture."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.media import images, video
from workers.providers.local.media import brief as briefs
from workers.providers.local.media import scene
from workers.providers.local.media.canvas import Canvas
from workers.providers.local.media.finish import bloom, vignette
from workers.providers.local.media.made import Made, ReportProgress, unreported

MARGIN = 1.16
"""How much larger than the frame a scene is painted, so that the camera has room."""
Pixels = NDArray[np.uint8]


def film(
    prompt: str,
    width: int,
    height: int,
    duration_s: float,
    fps: int,
    seed: int,
    first: bytes | None = None,
    progress: ReportProgress = unreported,
) -> Made:
    """MP4 (H.264); the sides are rounded to even numbers. `first` is a picture to move over instead.

    The same arguments give the same frames. Raises MediaError when `first` cannot be decoded.
    """
    width, height = width // 2 * 2, height // 2 * 2
    count = max(1, round(duration_s * fps))
    brief = briefs.read(prompt, seed)
    path = Path.of(brief.seed)
    if first is None:
        frames = _through_scene(brief, width, height, count, duration_s, path, progress)
    else:
        frames = _over_picture(first, width, height, count, path)
    data = video.encode(frames, width, height, fps, count=count, progress=lambda share: progress(0.15 + 0.85 * share))
    metadata = {
        "width": width, "height": height, "duration_s": count / fps, "fps": fps, "frames": count, "seed": seed,
        "scene": brief.scene if first is None else "given picture",
    }  # fmt: skip
    return Made(data, "video/mp4", "mp4", metadata)


@dataclass(frozen=True, slots=True)
class Path:
    """The camera's way: pan across and down, and zoom, as shares of the room that the margin leaves."""

    across: float
    down: float
    zoom: float

    @classmethod
    def of(cls, seed: int) -> "Path":
        rng = np.random.default_rng(seed + 2)
        return cls(float(rng.choice([-1.0, 1.0])), float(rng.uniform(-0.3, 0.3)), float(rng.choice([-1.0, 1.0])))

    def at(self, share: float) -> tuple[float, float, float]:
        """Pan across and down in -1 to 1, zoom in 0 to 1, with a soft start and end."""
        eased = share * share * (3 - 2 * share)
        swing = eased * 2 - 1
        return self.across * swing, self.down * swing, eased if self.zoom > 0 else 1 - eased


def _through_scene(
    brief: briefs.Brief, width: int, height: int, count: int, duration_s: float, path: Path, progress: ReportProgress
) -> Iterator[Pixels]:
    """Planes slide by their depth; those that hold clouds drift too."""
    canvas, _ = scene.build(brief, round(width * MARGIN), round(height * MARGIN), layered=True)
    progress(0.12)
    planes = _planes(canvas)
    room_x, room_y = canvas.width - width, canvas.height - height
    light = _light(width, height)
    for index in range(count):
        pan_x, pan_y, zoom = path.at(index / max(1, count - 1))
        drift = index / count * min(1.0, duration_s / 8) * 0.6
        total = np.zeros((height, width, 3), np.float32)
        for depth, plane in planes:
            sway = pan_x * (0.12 + 0.88 * depth) + (drift if depth == CLOUD_DEPTH else 0.0)
            near = 1 - zoom * 0.045 * depth
            x = room_x / 2 * (1 + float(np.clip(sway, -1, 1)))
            y = room_y / 2 * (1 + pan_y * depth)
            view = _view(plane, x, y, width, height, near)
            total *= 1 - view[..., 3:]
            total += view[..., :3]
        yield np.rint(np.clip(total * light, 0, 1) * 255).astype(np.uint8)


CLOUD_DEPTH = 0.12


def _planes(canvas: Canvas) -> list[tuple[float, NDArray[np.float32]]]:
    """The planes from the back; the sky's light spills over within its own plane."""
    planes = []
    for depth in sorted(canvas.planes):
        plane = canvas.planes[depth]
        if depth == 0.0:
            plane = np.concatenate([bloom(np.clip(plane[..., :3], 0, 1), 0.3), plane[..., 3:]], axis=-1)
        planes.append((depth, np.ascontiguousarray(plane, dtype=np.float32)))
    return planes


def _light(width: int, height: int) -> NDArray[np.float32]:
    return vignette(np.ones((height, width, 3), np.float32), 0.13)[..., :1]


def _view(
    plane: NDArray[np.float32], x: float, y: float, width: int, height: int, near: float
) -> NDArray[np.float32]:
    """The window at (x, y), with parts of pixels blended so that slow moves do not stutter."""
    if near != 1:
        return _zoomed(plane, x, y, width, height, near)
    left, top = min(int(x), plane.shape[1] - width - 1), min(int(y), plane.shape[0] - height - 1)
    fx, fy = np.float32(x - left), np.float32(y - top)
    window = plane[top : top + height + 1, left : left + width + 1]
    rows = window[:-1] * (1 - fy) + window[1:] * fy
    return np.asarray(rows[:, :-1] * (1 - fx) + rows[:, 1:] * fx, np.float32)


def _zoomed(
    plane: NDArray[np.float32], x: float, y: float, width: int, height: int, near: float
) -> NDArray[np.float32]:
    """As `_view`, from a window `near` times as large; one axis after the other, by linear weights."""
    rows = y + height * (1 - near) / 2 + np.arange(height, dtype=np.float32) * near
    columns = x + width * (1 - near) / 2 + np.arange(width, dtype=np.float32) * near
    tall = _lerp(plane, np.clip(rows, 0, plane.shape[0] - 1.001), 0)
    return _lerp(tall, np.clip(columns, 0, plane.shape[1] - 1.001), 1)


def _lerp(field: NDArray[np.float32], at: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    base = at.astype(np.int32)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    part = (at - base).astype(np.float32).reshape(shape)
    first = field.take(base, axis)
    return np.asarray(first + (field.take(base + 1, axis) - first) * part, np.float32)


def _over_picture(first: bytes, width: int, height: int, count: int, path: Path) -> Iterator[Pixels]:
    """A slow move over a picture that fills the frame."""
    with images.opened(first) as source:
        picture = images.upright_srgb(source).convert("RGB")
    room = 1.18
    scale = max(width * room / picture.width, height * room / picture.height)
    picture = picture.resize(
        (max(width, round(picture.width * scale)), max(height, round(picture.height * scale))), Image.Resampling.LANCZOS
    )
    for index in range(count):
        pan_x, pan_y, zoom = path.at(index / max(1, count - 1))
        shrink = 1 - 0.12 * zoom
        view_w, view_h = width * room * shrink / 1.06, height * room * shrink / 1.06
        left = (picture.width - view_w) / 2 * (1 + pan_x * 0.8)
        top = (picture.height - view_h) / 2 * (1 + pan_y * 0.8)
        frame = picture.resize((width, height), Image.Resampling.BICUBIC, (left, top, left + view_w, top + view_h))
        yield np.asarray(frame)
