import json
from pathlib import Path

import numpy as np
import pytest

from shared.media import sound
from shared.media.errors import MediaError

RATE = 44_100


def tone(seconds: float = 2.0, hz: float = 440.0, channels: int = 2) -> sound.Samples:
    wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("kind", "codec"), [("mp3", "mp3"), ("wav", "pcm_s16le"), ("ogg", "opus"), ("flac", "flac")]
)
def test_encoded_sound_decodes_to_itself(kind: str, codec: str) -> None:
    data = sound.encode(tone(), RATE, kind)
    info = sound.probe(data)
    assert (info.codec, info.channels) == (codec, 2)
    back = sound.samples(data, RATE)
    assert len(back) / RATE == pytest.approx(2.0, abs=0.06)
    spectrum = np.abs(np.fft.rfft(back))
    assert np.argmax(spectrum) * RATE / len(back) == pytest.approx(440, abs=2)


def test_peaks_are_a_thousand_pairs_that_follow_the_sound(tmp_path: Path) -> None:
    wave = tone(3.0)
    wave[: len(wave) // 2] *= 0.1
    path = tmp_path / "a.mp3"
    path.write_bytes(sound.encode(wave, RATE, "mp3"))
    info, document = sound.peaks(path)
    pairs = np.array(document["data"]).reshape(-1, 2)
    assert json.loads(json.dumps(document)) == document
    assert len(pairs) == document["length"] == 1000
    assert info.duration_s == pytest.approx(3.0, abs=0.06)
    assert pairs.min() >= -128
    assert pairs.max() <= 127
    quiet, loud = pairs[200:400], pairs[600:800]
    assert quiet[:, 1].max() < 12
    assert loud[:, 1].min() > 50
    assert loud[:, 0].max() < -50


def test_peaks_of_a_very_short_sound() -> None:
    _, document = sound.peaks(sound.encode(tone(0.01, channels=1), RATE, "wav"))
    assert len(document["data"]) == 2000


@pytest.mark.parametrize("data", [b"", b"ID3\x04\0\0\0\0\0\0nothing", b"RIFF\x24\0\0\0WAVEfmt ", b"<html>"])
def test_broken_sound_is_corrupt(data: bytes) -> None:
    with pytest.raises(MediaError) as caught:
        sound.peaks(data)
    assert caught.value.code == "CORRUPT"


def test_too_long_a_sound_is_refused() -> None:
    with pytest.raises(MediaError) as caught:
        sound.samples(sound.encode(tone(2.0), RATE, "wav"), RATE, max_duration_s=1.0)
    assert caught.value.code == "TOO_LARGE"


def test_progress_rises_to_the_end() -> None:
    seen: list[float] = []
    sound.encode(tone(4.0), RATE, "mp3", progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] > 0.7
