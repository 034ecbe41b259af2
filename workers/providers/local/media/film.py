"""Video: a camera that moves through the planes of a painted scene, or over a given picture."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from shared.media import images, video
from workers.providers.local.media import brief as briefs
from workers.providers.local.media import scene
from workers.providers.local.media.canvas import Canvas
from workers.providers.local.media.finish import bloom, to_image, vignette
from workers.providers.local.media.made import Made, ReportProgress, unreported

MARGIN = 1.16
"""How much larger than the frame a scene is painted, so that the camera has room."""
CLOUD_DEPTH = 0.12
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
    data = video.encode(
        frames, width, height, fps, count=count, progress=lambda share: progress(0.15 + 0.85 * share)
    )
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
        return cls(
            float(rng.choice([-1.0, 1.0])), float(rng.uniform(-0.3, 0.3)), float(rng.choice([-1.0, 1.0]))
        )

    def at(self, share: float) -> tuple[float, float, float]:
        """Pan across and down in -1 to 1, zoom in 0 to 1, with a soft start and end."""
        eased = share * share * (3 - 2 * share)
        swing = eased * 2 - 1
        return self.across * swing, self.down * swing, eased if self.zoom > 0 else 1 - eased


@dataclass(frozen=True, slots=True)
class Plane:
    """One depth of a scene, premultiplied, and what of what is behind it shows through.

    Above row `top` and from row `bottom` on there is nothing.
    """

    depth: float
    paint: Image.Image
    through: Image.Image
    top: int
    bottom: int

    def over(self, frame: Image.Image, x: float, y: float, step: float) -> None:
        """Lay this plane's window at (x, y) over the frame, `step` of its pixels to one of the frame's.

        Parts of pixels blend, so that slow moves do not stutter; rows that hold nothing are left alone.
        """
        first = min(frame.height, max(0, int((self.top - y) / step) - 1))
        last = max(first, min(frame.height, int((self.bottom - y) / step) + 2))
        if first == last:
            return
        size = (frame.width, last - first)
        box = (x, y + first * step, x + frame.width * step, y + last * step)
        paint = self.paint.resize(size, Image.Resampling.BILINEAR, box)
        if self.depth > 0:
            through = self.through.resize(size, Image.Resampling.BILINEAR, box)
            behind = frame.crop((0, first, frame.width, last))
            paint = ImageChops.add(paint, ImageChops.multiply(behind, Image.merge("RGB", (through,) * 3)))
        frame.paste(paint, (0, first))


def _through_scene(
    brief: briefs.Brief,
    width: int,
    height: int,
    count: int,
    duration_s: float,
    path: Path,
    progress: ReportProgress,
) -> Iterator[Pixels]:
    """Planes slide by their depth; those that hold clouds drift too."""
    canvas, _ = scene.build(brief, round(width * MARGIN), round(height * MARGIN), layered=True)
    progress(0.12)
    planes = _planes(canvas)
    room_x, room_y = canvas.width - width, canvas.height - height
    light = to_image(vignette(np.ones((height, width, 3), np.float32), 0.13))
    for index in range(count):
        pan_x, pan_y, zoom = path.at(index / max(1, count - 1))
        drift = index / count * min(1.0, duration_s / 8) * 0.6
        frame = Image.new("RGB", (width, height))
        for plane in planes:
            sway = pan_x * (0.12 + 0.88 * plane.depth) + (drift if plane.depth == CLOUD_DEPTH else 0.0)
            step = 1 - 0.045 * zoom * plane.depth
            x = room_x / 2 * (1 + float(np.clip(sway, -1, 1))) + width * (1 - step) / 2
            y = room_y / 2 * (1 + pan_y * plane.depth) + height * (1 - step) / 2
            plane.over(frame, x, y, step)
        yield np.asarray(ImageChops.multiply(frame, light))


def _planes(canvas: Canvas) -> list[Plane]:
    """The planes from the back; the sky's light spills over within its own plane."""
    planes = []
    for depth in sorted(canvas.planes):
        colour, alpha = canvas.planes[depth][..., :3], canvas.planes[depth][..., 3]
        held = np.flatnonzero(alpha.max(axis=1) > 1 / 512)
        if len(held) == 0:
            continue
        colour = np.clip(colour, 0, 1)
        paint = to_image(bloom(colour, 0.3) if depth == 0 else colour)
        planes.append(Plane(depth, paint, to_image(1 - alpha), int(held[0]), int(held[-1]) + 1))
    return planes


def _over_picture(first: bytes, width: int, height: int, count: int, path: Path) -> Iterator[Pixels]:
    """A slow move over a picture that fills the frame."""
    with images.opened(first) as source:
        picture = images.upright_srgb(source).convert("RGB")
    room = 1.18
    scale = max(width * room / picture.width, height * room / picture.height)
    picture = picture.resize(
        (max(width, round(picture.width * scale)), max(height, round(picture.height * scale))),
        Image.Resampling.LANCZOS,
    )
    for index in range(count):
        pan_x, pan_y, zoom = path.at(index / max(1, count - 1))
        shrink = 1 - 0.12 * zoom
        view_w, view_h = width * room * shrink / 1.06, height * room * shrink / 1.06
        left = (picture.width - view_w) / 2 * (1 + pan_x * 0.8)
        top = (picture.height - view_h) / 2 * (1 + pan_y * 0.8)
        frame = picture.resize(
            (width, height), Image.Resampling.BICUBIC, (left, top, left + view_w, top + view_h)
        )
        yield np.asarray(frame)
