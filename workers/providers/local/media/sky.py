"""Skies: gradient, sun or moon, stars, aurora, clouds, rain and snow."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.providers.local.media import fields
from workers.providers.local.media.brief import Brief
from workers.providers.local.media.canvas import Canvas
from workers.providers.local.media.palette import Palette, mix, ramp

Floats = NDArray[np.floating[Any]]
WHITE = np.ones(3, np.float32)


@dataclass(frozen=True, slots=True)
class Lamp:
    """The sun or the moon: where it is and how large, in pixels."""

    x: float
    y: float
    radius: float


def paint_sky(
    canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator, horizon: float
) -> Lamp:
    """`horizon` is the share of the height at which the sky ends."""
    width, height, unit = canvas.width, canvas.height, canvas.unit
    rows = np.arange(height, dtype=np.float32) / (height * horizon)
    canvas.add(ramp(palette.sky, np.clip(rows, 0, 1) ** 0.85)[:, None, :])
    lamp = _place_lamp(brief, rng, width, height, horizon, unit)
    if brief.is_night:
        _stars(canvas, rng, horizon, 1.0 if brief.has("stars") else 0.55)
    if brief.has("aurora"):
        _aurora(canvas, palette, rng, horizon)
    _lamp(canvas, brief, palette, lamp)
    if not brief.has("stars"):
        _clouds(canvas, brief, palette, rng, horizon, lamp)
    return lamp


def _place_lamp(
    brief: Brief, rng: np.random.Generator, width: int, height: int, horizon: float, unit: float
) -> Lamp:
    low = brief.hour in ("dusk", "dawn")
    altitude = rng.uniform(0.66, 0.86) if low else rng.uniform(0.22, 0.42)
    side = rng.choice([rng.uniform(0.24, 0.4), rng.uniform(0.6, 0.76)])
    size = 0.055 if brief.is_night or brief.hour == "day" else 0.075
    return Lamp(width * float(side), height * horizon * float(altitude), unit * size)


def _lamp(canvas: Canvas, brief: Brief, palette: Palette, lamp: Lamp) -> None:
    if brief.hour == "storm":
        return
    away = fields.distance(canvas.width, canvas.height, lamp.x, lamp.y) / canvas.unit
    canvas.glow(palette.light, np.exp(-away * 3.2) * (0.25 if brief.is_night else 0.62))
    canvas.glow(palette.light, np.exp(-away * 13) * (0.35 if brief.is_night else 0.7))
    disc = fields.disc(canvas.width, canvas.height, lamp.x, lamp.y, lamp.radius)
    if brief.is_night:
        disc = disc * (
            1 - 0.16 * fields.fbm(np.random.default_rng(brief.seed), canvas.width, canvas.height, 26, 26, 2)
        )
    canvas.add(mix(palette.light, WHITE, 0.35), disc * 0.97)


def _stars(canvas: Canvas, rng: np.random.Generator, horizon: float, density: float) -> None:
    width, height = canvas.width, canvas.height
    light = np.zeros((height, width), np.float32)
    count = int(width * height * 0.0009 * density)
    x, y = rng.integers(1, width - 1, count), (rng.random(count) ** 1.2 * height * horizon * 0.98).astype(int)
    np.maximum.at(
        light, (np.clip(y, 1, height - 2), x), rng.random(count).astype(np.float32) ** 3 * 0.9 + 0.1
    )
    big = light > 0.8
    light = np.maximum(light, fields.blur(big.astype(np.float32), max(0.7, canvas.unit / 900)) * 2.2)
    band = fields.fbm(rng, width, height, 2.2, 3.4, 5) ** 2 * (0.22 if density == 1.0 else 0.08)
    fade = np.clip(1.15 - np.arange(height, dtype=np.float32) / (height * horizon), 0, 1)[:, None]
    canvas.glow(np.array([0.86, 0.9, 1.0], np.float32), np.clip(light + band, 0, 1) * fade)


def _aurora(canvas: Canvas, palette: Palette, rng: np.random.Generator, horizon: float) -> None:
    width, height = canvas.width, canvas.height
    rows = np.arange(height, dtype=np.float32)[:, None]
    for colour, level in (((0.25, 0.95, 0.62), 0.62), ((0.30, 0.75, 0.95), 0.5), ((0.66, 0.36, 0.92), 0.42)):
        foot = height * horizon * (level + 0.2 * fields.line(rng, width, 1.6, 3))
        rays = 0.45 + 0.55 * fields.fbm(rng, width, 4, 46, 1, 3)[:1]
        above = np.clip((foot[None, :] - rows) / (height * horizon), 0, None)
        curtain = np.exp(-above * 5.5) * (1 - np.exp(-above * 60)) * rays
        canvas.glow(np.array(colour, np.float32), np.clip(curtain * 0.85, 0, 1))


def _clouds(
    canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator, horizon: float, lamp: Lamp
) -> None:
    width, height = canvas.width, canvas.height
    stretch = width / height
    noise = fields.fbm(rng, width, height, 2.4 * stretch, 6.0, 5)
    heavy = brief.hour == "storm" or brief.has("clouds")
    cover = 0.28 if heavy else 0.56
    body = fields.smoothstep(cover, cover + 0.36, noise)
    rows = np.arange(height, dtype=np.float32)[:, None] / (height * horizon)
    body *= fields.smoothstep(0.0, 0.25, rows) * (1 - fields.smoothstep(0.72, 1.0, rows))
    step = max(2, height // 60)
    lit = np.clip(0.5 + (noise - np.roll(noise, -step, 0)) * -3.2, 0, 1)
    near = np.exp(-fields.distance(width, height, lamp.x, lamp.y) / canvas.unit * 1.8)
    shade = np.clip(0.25 + 0.6 * lit + 0.4 * near, 0, 1)
    dark = mix(palette.sky[min(1, len(palette.sky) - 1)], palette.haze, 0.55)
    bright = mix(palette.haze, WHITE, 0.12 if brief.is_night else 0.72)
    colour = dark + (bright - dark) * shade[..., None]
    canvas.add(colour.astype(np.float32), body * (0.5 if brief.is_night else 0.85), depth=0.12)


def paint_weather(canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator) -> None:
    """What falls in front of everything."""
    if brief.has("rain"):
        _streaks(canvas, rng)
    if brief.has("snow"):
        _flakes(canvas, rng)


def _streaks(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.width, canvas.height
    for density, length, opacity in ((0.0016, 0.05, 0.20), (0.0006, 0.09, 0.28)):
        drops = np.zeros((height, width), np.float32)
        count = int(width * height * density / 4)
        drops[rng.integers(0, height, count), rng.integers(0, width, count)] = 1
        reach, rain = int(canvas.unit * length), np.zeros_like(drops)
        for step in range(reach):
            rain += np.roll(drops, (step, -step // 5), (0, 1)) * (step / reach)
        canvas.add(np.array([0.85, 0.9, 0.95], np.float32), np.clip(rain, 0, 1) * opacity, depth=1.0)


def _flakes(canvas: Canvas, rng: np.random.Generator) -> None:
    width, height = canvas.width, canvas.height
    for density, size, depth in ((0.0011, 0.0012, 0.55), (0.0003, 0.0026, 1.0)):
        flakes = np.zeros((height, width), np.float32)
        count = int(width * height * density)
        flakes[rng.integers(0, height, count), rng.integers(0, width, count)] = 1
        radius = max(0.6, canvas.unit * size)
        soft = np.clip(fields.blur(flakes, radius) * radius * radius * 7, 0, 1)
        canvas.add(WHITE, soft * 0.85, depth=depth)
