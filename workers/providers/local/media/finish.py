"""Styles: how the finished scene is rendered, from photograph to pencil. All take and give (h, w, 3) in 0 to 1."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from workers.providers.local.media import fields

Floats = NDArray[np.floating[Any]]
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def luma(picture: Floats) -> Floats:
    return np.asarray(picture @ GREY, np.float32)


def to_image(picture: Floats) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8))


def from_image(image: Image.Image) -> Floats:
    return np.asarray(image, np.float32) / 255


def saturate(picture: Floats, by: float) -> Floats:
    grey = luma(picture)[..., None]
    return np.clip(grey + (picture - grey) * by, 0, 1).astype(np.float32)


def vignette(picture: Floats, strength: float) -> Floats:
    height, width = picture.shape[:2]
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    return np.asarray(
        picture * (1 - strength * np.clip(rows**2 + columns**2 - 0.35, 0, None))[..., None], np.float32
    )


def bloom(picture: Floats, strength: float) -> Floats:
    """Light that spills over from what is bright."""
    height, width = picture.shape[:2]
    bright = picture * fields.smoothstep(0.62, 1.0, luma(picture))[..., None]
    small = to_image(bright).resize((max(1, width // 8), max(1, height // 8)), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(max(1, min(width, height) / 8 / 28)))
    spill = from_image(soft.resize((width, height), Image.Resampling.BICUBIC))
    return np.asarray(1 - (1 - picture) * (1 - spill * strength), np.float32)


def grain(picture: Floats, rng: np.random.Generator, strength: float) -> Floats:
    noise = rng.standard_normal(picture.shape[:2], np.float32)
    return np.clip(picture + (noise * strength)[..., None], 0, 1).astype(np.float32)


def realistic(picture: Floats, rng: np.random.Generator) -> Floats:
    return grain(vignette(bloom(picture, 0.35), 0.16), rng, 0.009)


def vivid(picture: Floats, rng: np.random.Generator) -> Floats:
    return vignette(bloom(saturate(picture, 1.35), 0.4), 0.12)


def artistic(picture: Floats, rng: np.random.Generator) -> Floats:
    """A silkscreen: few tones, their edges a little out of register, on a toothed paper."""
    height, width = picture.shape[:2]
    rich = saturate(picture, 1.3)
    light = luma(rich)
    steps = 7
    tone = light * steps + (fields.fbm(rng, width, height, 60, 60, 2) - 0.5) * 0.35
    flat = (np.floor(tone) + fields.smoothstep(0.42, 0.58, tone - np.floor(tone))) / steps
    ratio = flat / np.maximum(light, 0.04)
    inked = np.clip(rich * np.clip(ratio, 0.4, 1.6)[..., None], 0, 1)
    tooth = fields.fbm(rng, width, height, 220, 220, 2)[..., None]
    return np.asarray(np.clip(inked * (0.94 + 0.10 * tooth), 0, 1), np.float32)


def anime(picture: Floats, rng: np.random.Generator) -> Floats:
    """Clean flat tones in clear colours, a thin line where shapes meet, a bright air."""
    smooth = from_image(to_image(picture).filter(ImageFilter.MedianFilter(5)))
    light = luma(smooth)
    steps = 9
    flat = (
        np.floor(light * steps) + fields.smoothstep(0.3, 0.7, light * steps - np.floor(light * steps))
    ) / steps
    toned = saturate(
        np.clip(smooth * (np.clip(flat / np.maximum(light, 0.05), 0.6, 1.5))[..., None] * 1.05 + 0.015, 0, 1),
        1.4,
    )
    lines = np.clip((_edges(light) - 0.07) * 3.0, 0, 0.6)
    return bloom(np.asarray(toned * (1 - lines[..., None]), np.float32), 0.5)


def render_3d(picture: Floats, rng: np.random.Generator) -> Floats:
    """Matte, moulded shapes: each tone is given thickness by a light from the upper left."""
    unit = min(picture.shape[:2])
    soft = from_image(
        to_image(picture).filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(unit / 700))
    )
    relief = fields.blur(luma(soft), unit / 220)
    step = max(1, unit // 300)
    bevel = np.clip((relief - np.roll(relief, (step, step), (0, 1))) * -2.2, -0.16, 0.2)
    occlusion = np.clip((fields.blur(luma(soft), unit / 40) - relief) * 0.5, 0, 0.2)
    lit = saturate(soft, 1.15) + (bevel - occlusion)[..., None]
    return vignette(bloom(np.clip(lit, 0, 1).astype(np.float32), 0.45), 0.18)


def watercolor(picture: Floats, rng: np.random.Generator) -> Floats:
    """Washes that run and gather at their rims, on cold-pressed paper whose white shows through."""
    height, width = picture.shape[:2]
    unit = min(height, width)
    blurred = from_image(to_image(picture).filter(ImageFilter.GaussianBlur(unit / 420)))
    run = _displace(blurred, rng, unit * 0.016, 26)
    light = luma(run)
    pools = fields.fbm(rng, width, height, 7, 7, 4)
    rims = np.clip(_edges(fields.blur(light, unit / 500)) * 1.5, 0, 0.34)
    wash = 1 - (1 - saturate(run, 1.12)) * (0.70 + 0.36 * pools)[..., None]
    wash = wash * (1 - rims[..., None] * 0.75)
    paper = _tooth(rng, width, height)
    margin = _torn_margin(rng, width, height)
    painted = np.clip(wash * 0.94 + 0.06, 0, 1)
    sheet = np.array([0.985, 0.975, 0.95], np.float32)
    return np.asarray(
        np.clip((sheet + (painted - sheet) * margin[..., None]) * (0.94 + 0.09 * paper)[..., None], 0, 1),
        np.float32,
    )


def oil_painting(picture: Floats, rng: np.random.Generator) -> Floats:
    """Strokes laid from broad to fine along the forms, then lit so that their ridges show."""
    height, width = picture.shape[:2]
    unit = min(height, width)
    source = to_image(saturate(picture, 1.2)).filter(ImageFilter.GaussianBlur(unit / 300))
    colours = np.asarray(source)
    turn = _flow(luma(picture), rng)
    target, bristle = source.copy(), Image.new("L", (width, height), 128)
    draw, relief = ImageDraw.Draw(target), ImageDraw.Draw(bristle)
    for size, spacing in ((0.020, 0.015), (0.011, 0.0085), (0.006, 0.0062)):
        _strokes(draw, relief, colours, turn, rng, unit * size, unit * spacing)
    height_map = from_image(bristle.filter(ImageFilter.GaussianBlur(max(0.6, unit / 1500))))
    light = (height_map - np.roll(height_map, (1, 1), (0, 1))) * 0.9
    return vignette(
        np.clip(from_image(target) + np.clip(light, -0.09, 0.11)[..., None], 0, 1).astype(np.float32), 0.12
    )


def pencil_sketch(picture: Floats, rng: np.random.Generator) -> Floats:
    """Graphite: contours, and hatching in three directions that thickens in the shade."""
    height, width = picture.shape[:2]
    unit = min(height, width)
    light = fields.stretch(luma(picture)) * 0.88 + 0.12
    inverse = fields.blur(1 - light, unit / 110)
    contour = np.clip(light / np.maximum(1 - inverse, 0.04), 0, 1) ** 1.6
    lines = np.clip(1 - _edges(light) * 3.2, 0.2, 1)
    sheet = contour * lines
    wobble = fields.fbm(rng, width, height, 14, 14, 3) * unit * 0.02
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None, :]
    for level, angle in ((0.78, 0.72), (0.52, -0.62), (0.30, 1.45)):
        across = rows * np.cos(angle) + columns * np.sin(angle) + wobble
        stroke = 0.5 + 0.5 * np.sin(across * 2 * np.pi / (unit * 0.0058 + 1.6))
        shade = (
            fields.smoothstep(level, level - 0.32, light)
            if level < 0
            else np.clip((level - light) / 0.32, 0, 1)
        )
        sheet = sheet * (1 - shade * (0.18 + 0.34 * stroke))
    tooth = _tooth(rng, width, height)
    graphite = 1 - (1 - sheet) * (0.66 + 0.5 * tooth)
    paper = np.array([0.975, 0.962, 0.93], np.float32)
    lead = np.array([0.17, 0.17, 0.20], np.float32)
    return np.asarray(lead + (paper - lead) * np.clip(graphite, 0, 1)[..., None], np.float32)


def _edges(light: Floats) -> Floats:
    rows, columns = np.gradient(light)
    return np.asarray(np.hypot(rows, columns) * 4, np.float32)


def _tooth(rng: np.random.Generator, width: int, height: int) -> Floats:
    unit = min(width, height)
    fine = fields.fbm(rng, width, height, 180 * width / unit, 180 * height / unit, 2)
    return np.asarray(fine * 0.7 + 0.3 * rng.random((height, width), np.float32), np.float32)


def _torn_margin(rng: np.random.Generator, width: int, height: int) -> Floats:
    unit = min(width, height)
    rows = np.minimum(np.arange(height), np.arange(height)[::-1]).astype(np.float32)[:, None]
    columns = np.minimum(np.arange(width), np.arange(width)[::-1]).astype(np.float32)[None, :]
    rough = fields.fbm(rng, width, height, 16 * width / unit, 16 * height / unit, 5)
    return fields.smoothstep(0.020, 0.030, np.minimum(rows, columns) / unit + (rough - 0.5) * 0.022)


def _displace(picture: Floats, rng: np.random.Generator, reach: float, cells: float) -> Floats:
    height, width = picture.shape[:2]
    dx = (fields.fbm(rng, width, height, cells, cells, 3) - 0.5) * reach
    dy = (fields.fbm(rng, width, height, cells, cells, 3) - 0.5) * reach
    rows = np.clip(np.arange(height)[:, None] + dy, 0, height - 1).astype(np.int32)
    columns = np.clip(np.arange(width)[None, :] + dx, 0, width - 1).astype(np.int32)
    return picture[rows, columns]


def _flow(light: Floats, rng: np.random.Generator) -> Floats:
    """The angle along which a brush would follow the forms: across the gradient, else level."""
    height, width = light.shape
    soft = fields.blur(light, min(height, width) / 60)
    rows, columns = np.gradient(soft)
    strength = np.hypot(rows, columns)
    along = np.arctan2(columns, -rows)
    drift = (fields.fbm(rng, width, height, 4, 4, 2) - 0.5) * 1.4
    return np.where(strength > 0.0012, along, drift).astype(np.float32)


def _strokes(
    draw: ImageDraw.ImageDraw, relief: ImageDraw.ImageDraw, colours: NDArray[np.uint8], turn: Floats,
    rng: np.random.Generator, size: float, spacing: float,
) -> None:  # fmt: skip
    height, width = turn.shape
    count = min(22_000, int(width * height / (spacing * spacing) / 2.4))
    xs, ys = rng.integers(0, width, count), rng.integers(0, height, count)
    angles = turn[ys, xs] + rng.normal(0, 0.16, count)
    reach = size * rng.uniform(0.9, 1.9, count)
    tones = np.clip(colours[ys, xs].astype(int) + rng.integers(-9, 10, (count, 1)), 0, 255)
    dx, dy = np.cos(angles) * reach, np.sin(angles) * reach
    ends = np.stack([xs - dx, ys - dy, xs + dx, ys + dy], 1).tolist()
    levels = rng.integers(90, 180, count).tolist()
    thick = max(1, round(size * 0.55))
    for end, tone, level in zip(ends, tones.tolist(), levels, strict=True):
        draw.line(end, fill=tuple(tone), width=thick)
        relief.line(end, fill=level, width=max(1, thick - 1))


Style = Callable[[Floats, np.random.Generator], Floats]
STYLES: dict[str, Style] = {
    "realistic": realistic,
    "natural": realistic,
    "vivid": vivid,
    "artistic": artistic,
    "anime": anime,
    "3d-render": render_3d,
    "watercolor": watercolor,
    "oil-painting": oil_painting,
    "pencil-sketch": pencil_sketch,
}
