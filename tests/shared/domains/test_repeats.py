"""Doing it again: which seed a rerun takes."""

from typing import Any

import pytest

from shared.domains.repeats import rerun_of
from shared.ids import new_id

ROW = {
    "id": new_id(), "kind": "image", "model": "m", "prefer": {}, "priority": 0, "webhook": None, "details": {},
    "project_id": None, "group_id": None, "input": {"prompt": "a fox"}, "outputs": [{"details": {"seed": 7}}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "overrides", "expected"),
    [
        ({}, {}, 7),
        ({"input": {"prompt": "a fox", "seed": 3}}, {}, 3),
        ({}, {"seed": 5}, 5),
        ({}, {"seed": None}, None),
        ({"outputs": []}, {}, None),
        ({"outputs": [{"details": {}}]}, {}, None),
        ({"outputs": [{"details": {"seed": 2**32}}]}, {}, None),
        ({"outputs": [{"details": {"seed": -1}}]}, {}, None),
        ({"outputs": [{"details": {"seed": "7"}}]}, {}, None),
    ],
)
def test_the_same_seed_is_the_one_that_was_given_or_drawn(
    row: dict[str, Any], overrides: dict[str, Any], expected: int | None
) -> None:
    new = rerun_of(ROW | row, new_seed=False, overrides=overrides)
    assert new.input.model_dump()["seed"] == expected


def test_a_kind_without_a_seed_takes_none() -> None:
    row = ROW | {"kind": "upscale", "input": {"image": str(new_id())}}
    assert "seed" not in rerun_of(row, new_seed=False, overrides={}).input.model_dump()
