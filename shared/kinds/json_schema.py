"""Whether what a caller gives as a JSON Schema is one: draft 2020-12, within bounds, with no references outside.

Only its form is looked at, which takes time in proportion to its size; nothing is fetched and no pattern is run.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote

MAX_DEPTH: Final = 32
MAX_NODES: Final = 2_000

_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_SCHEMA = frozenset(
    {"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"}
)
_SCHEMAS = frozenset({"prefixItems", "anyOf", "oneOf", "allOf"})
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_FORMS: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (_is_number, "a number")),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
        (_is_size, "a whole number from 0"),
    ),
    **dict.fromkeys(
        ("title", "description", "format", "pattern"), (lambda value: isinstance(value, str), "text")
    ),
    "multipleOf": (lambda value: _is_number(value) and value > 0, "a number over 0"),
    "required": (_are_names, "a list of names"),
    "enum": (lambda value: isinstance(value, list) and bool(value), "a list of values"),
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
}


def checked(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself. Raises ValueError, which says where it is wrong."""
    _Walk(schema).look(schema, "json_schema", 0)
    return schema


class _Walk:
    """One look at all parts of a schema."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def look(self, schema: Any, place: str, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise ValueError(f"the schema is too large: {MAX_DEPTH} levels and {MAX_NODES} parts at most")
        if isinstance(schema, bool) and depth:
            return
        if not isinstance(schema, Mapping):
            raise ValueError(f"{place} must be a schema")
        for name, value in schema.items():
            self._look_at(name, value, f"{place}.{name}", depth)

    def _look_at(self, name: str, value: Any, place: str, depth: int) -> None:
        if name == "type":
            _check_type(value, place)
        elif name == "$ref":
            self._check_reference(value, place)
        elif name in _SCHEMA:
            self.look(value, place, depth + 1)
        elif name in _SCHEMAS:
            if not isinstance(value, list) or not value:
                raise ValueError(f"{place} must be a list of schemas")
            for n, part in enumerate(value):
                self.look(part, f"{place}.{n}", depth + 1)
        elif name in _NAMED_SCHEMAS:
            if not isinstance(value, Mapping):
                raise ValueError(f"{place} must hold schemas by name")
            for key, part in value.items():
                self.look(part, f"{place}.{key}", depth + 1)
        elif name in _FORMS:
            is_right, form = _FORMS[name]
            if not is_right(value):
                raise ValueError(f"{place} must be {form}")

    def _check_reference(self, reference: Any, place: str) -> None:
        node: Any = self._root
        try:
            if reference != "#" and not reference.startswith("#/"):
                raise KeyError(reference)
            for step in unquote(reference[1:]).split("/")[1:]:
                key = step.replace("~1", "/").replace("~0", "~")
                node = node[int(key)] if isinstance(node, list) else node[key]
        except (KeyError, IndexError, ValueError, TypeError, AttributeError):
            raise ValueError(f"{place} must lead to a part of the schema, such as #/$defs/name") from None


def _check_type(value: Any, place: str) -> None:
    several = value if isinstance(value, list) else [value]
    if not several or not all(isinstance(one, str) and one in _TYPES for one in several):
        raise ValueError(f"{place} must be of {', '.join(sorted(_TYPES))}")
