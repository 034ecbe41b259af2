"""Smooth fields to draw with: noise, ramps, glows, blurs. All float32."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Floats = NDArray[np.floating[Any]]


def resize(
    field: Floats, width: int, height: int, method: Image.Resampling = Image.Resampling.BICUBIC
) -> Floats:
    return np.asarray(Image.fromarray(field.astype(np.float32)).resize((width, height), method))


def fbm(
    rng: np.random.Generator, width: int, height: int, cells_x: float, cells_y: float, octaves: int = 4
) -> Floats:
    """Fractal noise in 0 to 1 with a mean near 0.5; `cells` is how many bumps fit across."""
    total, weight = np.zeros((height, width), np.float32), 0.0
    for octave in range(octaves):
        columns = min(width, max(2, round(cells_x * 2**octave) + 2))
        rows = min(height, max(2, round(cells_y * 2**octave) + 2))
        gain = 0.52**octave
        total += resize(rng.random((rows, columns), np.float32), width, height) * gain
        weight += gain
    return stretch(total / weight)


def stretch(field: Floats) -> Floats:
    """To 0 to 1, leaving out the outermost 1 % so that one extreme does not flatten the rest."""
    sample = field[::4, ::4] if field.ndim == 2 and min(field.shape) > 32 else field
    low, high = np.percentile(sample, [1, 99])
    return np.asarray(np.clip((field - low) / max(float(high - low), 1e-6), 0, 1), np.float32)


def line(rng: np.random.Generator, width: int, bumps: float, octaves: int = 5, gain: float = 0.5) -> Floats:
    """A fractal profile along x, mean 0, roughly -1 to 1."""
    x = np.linspace(0, 1, width, dtype=np.float32)
    total = np.zeros(width, np.float32)
    for octave in range(octaves):
        count = max(3, round(bumps * 2**octave) + 3)
        total += _smooth(x * (count - 1), rng.uniform(-1, 1, count).astype(np.float32)) * gain**octave
    return total


def _smooth(at: Floats, knots: Floats) -> Floats:
    """Catmull-Rom through `knots` at positions `at`."""
    base = np.clip(at.astype(int), 0, len(knots) - 2)
    t = at - base
    p = np.pad(knots, 1, mode="edge")
    p0, p1, p2, p3 = p[base], p[base + 1], p[base + 2], p[base + 3]
    curve = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(curve, np.float32)


def below(profile: Floats, height: int) -> Floats:
    """An antialiased mask of what lies under `profile` (y in pixels for every x)."""
    rows = np.arange(height, dtype=np.float32)[:, None]
    slope = np.abs(np.gradient(profile))
    return np.clip((rows - profile[None, :]) / np.sqrt(1 + slope**2)[None, :] + 0.5, 0, 1).astype(np.float32)


def distance(width: int, height: int, x: float, y: float) -> Floats:
    """Pixels from the point (x, y)."""
    rows = np.arange(height, dtype=np.float32)[:, None] - y
    columns = np.arange(width, dtype=np.float32)[None, :] - x
    return np.sqrt(rows * rows + columns * columns)


def disc(width: int, height: int, x: float, y: float, radius: float) -> Floats:
    return np.asarray(np.clip(radius - distance(width, height, x, y) + 0.5, 0, 1), np.float32)


def smoothstep(low: float, high: float, field: Floats) -> Floats:
    t = np.clip((field - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def blur(field: Floats, radius: float) -> Floats:
    """Gaussian blur of a mask in 0 to 1 (8-bit inside, which glows and shadows do not show)."""
    image = Image.fromarray(np.rint(np.clip(field, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255
