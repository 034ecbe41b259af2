"""What a caller may give as a JSON Schema."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.kinds.json_schema import MAX_DEPTH, MAX_NODES
from shared.kinds.text import TextParameters

BOAT = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "pattern": "^[A-Z]"},
        "crew": {"type": "array", "items": {"$ref": "#/$defs/person"}, "minItems": 0},
        "draught": {"type": ["number", "null"], "exclusiveMinimum": 0, "multipleOf": 0.5},
        "flag": {"enum": ["de", None, 7]},
    },
    "required": ["name"],
    "additionalProperties": False,
    "$defs": {"person": {"anyOf": [{"type": "string"}, {"$ref": "#"}]}},
}


@pytest.mark.parametrize("schema", [BOAT, {}, {"x-own": "words"}, {"items": True}])
def test_a_schema_is_kept_as_it_is(schema: dict[str, Any]) -> None:
    assert TextParameters(prompt="x", json_schema=schema).json_schema == schema


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "text"}, "json_schema.type"),
        ({"type": []}, "json_schema.type"),
        ({"type": 3}, "json_schema.type"),
        ({"properties": ["name"]}, "json_schema.properties"),
        ({"properties": {"name": "string"}}, "json_schema.properties.name"),
        ({"items": [{"type": "string"}]}, "json_schema.items"),
        ({"anyOf": []}, "json_schema.anyOf"),
        ({"anyOf": [{}, {"oneOf": {}}]}, "json_schema.anyOf.1.oneOf"),
        ({"required": "name"}, "json_schema.required"),
        ({"enum": []}, "json_schema.enum"),
        ({"minLength": -1}, "json_schema.minLength"),
        ({"maxItems": "three"}, "json_schema.maxItems"),
        ({"maximum": True}, "json_schema.maximum"),
        ({"multipleOf": 0}, "json_schema.multipleOf"),
        ({"uniqueItems": 1}, "json_schema.uniqueItems"),
        ({"pattern": 7}, "json_schema.pattern"),
        ({"$ref": "#/$defs/nobody"}, "json_schema.$ref"),
        ({"$ref": "https://example.org/schema.json"}, "json_schema.$ref"),
        ({"$ref": 7}, "json_schema.$ref"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(schema: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TextParameters(prompt="x", json_schema=schema)
    (error,) = caught.value.errors()
    assert error["loc"] == ("json_schema",)
    assert f"{place} must" in error["msg"]


def test_a_schema_has_bounds() -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_DEPTH + 1):
        deep = {"not": deep}
    wide: dict[str, Any] = {"prefixItems": [{}] * MAX_NODES}
    for schema in (deep, wide):
        with pytest.raises(ValidationError, match="too large"):
            TextParameters(prompt="x", json_schema=schema)
