"""Where a scene is painted: layers over one another, flat for a picture, in planes of depth for a film."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Floats = NDArray[np.floating[Any]]
Point = tuple[float, float]
SUPERSAMPLE = 3
DEPTHS = (0.0, 0.12, 0.3, 0.55, 1.0)
"""Of the planes: 0 is the sky, which stands still, 1 the foreground."""


@dataclass
class Canvas:
    """Premultiplied RGBA planes. A flat canvas has one, a layered one a plane for each of DEPTHS."""

    width: int
    height: int
    layered: bool = False
    planes: dict[float, Floats] = field(default_factory=dict)

    @property
    def unit(self) -> float:
        """Lengths are in shares of this, so that a scene looks the same at every size."""
        return float(min(self.width, self.height))

    def add(
        self, colour: Floats, mask: Floats | float = 1.0, depth: float = 0.0, top: int = 0, left: int = 0
    ) -> None:
        """Paint `colour` (any shape that broadcasts to height, width, 3) through `mask`, at (left, top)."""
        rows = mask.shape[0] if isinstance(mask, np.ndarray) else self.height
        columns = mask.shape[1] if isinstance(mask, np.ndarray) else self.width
        y0, x0 = max(0, top), max(0, left)
        y1, x1 = min(self.height, top + rows), min(self.width, left + columns)
        if y0 >= y1 or x0 >= x1:
            return
        window = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        alpha = mask[window][..., None] if isinstance(mask, np.ndarray) else np.float32(mask)
        if colour.ndim == 3:
            colour = colour[
                window[0] if colour.shape[0] > 1 else slice(None),
                window[1] if colour.shape[1] > 1 else slice(None),
            ]
        region = self._plane(depth)[y0:y1, x0:x1]
        region *= 1 - alpha
        region[..., :3] += colour * alpha
        region[..., 3:] += alpha

    def glow(self, colour: Floats, strength: Floats, depth: float = 0.0) -> None:
        """Add light rather than paint; only onto what is already there."""
        plane = self._plane(depth)
        light = np.clip(colour * strength[..., None], 0, 1)
        plane[..., :3] += (plane[..., 3:] - np.minimum(plane[..., :3], plane[..., 3:])) * light

    def shape(
        self, outlines: list[list[Point]], colour: Floats, depth: float = 0.0, opacity: float = 1.0
    ) -> None:
        """Fill polygons (pixels), antialiased, in one colour."""
        points = [point for outline in outlines for point in outline]
        left, top = int(min(x for x, _ in points)) - 2, int(min(y for _, y in points)) - 2
        right, bottom = int(max(x for x, _ in points)) + 3, int(max(y for _, y in points)) + 3
        left, top = max(left, -4), max(top, -4)
        right, bottom = min(right, self.width + 4), min(bottom, self.height + 4)
        if right <= left or bottom <= top:
            return
        mask = polygons(outlines, right - left, bottom - top, left, top)
        self.add(colour, mask * opacity, depth, top, left)

    def flat(self) -> Floats:
        """The picture as (height, width, 3)."""
        total = np.zeros((self.height, self.width, 3), np.float32)
        for depth in sorted(self.planes):
            plane = self.planes[depth]
            total *= 1 - plane[..., 3:]
            total += plane[..., :3]
        return np.clip(total, 0, 1)

    def _plane(self, depth: float) -> Floats:
        key = min(DEPTHS, key=lambda known: abs(known - depth)) if self.layered else 0.0
        if key not in self.planes:
            self.planes[key] = np.zeros((self.height, self.width, 4), np.float32)
        return self.planes[key]


def polygons(outlines: list[list[Point]], width: int, height: int, left: float = 0, top: float = 0) -> Floats:
    """The union of `outlines` as a mask whose upper left corner is (left, top)."""
    scale = SUPERSAMPLE
    image = Image.new("L", (max(1, width) * scale, max(1, height) * scale))
    draw = ImageDraw.Draw(image)
    for outline in outlines:
        draw.polygon([((x - left) * scale, (y - top) * scale) for x, y in outline], fill=255)
    return np.asarray(image.resize((max(1, width), max(1, height)), Image.Resampling.BOX), np.float32) / 255


def curve(points: list[Point], steps: int = 8) -> list[Point]:
    """A closed smooth outline through `points` (Catmull-Rom)."""
    knots = np.asarray(points, np.float32)
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[:, None]
    outline = []
    for index in range(len(knots)):
        p0, p1, p2, p3 = (knots[(index + offset) % len(knots)] for offset in (-1, 0, 1, 2))
        part = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
        outline += [(float(x), float(y)) for x, y in part]
    return outline


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0, steps: int = 40) -> list[Point]:
    angles = np.linspace(0, 2 * np.pi, steps, endpoint=False)
    dx, dy = rx * np.cos(angles), ry * np.sin(angles)
    cos, sin = np.cos(turn), np.sin(turn)
    return [(float(x + a * cos - b * sin), float(y + a * sin + b * cos)) for a, b in zip(dx, dy, strict=True)]
