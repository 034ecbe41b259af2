"""What lives: trees, birds, animals and people as silhouettes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.providers.local.media import fields
from workers.providers.local.media.brief import Brief
from workers.providers.local.media.canvas import Canvas, Point, curve, ellipse
from workers.providers.local.media.palette import Palette, mix

Floats = NDArray[np.floating[Any]]
Outline = list[Point]


def conifer(rng: np.random.Generator, x: float, foot: float, tall: float) -> list[Outline]:
    """A pine: tiers of drooping boughs, none quite like another."""
    outlines = [[(x - tall * 0.018, foot), (x + tall * 0.018, foot), (x, foot - tall)]]
    tiers = 9
    for tier in range(tiers):
        share = tier / tiers
        y = foot - tall * (0.10 + 0.84 * share)
        span = tall * 0.21 * (1 - share) ** 0.85 * rng.uniform(0.82, 1.15) + tall * 0.012
        droop, rise = tall * 0.035, tall * 0.135
        right, left = (droop * rng.uniform(0.4, 1.2) for _ in range(2))
        outlines.append(
            [
                (x, y - rise),
                *(
                    (x + span * 0.45, y - rise * 0.25),
                    (x + span, y + right),
                    (x + span * 0.35, y + droop * 0.1),
                ),
                (x, y + droop * 0.6),
                *(
                    (x - span * 0.35, y + droop * 0.1),
                    (x - span, y + left),
                    (x - span * 0.45, y - rise * 0.25),
                ),
            ]
        )
    return outlines


def paint_tree(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, x: float, foot: float, tall: float
) -> None:
    """A broad oak: a forked trunk, a crown of leaf clusters that grow lighter towards the light above."""
    bark = mix(palette.deep, palette.land, 0.25)
    forks = [(-0.16, 0.62), (0.0, 0.70), (0.17, 0.60)]
    trunk = [
        (x - tall * 0.05, foot),
        (x + tall * 0.05, foot),
        (x + tall * 0.022, foot - tall * 0.4),
        (x - tall * 0.022, foot - tall * 0.4),
    ]
    limbs = [
        [
            (x - tall * 0.022, foot - tall * 0.3),
            (x + tall * 0.022, foot - tall * 0.3),
            (x + tall * dx, foot - tall * up),
        ]
        for dx, up in forks
    ]
    canvas.shape([trunk, *limbs], bark, 0.55)
    green = mix(mix(np.array([0.30, 0.46, 0.20], np.float32), palette.land, 0.5), palette.deep, 0.45)
    for layer in range(4):
        colour = mix(green, palette.light, 0.02 + 0.10 * layer)
        clusters = []
        for _ in range(110):
            angle, reach = rng.uniform(0, 6.2832), rng.random() ** 0.5 * (1 - 0.13 * layer)
            cx = x + np.cos(angle) * reach * tall * 0.40 - tall * 0.02 * layer
            cy = foot - tall * (0.68 + 0.035 * layer) + np.sin(angle) * reach * tall * 0.25
            size = tall * rng.uniform(0.018, 0.042)
            clusters.append(ellipse(float(cx), float(cy), size * 1.25, size, rng.uniform(-0.5, 0.5), 10))
        canvas.shape(clusters, colour, 0.55, 1.0 if layer == 0 else 0.8)


def paint_forest(
    canvas: Canvas,
    brief: Brief,
    palette: Palette,
    rng: np.random.Generator,
    top: float,
    bottom: float,
    rows: int = 5,
) -> None:
    """Ranks of pines, paler with distance, mist between them."""
    for index in range(rows):
        near = index / max(1, rows - 1)
        colour = mix(
            mix(palette.haze, palette.land, 0.22 + 0.6 * near), palette.deep, 0.05 + 0.86 * near**1.25
        )
        base = canvas.height * (top + (bottom - top) * near**1.2)
        ground = (base - canvas.unit * 0.03 * fields.line(rng, canvas.width, 2.5, 4)).astype(np.float32)
        size = canvas.unit * (0.11 + 0.36 * near**1.5)
        count = int(canvas.width / (size * 0.17)) + 2
        outlines: list[Outline] = []
        for x in np.linspace(-size * 0.2, canvas.width + size * 0.2, count) + rng.normal(
            0, size * 0.06, count
        ):
            foot = float(ground[int(np.clip(x, 0, canvas.width - 1))]) + size * 0.12
            clearing = 1 - 0.5 * near * np.exp(-(((x / canvas.width - 0.5) / 0.2) ** 2))
            outlines += conifer(rng, float(x), foot, size * rng.uniform(0.55, 1.12) * clearing)
        depth = 0.12 + 0.75 * near
        canvas.shape(outlines, colour, depth)
        canvas.add(colour, fields.below(ground, canvas.height), depth)
        if near < 1:
            _ground_mist(canvas, palette, rng, base, size, depth, 0.85 if brief.has("fog") else 0.62)


def _ground_mist(
    canvas: Canvas,
    palette: Palette,
    rng: np.random.Generator,
    base: float,
    size: float,
    depth: float,
    opacity: float,
) -> None:
    rows = (np.arange(canvas.height, dtype=np.float32)[:, None] - base) / (size * 0.55)
    wisps = fields.fbm(rng, canvas.width, canvas.height, 3, 5, 3)
    canvas.add(palette.haze, np.exp(-((rows - 0.15) ** 2)) * opacity * (0.5 + 0.5 * wisps), depth)


def paint_birds(
    canvas: Canvas, palette: Palette, rng: np.random.Generator, top: float, bottom: float
) -> None:
    outlines = []
    x0, y0 = canvas.width * rng.uniform(0.3, 0.7), canvas.height * rng.uniform(top, bottom)
    for _ in range(int(rng.integers(6, 10))):
        size = canvas.unit * rng.uniform(0.010, 0.022)
        x, y = x0 + rng.normal(0, canvas.unit * 0.13), y0 + rng.normal(0, canvas.unit * 0.05)
        lift = rng.uniform(0.25, 0.6)
        wings = [(-1, -lift), (-0.45, -lift * 0.9), (0, 0), (0.45, -lift * 0.9), (1, -lift)]
        wings += [(0.42, -lift * 0.6), (0, 0.18), (-0.42, -lift * 0.6)]
        outlines.append([(x + size * px, y + size * py) for px, py in wings])
    canvas.shape(outlines, palette.deep, 0.3, 0.85)


def _placed(points: list[Point], x: float, foot: float, size: float, flip: int) -> list[Point]:
    """Drawn in a unit square, origin at the feet, y up; set at (x, foot)."""
    return [(x + flip * px * size, foot - py * size) for px, py in points]


_BODIES: dict[str, list[list[Point]]] = {
    "cat": [
        [(-.16, 0), (-.20, .22), (-.15, .42), (-.06, .54), (.05, .56), (.13, .46), (.17, .26), (.18, 0)],
        [(-.13, .60), (-.10, .74), (.00, .79), (.10, .74), (.13, .60), (.05, .50), (-.05, .50)],
        [(.16, .02), (.30, .03), (.40, .14), (.36, .28), (.40, .30), (.46, .14), (.34, -.01), (.18, -.02)],
    ],
    "dog": [
        [(-.30, .36), (-.20, .52), (.10, .50), (.30, .54), (.36, .40), (.28, .30), (.05, .28), (-.22, .26)],
        [(.24, .50), (.30, .70), (.38, .76), (.46, .72), (.60, .64), (.58, .58), (.44, .56), (.36, .42)],
        [(-.28, .42), (-.44, .52), (-.56, .66), (-.58, .62), (-.48, .44), (-.30, .34)],
    ],
    "deer": [
        [(-.32, .44), (-.26, .62), (.00, .60), (.24, .62), (.32, .50), (.22, .40), (-.05, .40), (-.26, .38)],
        [(.18, .56), (.30, .84), (.38, .96), (.46, .96), (.56, .86), (.54, .82), (.42, .80), (.34, .52)],
        [(-.30, .58), (-.38, .62), (-.37, .50), (-.31, .48)],
    ],
    "horse": [
        [(-.36, .46), (-.32, .66), (-.05, .62), (.22, .68), (.34, .54), (.24, .42), (-.05, .42), (-.28, .40)],
        [(.16, .64), (.30, .90), (.38, 1.00), (.46, .98), (.62, .78), (.58, .72), (.44, .80), (.36, .52)],
        [(-.33, .62), (-.46, .58), (-.50, .36), (-.46, .22), (-.42, .36), (-.34, .48)],
    ],
}  # fmt: skip
_LEGS: dict[str, list[tuple[float, float, float]]] = {
    "cat": [],
    "dog": [(-.24, .34, .03), (-.12, .32, .0), (.18, .34, .02), (.30, .38, .05)],
    "deer": [(-.25, .46, -.03), (-.14, .46, .02), (.16, .46, -.01), (.26, .48, .04)],
    "horse": [(-.28, .48, -.03), (-.16, .48, .04), (.16, .48, -.02), (.28, .50, .05)],
}  # fmt: skip


def paint_animal(
    canvas: Canvas, kind: str, palette: Palette, x: float, foot: float, size: float, flip: int
) -> None:
    """A standing (the cat: sitting) animal in near-black against the light, with a rim of it."""
    outlines = [curve(_placed(body, x, foot, size, flip)) for body in _BODIES[kind]]
    outlines += [_leg(x, foot, size, flip, leg) for leg in _LEGS[kind]]
    outlines += [_placed(part, x, foot, size, flip) for part in _FEATURES[kind]]
    rim = [[(px - flip * size * 0.006, py - size * 0.008) for px, py in outline] for outline in outlines]
    canvas.shape(rim, mix(palette.light, palette.accent, 0.3), 0.55, 0.7)
    canvas.shape(outlines, mix(palette.deep, np.zeros(3, np.float32), 0.35), 0.55)


def _leg(x: float, foot: float, size: float, flip: int, leg: tuple[float, float, float]) -> Outline:
    at, top, lean = leg
    thigh = [(at - 0.055, top), (at + 0.055, top), (at + lean + 0.018, top * 0.45), (at + lean + 0.016, 0.03)]
    hoof = [(at + lean + 0.035, 0.0), (at + lean - 0.022, 0.0), (at + lean - 0.014, top * 0.45)]
    points = thigh + hoof
    return _placed(points, x, foot, size, flip)


_FEATURES: dict[str, list[list[Point]]] = {
    "cat": [[(-.12, .68), (-.11, .88), (-.02, .77)], [(.12, .68), (.11, .88), (.02, .77)]],
    "dog": [[(.30, .70), (.30, .86), (.38, .74)], [(.36, .72), (.38, .86), (.43, .72)]],
    "deer": [
        [(.40, .94), (.36, 1.18), (.28, 1.30), (.27, 1.29), (.34, 1.16), (.37, .94)],
        [(.42, .94), (.50, 1.16), (.60, 1.28), (.61, 1.26), (.53, 1.14), (.45, .93)],
        [(.355, 1.14), (.26, 1.16), (.355, 1.10)],
        [(.34, 1.18), (.40, 1.30), (.36, 1.14)],
        [(.50, 1.12), (.60, 1.13), (.49, 1.08)],
        [(.51, 1.15), (.47, 1.28), (.53, 1.17)],
        [(.36, .92), (.26, .96), (.36, .87)],
    ],
    "horse": [
        [(.36, .96), (.36, 1.08), (.42, .98)],
        [(.16, .66), (.26, .92), (.36, 1.02), (.24, .92), (.12, .72)],
    ],
}  # fmt: skip
"""Ears, antlers, manes: what tells one from another."""


def paint_whale(canvas: Canvas, palette: Palette, x: float, y: float, size: float) -> None:
    """A fluke going down, water running off it."""
    left = [
        (0, 0.02),
        (0.03, 0.16),
        (-0.05, 0.34),
        (-0.22, 0.46),
        (-0.46, 0.48),
        (-0.36, 0.36),
        (-0.18, 0.26),
        (-0.10, 0.08),
        (-0.14, 0),
    ]
    fluke = curve(_placed(left, x, y, size, 1)), curve(_placed([(-px, py) for px, py in left], x, y, size, 1))
    stock = curve(
        _placed([(-0.14, -0.02), (-0.09, 0.18), (0, 0.30), (0.09, 0.18), (0.14, -0.02)], x, y, size, 1)
    )
    canvas.shape([*fluke, stock], mix(palette.deep, palette.land, 0.2), 0.55)
    ripple = [
        ellipse(x, y + size * 0.01 * k, size * (0.24 + 0.13 * k), size * (0.02 + 0.012 * k)) for k in range(3)
    ]
    for ring in ripple:
        canvas.shape([ring], mix(palette.light, palette.haze, 0.5), 0.55, 0.16)


_BUST: list[list[Point]] = [
    [(-.13, .60), (-.145, .74), (-.10, .87), (.01, .92), (.11, .88), (.15, .77), (.165, .70), (.15, .66),
     (.155, .61), (.13, .55), (.05, .50), (-.05, .50)],
    [(-.09, .62), (-.085, .40), (-.14, .32), (.16, .32), (.075, .40), (.07, .56)],
    [(-.47, -.05), (-.44, .16), (-.32, .29), (-.12, .37), (.10, .36), (.30, .28), (.42, .15), (.46, -.05)],
    [(-.10, .55), (-.20, .60), (-.21, .76), (-.14, .92), (.00, .97), (.11, .92), (.13, .83), (.05, .80),
     (-.02, .72), (-.05, .60)],
]  # fmt: skip
"""Head, neck, shoulders, hair."""


def bust(x: float, foot: float, size: float) -> list[Outline]:
    """A head and shoulders in three-quarter view, the hair gathered; `size` is the whole height."""
    bun = ellipse(x + size * 0.20, foot - size * 0.88, size * 0.085, size * 0.075)
    return [*(curve(_placed(part, x, foot, size, -1)) for part in _BUST), bun]
