"""Schemas that pages draw forms from."""

import pytest

from gateway.forms import FORM, HINTS, with_forms
from shared.kinds import KINDS


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_parameter_is_described_and_has_a_place_of_its_own(kind: str) -> None:
    fields = KINDS[kind].parameters.model_fields
    assert {hint.name for hint in HINTS[kind]} | {"simulate"} == fields.keys()
    schema = with_forms(kind, KINDS[kind].schema(frozenset(fields), {}))
    forms = [spec[FORM] for spec in schema["properties"].values()]
    assert len({form["order"] for form in forms}) == len(forms)
    assert all(form["title"] and form["widget"] for form in forms)


def test_a_form_is_flat_and_within_the_models_limits() -> None:
    schema = with_forms(
        "image",
        KINDS["image"].schema(frozenset({"prompt", "steps", "style", "image"}), {"steps": {"maximum": 50}}),
    )
    prompt, steps, style, file = (
        schema["properties"][name][FORM] for name in ("prompt", "steps", "style", "image")
    )
    assert (prompt["required"], prompt["max_length"], prompt["widget"]) == (True, 8000, "textarea")
    assert (steps["type"], steps["minimum"], steps["maximum"]) == ("integer", 1, 50)
    assert dict(zip(style["enum"], style["labels"], strict=True))["3d-render"] == "3D render"
    assert (file["type"], file["widget"], "image/png" in file["accept"]) == ("string", "file", True)
