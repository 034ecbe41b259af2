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
Samples = NDArray[np.floating[Any]]


def speak(
    text: str,
    voice: str | None = None,
    language: str = "en",
    speed: float = 1.0,
    format: str = "mp3",  # noqa: A002 - the word of the API
    progress: ReportProgress = unreported,
) -> Made:
    """An unknown voice is spoken as the default one, and `metadata.voice` says so; `speed` is held within
    SPEEDS. Raises MediaError: UNSUPPORTED_MEDIA for a language without a voice.
    """
    name = voice.lower() if voice is not None and voice.lower() in VOICES else DEFAULT_VOICE
    rate = round(WORDS_PER_MINUTE * min(SPEEDS[1], max(SPEEDS[0], speed)))
    progress(0.05)
    pcm, sample_rate = espeak.synthesize(
        text, language, VOICES[name], rate, lambda share: progress(0.05 + 0.75 * share)
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
        "duration_s": round(len(pcm) / sample_rate, 3), "voice": name, "language": language,
        "words_per_minute": rate,
    }  # fmt: skip
    return Made(data, media_type.mime, media_type.ext, metadata)


def level(pcm: Samples) -> Samples:
    """Bring the loudness of the spoken parts to LOUDNESS; peaks are bent, not cut."""
    spoken = pcm[np.abs(pcm) > 0.01]
    if len(spoken) == 0:
        return pcm
    raised = pcm * (LOUDNESS / float(np.sqrt(np.mean(spoken**2))))
    return np.asarray(np.tanh(raised / CEILING) * CEILING, np.float32)
