from typing import Any

import pytest

from cli.errors import BadUsage
from cli.inputs import merge, parse_parameters


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("24", 24),
        ("1.5", 1.5),
        ("true", True),
        ("null", None),
        ('{"a":[1]}', {"a": [1]}),
        ('"24"', "24"),
        ("16:9", "16:9"),
        ("NaN", "NaN"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_values_are_json_or_text(value: str, expected: Any) -> None:
    assert parse_parameters([f"name={value}"]) == {"name": expected}


@pytest.mark.parametrize("pairs", [["name"], ["=1"], ["a=1", "a=2"]])
def test_what_is_no_pair_is_refused(pairs: list[str]) -> None:
    with pytest.raises(BadUsage):
        parse_parameters(pairs)


def test_options_that_were_not_given_are_left_out() -> None:
    assert merge({"seed": 0, "size": None}, {"steps": 4}) == {"seed": 0, "steps": 4}
    with pytest.raises(BadUsage, match="seed"):
        merge({"seed": 0}, {"seed": 1})
