from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.media.errors import MediaError
from workers.providers.local.media.conform import Conformity, canonical

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 9), st.sampled_from([0.5, 1.0, 2.5]), st.text("ab1", max_size=4)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
small = st.integers(0, 4)
keywords: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null", ["null", "string"]]),
    "enum": st.lists(scalars, min_size=1, max_size=3),
    "const": values,
    "minimum": small, "maximum": small, "exclusiveMinimum": small, "exclusiveMaximum": small,
    "multipleOf": st.sampled_from([1, 2, 0.5]), "minLength": small, "maxLength": small,
    "pattern": st.sampled_from(["^a", "b$", "[ab]{2}", "1+"]),
    "minItems": small, "maxItems": small, "uniqueItems": st.booleans(), "minContains": small, "maxContains": small,
    "required": st.lists(st.sampled_from("abc"), unique=True, max_size=2),
    "minProperties": small, "maxProperties": small,
    "dependentRequired": st.dictionaries(st.sampled_from("ab"), st.just(["c"]), max_size=1),
    "$ref": st.just("#/$defs/part"),
}  # fmt: skip


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas with keywords of every sort, and `inner` ones in them."""
    several, named = (
        st.lists(inner, min_size=1, max_size=2),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    )
    deep = dict.fromkeys(
        ("items", "contains", "not", "if", "then", "else", "additionalProperties", "propertyNames"), inner
    )
    wide = dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), several)
    by_name = dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), named)
    return pick(keywords | deep | wide | by_name) | st.booleans()


def pick(known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(sorted(known)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: known[name] for name in names})
    )


leaf = pick({name: made for name, made in keywords.items() if name != "$ref"})


@settings(max_examples=400, deadline=None)
@given(nested(nested(leaf)), leaf, values)
def test_it_says_what_the_reference_validator_says(schema: Any, part: Any, value: Any) -> None:
    root = {"$defs": {"part": part}, **(schema if isinstance(schema, dict) else {"allOf": [schema]})}
    assert Conformity(root).fits(value, root) == Draft202012Validator(root).is_valid(value)


def test_tenths_are_multiples_of_a_tenth() -> None:
    assert Conformity({}).fits(0.3, {"multipleOf": 0.1})
    assert not Conformity({}).fits(0.35, {"multipleOf": 0.1})


def test_equal_as_json_schema_says() -> None:
    assert canonical({"b": 1.0, "a": [True]}) == canonical({"a": [True], "b": 1})
    assert canonical(True) != canonical(1)


@pytest.mark.parametrize(
    "schema",
    [{"$ref": "#"}, {"enum": ["x" * 10_000_000]}, {"allOf": [{"type": "string"}] * 100_000}],
    ids=["endless", "large", "wide"],
)
def test_work_is_bounded(schema: dict[str, Any]) -> None:
    with pytest.raises(MediaError) as caught:
        Conformity(schema).fits("x", schema)
    assert caught.value.code == "TOO_LARGE"
