from functools import cache

import numpy as np
import pytest

from shared.media import sound
from workers.providers.local.media import harmony
from workers.providers.local.media.compose import MAX_DURATION_S, compose
from workers.providers.local.media.harmony import GENRES, choose

BANDS = ((20, 150), (150, 600), (600, 2500), (2500, 10_000))


def heard(data: bytes) -> sound.Samples:
    return sound.samples(data, 22_050)


@cache
def piece(genre: str) -> bytes:
    return compose("something", genre, None, 100, 8, 1, "wav").data


def decibels(share: float) -> float:
    return float(20 * np.log10(max(share, 1e-9)))


def bands(samples: sound.Samples) -> list[float]:
    """The power in each of BANDS, in dB of the whole."""
    power = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / 22_050)
    return [
        decibels(float(np.sqrt(power[(hz >= low) & (hz < high)].sum() / power.sum()))) for low, high in BANDS
    ]


@pytest.mark.parametrize("genre", GENRES)
def test_every_genre_sounds_and_is_not_clipped(genre: str) -> None:
    samples = heard(piece(genre))
    assert len(samples) / 22_050 == pytest.approx(8, abs=0.05)
    loudness = decibels(float(np.sqrt((samples**2).mean())))
    assert -23 < loudness < -15
    assert 0.25 < np.abs(samples).max() < 0.98
    assert 9 < decibels(float(np.abs(samples).max())) - loudness < 18
    seconds = samples[: 7 * 22_050].reshape(7, -1)
    assert (np.sqrt((seconds**2).mean(1)) > 0.02).all()
    assert abs(float(samples.mean())) < 0.001


@pytest.mark.parametrize("genre", GENRES)
def test_low_middle_and_presence_are_all_there_and_none_is_harsh(genre: str) -> None:
    low, warm, middle, high = bands(heard(piece(genre)))
    assert min(low, warm, middle) > -20
    assert -45 < high < -8


def test_it_fades_out_to_nothing() -> None:
    samples = np.abs(heard(compose("a tune", "rock", None, None, 12, 1, "wav").data))
    assert samples[: 9 * 22_050].max() > 0.4
    assert samples[-220:].max() < 0.01


def test_left_and_right_differ_but_agree() -> None:
    with sound.opened(compose("a tune", "pop", None, None, 6, 1, "wav").data) as container:
        pcm = np.concatenate([frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)])
    assert 0.2 < np.corrcoef(pcm[:, 0], pcm[:, 1])[0, 1] < 0.99


@pytest.mark.parametrize(("format_", "slack_s"), [("wav", 0.0), ("mp3", 0.06)])
@pytest.mark.parametrize("seconds", [3.0, 7.25])
def test_duration_is_what_was_asked(format_: str, slack_s: float, seconds: float) -> None:
    data = compose("a tune", "jazz", None, None, seconds, 1, format_).data
    assert sound.probe(data).duration_s == pytest.approx(seconds, abs=slack_s + 1 / 44_100)
    assert len(sound.samples(data, 44_100)) / 44_100 == pytest.approx(seconds, abs=slack_s + 1 / 44_100)


def test_genres_differ() -> None:
    sounds = [bands(heard(piece(genre))) for genre in GENRES]
    for index, one in enumerate(sounds):
        assert all(np.abs(np.subtract(one, other)).max() > 0.3 for other in sounds[:index])


def test_it_has_notes_and_is_no_hiss() -> None:
    spectrum = np.abs(np.fft.rfft(heard(piece("ambient")))) ** 2
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
    assert choose("a melancholy piece for a saxophone", None, None) == ("jazz", "sad")
    assert choose("something joyful", None, None) == ("pop", "happy")


def test_only_whole_words_name_a_genre() -> None:
    assert choose("a lighthouse, wrapped in fog, a popular rocket", None, None) == ("ambient", None)
    assert choose("deep house for a crusade", None, None) == ("electronic", None)
    assert choose("whatever", "house", None)[0] == "electronic"


@pytest.mark.parametrize(
    ("prompt", "bpm"),
    [("a tune at 93 bpm", 93), ("a tune", 110), ("a fast tune", 132), ("999 bpm", 220), ("20bpm", 40)],
)
def test_the_prompt_may_say_the_tempo(prompt: str, bpm: int) -> None:
    assert harmony.tempo(prompt, 110) == bpm


def test_metadata_says_what_is_played() -> None:
    made = compose("a sad tune", "pop", None, 90, 3, 5)
    assert made.metadata.items() >= {"genre": "pop", "mood": "sad", "tempo": 90, "seed": 5}.items()
    assert made.metadata["key"].endswith(" minor")


def test_length_is_held() -> None:
    assert compose("x", "ambient", None, None, 3, 1).metadata["duration_s"] == 3
    assert MAX_DURATION_S == 180


def test_progress_rises_from_bar_to_bar() -> None:
    seen: list[float] = []
    compose("x", "pop", None, 120, 8, 1, progress=seen.append)
    assert seen == sorted(seen)
    assert 0 < seen[0] < 0.3
    assert 0.9 < seen[-1] <= 1
    assert len(seen) >= 6
