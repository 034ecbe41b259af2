"""Puts a scene together from what the brief asks for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workers.providers.local.media import built, land, life, posters, sky
from workers.providers.local.media.brief import Brief
from workers.providers.local.media.canvas import Canvas
from workers.providers.local.media.palette import Palette, for_brief, mix

ANIMALS = ("deer", "horse", "dog", "cat")


@dataclass(frozen=True, slots=True)
class Stage:
    """What every painter of a place is given."""

    canvas: Canvas
    brief: Brief
    palette: Palette
    rng: np.random.Generator


def build(brief: Brief, width: int, height: int, layered: bool = False) -> tuple[Canvas, Palette]:
    """The scene on a canvas of that size; `layered` keeps planes of depth apart for a moving camera."""
    rng = np.random.default_rng(brief.seed)
    stage = Stage(Canvas(width, height, layered), brief, for_brief(brief, rng), rng)
    _PLACES[brief.scene](stage)
    if brief.has("fog"):
        stage.canvas.add(stage.palette.haze, 0.22, depth=0.55)
    sky.paint_weather(stage.canvas, brief, stage.palette, rng)
    return stage.canvas, stage.palette


def _sea(stage: Stage) -> None:
    canvas, brief, palette, rng = stage.canvas, stage.brief, stage.palette, stage.rng
    horizon = float(rng.uniform(0.56, 0.62))
    lamp = sky.paint_sky(canvas, brief, palette, rng, horizon)
    if brief.has("mountains") or (not brief.has("lighthouse") and rng.random() < 0.5):
        land.paint_ridges(canvas, brief, palette, rng, lamp, horizon - 0.03, horizon + 0.03, 2, 0.35)
    land.paint_sea(canvas, brief, palette, rng, lamp, horizon)
    if brief.has("fog"):
        land.paint_mist(canvas, palette, rng, canvas.height * horizon, canvas.unit * 0.10, 0.85, 0.3)
    away = 0.28 if lamp.x > canvas.width / 2 else 0.72
    if brief.has("lighthouse"):
        built.paint_lighthouse(canvas, brief, palette, rng, lamp, canvas.height * (horizon + 0.16))
    if brief.has("whale"):
        life.paint_whale(
            canvas, palette, canvas.width * away, canvas.height * (horizon + 0.17), canvas.unit * 0.34
        )
    if brief.has("boat") or not (brief.has("lighthouse") or brief.has("whale")):
        x = canvas.width * (1 - away + 0.06 if brief.has("lighthouse") or brief.has("whale") else away)
        built.paint_boat(canvas, brief, palette, rng, x, canvas.height * (horizon + 0.08), 0.075)
    if brief.hour in ("day", "dawn", "dusk") or brief.has("birds"):
        life.paint_birds(canvas, palette, rng, 0.18, 0.4)
    if brief.has("fog"):
        land.paint_mist(canvas, palette, rng, canvas.height * 0.9, canvas.unit * 0.16, 0.75, 1.0)
        land.paint_mist(canvas, palette, rng, canvas.height * (horizon + 0.08), canvas.unit * 0.07, 0.6, 1.0)


def _mountains(stage: Stage) -> None:
    canvas, brief, palette, rng = stage.canvas, stage.brief, stage.palette, stage.rng
    lamp = sky.paint_sky(canvas, brief, palette, rng, 0.62)
    lake = brief.has("sea")
    land.paint_ridges(
        canvas, brief, palette, rng, lamp, 0.42, 0.66 if lake else 0.84, 5, 0.8 if lake else 1.0
    )
    if lake:
        land.paint_sea(canvas, brief, palette, rng, lamp, 0.72)
    if brief.has("house") and not lake:
        built.paint_house(canvas, brief, palette, canvas.width * 0.32, canvas.height * 0.90, 0.06)
    if brief.has("forest") or not lake:
        life.paint_forest(canvas, brief, palette, rng, 0.90, 1.05, 2)
    if brief.has("balloon"):
        built.paint_balloon(canvas, brief, palette, canvas.width * 0.64, canvas.height * 0.26, 0.075)
        built.paint_balloon(canvas, brief, palette, canvas.width * 0.30, canvas.height * 0.40, 0.035)
    if brief.has("birds"):
        life.paint_birds(canvas, palette, rng, 0.15, 0.4)
    _animals(stage, canvas.height * 0.955, 0.2)


def _forest(stage: Stage) -> None:
    canvas, brief, palette, rng = stage.canvas, stage.brief, stage.palette, stage.rng
    lamp = sky.paint_sky(canvas, brief, palette, rng, 0.7)
    land.paint_ridges(canvas, brief, palette, rng, lamp, 0.42, 0.55, 2, 0.3)
    life.paint_forest(canvas, brief, palette, rng, 0.56, 0.99, 5)
    if brief.has("house"):
        built.paint_house(canvas, brief, palette, canvas.width * 0.5, canvas.height * 0.93, 0.075)
    if brief.has("birds"):
        life.paint_birds(canvas, palette, rng, 0.1, 0.3)
    _animals(stage, canvas.height * 0.955, 0.22)


def _city(stage: Stage) -> None:
    canvas, brief, palette, rng = stage.canvas, stage.brief, stage.palette, stage.rng
    sky.paint_sky(canvas, brief, palette, rng, 0.7)
    built.paint_city(canvas, brief, palette, rng, 0.74)
    _reflect(stage, 0.77)
    land.paint_mist(canvas, palette, rng, canvas.height * 0.77, canvas.unit * 0.02, 0.4, 0.55)
    if brief.has("birds"):
        life.paint_birds(canvas, palette, rng, 0.1, 0.3)
    if brief.has("boat"):
        built.paint_boat(canvas, brief, palette, rng, canvas.width * 0.3, canvas.height * 0.86, 0.05)


def _reflect(stage: Stage, level: float) -> None:
    """Still water in front, in which what stands above it is seen broken by ripples."""
    canvas, palette, rng = stage.canvas, stage.palette, stage.rng
    top = int(canvas.height * level)
    height = canvas.height - top
    picture = canvas.flat()
    depth = np.arange(height, dtype=np.float32) / height
    rows = np.clip(top - 1 - (np.arange(height) * 1.6).astype(int), 0, top - 1)
    mirror = picture[rows]
    sway = np.sin(np.arange(height) * 0.9 / (0.3 + depth)) * canvas.unit * 0.006 * (0.3 + depth) + rng.normal(
        0, canvas.unit * 0.0016, height
    )
    columns = np.clip(np.arange(canvas.width)[None, :] + sway[:, None].astype(int), 0, canvas.width - 1)
    mirror = np.take_along_axis(mirror, columns[..., None], axis=1)
    kernel = max(1, height // 30)
    smear = sum(np.roll(mirror, step, 0) for step in range(-kernel, kernel + 1, max(1, kernel // 3)))
    mirror = smear / len(range(-kernel, kernel + 1, max(1, kernel // 3)))
    water = mix(palette.deep, palette.sky[0], 0.35)
    colour = mirror * 0.72 + (water - mirror * 0.72) * (0.25 + 0.45 * depth[:, None, None])
    canvas.add(colour.astype(np.float32), np.ones((height, canvas.width), np.float32), 0.55, top)


def _desert(stage: Stage) -> None:
    canvas, brief, palette, rng = stage.canvas, stage.brief, stage.palette, stage.rng
    lamp = sky.paint_sky(canvas, brief, palette, rng, 0.58)
    land.paint_ridges(canvas, brief, palette, rng, lamp, 0.52, 0.56, 2, 0.35)
    land.paint_dunes(canvas, palette, rng, lamp, 0.58)
    if brief.has("balloon"):
        built.paint_balloon(canvas, brief, palette, canvas.width * 0.66, canvas.height * 0.26, 0.07)
    if brief.has("birds"):
        life.paint_birds(canvas, palette, rng, 0.12, 0.35)
    _animals(stage, canvas.height * 0.86, 0.2)


def _meadow(stage: Stage) -> None:
    canvas, brief, palette, rng = stage.canvas, stage.brief, stage.palette, stage.rng
    lamp = sky.paint_sky(canvas, brief, palette, rng, 0.6)
    land.paint_ridges(canvas, brief, palette, rng, lamp, 0.48, 0.58, 3, 0.5)
    hill = land.paint_meadow(canvas, palette, rng, 0.60)
    x = 0.72 if lamp.x < canvas.width / 2 else 0.26
    if brief.has("house"):
        built.paint_house(canvas, brief, palette, canvas.width * (1 - x), canvas.height * 0.72, 0.085)
    if not any(brief.has(animal) for animal in ANIMALS):
        life.paint_tree(canvas, palette, rng, canvas.width * x, canvas.height * 0.77, canvas.unit * 0.36)
    land.paint_flowers(canvas, brief, palette, rng, slice(0, 5))
    _animals(stage, float(hill[int(canvas.width * x)]) + canvas.unit * 0.06, 0.3, x)
    land.paint_flowers(canvas, brief, palette, rng, slice(5, None))
    if brief.has("balloon"):
        built.paint_balloon(canvas, brief, palette, canvas.width * 0.64, canvas.height * 0.24, 0.075)


def _animals(stage: Stage, foot: float, size: float, x: float | None = None) -> None:
    wanted = [animal for animal in ANIMALS if stage.brief.has(animal)]
    for index, animal in enumerate(wanted):
        at = stage.canvas.width * ((0.5 if x is None else x) + 0.22 * index * (-1) ** index)
        life.paint_animal(
            stage.canvas, animal, stage.palette, at, foot, stage.canvas.unit * size, 1 - 2 * (index % 2)
        )


_PLACES: dict[str, Callable[[Stage], None]] = {
    "sea": _sea,
    "mountains": _mountains,
    "forest": _forest,
    "city": _city,
    "desert": _desert,
    "meadow": _meadow,
    "space": lambda stage: posters.paint_space(stage.canvas, stage.brief, stage.palette, stage.rng),
    "portrait": lambda stage: posters.paint_portrait(stage.canvas, stage.brief, stage.palette, stage.rng),
    "abstract": lambda stage: posters.paint_abstract(stage.canvas, stage.brief, stage.palette, stage.rng),
}
