"""Whether a document is valid against a JSON Schema, by draft 2020-12, in a bounded number of steps.

The schema is the caller's, and it is checked on an event loop: a general validator, which has no such bound,
can be kept busy for hours by a few nested choices. Left out: `unevaluated…`, `$dynamicRef`, references to
other documents; `format` says nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any
from urllib.parse import unquote

from shared.media.errors import MediaError, MediaFault
from workers.providers.local.media.patterns import matches

MAX_STEPS = 40_000
MAX_DEPTH = 100
Schema = Mapping[str, Any]


def target(root: Schema, reference: str) -> Any:
    """What a reference within the document points at. Raises MediaError when that is nothing."""
    node: Any = root
    try:
        if not reference.startswith("#"):
            raise KeyError(reference)
        for step in unquote(reference[1:]).split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else node[key]
        if not isinstance(node, Mapping | bool) or (len(reference) > 1 and reference[1] != "/"):
            raise KeyError(reference)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        message = f"the schema's reference {reference[:80]} leads nowhere"
        raise MediaError(MediaFault.UNSUPPORTED_MEDIA, message) from error
    return node


def canonical(value: Any) -> str:
    """The same text for what JSON Schema calls equal: 1 is 1.0, and true is not 1."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return is_number(value) and (isinstance(value, int) or value.is_integer())


TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": _is_integer,
    "number": is_number,
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


class Conformity:
    """Asks about any number of values against `root` and its parts; the steps are counted over all of them."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._steps = 0

    def fits(self, value: Any, schema: Any, depth: int = 0) -> bool:
        """Raises MediaError: TOO_LARGE past MAX_STEPS or MAX_DEPTH, UNSUPPORTED_MEDIA for a lost reference."""
        self._spend(1)
        if depth > MAX_DEPTH:
            raise MediaError(MediaFault.TOO_LARGE, "the schema is nested too deeply")
        if not isinstance(schema, Mapping):
            return schema is not False
        return (
            self._is_one_of(value, schema)
            and self._in_type(value, schema, depth)
            and self._in_combination(value, schema, depth + 1)
        )

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise MediaError(MediaFault.TOO_LARGE, "the schema takes too long to check")

    def _is_one_of(self, value: Any, schema: Schema) -> bool:
        if "const" in schema and self._text(value) != self._text(schema["const"]):
            return False
        return "enum" not in schema or self._text(value) in map(self._text, schema["enum"])

    def _text(self, value: Any) -> str:
        text = canonical(value)
        self._spend(1 + len(text) // 64)
        return text

    def _matches(self, pattern: str, text: str) -> bool:
        self._spend(20 + len(pattern) // 16)
        return matches(pattern, text)

    def _in_type(self, value: Any, schema: Schema, depth: int) -> bool:
        stated = schema.get("type")
        kinds = [stated] if isinstance(stated, str) else stated or ()
        if kinds and not any(TYPES[kind](value) for kind in kinds):
            return False
        if isinstance(value, Mapping):
            return self._object(value, schema, depth + 1)
        if isinstance(value, list):
            return self._array(value, schema, depth + 1)
        if isinstance(value, str):
            return self._string(value, schema)
        return not is_number(value) or number_fits(value, schema)

    def _string(self, value: str, schema: Schema) -> bool:
        return schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)) and (
            "pattern" not in schema or self._matches(schema["pattern"], value)
        )

    def _array(self, value: list[Any], schema: Schema, depth: int) -> bool:
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            return False
        if schema.get("uniqueItems") and len(set(map(self._text, value))) < len(value):
            return False
        first, rest = positions(schema)
        schemas = [*first, *[rest] * (len(value) - len(first))]
        return all(
            self.fits(item, part, depth) for item, part in zip(value, schemas, strict=False)
        ) and self._contains(value, schema, depth)

    def _contains(self, value: list[Any], schema: Schema, depth: int) -> bool:
        if "contains" not in schema:
            return True
        found = sum(self.fits(item, schema["contains"], depth) for item in value)
        return bool(schema.get("minContains", 1) <= found <= schema.get("maxContains", len(value)))

    def _object(self, value: Mapping[str, Any], schema: Schema, depth: int) -> bool:
        if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
            return False
        needed = list(schema.get("required", ()))
        for name, others in schema.get("dependentRequired", {}).items():
            needed += others if name in value else ()
        self._spend(len(needed))
        dependent = (part for name, part in schema.get("dependentSchemas", {}).items() if name in value)
        return (
            all(name in value for name in needed)
            and all(self.fits(name, schema.get("propertyNames", True), depth) for name in value)
            and all(self.fits(value, part, depth) for part in dependent)
            and all(
                self.fits(item, part, depth)
                for name, item in value.items()
                for part in self._property_schemas(schema, name)
            )
        )

    def _property_schemas(self, schema: Schema, name: str) -> list[Any]:
        """Every schema that a property of this name must fit."""
        known: Schema = schema.get("properties", {})
        found = [known[name]] if name in known else []
        for pattern, part in schema.get("patternProperties", {}).items():
            found += [part] if self._matches(pattern, name) else []
        return found or [schema.get("additionalProperties", True)]

    def _in_combination(self, value: Any, schema: Schema, depth: int) -> bool:
        """Of references, choices and conditions."""
        if "$ref" in schema and not self.fits(value, target(self._root, schema["$ref"]), depth):
            return False
        if not all(self.fits(value, part, depth) for part in schema.get("allOf", ())):
            return False
        if "anyOf" in schema and not any(self.fits(value, part, depth) for part in schema["anyOf"]):
            return False
        if "oneOf" in schema and sum(self.fits(value, part, depth) for part in schema["oneOf"]) != 1:
            return False
        if "not" in schema and self.fits(value, schema["not"], depth):
            return False
        if "if" not in schema:
            return True
        outcome = "then" if self.fits(value, schema["if"], depth) else "else"
        return self.fits(value, schema.get(outcome, True), depth)


def positions(schema: Schema) -> tuple[Sequence[Any], Any]:
    """The schemas of an array's first items, one each, and of all that follow (older drafts' way too)."""
    items = schema.get("items", True)
    if isinstance(items, list):
        return items, schema.get("additionalItems", True)
    return schema.get("prefixItems", ()), items


def number_fits(value: float, schema: Schema) -> bool:
    """Bounds and multiple, the multiple by decimal digits: 0.3 is a multiple of 0.1."""
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
        and ("multipleOf" not in schema or exact(value) % exact(schema["multipleOf"]) == 0)
    )


def exact(number: float) -> Fraction:
    return Fraction(str(number))
