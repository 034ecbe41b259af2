import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.media.errors import MediaError
from workers.providers.local.media.prose import CHARACTERS_PER_TOKEN, NOTE, count_tokens, write


def text(given: dict[str, Any], seed: int = 1) -> str:
    return "".join(write(given, seed).chunks)


@pytest.mark.parametrize(
    "prompt",
    [
        "Tell me a story about a lighthouse",
        "Outline a talk on bees",
        "A poem on rain",
        "Why is the sky blue?",
    ],
)
def test_says_what_it_is_and_keeps_to_the_subject(prompt: str) -> None:
    written = text({"prompt": prompt})
    assert written.startswith(NOTE)
    assert prompt.split()[-1].strip("?").lower() in written.lower()
    assert "{" not in written


def test_deterministic_by_seed_and_prompt() -> None:
    assert text({"prompt": "bees"}) == text({"prompt": "bees"})
    assert text({"prompt": "bees"}) != text({"prompt": "bees"}, 2)
    assert text({"prompt": "bees"}) != text({"prompt": "wasps"})


def test_answers_the_last_message() -> None:
    messages = [
        {"role": "user", "content": "Tell me about bees"},
        {"role": "assistant", "content": "They hum."},
        {"role": "user", "content": "And about volcanoes?"},
    ]
    assert "volcanoes" in text({"messages": messages})


@pytest.mark.parametrize("limit", [1, 7, 50, 100])
def test_no_more_tokens_than_allowed(limit: int) -> None:
    written = write({"prompt": "A story of the sea", "max_tokens": limit}, 1)
    assert 0 < written.output_tokens <= limit
    assert len("".join(written.chunks)) <= limit * CHARACTERS_PER_TOKEN


def test_chunks_are_words_and_are_counted() -> None:
    written = write({"prompt": "A story of the sea"}, 1)
    assert len(written.chunks) > 100
    assert written.input_tokens == count_tokens("A story of the sea") == 5
    assert written.output_tokens == count_tokens("".join(written.chunks))


def test_length_as_asked() -> None:
    words = len(text({"prompt": "Write 600 words about tea", "max_tokens": 4000}).split())
    assert 500 < words < 720


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
    {"properties": {"a/b": {"const": None}, "r": {"$ref": "#/properties/a~1b"}}, "required": ["r"]},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_json_is_valid_against_its_schema(schema: dict[str, Any]) -> None:
    for seed in range(5):
        written = write({"prompt": "a report on tides", "json_schema": schema}, seed)
        assert written.mime == "application/json"
        Draft202012Validator(schema).validate(json.loads("".join(written.chunks)))


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
    Draft202012Validator(schema).validate(json.loads(text({"prompt": "x", "json_schema": schema}, seed)))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": {}, "minItems": 10**9},
        {"type": "string", "minLength": 10**9},
        {"$ref": "#/$defs/none"},
        {"type": "string", "pattern": "("},
        {"type": "string", "pattern": "a{999999999}"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    ],
    ids=str,
)
def test_schemas_that_cannot_be_filled_in(schema: dict[str, Any]) -> None:
    with pytest.raises(MediaError):
        write({"prompt": "x", "json_schema": schema}, 1)


def test_a_pattern_that_backtracks_does_not_hang() -> None:
    assert text({"prompt": "x", "json_schema": {"type": "string", "pattern": "^(([a-z])+.)+[A-Z]([a-z])+$"}})


def test_imports_nothing_heavy() -> None:
    script = "import sys, workers.providers.local.media.prose; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "PIL", "av"} & set(loaded.split())
