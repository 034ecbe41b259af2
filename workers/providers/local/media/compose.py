"""Music: a small arrangement from genre, mood, tempo and seed, synthesised and mixed in stereo."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.media import sound
from workers.providers.local.media import harmony
from workers.providers.local.media import instruments as play
from workers.providers.local.media.harmony import Genre
from workers.providers.local.media.made import Made, ReportProgress, unreported

RATE = play.RATE
MAX_DURATION_S = 180.0
PEAK, LOUDNESS = 0.92, 0.13
LOWEST_HZ, PRESENCE_HZ, AIR_HZ, PRESENCE = 28.0, 900.0, 7000.0, 1.4
FADE_IN_S, FADE_OUT_S = 0.02, 2.5
Samples = NDArray[np.floating[Any]]


def compose(
    prompt: str,
    genre: str | None = None,
    mood: str | None = None,
    tempo: int | None = None,
    duration_s: float = 30.0,
    seed: int = 0,
    format: str = "mp3",  # noqa: A002 - the word of the API
    progress: ReportProgress = unreported,
) -> Made:
    """The same arguments give the same music. What is not given is taken from the prompt's words.

    `duration_s` is held to MAX_DURATION_S.
    """
    name, feeling = harmony.choose(prompt, genre, mood)
    style, transpose = harmony.in_mood(harmony.GENRES[name], feeling)
    number = int.from_bytes(
        hashlib.sha256(f"{prompt}\n{name}\n{feeling}\n{seed}".encode()).digest()[:8], "big"
    )
    rng = np.random.default_rng(number)
    bpm = tempo or harmony.tempo(prompt, style.tempo)
    root = 48 + transpose + int(rng.integers(-3, 4))
    length = min(MAX_DURATION_S, duration_s)
    band = Band(style, rng, root, 60.0 / bpm, int(length * RATE), rng.choice(len(style.progressions)))
    for bar in range(band.bars):
        band.play_bar(bar)
        progress(0.7 * (bar + 1) / band.bars)
    mix = master(band, style, length)
    progress(0.85)
    data = sound.encode(mix, RATE, format, progress=lambda share: progress(0.85 + 0.15 * share))
    media_type = sound.media_type(format)
    metadata = {
        "duration_s": round(len(mix) / RATE, 3), "genre": name, "mood": feeling, "tempo": bpm, "seed": seed,
        "key": harmony.key_name(style.scale, root),
    }  # fmt: skip
    return Made(data, media_type.mime, media_type.ext, metadata)


@dataclass
class Band:
    """Everyone who plays, and the two tracks that they play onto: dry, and into the room."""

    style: Genre
    rng: np.random.Generator
    root: int
    beat_s: float
    length: int
    progression: int

    def __post_init__(self) -> None:
        self.dry = np.zeros((2, self.length), np.float32)
        self.wet = np.zeros((2, self.length), np.float32)
        self.bars = max(1, int(np.ceil(self.length / RATE / (4 * self.beat_s))))
        self.motif = self._motif()

    def play_bar(self, bar: int) -> None:
        """Parts come in one after the other over the first eight bars, and thin out in the last one, at home."""
        opening, closing = bar, self.bars - bar
        degrees = self.style.progressions[self.progression]
        degree = degrees[bar % len(degrees)] if closing > 1 or bar == 0 else 0
        notes = harmony.chord(self.style, degree, self.root)
        low = harmony.pitch(self.style.scale, degree, self.root - 12)
        is_short = self.bars <= 8
        self._chords(bar, notes)
        if is_short or opening >= 1:
            self._bass(bar, low)
        if self.style.drums and closing > 1 and (is_short or opening >= 2):
            self._drums(bar, self.style.drums)
        if self.style.arpeggio and (is_short or opening >= 2):
            self._arpeggio(bar, notes)
        if self.style.melody and closing > 1 and (is_short or opening >= 4) and bar % 16 < 12:
            self._melody(bar, notes)

    def put(self, samples: Samples, beat: float, gain: float, pan: float = 0.0, send: float = 0.3) -> None:
        """At a beat from the start; `pan` from -1 left to 1 right; `send` is the share into the room."""
        start = int(beat * self.beat_s * RATE)
        part = samples[: max(0, self.length - start)]
        if start < 0 or len(part) == 0:
            return
        angle = (pan + 1) * np.pi / 4
        for channel, share in enumerate((np.cos(angle), np.sin(angle))):
            sounded = part * np.float32(gain * share * 1.3)
            self.dry[channel, start : start + len(part)] += sounded
            self.wet[channel, start : start + len(part)] += sounded * np.float32(send)

    def _swung(self, eighth: int) -> float:
        """The beat of an eighth note within its bar; off-beats come late where the genre swings."""
        late = (self.style.swing - 0.5) if self.style.swing and eighth % 2 else 0.0
        return eighth / 2 + late

    def _chords(self, bar: int, notes: list[int]) -> None:
        beat = bar * 4
        for index, note in enumerate(notes):
            pan = (index / max(1, len(notes) - 1) - 0.5) * 0.9
            if self.style.pad:
                self.put(play.pad(note + 12, 4.4 * self.beat_s), beat, 0.26 * self.style.pad, pan, 0.6)
            if self.style.keys:
                for hit in self._comping(bar):
                    self.put(
                        play.keys(note + 12, 1.8 * self.beat_s),
                        beat + hit + index * 0.012,
                        0.26 * self.style.keys,
                        pan * 0.6,
                    )
        if self.style.lead == "guitar":
            for eighth in range(8):
                accent = 1.0 if eighth % 4 == 0 else 0.72
                for pan in (-0.75, 0.75):
                    self.put(
                        play.guitar(notes[0] - 12, 0.5 * self.beat_s * 1.05),
                        beat + eighth / 2 + 0.008 * pan,
                        0.20 * accent,
                        pan,
                        0.12,
                    )

    def _comping(self, bar: int) -> tuple[float, ...]:
        if self.style.drums == "swing":
            return ((0.0, 1.62), (0.62, 2.62), (1.0, 2.62, 3.62))[bar % 3]
        return (0.0, 1.5, 2.5) if self.style.drums in ("pop", "boombap") else (0.0, 2.0)

    def _bass(self, bar: int, note: int) -> None:
        beat, kind = bar * 4, self.style.bass
        if kind == "walk":
            for step, offset in enumerate((0, 4, 7, 11 if bar % 2 else 9)):
                self.put(
                    play.bass(note + offset - 12 * (note + offset > 50), 0.95 * self.beat_s, kind),
                    beat + step,
                    0.42,
                    0.0,
                    0.06,
                )
            return
        patterns = {
            "sub": ((0.0, 3.8),), "saw": tuple((step / 2, 0.45) for step in range(1, 8, 2)),
            "drive": tuple((step / 2, 0.48) for step in range(8)), "pulse": ((0.0, 1.4), (1.5, 0.9), (2.5, 1.3)),
            "pluck": ((0.0, 1.8), (2.0, 1.8)),
        }  # fmt: skip
        for at, beats in patterns[kind]:
            self.put(play.bass(note, beats * self.beat_s, kind), beat + at, 0.40, 0.0, 0.05)

    def _arpeggio(self, bar: int, notes: list[int]) -> None:
        order = [0, 1, 2, 1, 0, 2, 1, 2] if self.style.drums is None else [0, 2, 1, 2, 0, 1, 2, 1]
        voice = play.saw if self.style.lead == "saw" else play.pluck
        for eighth, index in enumerate(order):
            note = notes[index % len(notes)] + 12 + (12 if eighth in (3, 7) else 0)
            pan = 0.5 * np.sin(eighth * 0.8 + bar)
            self.put(
                voice(note, 1.1 * self.beat_s),
                bar * 4 + self._swung(eighth),
                0.24 * self.style.arpeggio,
                float(pan),
                0.4,
            )

    def _motif(self) -> list[tuple[int, int, int]]:
        """Two bars of (eighth, length in eighths, step): the idea that the melody repeats and varies."""
        found, eighth, step = [], 0, int(self.rng.integers(0, 3))
        while eighth < 16:
            span = int(self.rng.choice([1, 2, 3, 4], p=[0.25, 0.42, 0.13, 0.2]))
            if self.rng.random() < self.style.density + (0.3 if eighth % 8 == 0 else 0.0):
                found.append((eighth, min(span, 16 - eighth), step))
            step += int(self.rng.choice([-2, -1, -1, 0, 1, 1, 2]))
            step = int(np.clip(step, -3, 6))
            eighth += span
        return found

    def _melody(self, bar: int, notes: list[int]) -> None:
        voice = play.LEADS["pluck" if self.style.lead == "guitar" else self.style.lead]
        half, lift = bar % 2, (0, 0, 1, -1)[bar // 2 % 4]
        for eighth, span, step in self.motif:
            if eighth // 8 != half:
                continue
            note = self._sung(step + lift, notes, on_beat=eighth % 4 == 0)
            seconds = span * 0.5 * self.beat_s * (1.6 if self.style.lead in ("bell", "pluck") else 0.96)
            velocity = 0.75 + 0.25 * float(self.rng.random())
            self.put(
                voice(note, round(seconds, 4)),
                bar * 4 + self._swung(eighth % 8),
                0.34 * self.style.melody * velocity,
                0.12,
                0.5,
            )

    def _sung(self, step: int, notes: list[int], on_beat: bool) -> int:
        """A note of the scale two octaves up; on strong beats the nearest note of the chord."""
        note = harmony.pitch(self.style.scale, step, self.root + 24)
        if not on_beat:
            return note
        tones = [tone + 12 * octave for tone in notes for octave in (0, 1, 2, 3)]
        return min(tones, key=lambda tone: (abs(tone - note), tone))

    def _drums(self, bar: int, kind: str) -> None:
        for stroke, at, gain, pan in strokes(kind, bar):
            late = (self.style.swing - 0.5) * 0.9 if self.style.swing and at % 1 == 0.5 else 0.0
            velocity = gain * (0.92 + 0.16 * float(self.rng.random()))
            samples = {
                "kick": play.kick,
                "snare": play.snare,
                "hat": play.hat,
                "tom": play.tom,
                "brush": play.brush,
            }[stroke]()
            self.put(samples, bar * 4 + at + late, velocity, pan, 0.45 if stroke == "tom" else 0.12)


def strokes(kind: str, bar: int) -> Iterator[tuple[str, float, float, float]]:
    """(drum, beat in the bar, gain, pan) of a pattern; every fourth bar ends in a small fill."""
    kicks = {
        "four": (0, 1, 2, 3),
        "rock": (0, 2, 2.5),
        "pop": (0, 1.5, 2),
        "boombap": (0, 0.75, 2.5),
        "swing": (0, 2),
        "toms": (),
    }[kind]
    snares = {"four": (1, 3), "rock": (1, 3), "pop": (1, 3), "boombap": (1, 3)}.get(kind, ())
    yield from (("kick", float(at), 0.34 if kind == "swing" else 0.62, 0.0) for at in kicks)
    yield from (("snare", float(at), 0.40, 0.05) for at in snares)
    if kind == "toms":
        yield from (
            ("tom", at, gain, pan)
            for at, gain, pan in ((0.0, 0.6, -0.2), (1.5, 0.35, 0.2), (2.0, 0.5, -0.1), (3.5, 0.35, 0.3))
        )
    elif kind == "swing":
        yield from (("hat", at, 0.15, 0.35) for at in (0.0, 1.0, 1.5, 2.0, 3.0, 3.5))
        yield from (("brush", at, 0.35, -0.2) for at in (1.0, 3.0))
    else:
        yield from (("hat", step / 2, 0.20 if step % 2 else 0.12, 0.3) for step in range(8))
    if bar % 4 == 3 and kind in ("rock", "pop", "boombap"):
        yield from (("snare", at, 0.26, -0.1) for at in (3.5, 3.75))


def master(band: Band, style: Genre, length_s: float) -> Samples:
    """Room, balance, tape, loudness, soft peaks, fades: (samples, 2)."""
    mix = balanced(band.dry + room(band.wet) * np.float32(style.reverb * 2.2))
    if style.tape:
        mix = _tape(mix)
    mix *= np.float32(LOUDNESS / max(1e-6, float(np.sqrt(np.mean(mix**2)))))
    mix = np.tanh(mix / PEAK) * np.float32(PEAK)
    fade_out = min(FADE_OUT_S, length_s / 4)
    return np.ascontiguousarray((mix * play.envelope(mix.shape[1], FADE_IN_S, fade_out)).T, dtype=np.float32)


def balanced(mix: Samples) -> Samples:
    """Nothing below hearing, and the presence lifted that the voices, dull for the ear's sake, are short of."""
    count = mix.shape[1]
    size = 1 << (count + RATE).bit_length()
    hz = np.fft.rfftfreq(size, 1 / RATE).astype(np.float32)
    presence = hz**2 / (hz**2 + PRESENCE_HZ**2) / (1 + (hz / AIR_HZ) ** 2)
    gain = hz**2 / (hz**2 + LOWEST_HZ**2) * (1 + PRESENCE * presence)
    return np.stack([np.fft.irfft(np.fft.rfft(part, size) * gain, size)[:count] for part in mix])


def room(wet: Samples, seconds: float = 1.9) -> Samples:
    """Convolution, in blocks, with a decaying noise, different at left and right."""
    count = int(seconds * RATE)
    t = np.arange(count, dtype=np.float32) / RATE
    rng = np.random.default_rng(11)
    out = np.empty_like(wet)
    for channel in range(2):
        noise = rng.standard_normal(count).astype(np.float32)
        dull = np.convolve(noise, np.hanning(15).astype(np.float32) / 7.5, "same")
        impulse = dull * np.exp(-3.6 * t / seconds * 1.6) * np.clip(t * 60, 0, 1)
        impulse /= np.sqrt(np.sum(impulse**2))
        out[channel] = _convolved(wet[channel], impulse)
    return out


def _convolved(signal: Samples, impulse: Samples) -> Samples:
    """Overlap-add."""
    size = 1 << 18
    block = size - len(impulse) + 1
    spectrum = np.fft.rfft(impulse, size)
    out = np.zeros(len(signal) + size, np.float32)
    for start in range(0, len(signal), block):
        part = np.fft.irfft(np.fft.rfft(signal[start : start + block], size) * spectrum, size)
        out[start : start + size] += part.astype(np.float32)
    return out[: len(signal)]


def _tape(mix: Samples) -> Samples:
    """Wow and dulled highs, and a trace of hiss."""
    count = mix.shape[1]
    t = np.arange(count, dtype=np.float64) / RATE
    at = np.clip(
        np.arange(count) + 38 * np.sin(2 * np.pi * 0.45 * t) + 6 * np.sin(2 * np.pi * 3.1 * t), 0, count - 1
    )
    kernel = np.hanning(13) / np.hanning(13).sum()
    hiss = np.random.default_rng(5).standard_normal(count) * 0.0012
    wavering = [np.convolve(np.interp(at, np.arange(count), channel), kernel, "same") for channel in mix]
    return np.asarray(np.stack(wavering) + hiss, np.float32)
