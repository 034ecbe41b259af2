import re
from random import Random

import pytest

from shared.media.errors import MediaError
from workers.providers.local.media.patterns import example, matches


@pytest.mark.parametrize(
    "pattern",
    [
        "^[A-Z]{3}-\\d{2,4}(x|y)?$", "abc", "^$", "[^a-z]", "^\\w+\\s\\S+$", "^(?:a|bc)+?d{0}$", "(?P<q>a|b)x(?P=q)",
        "^#[0-9a-fA-F]{6}$", "^(?!x)[a-z]{4}$", "^\\+?[1-9]\\d{6,14}$", "^(\\d{1,3}\\.){3}\\d{1,3}$",
        "\\bcat\\b", "^.{20}$",
    ],
)  # fmt: skip
def test_the_example_matches(pattern: str) -> None:
    for seed in range(10):
        assert re.search(pattern, example(pattern, Random(seed)))


def test_the_length_is_kept() -> None:
    for low, high in ((9, 12), (30, 200), (0, 3)):
        text = example("^[a-z]+$", Random(1), low, high)
        assert low <= len(text) <= high
        assert re.search("^[a-z]+$", text)


@pytest.mark.parametrize(
    "pattern", ["(", "(?<=a", "^(?=b)a$", "^a{50}$", "a{999999}", "(" * 5000 + ")" * 5000]
)
def test_what_has_no_example(pattern: str) -> None:
    with pytest.raises(MediaError):
        example(pattern, Random(1), 0, 10)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^a*a*a*a*a*$", "^((a)?b?)+$"])
def test_a_search_that_may_take_for_ever_is_not_run(pattern: str) -> None:
    assert matches(pattern, "a" * 40 + "!")


def test_an_ordinary_search_is_run() -> None:
    assert matches("^[a-z]+@[a-z]+$", "me@home")
    assert not matches("^[a-z]+@[a-z]+$", "me at home")
