"""What people build: lighthouse, boat, house, city, balloon."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.providers.local.media import fields
from workers.providers.local.media.brief import Brief
from workers.providers.local.media.canvas import Canvas, Point, curve, ellipse
from workers.providers.local.media.palette import Palette, mix
from workers.providers.local.media.sky import WHITE, Lamp

Floats = NDArray[np.floating[Any]]


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def paint_lighthouse(
    canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator, lamp: Lamp, foot_y: float
) -> None:
    """A banded tower on a headland, on the side away from the lamp, its light on unless it is day."""
    u = canvas.unit
    x = canvas.width * (0.73 if lamp.x < canvas.width / 2 else 0.27)
    _headland(canvas, palette, rng, x, foot_y)
    base, tall = foot_y - u * 0.075, u * 0.42
    top = base - tall
    if brief.hour != "day":
        _beams(canvas, palette, x, top - u * 0.018)
    lit_left = lamp.x < x
    _tower(canvas, brief, palette, x, base, top, lit_left)
    _lantern(canvas, brief, palette, x, top)


def _headland(canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, foot_y: float) -> None:
    u, width = canvas.unit, canvas.width
    across = (np.arange(width, dtype=np.float32) - x) / (u * 0.42)
    rise = np.exp(-(np.abs(across) ** 2.4)) * u * 0.15
    profile = (foot_y + u * 0.075 - rise - u * 0.012 * fields.line(rng, width, 14, 5)).astype(np.float32)
    profile += np.clip(np.abs(across) - 1.0, 0, None) * u * 0.5
    top = max(0, int(profile.min()) - 2)
    height = canvas.height - top
    rock = fields.fbm(rng, width, height, 22 * width / u, 16, 5)
    lit = np.clip(0.5 + (np.roll(rock, 3, 1) - rock) * 3.5 + (rock - 0.5) * 0.3, 0, 1)
    drop = np.clip((np.arange(height, dtype=np.float32)[:, None] - (profile - top)) / (u * 0.2), 0, 1)
    dark, bright = (
        mix(palette.deep, palette.land, 0.12),
        mix(mix(palette.land, palette.deep, 0.35), palette.light, 0.16),
    )
    share = lit * (0.9 - 0.7 * drop)
    canvas.add(
        (dark + (bright - dark) * share[..., None]).astype(np.float32),
        fields.below(profile - top, height),
        0.55,
        top,
    )


def _tower(
    canvas: Canvas, brief: Brief, palette: Palette, x: float, base: float, top: float, lit_left: bool
) -> None:
    u = canvas.unit
    wide, narrow = u * 0.052, u * 0.030
    white = mix(mix(WHITE, palette.haze, 0.25), palette.deep, 0.28 if brief.is_night else 0.04)
    band = brief.tints[0] if brief.tints else (0.78, 0.20, 0.16)
    red = mix(np.asarray(band, np.float32), palette.deep, 0.4 if brief.is_night else 0.08)

    def half(share: float) -> float:
        return wide + (narrow - wide) * share

    for index in range(5):
        low, high = index / 5, (index + 1) / 5
        y0, y1 = base + (top - base) * low, base + (top - base) * high
        outline = [(x - half(low), y0), (x + half(low), y0), (x + half(high), y1), (x - half(high), y1)]
        canvas.shape([outline], red if index % 2 == 0 else white, 0.55)
    for step in range(8):  # a rounded wall: darker step by step away from the light
        inner = -1 + 2 * step / 8
        sign = 1 if lit_left else -1
        edge = [
            (x + sign * wide * inner, base),
            (x + sign * wide, base),
            (x + sign * narrow, top),
            (x + sign * narrow * inner, top),
        ]
        canvas.shape([edge], palette.deep, 0.55, 0.085)
    glow = mix(palette.accent, palette.light, 0.5)
    for share in (0.3, 0.7):
        y = base + (top - base) * share
        canvas.shape(
            [box(x - u * 0.006, y - u * 0.012, x + u * 0.006, y + u * 0.010)],
            glow if brief.hour != "day" else palette.deep,
            0.55,
        )


def _lantern(canvas: Canvas, brief: Brief, palette: Palette, x: float, top: float) -> None:
    u = canvas.unit
    iron = mix(palette.deep, palette.land, 0.15)
    canvas.shape([box(x - u * 0.044, top - u * 0.004, x + u * 0.044, top + u * 0.010)], iron, 0.55)
    glass = mix(palette.light, palette.accent, 0.25)
    canvas.shape([box(x - u * 0.022, top - u * 0.042, x + u * 0.022, top - u * 0.003)], glass, 0.55)
    for bar in (-0.022, -0.0075, 0.0075, 0.022):
        canvas.shape([box(x + u * (bar - 0.0014), top - u * 0.042, x + u * (bar + 0.0014), top)], iron, 0.55)
    rail = [box(x - u * 0.044, top - u * 0.019, x + u * 0.044, top - u * 0.0165)]
    canvas.shape(
        rail
        + [
            box(x + u * (k * 0.0108 - 0.044), top - u * 0.018, x + u * (k * 0.0108 - 0.0425), top)
            for k in range(9)
        ],
        iron,
        0.55,
    )
    canvas.shape(
        [
            curve(
                [
                    (x - u * 0.029, top - u * 0.041),
                    (x, top - u * 0.082),
                    (x + u * 0.029, top - u * 0.041),
                    (x, top - u * 0.037),
                ]
            )
        ],
        iron,
        0.55,
    )
    if brief.hour != "day":
        away = fields.distance(canvas.width, canvas.height, x, top - u * 0.02) / u
        canvas.glow(palette.light, np.exp(-away * 16) * 0.9, 0.55)
        canvas.glow(palette.light, np.exp(-away * 5) * 0.35, 0.0)


def _beams(canvas: Canvas, palette: Palette, x: float, y: float) -> None:
    columns = np.arange(canvas.width, dtype=np.float32)[None, :] - x
    rows = np.arange(canvas.height, dtype=np.float32)[:, None] - y
    away = np.abs(columns) / canvas.unit
    slant = rows + columns * 0.10 * np.sign(columns)
    spread = canvas.unit * (0.006 + 0.13 * away)
    beam = np.exp(-((slant / spread) ** 2)) * np.exp(-away * 1.5) * 0.62
    canvas.add(mix(palette.light, WHITE, 0.3), beam.astype(np.float32), 0.3)


def paint_boat(
    canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator, x: float, y: float, scale: float
) -> None:
    """A sailing boat whose waterline is at y, and its reflection."""
    u = canvas.unit * scale
    hull = curve(
        [
            (x - u * 0.9, y - u * 0.18),
            (x, y - u * 0.10),
            (x + u * 1.0, y - u * 0.22),
            (x + u * 0.62, y + u * 0.10),
            (x - u * 0.62, y + u * 0.10),
        ]
    )
    main = [(x + u * 0.04, y - u * 2.1), (x + u * 0.92, y - u * 0.36), (x + u * 0.04, y - u * 0.28)]
    jib = [(x - u * 0.06, y - u * 1.85), (x - u * 0.06, y - u * 0.28), (x - u * 0.80, y - u * 0.34)]
    sail = mix(mix(WHITE, palette.light, 0.5), palette.haze, 0.25)
    for outline in (main, jib):
        mirrored = [(px, 2 * y + u * 0.12 - (py - y) * 0.55 - y) for px, py in outline]
        canvas.shape([mirrored], mix(sail, palette.land, 0.3), 0.55, 0.28)
    canvas.shape([main], sail, 0.55)
    canvas.shape([jib], mix(sail, palette.accent, 0.35), 0.55)
    canvas.shape([box(x - u * 0.025, y - u * 2.2, x + u * 0.025, y - u * 0.1)], palette.deep, 0.55)
    canvas.shape([hull], mix(palette.deep, palette.accent, 0.22), 0.55)


def paint_house(canvas: Canvas, brief: Brief, palette: Palette, x: float, y: float, scale: float) -> None:
    """A cabin with its foot at y, its windows lit, smoke over the chimney."""
    u = canvas.unit * scale
    wall, shade = mix(palette.deep, palette.haze, 0.35), mix(palette.deep, palette.land, 0.25)
    roof = mix(palette.deep, palette.accent, 0.30)
    canvas.shape([box(x - u, y - u * 0.85, x + u * 0.25, y)], wall, 0.55)
    canvas.shape(
        [
            [
                (x + u * 0.25, y),
                (x + u * 0.25, y - u * 0.85),
                (x + u * 0.72, y - u * 1.55),
                (x + u * 1.2, y - u * 0.85),
                (x + u * 1.2, y),
            ]
        ],
        shade,
        0.55,
    )
    canvas.shape([box(x - u * 0.55, y - u * 1.85, x - u * 0.35, y - u * 1.2)], shade, 0.55)
    canvas.shape(
        [
            [
                (x - u * 1.12, y - u * 0.80),
                (x - u * 0.55, y - u * 1.62),
                (x + u * 0.76, y - u * 1.62),
                (x + u * 0.20, y - u * 0.80),
            ]
        ],
        roof,
        0.55,
    )
    glow = mix(palette.accent, palette.light, 0.45)
    canvas.shape(
        [
            box(x - u * 0.75, y - u * 0.62, x - u * 0.45, y - u * 0.28),
            box(x - u * 0.25, y - u * 0.62, x + u * 0.05, y - u * 0.28),
            box(x + u * 0.58, y - u * 0.62, x + u * 0.86, y - u * 0.24),
        ],
        glow,
        0.55,
    )
    away = fields.distance(canvas.width, canvas.height, x, y - u * 0.45) / u
    canvas.glow(glow, np.exp(-away * 1.5) * (0.5 if brief.hour != "day" else 0.08), 0.55)


def paint_city(
    canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator, horizon: float
) -> None:
    """Three rows of buildings in depth, with windows lit by the hour."""
    for index in range(3):
        near = index / 2
        wall = mix(mix(palette.haze, palette.land, 0.35 + 0.4 * near), palette.deep, 0.15 + 0.68 * near)
        base = canvas.height * (horizon + 0.015 * index)
        x = -canvas.unit * 0.04
        while x < canvas.width:
            wide = canvas.unit * rng.uniform(0.045, 0.085) * (0.75 + 0.75 * near)
            centre = np.exp(-(((x + wide / 2) / canvas.width - 0.5) ** 2) * 6)
            tall = canvas.unit * rng.uniform(0.12, 0.46) * (1.06 - 0.42 * near) * (0.55 + 0.6 * centre)
            _building(canvas, brief, palette, rng, x, base, wide, tall, wall, near)
            x += wide * rng.uniform(0.86, 1.12)
        fog = np.exp(
            -(((np.arange(canvas.height, dtype=np.float32)[:, None] - base) / (canvas.unit * 0.13)) ** 2)
        )
        haze = np.broadcast_to(fog * (0.5 - 0.2 * near), (canvas.height, canvas.width))
        canvas.add(mix(palette.haze, palette.accent, 0.18), np.asarray(haze, np.float32), 0.12 + 0.35 * near)


def _building(
    canvas: Canvas,
    brief: Brief,
    palette: Palette,
    rng: np.random.Generator,
    x: float,
    base: float,
    wide: float,
    tall: float,
    wall: Floats,
    near: float,
) -> None:
    depth, u = 0.12 + 0.42 * near, canvas.unit
    top = base - tall
    outlines = [box(x, top, x + wide, base + u)]
    crown = rng.random()
    if crown < 0.22:
        outlines.append([(x + wide * 0.2, top), (x + wide * 0.5, top - wide * 0.8), (x + wide * 0.8, top)])
    elif crown < 0.5:
        outlines.append(box(x + wide * 0.22, top - wide * 0.28, x + wide * 0.78, top))
    if crown < 0.35:
        outlines.append(box(x + wide * 0.485, top - wide * 1.5, x + wide * 0.515, top))
    canvas.shape(outlines, wall, depth)
    canvas.shape([box(x + wide * 0.62, top, x + wide, base + u)], palette.deep, depth, 0.22)
    _windows(canvas, brief, palette, rng, (x, top, wide, tall), near, depth)


def _windows(
    canvas: Canvas,
    brief: Brief,
    palette: Palette,
    rng: np.random.Generator,
    frame: tuple[float, float, float, float],
    near: float,
    depth: float,
) -> None:
    x, top, wide, tall = frame
    lit_share = {"day": 0.10, "dawn": 0.22, "storm": 0.4, "dusk": 0.5, "night": 0.62}[brief.hour]
    columns = max(2, int(wide / (canvas.unit * (0.010 + 0.003 * near))))
    rows = max(2, int(tall / (canvas.unit * (0.014 + 0.005 * near))))
    step_x, step_y = wide / (columns + 0.6), tall / (rows + 1)
    warm, cold = mix(palette.accent, palette.light, 0.35), mix(palette.light, palette.sky[1], 0.2)
    floors = rng.random(rows) < 0.16
    panes: dict[bool, list[list[Point]]] = {True: [], False: []}
    for row in range(rows):
        for column in range(columns):
            if rng.random() < (lit_share if not floors[row] else 0.92 * min(1, lit_share * 2)):
                left, y = x + step_x * (column + 0.45), top + step_y * (row + 0.7)
                panes[bool(rng.random() < 0.72)].append(box(left, y, left + step_x * 0.6, y + step_y * 0.52))
    for is_warm, outlines in panes.items():
        if outlines:
            canvas.shape(outlines, warm if is_warm else cold, depth, 0.35 + 0.5 * near)


def paint_balloon(canvas: Canvas, brief: Brief, palette: Palette, x: float, y: float, scale: float) -> None:
    """A hot-air balloon in stripes, lit from the left."""
    u = canvas.unit * scale
    stripes = [mix(palette.accent, WHITE, share) for share in (0.0, 0.55, 0.0, 0.55, 0.0)]
    for index, colour in enumerate(stripes):
        share = 1 - index * 0.23
        top = ellipse(x, y, u * share, u * 1.02)
        taper = [
            (x - u * 0.86 * share, y + u * 0.52),
            (x + u * 0.86 * share, y + u * 0.52),
            (x + u * 0.2 * share, y + u * 1.45),
            (x - u * 0.2 * share, y + u * 1.45),
        ]
        canvas.shape([top, taper], colour, 0.3)
    for index in range(6):
        shade = ellipse(
            x + u * (0.35 + 0.09 * index), y, u * (0.65 - 0.09 * index), u * (0.65 - 0.09 * index)
        )
        canvas.shape([shade], palette.deep, 0.3, 0.07)
    canvas.shape(
        [box(x - u * 0.16, y + u * 1.75, x + u * 0.16, y + u * 2.0)],
        mix(palette.deep, palette.accent, 0.3),
        0.3,
    )
    ropes = [
        [
            (x + side * u * 0.17, y + u * 1.45),
            (x + side * u * 0.19, y + u * 1.45),
            (x + side * u * 0.155, y + u * 1.75),
            (x + side * u * 0.135, y + u * 1.75),
        ]
        for side in (-1, 1)
    ]
    canvas.shape(ropes, palette.deep, 0.3)
