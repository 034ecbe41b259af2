"""Real speech from eSpeak NG, a formant synthesizer, in the executor's children."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.media import sound
from workers.providers.local.media import espeak
from workers.providers.local.media.made import Made, ReportProgress, unreported

VOICES = {
    "alloy": espeak.Voice("", 50), "echo": espeak.Voice("m3", 42), "fable": espeak.Voice("m2", 58),
    "onyx": espeak.Voice("m7", 28), "nova": espeak.Voice("f2", 58), "shimmer": espeak.Voice("f4", 66),
    "ash": espeak.Voice("m4", 45), "ballad": espeak.Voice("m5", 48), "coral": espeak.Voice("f3", 60),
    "sage": espeak.Voice("f1", 52), "verse": espeak.Voice("m1", 50), "male": espeak.Voice("m3", 45),
    "female": espeak.Voice("f2", 55), "whisper": espeak.Voice("whisper", 50), "child": espeak.Voice("f5", 82),
}  # fmt: skip
"""Product names of voices, each a variant of the language's own voice, and a pitch of 0 to 100."""
DEFAULT_VOICE = "alloy"
WORDS_PER_MINUTE = 165
SPEEDS = (0.5, 2.0)
LOUDNESS = 0.11
"""Root mean square of what is spoken (about -19 dB), peaks held under CEILING."""
CEILING = 0.95
SAMPLE_RATE_FOR_PITCH = 16_000
MAX_SAMPLE_S = 120.0
Samples = NDArray[np.floating[Any]]


def speak(
    text: str,
    voice: str | None = None,
    language: str = "en",
    speed: float = 1.0,
    format: str = "mp3",  # noqa: A002 - the word of the API
    sample: bytes | None = None,
    progress: ReportProgress = unreported,
) -> Made:
    """`sample`, a recording, is matched in pitch, and in being a high or a low voice: no more than that.

    An unknown voice is spoken as the default one, and `metadata.voice` says so; `speed` is held within
    SPEEDS. Raises MediaError: UNSUPPORTED_MEDIA for a language without a voice, CORRUPT for the sample.
    """
    name = voice.lower() if voice is not None and voice.lower() in VOICES else DEFAULT_VOICE
    chosen, matched_hz = VOICES[name], None
    if sample is not None:
        matched_hz = fundamental(sound.samples(sample, SAMPLE_RATE_FOR_PITCH, MAX_SAMPLE_S))
        chosen = matching_voice(matched_hz)
    rate = round(WORDS_PER_MINUTE * min(SPEEDS[1], max(SPEEDS[0], speed)))
    progress(0.05)
    pcm, sample_rate = espeak.synthesize(
        text, language, chosen, rate, lambda share: progress(0.05 + 0.75 * share)
    )
    levelled = level(pcm)
    data = sound.encode(
        levelled[:, None],
        sample_rate,
        format,
        bitrate=64_000,
        progress=lambda share: progress(0.8 + 0.2 * share),
    )
    media_type = sound.media_type(format)
    metadata = {
        "duration_s": round(len(pcm) / sample_rate, 3), "voice": name if sample is None else "matched",
        "language": language, "words_per_minute": rate, "matched_pitch_hz": matched_hz,
    }  # fmt: skip
    return Made(data, media_type.mime, media_type.ext, metadata)


def level(pcm: Samples) -> Samples:
    """Bring the loudness of the spoken parts to LOUDNESS; peaks are bent, not cut."""
    spoken = pcm[np.abs(pcm) > 0.01]
    if len(spoken) == 0:
        return pcm
    raised = pcm * (LOUDNESS / float(np.sqrt(np.mean(spoken**2))))
    return np.asarray(np.tanh(raised / CEILING) * CEILING, np.float32)


def fundamental(samples: Samples, sample_rate: int = SAMPLE_RATE_FOR_PITCH) -> float | None:
    """The median pitch in Hz of what is voiced, by autocorrelation; None when nothing is."""
    window, low, high = sample_rate // 16, sample_rate // 400, sample_rate // 65
    count = min(400, len(samples) // window)
    found = []
    for frame in samples[: count * window].reshape(count, window) if count else ():
        centred = frame - frame.mean()
        energy = float(centred @ centred)
        if energy < 1e-4 * window:
            continue
        spectrum = np.fft.rfft(centred * np.hanning(window), 2 * window)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: high + 1]
        lag = low + int(np.argmax(correlation[low : high + 1]))
        if correlation[lag] > 0.4 * correlation[0]:
            found.append(sample_rate / lag)
    return round(float(np.median(found)), 1) if found else None


def matching_voice(pitch_hz: float | None) -> espeak.Voice:
    """Above about 160 Hz a female variant; the pitch setting moves it to the sample's own."""
    if pitch_hz is None:
        return VOICES[DEFAULT_VOICE]
    if pitch_hz >= 160:
        return espeak.Voice("f2", _within_100(50 + 55 * float(np.log2(pitch_hz / 205))))
    return espeak.Voice("m3", _within_100(50 + 55 * float(np.log2(pitch_hz / 112))))


def _within_100(pitch: float) -> int:
    return round(min(99.0, max(0.0, pitch)))
