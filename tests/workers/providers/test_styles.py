"""Styles, genres, moods and tempos as words of a prompt."""

from typing import Any, get_args

import pytest

from shared.kinds.image import Style
from workers.providers.styles import STYLES, music_prompt, picture_prompt


def test_every_style_that_may_be_asked_for_has_its_words() -> None:
    assert STYLES.keys() == set(get_args(Style))


def test_a_style_follows_the_prompt() -> None:
    assert picture_prompt({"prompt": "a fox. ", "style": "anime"}) == f"a fox, {STYLES['anime']}"
    assert picture_prompt({"prompt": "A fox.", "style": None}) == "A fox."


@pytest.mark.parametrize(
    ("given", "prompt"),
    [
        ({}, "rain"),
        ({"genre": "lo-fi", "mood": "calm"}, "rain, lo-fi, calm"),
        ({"tempo": 79}, "rain, slow tempo, 79 bpm"),
        ({"tempo": 80}, "rain, medium tempo, 80 bpm"),
        ({"tempo": 140}, "rain, medium tempo, 140 bpm"),
        ({"genre": "rock", "mood": None, "tempo": 141}, "rain, rock, fast tempo, 141 bpm"),
    ],
)
def test_music_is_described_by_all_that_was_said(given: dict[str, Any], prompt: str) -> None:
    assert music_prompt({"prompt": "rain", **given}) == prompt
