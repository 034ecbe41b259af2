import numpy as np
import pytest

from shared.media import sound
from workers.providers.local.media.compose import MAX_DURATION_S, compose
from workers.providers.local.media.harmony import GENRES, choose


def heard(data: bytes) -> sound.Samples:
    return sound.samples(data, 22_050)


@pytest.mark.parametrize("genre", GENRES)
def test_every_genre_sounds_and_is_not_clipped(genre: str) -> None:
    made = compose("something", genre, None, None, 8, 1, "wav")
    samples = heard(made.data)
    assert len(samples) / 22_050 == pytest.approx(8, abs=0.05)
    assert np.abs(samples).max() < 0.98
    seconds = samples[: 7 * 22_050].reshape(7, -1)
    assert (np.sqrt((seconds**2).mean(1)) > 0.02).all()
    assert abs(float(samples.mean())) < 0.01


def test_it_has_notes_and_is_no_hiss() -> None:
    spectrum = np.abs(np.fft.rfft(heard(compose("calm", "ambient", None, None, 8, 1, "wav").data))) ** 2
    loudest = np.sort(spectrum)[::-1]
    assert loudest[: len(loudest) // 50].sum() > 0.9 * loudest.sum()


def test_stereo_in_mp3() -> None:
    made = compose("a tune", None, None, None, 4, 1)
    info = sound.probe(made.data)
    assert (made.mime, info.channels, info.sample_rate) == ("audio/mpeg", 2, 44_100)


def test_deterministic_by_seed() -> None:
    first, again, other = (compose("a tune", "pop", None, None, 4, seed).data for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_beat_is_where_the_tempo_says() -> None:
    """Onsets of a four-to-the-floor kick recur with the beat."""
    for tempo in (100, 150):
        samples = heard(compose("club", "techno", None, tempo, 16, 3, "wav").data)[22_050 * 6 :]
        hop = 147
        energy = np.abs(samples[: len(samples) // hop * hop]).reshape(-1, hop).max(1)
        onsets = np.clip(np.diff(energy), 0, None)
        onsets -= onsets.mean()
        spectrum = np.fft.rfft(onsets, 2 * len(onsets))
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)
        beat = 60 / tempo * 22_050 / hop
        window = range(round(beat * 0.9), round(beat * 1.1))
        assert max(window, key=lambda lag: correlation[lag]) == pytest.approx(beat, rel=0.03)


def test_the_prompt_says_what_is_not_given() -> None:
    assert choose("an epic orchestral battle", None, None) == ("cinematic", "epic")
    assert choose("rainy lofi beats", None, "sad") == ("lo-fi", "sad")
    assert choose("whatever", "Hip Hop", None) == ("hiphop", None)
    assert choose("whatever", "zydeco", None)[0] == "ambient"


def test_length_is_held() -> None:
    assert compose("x", "ambient", None, None, 3, 1).metadata["duration_s"] == 3
    assert MAX_DURATION_S == 180


def test_progress_rises_from_bar_to_bar() -> None:
    seen: list[float] = []
    compose("x", "pop", None, 120, 8, 1, progress=seen.append)
    assert seen == sorted(seen)
    assert len(seen) >= 6
