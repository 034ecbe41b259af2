"""Two JSON Schemas as one that asks for both, as far as their keywords can be put together."""

from collections.abc import Mapping, Sequence
from typing import Any

_ANNOTATIONS = frozenset(
    {"title", "description", "$defs", "definitions", "$schema", "$id", "examples", "$comment", "default"}
)
_GREATER = frozenset(
    {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains", "multipleOf"}
)
_LESSER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains"})
_SCHEMAS = frozenset({"items", "additionalProperties", "contains", "propertyNames"})


def merged(base: Mapping[str, Any], part: Any) -> dict[str, Any]:
    """What cannot be put together (two patterns, `not`) is kept from `base`: the result is checked anyway."""
    result = dict(base)
    if not isinstance(part, Mapping):
        return result if part is not False else {**result, "enum": []}
    for key, value in part.items():
        if key in _ANNOTATIONS:
            continue
        result[key] = _both(key, result[key], value) if key in result else value
    return result


def _both(key: str, one: Any, other: Any) -> Any:
    if key in _GREATER:
        return max(one, other)
    if key in _LESSER:
        return min(one, other)
    if key == "required":
        return list(dict.fromkeys([*one, *other]))
    if key in ("allOf", "anyOf", "oneOf"):
        return [*one, *other] if key == "allOf" else one
    if key == "enum":
        return [value for value in one if value in other]
    if key == "type":
        return _types(one, other)
    if key == "properties":
        return {**one, **other, **{name: _all(one[name], other[name]) for name in one if name in other}}
    return _all(one, other) if key in _SCHEMAS else one


def _all(one: Any, other: Any) -> Any:
    if one is False or other is False:
        return False
    return one if one == other else {"allOf": [one, other]}


def _types(one: str | Sequence[str], other: str | Sequence[str]) -> list[str]:
    """An integer is a number."""
    first, second = ([stated] if isinstance(stated, str) else list(stated) for stated in (one, other))
    shared = [kind for kind in first if kind in second]
    integers = "integer" in first + second and "number" in first + second and "number" not in shared
    return [*shared, "integer"] if integers and "integer" not in shared else shared
