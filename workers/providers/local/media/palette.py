"""Colours of the hours of the day, mixed in OKLab so that blends stay clean (Ottosson 2020)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.providers.local.media.brief import Brief

Floats = NDArray[np.floating[Any]]

_TO_LMS = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
_TO_LAB = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip


POSTERS = frozenset({"abstract", "portrait", "space"})


@dataclass(frozen=True, slots=True)
class Palette:
    """sRGB colours, each three numbers in 0 to 1. `sky` runs from the zenith down to the horizon."""

    sky: Floats
    light: Floats
    haze: Floats
    land: Floats
    deep: Floats
    accent: Floats


_HOURS: dict[str, tuple[str, str, str, str, str, str]] = {
    "dawn": ("#4a6fa5 #8fa6c9 #e6c3c0 #fbdcb8", "#fff0d4", "#f0cfc0", "#4f6d74", "#22343f", "#f08a6c"),
    "day": ("#2a6fb8 #5b9bd5 #a5cdec #e3eff5", "#fffbe8", "#cfe2ee", "#4d7d5c", "#1f4038", "#f2b33d"),
    "dusk": (
        "#2b2d5b #6a4478 #d9667a #f9a65a #ffd58a",
        "#fff1c4",
        "#f2a07c",
        "#5b3f66",
        "#1d1a38",
        "#ff7e5f",
    ),
    "night": ("#050b1e #0d1c3d #1c3760 #3a5f86", "#eef3ff", "#30506f", "#1b3049", "#060c1a", "#ffcf70"),
    "storm": ("#2d3742 #47545f #6f7f89 #a3aeb0", "#e5ebea", "#8d9a9f", "#414f54", "#182126", "#d9a441"),
}


def hex_colour(text: str) -> Floats:
    value = int(text.lstrip("#"), 16)
    return np.array([value >> 16 & 255, value >> 8 & 255, value & 255], np.float32) / 255


def for_brief(brief: Brief, rng: np.random.Generator) -> Palette:
    """The hour's palette, turned a little by chance and much by the colours that the prompt names."""
    sky, light, haze, land, deep, accent = _HOURS[brief.hour]
    stops = np.stack([hex_colour(stop) for stop in sky.split()])
    palette = [stops, *(hex_colour(colour) for colour in (light, haze, land, deep, accent))]
    turn, pull = rng.uniform(-0.22, 0.22), 0.42 if brief.tints else 0.0
    tint = np.mean(brief.tints, axis=0) if brief.tints else hex_colour(land)
    # Outdoors the sky keeps the colour of its hour; on a poster every surface takes the prompt's colours.
    sky_pull = pull * (1.2 if brief.scene in POSTERS else 0.35)
    pulls = [sky_pull, sky_pull, sky_pull, pull, pull, pull]
    shifted = [_shift(colour, turn, tint, share) for colour, share in zip(palette, pulls, strict=True)]
    if brief.tints:
        shifted[5] = np.asarray(brief.tints[-1], np.float32)
    if brief.has("snow"):
        shifted[3] = mix(shifted[3], np.array([0.86, 0.91, 0.97], np.float32), 0.55)
    if brief.has("fog"):
        shifted[0] = mix(shifted[0], shifted[2], 0.45)
    return Palette(*shifted)


def to_lab(rgb: Floats) -> Floats:
    """OKLab of sRGB, last axis three."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T, np.float32)


def from_lab(lab: Floats) -> Floats:
    lms = (lab @ np.linalg.inv(_TO_LAB).T) ** 3
    linear = np.clip(lms @ np.linalg.inv(_TO_LMS).T, 0, 1)
    return np.asarray(
        np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055), np.float32
    )


def mix(first: Floats, second: Floats, share: float | Floats) -> Floats:
    """`share` of `second` in `first`."""
    return from_lab(to_lab(np.asarray(first)) * (1 - share) + to_lab(np.asarray(second)) * share)


def ramp(stops: Floats, at: Floats) -> Floats:
    """The colours at positions 0 to 1 along `stops`."""
    lab = to_lab(stops)
    eased = np.asarray(at, np.float32)
    places = np.linspace(0, 1, len(stops))
    return from_lab(np.stack([np.interp(eased, places, lab[:, channel]) for channel in range(3)], axis=-1))


def _shift(colour: Floats, turn: float, tint: Floats, pull: float) -> Floats:
    """Turn the hue by `turn` radians, then pull the hue and chroma, not the lightness, to `tint`."""
    lab = to_lab(colour).copy()
    a, b = lab[..., 1].copy(), lab[..., 2].copy()
    lab[..., 1], lab[..., 2] = a * np.cos(turn) - b * np.sin(turn), a * np.sin(turn) + b * np.cos(turn)
    goal = to_lab(np.asarray(tint, np.float32))
    lab[..., 1:] = lab[..., 1:] * (1 - pull) + goal[1:] * pull
    lab[..., 0] = lab[..., 0] * (1 - pull * 0.25) + goal[0] * pull * 0.25
    return from_lab(lab)
