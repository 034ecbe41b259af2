"""Scenes that are no landscape: space, portrait, abstract."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.providers.local.media import fields
from workers.providers.local.media.brief import Brief
from workers.providers.local.media.canvas import Canvas, polygons
from workers.providers.local.media.life import bust
from workers.providers.local.media.palette import Palette, from_lab, mix, ramp, to_lab
from workers.providers.local.media.sky import WHITE

Floats = NDArray[np.floating[Any]]


def paint_space(canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator) -> None:
    """A nebula, stars in two depths, a planet lit from the side, its ring and moon."""
    width, height = canvas.width, canvas.height
    night = mix(palette.deep, np.array([0.01, 0.012, 0.035], np.float32), 0.8)
    canvas.add(np.broadcast_to(night, (1, 1, 3)))
    ratio = width / canvas.unit
    for hue, turn in (
        (palette.accent, 1.5),
        (palette.sky[len(palette.sky) // 2], 2.2),
        (mix(palette.accent, palette.light, 0.5), 3.4),
    ):
        warp = fields.fbm(rng, width, height, turn * ratio, turn, 5)
        filaments = 1 - np.abs(fields.fbm(rng, width, height, turn * 1.2 * ratio, turn * 1.2, 4) * 2 - 1)
        canvas.glow(hue, (fields.smoothstep(0.38, 1.0, warp) * (0.3 + 0.7 * filaments**3)) * 0.85)
    dust = fields.fbm(rng, width, height, 3 * ratio, 3, 4)
    canvas.add(night, fields.smoothstep(0.55, 0.95, dust) * 0.7)
    _star_field(canvas, rng)
    _planet(canvas, palette, rng)


def _star_field(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.width, canvas.height
    light = np.zeros((height, width), np.float32)
    count = int(width * height * 0.0016)
    light[rng.integers(0, height, count), rng.integers(0, width, count)] = (
        rng.random(count).astype(np.float32) ** 4
    )
    canvas.glow(
        WHITE,
        np.clip(light + fields.blur((light > 0.72).astype(np.float32), canvas.unit / 700) * 3, 0, 1),
        0.12,
    )
    for _ in range(7):
        away = fields.distance(width, height, rng.uniform(0, width), rng.uniform(0, height)) / canvas.unit
        canvas.glow(WHITE, np.exp(-away * rng.uniform(160, 320)) + np.exp(-away * 50) * 0.25, 0.12)


def _planet(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    width, height, u = canvas.width, canvas.height, canvas.unit
    radius = u * rng.uniform(0.20, 0.27)
    x, y = width * float(rng.choice([0.36, 0.62])), height * rng.uniform(0.46, 0.58)
    columns = (np.arange(width, dtype=np.float32)[None, :] - x) / radius
    rows = (np.arange(height, dtype=np.float32)[:, None] - y) / radius
    depth = np.sqrt(np.clip(1 - columns**2 - rows**2, 0, 1))
    lit = np.clip(-0.62 * columns - 0.42 * rows + 0.66 * depth, 0, 1) ** 0.9
    tilt = rows * 0.94 + columns * 0.34
    bands = fields.line(rng, 512, 9, 4)
    swirl = fields.fbm(rng, width, height, 5, 9, 4) - 0.5
    level = bands[np.clip(((tilt + swirl * 0.16) * 0.5 + 0.5) * 511, 0, 511).astype(int)] * 0.5 + 0.5
    stops = np.stack(
        [mix(palette.accent, palette.deep, 0.45), palette.accent, mix(palette.light, palette.accent, 0.35)]
    )
    tones = ramp(stops, np.linspace(0, 1, 256, dtype=np.float32))
    surface = tones[(np.clip(level, 0, 1) * 255).astype(np.uint8)]
    colour = surface * (0.03 + lit[..., None])
    ring, behind = _ring(columns, rows, rng)
    ring_colour = mix(palette.light, palette.accent, 0.4)
    away = np.sqrt(columns**2 + rows**2)
    canvas.glow(
        palette.accent,
        np.exp(-np.clip(away - 1, 0, None) * 9) * 0.5 * np.clip(0.4 - 0.6 * columns, 0, 1),
        0.3,
    )
    canvas.add(ring_colour, ring * behind, 0.3)
    canvas.add(colour.astype(np.float32), np.clip((1 - away) * radius + 0.5, 0, 1), 0.3)
    canvas.add(ring_colour, ring * (1 - behind), 0.3)


def _ring(columns: Floats, rows: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    across = columns * 0.94 - rows * 0.34
    along = (columns * 0.34 + rows * 0.94) * 3.6
    away = np.sqrt(across**2 + along**2)
    grooves = np.interp(away, np.linspace(1.3, 2.3, 128), 0.35 + 0.65 * rng.random(128)).astype(np.float32)
    body = fields.smoothstep(1.32, 1.38, away) * (1 - fields.smoothstep(2.12, 2.22, away))
    return (body * grooves * 0.85).astype(np.float32), (along < 0).astype(np.float32)


def paint_portrait(canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator) -> None:
    """A figure before a disc of light: a poster rather than a likeness."""
    width, height, u = canvas.width, canvas.height, canvas.unit
    paint_mesh(canvas, palette, rng)
    x, y, radius = width * 0.5, height * 0.44, u * 0.36
    canvas.glow(palette.light, np.exp(-fields.distance(width, height, x, y) / u * 3.0) * 0.55)
    rows = np.clip((np.arange(height, dtype=np.float32) - (y - radius)) / (2 * radius), 0, 1)
    sun = ramp(np.stack([palette.light, mix(palette.light, palette.accent, 0.55), palette.accent]), rows)[
        :, None, :
    ]
    canvas.add(sun, fields.disc(width, height, x, y, radius), 0.12)
    for side in (-1, 1):
        for step in range(5):
            leaf = _leaf(
                x + side * u * (0.30 + 0.07 * step),
                height * 1.02,
                u * (0.46 - 0.05 * step),
                side * (0.25 + 0.17 * step),
            )
            canvas.shape([leaf], mix(palette.land, palette.deep, 0.25 + 0.13 * step), 0.3)
    outlines = bust(x, height * 1.0, u * 0.80)
    mask = polygons(outlines, width, height)
    ramp_x = np.clip((np.arange(width, dtype=np.float32) - (x - u * 0.36)) / (u * 0.72), 0, 1)
    body = ramp(
        np.stack(
            [mix(palette.deep, palette.accent, 0.40), mix(palette.deep, palette.land, 0.3), palette.deep]
        ),
        ramp_x,
    )[None, :, :]
    canvas.add(body, mask, 0.55)
    rim = np.clip(mask - np.roll(fields.blur(mask, u / 160), (int(u / 220), int(u / 90)), (0, 1)), 0, 1)
    canvas.glow(palette.light, np.clip(rim * 1.5, 0, 1), 0.55)


def _leaf(x: float, y: float, size: float, turn: float) -> list[tuple[float, float]]:
    along = np.linspace(0, 1, 24)
    wide = np.sin(along**0.8 * np.pi) * 0.16 * size
    cos, sin = np.cos(turn), np.sin(turn)
    left = [
        (x + a * size * sin - w * cos, y - a * size * cos - w * sin) for a, w in zip(along, wide, strict=True)
    ]
    right = [
        (x + a * size * sin + w * cos, y - a * size * cos + w * sin) for a, w in zip(along, wide, strict=True)
    ]
    return [(float(px), float(py)) for px, py in left + right[::-1]]


def paint_mesh(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """A soft field of the palette's colours, mixed by nearness to a few points."""
    width, height = 160, max(24, 160 * canvas.height // canvas.width)
    stops = [
        palette.sky[0],
        palette.sky[len(palette.sky) // 2],
        palette.sky[-1],
        palette.accent,
        palette.haze,
        palette.land,
    ]
    total, weights = np.zeros((height, width, 3), np.float32), np.zeros((height, width, 1), np.float32)
    for index, stop in enumerate(stops):
        x, y = width * rng.uniform(0, 1), height * (index % 3 + rng.uniform(0.1, 0.9)) / 3
        weight = 1 / (1 + (fields.distance(width, height, x, y) / (0.22 * width)) ** 3)
        total += to_lab(stop) * weight[..., None]
        weights += weight[..., None]
    small = from_lab(total / weights)
    canvas.add(
        np.stack(
            [fields.resize(small[..., channel], canvas.width, canvas.height) for channel in range(3)], -1
        )
    )


def paint_abstract(canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator) -> None:
    """Ribbons in front of a disc on a soft ground, each casting a shadow on what is behind it."""
    width, height, u = canvas.width, canvas.height, canvas.unit
    paint_mesh(canvas, palette, rng)
    x, y, radius = (
        width * float(rng.choice([0.34, 0.64])),
        height * rng.uniform(0.3, 0.4),
        u * rng.uniform(0.19, 0.27),
    )
    canvas.glow(palette.light, np.exp(-fields.distance(width, height, x, y) / u * 3.4) * 0.5)
    rows = np.clip((np.arange(height, dtype=np.float32) - (y - radius)) / (2 * radius), 0, 1)
    canvas.add(
        ramp(np.stack([palette.light, palette.accent]), rows)[:, None, :],
        fields.disc(width, height, x, y, radius),
        0.12,
    )
    stops = np.stack(
        [palette.haze, palette.accent, mix(palette.accent, palette.land, 0.5), palette.land, palette.deep]
    )
    count = 7
    slant = rng.uniform(-0.22, 0.22)
    for index in range(count):
        near = index / (count - 1)
        _ribbon(canvas, palette, rng, ramp(stops, np.array(near)), near, slant)


def _ribbon(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, colour: Floats, near: float, slant: float
) -> None:
    width, height, u = canvas.width, canvas.height, canvas.unit
    tilt = slant * (np.arange(width, dtype=np.float32) - width / 2)
    profile = (
        height * (0.42 + 0.52 * near) + tilt - u * (0.11 - 0.03 * near) * fields.line(rng, width, 1.5, 2, 0.3)
    ).astype(np.float32)
    top = max(0, int(profile.min() - u * 0.07))
    rows = height - top
    if rows < 4:
        return
    drop = (np.arange(rows, dtype=np.float32)[:, None] - (profile - top)) / u
    shadow = np.where(drop < 0, np.exp(np.minimum(drop, 0) * 26) * 0.38, 0.38).astype(np.float32)
    canvas.add(mix(palette.deep, colour, 0.2), shadow, 0.1 + 0.9 * near, top)
    sheen = np.exp(-np.clip(drop, 0, None) * 13)
    bright, dark = mix(colour, palette.light, 0.42), mix(colour, palette.deep, 0.28)
    body = dark + (bright - dark) * (sheen * 0.9)[..., None]
    canvas.add(body.astype(np.float32), fields.below(profile - top, rows), 0.1 + 0.9 * near, top)
