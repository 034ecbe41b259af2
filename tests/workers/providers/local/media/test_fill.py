import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.media.errors import MediaError
from workers.providers.local.media.fill import fill


def filled(schema: dict[str, Any], seed: int = 1) -> Any:
    """Through JSON and back, as a caller gets it."""
    return json.loads(json.dumps(fill(schema, Random(seed), lambda name: f"some words on {name}")))


SCHEMAS: list[dict[str, Any]] = [
    {
        "type": "object",
        "properties": {
            "title": {"type": "string", "maxLength": 12},
            "n": {"type": "integer", "minimum": 3, "exclusiveMaximum": 9},
        },
        "required": ["title", "n"],
        "additionalProperties": False,
    },
    {"type": "array", "items": {"enum": ["a", "b", "c", "d"]}, "minItems": 4, "uniqueItems": True},
    {"type": "array", "prefixItems": [{"type": "integer"}, {"const": "x"}], "items": False},
    {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "v": {"type": "number"},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                },
                "required": ["v", "next"],
            }
        },
        "$ref": "#/$defs/node",
    },
    {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["children"],
    },
    {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
        ]
    },
    {"type": "string", "pattern": r"^[A-Z]{3}-\d{2,4}(x|y)?$"},
    {"type": "string", "pattern": "^[a-z]+$", "minLength": 9},
    {"type": "string", "minLength": 300},
    {"type": ["null", "string"], "format": "date-time"},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
    {"type": "number", "multipleOf": 0.5, "minimum": 2, "maximum": 3},
    {"type": "integer", "maximum": -5},
    {"oneOf": [{"type": "boolean"}, {"type": "integer"}]},
    {"type": "object", "required": ["free"], "minProperties": 3},
    {"required": ["a"], "properties": {"a": {"minimum": 4}}},
    {"type": "integer", "multipleOf": 1.5, "minimum": 10},
    {"type": "number", "multipleOf": 1000, "minimum": 5},
    {"type": "number", "multipleOf": 0.1, "minimum": 0, "maximum": 1},
    {"type": "integer", "exclusiveMaximum": 0, "multipleOf": 7},
    {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 3}]},
    {"allOf": [{"type": "number"}, {"type": ["integer", "string"]}]},
    {
        "properties": {"a": {"type": "string", "minLength": 5}},
        "allOf": [{"properties": {"a": {"maxLength": 6}}}],
        "required": ["a"],
    },
    {"anyOf": [{"type": "integer", "minimum": 5, "maximum": 4}, {"const": "fine"}]},
    {"anyOf": [False, {"type": "null"}]},
    {"oneOf": [{"type": "integer"}, {"type": "number"}]},
    {"enum": [1, 12, "x", None], "type": "integer", "minimum": 2},
    {"not": {"type": "string"}, "type": ["string", "boolean"]},
    {
        "type": "object",
        "properties": {"a": {"type": "boolean"}, "b": {"type": "null"}},
        "not": {"required": ["b"]},
    },
    {
        "type": "object",
        "properties": {"kind": {"enum": ["one", "two"]}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "one"}}},
        "then": {"required": ["x"]},
        "else": {"required": ["y"]},
    },
    {
        "type": "array",
        "items": {"type": "integer"},
        "contains": {"minimum": 90, "maximum": 95},
        "minContains": 2,
    },
    {"type": "array", "items": {"type": "boolean"}, "maxItems": 2, "uniqueItems": True},
    {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True},
    {"type": "object", "properties": {"a": {}, "b": {}, "c": {}}, "maxProperties": 2, "required": ["c"]},
    {"type": "object", "properties": {"a": {}, "b": False}, "additionalProperties": False},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    {"type": "string", "pattern": r"^(?=.*[A-Z])(?=.*\d).{8,10}$"},
    {"type": "string", "pattern": r"^(ab|c)-\1$"},
    {"type": "string", "pattern": "^[^@]+@[^@]+\\.[a-z]{2,}$", "minLength": 12, "maxLength": 40},
    {"$defs": {"a b": {"type": "integer"}}, "$ref": "#/$defs/a%20b"},
    {
        "$defs": {
            "tree": {
                "type": "object",
                "properties": {k: {"type": "array", "items": {"$ref": "#/$defs/tree"}} for k in "abcde"},
                "required": list("abcde"),
            }
        },
        "$ref": "#/$defs/tree",
    },
    {"properties": {"a/b": {"const": None}, "r": {"$ref": "#/properties/a~1b"}}, "required": ["r"]},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_json_is_valid_against_its_schema(schema: dict[str, Any]) -> None:
    for seed in range(5):
        Draft202012Validator(schema).validate(filled(schema, seed))


leaves = st.one_of(
    st.builds(
        lambda low, span: {"type": "integer", "minimum": low, "maximum": low + span},
        st.integers(-99, 99),
        st.integers(0, 50),
    ),
    st.builds(
        lambda low, span: {"type": "string", "minLength": low, "maxLength": low + span},
        st.integers(0, 40),
        st.integers(0, 40),
    ),
    st.builds(lambda values: {"enum": values}, st.lists(st.integers(), min_size=1, max_size=4)),
    st.sampled_from(
        [{"type": "boolean"}, {"type": "null"}, {"type": "number"}, {"type": "string", "format": "email"}]
    ),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(
            lambda items, low: {"type": "array", "items": items, "minItems": low}, inner, st.integers(0, 4)
        ),
        st.builds(
            lambda fields: {"type": "object", "properties": fields, "required": sorted(fields)},
            st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
        ),
        st.builds(lambda choices: {"anyOf": choices}, st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None)
@given(schemas, st.integers(0, 9))
def test_any_schema_of_the_honoured_kind(schema: dict[str, Any], seed: int) -> None:
    Draft202012Validator(schema).validate(filled(schema, seed))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {}, "minItems": 10**9},
        {"type": "string", "minLength": 10**9},
        {"$ref": "#/$defs/none"},
        {"type": "string", "pattern": "("},
        {"type": "string", "pattern": "a{999999999}"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "integer", "minimum": 5, "maximum": 4},
        {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2},
        {"type": "string", "minLength": 5, "maxLength": 4},
        {"type": "string", "pattern": "^a{9}$", "maxLength": 4},
        {"type": "string", "pattern": "((a{999}){999}){999}"},
        {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 3},
        {"type": "array", "minItems": 3, "maxItems": 2},
        {"type": "object", "required": ["a"], "additionalProperties": False},
        {"type": "object", "properties": {"a": False}, "required": ["a"]},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"allOf": [{"const": 1}, {"const": 2}]},
        {"enum": []},
        {"enum": ["a"], "type": "integer"},
        {"anyOf": [False]},
        {"not": {}},
        {"$ref": "#"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "#anchor"},
    ],
    ids=str,
)
def test_schemas_that_cannot_be_filled_in(schema: dict[str, Any]) -> None:
    with pytest.raises(MediaError):
        filled(schema)


def test_a_pattern_that_backtracks_does_not_hang() -> None:
    assert filled({"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"})


def test_nested_choices_do_not_hang() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(30):
        schema = {"oneOf": [schema, schema]}
    with pytest.raises(MediaError) as caught:
        filled(schema)
    assert caught.value.code == "TOO_LARGE"


def test_same_seed_same_document() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "number"}, "b": {"type": "string", "format": "uuid"}},
    }
    assert filled(schema, 1) == filled(schema, 1) != filled(schema, 2)


@pytest.mark.parametrize("name", ["date", "date-time", "time", "email", "uri", "uuid", "ipv4", "hostname"])
def test_formats(name: str) -> None:
    schema = {"type": "string", "format": name}
    for seed in range(5):
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(
            filled(schema, seed)
        )


def test_a_document_too_long_is_made_lean() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}, "b": {"const": 2}}, "required": ["b"]}
    assert fill(schema, Random(1), str, lambda document: len(document) < 2) == {"b": 2}
    with pytest.raises(MediaError):
        fill(schema, Random(1), str, lambda document: len(document) < 1)
