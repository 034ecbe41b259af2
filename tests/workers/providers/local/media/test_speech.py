import numpy as np
import pytest

from shared.executor import Executor
from shared.media import sound
from shared.media.errors import MediaError
from workers.providers.local.media import espeak
from workers.providers.local.media.speech import speak

RATE = 16_000
WINDOW = RATE // 16
SENTENCE = "The quick brown fox jumps over the lazy dog."


def pitch(data: bytes) -> float:
    """The median pitch in Hz of the loud sixteenths of a second, by autocorrelation."""
    samples = sound.samples(data, RATE)
    frames = samples[: len(samples) // WINDOW * WINDOW].reshape(-1, WINDOW)
    loud = [frame - frame.mean() for frame in frames if float(frame @ frame) > 1e-3 * WINDOW]
    lags = [
        RATE // 400
        + int(np.argmax(np.correlate(frame, frame, "full")[WINDOW - 1 :][RATE // 400 : RATE // 65]))
        for frame in loud
    ]
    return RATE / float(np.median(lags))


@pytest.mark.parametrize(("kind", "codec"), [("mp3", "mp3"), ("wav", "pcm_s16le"), ("ogg", "opus")])
def test_formats_hold_the_same_speech(kind: str, codec: str) -> None:
    made = speak(SENTENCE, None, "en", 1.0, kind)
    samples = sound.samples(made.data, 16_000)
    assert sound.probe(made.data).codec == codec
    assert len(samples) / 16_000 == pytest.approx(made.metadata["duration_s"], abs=0.15)
    assert 0.04 < float((samples**2).mean() ** 0.5) < 0.2
    assert float(abs(samples).max()) < 0.99


def test_longer_texts_take_longer() -> None:
    once, thrice = (speak(SENTENCE * count).metadata["duration_s"] for count in (1, 3))
    assert thrice > 2.4 * once


def test_speed_shortens() -> None:
    slow, usual, fast = (speak(SENTENCE, speed=speed).metadata["duration_s"] for speed in (0.5, 1.0, 2.0))
    assert slow > 1.5 * usual
    assert usual > 1.5 * fast


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Hola, mundo"), ("fr", "Bonjour le monde"), ("de", "Guten Tag, Welt"), ("it", "Ciao mondo"),
        ("pt", "Olá, mundo"), ("zh", "你好，世界"), ("ja", "こんにちは"), ("ko", "안녕하세요"), ("pt-BR", "Bom dia"),
    ],
)  # fmt: skip
def test_languages(language: str, text: str) -> None:
    assert speak(text, None, language).metadata["duration_s"] > 0.4


def test_a_language_that_nobody_speaks_here() -> None:
    with pytest.raises(MediaError) as caught:
        speak("hello", None, "xx")
    assert caught.value.code == "UNSUPPORTED_MEDIA"


def test_voices_differ_in_pitch() -> None:
    low, high = (pitch(speak(SENTENCE, voice, format="wav").data) for voice in ("onyx", "nova"))
    assert high > 1.5 * low


def test_one_call_does_not_colour_the_next() -> None:
    first = speak(SENTENCE, format="wav").data
    speak(SENTENCE, "onyx", "de", 2.0)
    assert speak(SENTENCE, format="wav").data == first


def test_nothing_to_say() -> None:
    with pytest.raises(MediaError):
        speak("   ")


def test_segments_lose_nothing() -> None:
    text = (SENTENCE + " ") * 40 + "x" * 2000
    parts = espeak.segments(text)
    assert "".join(parts) == text
    assert max(map(len, parts)) <= espeak.SEGMENT_CHARACTERS


async def test_in_the_executor_with_progress() -> None:
    seen: list[float] = []
    async with Executor() as executor:
        for _ in range(2):
            target = "workers.providers.local.media.speech:speak"
            made = await executor.call(target, SENTENCE, "nova", on_progress=seen.append)
            assert made.mime == "audio/mpeg"
    assert seen
