"""Voices made of sums of waves: each function gives the mono samples of one note or stroke."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 44_100
REPEATS = 24
"""Notes of one instrument that are kept for when they come again."""
Samples = NDArray[np.floating[Any]]


def frequency(note: float) -> float:
    """Hz of a MIDI note."""
    return float(440.0 * 2 ** ((note - 69) / 12))


def clock(seconds: float) -> Samples:
    return np.arange(max(1, int(seconds * RATE)), dtype=np.float32) / np.float32(RATE)


def envelope(count: int, attack_s: float, release_s: float) -> Samples:
    """Up over the attack, level, down over the release; cosine slopes, so nothing clicks."""
    shape = np.ones(count, np.float32)
    rise, fall = min(count, max(8, int(attack_s * RATE))), min(count, max(8, int(release_s * RATE)))
    shape[:rise] *= 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, rise, dtype=np.float32))
    shape[-fall:] *= 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, fall, dtype=np.float32))
    return shape


def _partials(
    hz: float, seconds: float, levels: list[float], decay: float = 0.0, detune: float = 0.0
) -> Samples:
    t = clock(seconds)
    total = np.zeros_like(t)
    for index, strength in enumerate(levels, 1):
        if hz * index > RATE * 0.42:
            break
        wave = np.sin(np.float32(2 * np.pi * hz * index * (1 + detune * index)) * t)
        total += (
            wave
            * np.float32(strength)
            * (np.exp(np.float32(-decay * index**0.7) * t) if decay else np.float32(1))
        )
    return total


@lru_cache(REPEATS)
def pad(note: int, seconds: float) -> Samples:
    """Two detuned voices with a slow swell."""
    hz = frequency(note)
    levels = [1, 0.42, 0.22, 0.12, 0.06]
    body = _partials(hz * 1.0025, seconds, levels) + _partials(hz * 0.9975, seconds, levels)
    return body * envelope(len(body), min(0.9, seconds * 0.35), min(1.2, seconds * 0.4)) * 0.3


@lru_cache(REPEATS)
def keys(note: int, seconds: float) -> Samples:
    """An electric piano: a struck tine with a bell in its attack."""
    hz, t = frequency(note), clock(seconds)
    bell = np.sin(2 * np.pi * hz * 7.0 * t) * np.exp(-18 * t) * 0.5
    body = np.sin(2 * np.pi * hz * t + bell + 0.35 * np.sin(2 * np.pi * hz * t) * np.exp(-2.2 * t))
    body += 0.22 * np.sin(4 * np.pi * hz * t) * np.exp(-3.5 * t)
    return np.asarray(body * np.exp(-1.5 * t) * envelope(len(t), 0.004, 0.12) * 0.6, np.float32)


@lru_cache(REPEATS)
def pluck(note: int, seconds: float) -> Samples:
    """A string: higher partials die sooner."""
    body = _partials(frequency(note), seconds, [1, 0.6, 0.42, 0.3, 0.2, 0.13, 0.08, 0.05], 2.6, 0.00012)
    return body * envelope(len(body), 0.003, 0.06) * 0.42


@lru_cache(REPEATS)
def bell(note: int, seconds: float) -> Samples:
    hz, t = frequency(note), clock(seconds)
    body = np.sin(2 * np.pi * hz * t + 1.1 * np.exp(-4 * t) * np.sin(2 * np.pi * hz * 3.5 * t)) * np.exp(
        -2.1 * t
    )
    return np.asarray(body * envelope(len(t), 0.006, 0.2) * 0.5, np.float32)


@lru_cache(REPEATS)
def saw(note: int, seconds: float) -> Samples:
    """Three detuned saws whose brightness falls after the attack."""
    hz = frequency(note)
    bright = [1 / n for n in range(1, 12)]
    voices = [_partials(hz * bend, seconds, bright, 0.8) for bend in (0.995, 1.0, 1.005)]
    body = np.sum(voices, axis=0)
    return np.asarray(body * envelope(len(body), 0.008, 0.09) * 0.2, np.float32)


@lru_cache(REPEATS)
def strings(note: int, seconds: float) -> Samples:
    """Bowed: slow attack, vibrato, a little brightness."""
    hz, t = frequency(note), clock(seconds)
    vibrato = 0.0035 * hz / 5.2 * np.sin(2 * np.pi * 5.2 * t) * np.clip(t * 2.2 - 0.4, 0, 1)
    phase = 2 * np.pi * (hz * t + vibrato)
    body = sum(np.sin(phase * n) / n**1.25 for n in range(1, 9))
    return np.asarray(
        body * envelope(len(t), min(0.14, seconds / 3), min(0.22, seconds / 3)) * 0.34, np.float32
    )


@lru_cache(REPEATS)
def reed(note: int, seconds: float) -> Samples:
    """A clarinet-like tone with breath vibrato: odd partials."""
    hz, t = frequency(note), clock(seconds)
    phase = 2 * np.pi * (hz * t + 0.004 * hz / 5 * np.sin(2 * np.pi * 5 * t) * np.clip(t * 2 - 0.3, 0, 1))
    body = (
        np.sin(phase)
        + 0.12 * np.sin(2 * phase)
        + 0.42 * np.sin(3 * phase)
        + 0.18 * np.sin(5 * phase)
        + 0.07 * np.sin(7 * phase)
    )
    return np.asarray(body * envelope(len(t), 0.035, 0.08) * 0.4, np.float32)


@lru_cache(REPEATS)
def guitar(note: int, seconds: float) -> Samples:
    """A power chord, driven; the drive is oversampled by keeping the input dull."""
    root = _partials(frequency(note), seconds, [1, 0.5, 0.3, 0.2, 0.1], 0.7)
    fifth = _partials(frequency(note + 7), seconds, [1, 0.5, 0.3, 0.15], 0.7)
    driven = np.tanh((root + fifth) * 1.7)
    smooth = np.convolve(driven, np.hanning(9).astype(np.float32) / 4, "same")
    return np.asarray(smooth * envelope(len(smooth), 0.005, 0.08) * 0.34, np.float32)


@lru_cache(REPEATS)
def bass(note: int, seconds: float, kind: str) -> Samples:
    levels = {
        "sub": [1, 0.18, 0.05],
        "saw": [1, 0.6, 0.42, 0.3, 0.2, 0.12],
        "drive": [1, 0.7, 0.45, 0.25, 0.12],
    }
    body = _partials(
        frequency(note), seconds, levels.get(kind, [1, 0.5, 0.24, 0.1]), 0.35 if kind == "sub" else 1.1
    )
    if kind == "drive":
        body = np.tanh(body * 1.3)
    return np.asarray(body * envelope(len(body), 0.008, min(0.09, seconds / 3)) * 0.55, np.float32)


@lru_cache(REPEATS)
def kick() -> Samples:
    t = clock(0.34)
    phase = 2 * np.pi * (46 * t + 105 / 26 * (1 - np.exp(-26 * t)))
    return np.asarray(np.sin(phase) * np.exp(-9 * t) * envelope(len(t), 0.001, 0.05), np.float32)


@lru_cache(REPEATS)
def tom() -> Samples:
    t = clock(0.8)
    phase = 2 * np.pi * (62 * t + 60 / 12 * (1 - np.exp(-12 * t)))
    return np.asarray(
        (np.sin(phase) + 0.3 * np.sin(1.52 * phase)) * np.exp(-5 * t) * envelope(len(t), 0.002, 0.1),
        np.float32,
    )


@lru_cache(REPEATS)
def snare() -> Samples:
    t = clock(0.24)
    noise = _noise(len(t), 1)
    body = np.sin(2 * np.pi * 186 * t) * np.exp(-22 * t) * 0.6
    return np.asarray((noise * np.exp(-17 * t) * 0.55 + body) * envelope(len(t), 0.001, 0.03), np.float32)


@lru_cache(REPEATS)
def brush() -> Samples:
    t = clock(0.18)
    return np.asarray(_noise(len(t), 2) * np.exp(-14 * t) * envelope(len(t), 0.02, 0.06) * 0.35, np.float32)


@lru_cache(REPEATS)
def hat(open_s: float = 0.05) -> Samples:
    t = clock(open_s * 3)
    noise = np.diff(np.diff(_noise(len(t) + 2, 3)))
    return np.asarray(noise * np.exp(-t / open_s * 2.2) * envelope(len(t), 0.001, 0.01) * 0.3, np.float32)


def _noise(count: int, seed: int) -> Samples:
    return np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)


LEADS = {"bell": bell, "strings": strings, "saw": saw, "reed": reed, "guitar": guitar, "pluck": pluck}
