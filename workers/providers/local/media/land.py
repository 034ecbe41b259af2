"""Ground and water: ridges in depth, sea, dunes, meadow, fog between them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.providers.local.media import fields
from workers.providers.local.media.brief import Brief
from workers.providers.local.media.canvas import Canvas, Point
from workers.providers.local.media.palette import Palette, mix, ramp
from workers.providers.local.media.sky import WHITE, Lamp

Floats = NDArray[np.floating[Any]]


def paint_ridges(
    canvas: Canvas,
    brief: Brief,
    palette: Palette,
    rng: np.random.Generator,
    lamp: Lamp,
    top: float,
    bottom: float,
    count: int = 5,
    closest: float = 1.0,
) -> Floats:
    """Mountain chains, paler with distance, from `top` to `bottom` (shares of the height).

    `closest` is how near the nearest one is: 1 before the viewer, 0 at the horizon.

    Returns the nearest chain's profile.
    """
    profile = np.zeros(canvas.width, np.float32)
    for index in range(count):
        share = index / max(1, count - 1)
        near = share * closest
        base = canvas.height * (top + (bottom - top) * share**1.15)
        bumps = (2.2 + 1.8 * near) * max(1.0, canvas.width / canvas.height)
        relief = canvas.unit * (0.15 - 0.065 * near)
        profile = (base - relief * fields.line(rng, canvas.width, bumps, 7, 0.46)).astype(np.float32)
        caps = 0.9 if brief.has("snow") else 0.55 if brief.scene == "mountains" and near < 0.6 else 0.0
        _ridge(canvas, palette, rng, lamp, profile, near, caps)
        if share < 1:
            paint_mist(
                canvas,
                palette,
                rng,
                base + relief * 0.9,
                relief * 1.3,
                0.8 if brief.has("fog") else 0.42,
                0.12 + 0.4 * near,
            )
    return profile


def _ridge(
    canvas: Canvas,
    palette: Palette,
    rng: np.random.Generator,
    lamp: Lamp,
    profile: Floats,
    near: float,
    caps: float,
) -> None:
    """One chain: lit on the side of the lamp, with folds that run down it, snow on top."""
    top = max(0, int(profile.min()) - 2)
    height = canvas.height - top
    if height <= 2:
        return
    mask = fields.below(profile - top, height)
    folds = fields.fbm(
        rng, canvas.width, height, canvas.width / canvas.unit * 12, 5 * height / canvas.unit, 5
    )
    drop = np.arange(height, dtype=np.float32)[:, None] - (profile - top)[None, :]
    step = max(1, canvas.width // 400)
    slope = np.roll(folds + drop * 0.004, -step, 1) - np.roll(folds + drop * 0.004, step, 1)
    facing = np.tanh((np.arange(canvas.width)[None, :] - lamp.x) / (canvas.unit * 0.25)) * -1.0
    lit = np.clip(0.5 + slope * facing * 4.2, 0, 1)
    ground = mix(mix(palette.haze, palette.land, 0.25 + 0.75 * near), palette.deep, 0.72 * near**1.6)
    bright = mix(ground, palette.light, 0.30 * (1 - 0.55 * near))
    dark = mix(ground, palette.deep, 0.34)
    colour = dark + (bright - dark) * lit[..., None]
    if caps:
        high = (float(np.percentile(profile, 82)) - (profile[None, :] + drop * 0.8)) / canvas.unit
        gullies = (fields.fbm(rng, canvas.width, height, canvas.width / canvas.unit * 26, 4, 3) - 0.5) * 0.16
        snow = fields.smoothstep(0.0, 0.035, high + gullies + (lit - 0.5) * 0.05 - 0.03 * (1 - caps))
        white = mix(mix(palette.haze, WHITE, 0.72), palette.sky[0], 0.1)
        shaded = mix(white, palette.sky[min(1, len(palette.sky) - 1)], 0.45)
        colour = colour + (shaded + (white - shaded) * lit[..., None] - colour) * (snow * caps)[..., None]
    canvas.add(colour.astype(np.float32), mask, depth=0.12 + 0.5 * near, top=top)


def paint_mist(
    canvas: Canvas,
    palette: Palette,
    rng: np.random.Generator,
    at: float,
    spread: float,
    opacity: float,
    depth: float,
) -> None:
    """A bank of haze whose middle is at row `at`."""
    top, bottom = max(0, int(at - spread * 2.2)), min(canvas.height, int(at + spread * 2.2))
    if bottom - top < 4:
        return
    rows = (np.arange(top, bottom, dtype=np.float32)[:, None] - at) / spread
    wisps = fields.fbm(rng, canvas.width, bottom - top, 2.5 * canvas.width / canvas.unit, 2, 3)
    canvas.add(palette.haze, np.exp(-(rows**2)) * opacity * (0.45 + 0.55 * wisps), depth, top)


def paint_sea(
    canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator, lamp: Lamp, horizon: float
) -> None:
    """Water from the horizon (share of the height) to the lower edge, with the lamp's glitter on it."""
    top = int(canvas.height * horizon)
    height, width = canvas.height - top, canvas.width
    depth = (np.arange(height, dtype=np.float32) / height)[:, None]
    waves = _waves(rng, width, height, canvas.unit)
    far = mix(palette.sky[-1], palette.haze, 0.3)
    near = mix(mix(palette.sky[0], palette.land, 0.35), palette.deep, 0.45)
    middle = mix(palette.sky[len(palette.sky) // 2], palette.land, 0.3)
    stops = np.stack([far, mix(far, middle, 0.55), middle, near])
    body = ramp(stops, depth[:, 0] ** 0.6)[:, None, :]
    swing = (waves - 0.5)[..., None] * (0.10 + 0.22 * depth[..., None])
    colour = body + swing * (palette.light * 0.75 + 0.1)
    reach = canvas.unit * (0.05 + 0.30 * depth)
    column = np.exp(-(((np.arange(width)[None, :] - lamp.x) / reach) ** 2))
    sparkle = fields.smoothstep(0.52, 0.74, waves) * column * (0.35 if brief.hour == "storm" else 0.95)
    colour = colour + (palette.light - colour) * sparkle[..., None]
    crests = fields.smoothstep(0.80, 0.97, waves) * fields.smoothstep(0.15, 0.9, depth) * 0.4
    colour = colour + (mix(palette.haze, WHITE, 0.5) - colour) * crests[..., None]
    canvas.add(np.clip(colour, 0, 1).astype(np.float32), np.ones((height, width), np.float32), 0.3, top)
    if brief.hour != "storm":
        paint_mist(canvas, palette, rng, top, canvas.unit * 0.02, 0.5, 0.3)


def _waves(rng: np.random.Generator, width: int, height: int, unit: float) -> Floats:
    """Noise on a plane seen at a low angle: crests crowd together towards the horizon."""
    texture = fields.fbm(rng, 512, 512, 26, 34, 4)
    depth = (np.arange(height, dtype=np.float32) / height)[:, None]
    away = 1 / (depth + 0.06)
    columns = (np.arange(width, dtype=np.float32)[None, :] - width / 2) / unit
    u = (columns * away * 26 + away * 37) % 511
    v = np.broadcast_to((away * 60 + depth * 40) % 511, u.shape)
    x, y = u.astype(np.int32), v.astype(np.int32)
    fx, fy = u - x, v - y
    upper = texture[y, x] * (1 - fx) + texture[y, x + 1] * fx
    lower = texture[y + 1, x] * (1 - fx) + texture[y + 1, x + 1] * fx
    fade = np.clip(depth * 9, 0.12, 1)
    return np.asarray(0.5 + ((upper * (1 - fy) + lower * fy) - 0.5) * fade, np.float32)


def paint_dunes(canvas: Canvas, palette: Palette, rng: np.random.Generator, lamp: Lamp, top: float) -> None:
    """Sand in long curves: each crest divides a lit face from a shaded one."""
    sand = mix(np.array([0.90, 0.68, 0.42], np.float32), palette.haze, 0.3)
    for index in range(5):
        near = index / 4
        base = canvas.height * (top + (0.94 - top) * near**1.1)
        profile = base - canvas.unit * (0.035 + 0.075 * near) * fields.line(
            rng, canvas.width, 1.3 + near, 2, 0.35
        )
        start = max(0, int(profile.min()) - 2)
        height = canvas.height - start
        if height <= 2:
            continue
        mask = fields.below((profile - start).astype(np.float32), height)
        drop = (np.arange(height, dtype=np.float32)[:, None] - (profile - start)[None, :]) / canvas.unit
        slant = np.gradient(profile) * (1 if lamp.x < canvas.width / 2 else -1)
        face = fields.smoothstep(-0.25, 0.25, slant.astype(np.float32))[None, :]
        ripples = (
            np.sin(drop * 210 / (0.4 + near) + fields.fbm(rng, canvas.width, height, 5, 3, 2) * 9)
            * 0.03
            * near
        )
        shade = np.clip(0.28 + 0.62 * face - drop * 0.5 + ripples, 0, 1)
        bright = mix(mix(sand, palette.light, 0.35), palette.haze, 0.6 * (1 - near))
        dark = mix(mix(mix(sand, palette.deep, 0.5), palette.accent, 0.15), palette.haze, 0.55 * (1 - near))
        canvas.add(
            (dark + (bright - dark) * shade[..., None]).astype(np.float32), mask, 0.15 + 0.85 * near, start
        )


def paint_meadow(canvas: Canvas, palette: Palette, rng: np.random.Generator, top: float) -> Floats:
    """Rolling grass up to the viewer. Returns the near hill's profile."""
    green = grass(palette)
    profile = np.zeros(canvas.width, np.float32)
    for index in range(4):
        near = index / 3
        base = canvas.height * (top + (0.80 - top) * near)
        profile = (base - canvas.unit * 0.035 * fields.line(rng, canvas.width, 1.6, 3, 0.4)).astype(
            np.float32
        )
        start = max(0, int(profile.min()) - 2)
        height = canvas.height - start
        mask = fields.below(profile - start, height)
        nap = fields.fbm(rng, canvas.width, height, 30 + 90 * near, 14, 3)
        drop = np.clip(
            (np.arange(height, dtype=np.float32)[:, None] - (profile - start)) / (canvas.unit * 0.3), 0, 1
        )
        bright = mix(mix(green, palette.light, 0.30), palette.haze, 0.62 * (1 - near))
        dark = mix(mix(green, palette.deep, 0.6), palette.haze, 0.5 * (1 - near))
        share = np.clip(0.8 - drop * 0.75 + (nap - 0.5) * 0.35, 0, 1)
        canvas.add(
            (dark + (bright - dark) * share[..., None]).astype(np.float32), mask, 0.2 + 0.5 * near, start
        )
    return profile


def grass(palette: Palette) -> Floats:
    return mix(np.array([0.42, 0.60, 0.28], np.float32), palette.land, 0.4)


def paint_flowers(
    canvas: Canvas, brief: Brief, palette: Palette, rng: np.random.Generator, rows: slice = slice(None)
) -> None:
    """Beds of blades and blooms, larger and sparser towards the viewer; `rows` of the nine of them."""
    green = grass(palette)
    hues = [np.asarray(tint, np.float32) for tint in brief.tints if tint[1] < max(tint[0], tint[2])]
    hues = hues or [palette.accent, mix(palette.accent, WHITE, 0.5)]
    hues.append(mix(hues[0], WHITE, 0.35))
    for row, near in list(enumerate(np.linspace(0.0, 1.0, 9)))[rows]:
        at = canvas.height * (0.70 + 0.30 * near**1.3)
        size = canvas.unit * (0.0035 + 0.014 * near**1.6)
        count = int(150 * (1 - 0.72 * near) * canvas.width / canvas.unit)
        xs = rng.uniform(0, canvas.width, count)
        ys = at + rng.normal(0, size * 2.0, count)
        stems, blooms, shines = _bed(rng, xs, ys, size)
        depth = 0.55 if row < 4 else 1.0
        canvas.shape(
            stems,
            mix(mix(green, palette.deep, 0.35 + 0.35 * float(near)), palette.haze, 0.25 * (1 - float(near))),
            depth,
        )
        for hue in range(len(hues)):
            mine = blooms[hue :: len(hues)]
            tone = mix(mix(hues[hue], palette.deep, 0.12), palette.haze, 0.4 * (1 - float(near)))
            canvas.shape([outline for bloom in mine for outline in bloom], tone, depth)
        canvas.shape(shines, mix(palette.light, palette.accent, 0.3), depth, 0.75)


def _bed(
    rng: np.random.Generator, xs: Floats, ys: Floats, size: float
) -> tuple[list[list[Point]], list[list[list[Point]]], list[list[Point]]]:
    """Stems with blades of grass, blooms of five petals, and their bright middles."""
    stems, blooms, shines = [], [], []
    for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
        lean, tall = rng.normal(0, size * 0.8), size * rng.uniform(2.5, 4.5)
        stems.append([(x - size * 0.12, y + tall), (x + size * 0.12, y + tall), (x + lean, y)])
        for _ in range(2):
            away = rng.normal(0, size * 2.2)
            stems.append(
                [
                    (x + away - size * 0.16, y + tall),
                    (x + away + size * 0.16, y + tall),
                    (x + away * 1.5, y + tall * 0.15),
                ]
            )
        turn, span = rng.uniform(0, 6.28), size * rng.uniform(0.7, 1.15)
        centre = (x + lean, y)
        blooms.append([_petal(centre, span, turn + k * 1.2566) for k in range(5)])
        shines.append(_ring(centre, span * 0.3))
    return stems, blooms, shines


def _petal(centre: Point, span: float, turn: float) -> list[Point]:
    cos, sin = float(np.cos(turn)) * span, float(np.sin(turn)) * span
    x, y = centre
    return [
        (x, y),
        (x + 0.45 * cos - 0.42 * sin, y + (0.45 * sin + 0.42 * cos) * 0.8),
        (x + 0.95 * cos - 0.2 * sin, y + (0.95 * sin + 0.2 * cos) * 0.8),
        (x + 0.95 * cos + 0.2 * sin, y + (0.95 * sin - 0.2 * cos) * 0.8),
        (x + 0.45 * cos + 0.42 * sin, y + (0.45 * sin - 0.42 * cos) * 0.8),
    ]


def _ring(centre: Point, radius: float) -> list[Point]:
    turns = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    return [
        (centre[0] + radius * float(np.cos(turn)), centre[1] + radius * float(np.sin(turn))) for turn in turns
    ]
