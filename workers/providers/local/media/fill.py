"""Fills in a JSON Schema: walks it and makes up a document that is valid against it.

Honoured: type, properties, required, items, prefixItems, enum, const, default, anyOf, oneOf, allOf, local
$ref, minimum and maximum (also exclusive), multipleOf, minLength, maxLength, pattern, format, minItems,
maxItems, uniqueItems. Not: `not`, `if`, `contains`, `dependent…`, references to other documents.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from re import _constants as sre  # type: ignore[attr-defined]  # the parse tree has no public name
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

from shared.media.errors import MediaError, MediaFault

MAX_DEPTH = 24
OPTIONAL_DEPTH = 6
"""Deeper than this only what is required is filled in, which ends recursive schemas."""
MAX_NODES = 20_000
MAX_LENGTH = 200_000
_ANNOTATIONS = frozenset(
    {"title", "description", "$defs", "definitions", "$schema", "$id", "examples", "$comment"}
)
_FORMATS: dict[str, Callable[[Random], str]] = {
    "date": lambda rng: f"20{rng.randint(20, 29)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
    "time": lambda rng: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00Z",
    "date-time": lambda rng: f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T12:00:00Z",
    "email": lambda rng: f"reader{rng.randint(1, 999)}@example.com",
    "uri": lambda rng: f"https://example.com/{rng.randint(1, 9999)}",
    "hostname": lambda rng: "example.com",
    "ipv4": lambda rng: f"192.0.2.{rng.randint(1, 254)}",
    "ipv6": lambda rng: f"2001:db8::{rng.randint(1, 9999)}",
    "uuid": lambda rng: (
        f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4000-8000-{rng.getrandbits(48):012x}"
    ),
}


class Filler:
    """One document. `words` makes a phrase for a property of a given name."""

    def __init__(self, schema: Mapping[str, Any], rng: Random, words: Callable[[str], str]) -> None:
        self._root, self._rng, self._words = schema, rng, words
        self._nodes = 0
        self._makers: dict[str, Callable[[Mapping[str, Any], str, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda *_: self._rng.random() < 0.5,
            "null": lambda *_: None,
        }

    def fill(self) -> Any:
        """Raises MediaError: TOO_LARGE, or UNSUPPORTED_MEDIA for a reference that leads nowhere."""
        return self._value(self._root, "text", 0)

    def _value(self, schema: Any, name: str, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise MediaError(MediaFault.TOO_LARGE, "the schema asks for too large a document")
        if not isinstance(schema, Mapping):  # true: anything will do
            return self._words(name)
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return self._rng.choice(schema["enum"])
        return self._makers[self._type(schema)](schema, name, depth)

    def _resolved(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
        """The schema with its reference followed and its combinations merged into it."""
        merged = dict(schema)
        for _ in range(MAX_DEPTH):
            parts: list[Any] = [self._target(merged.pop("$ref"))] if "$ref" in merged else []
            parts += merged.pop("allOf", [])
            choices = merged.pop("anyOf", None) or merged.pop("oneOf", None)
            if choices:
                parts.append(self._shallowest(choices) if depth >= OPTIONAL_DEPTH else choices[0])
            if not parts:
                break
            for part in parts:
                merged = _merge(merged, part if isinstance(part, Mapping) else {})
        return merged

    def _target(self, reference: str) -> Any:
        node: Any = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(key)] if isinstance(node, Sequence) else node[key]
            except (KeyError, IndexError, ValueError, TypeError) as error:
                message = f"the schema's reference {reference[:80]} leads nowhere"
                raise MediaError(MediaFault.UNSUPPORTED_MEDIA, message) from error
        return node

    def _shallowest(self, choices: Sequence[Any]) -> Any:
        def weight(choice: Any) -> int:
            nested = isinstance(choice, Mapping) and (
                "$ref" in choice or choice.get("type") in ("object", "array")
            )
            return 1 if nested else 0

        return min(choices, key=weight)

    def _type(self, schema: Mapping[str, Any]) -> str:
        stated = schema.get("type")
        if isinstance(stated, list):
            stated = next((kind for kind in stated if kind != "null"), "null")
        if stated in self._makers:
            return str(stated)
        if "properties" in schema or "required" in schema:
            return "object"
        if "items" in schema or "prefixItems" in schema or "minItems" in schema:
            return "array"
        return "number" if {"minimum", "maximum", "multipleOf"} & set(schema) else "string"

    def _object(self, schema: Mapping[str, Any], _: str, depth: int) -> dict[str, Any]:
        known: Mapping[str, Any] = schema.get("properties", {})
        required = list(schema.get("required", []))
        names = (
            required
            if depth >= OPTIONAL_DEPTH
            else [*known, *(name for name in required if name not in known)]
        )
        extra = schema.get("additionalProperties", True)
        document = {name: self._value(known.get(name, extra), name, depth + 1) for name in names}
        for index in range(schema.get("minProperties", 0) - len(document)):
            document[f"item_{index + 1}"] = self._value(extra, "item", depth + 1)
        return document

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        first = list(schema.get("prefixItems", []))
        low, high = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        wanted = low if depth >= OPTIONAL_DEPTH else max(low, len(first), 3)
        count = int(min(wanted, high))
        if count > MAX_NODES:
            raise MediaError(MediaFault.TOO_LARGE, "the schema asks for too many items")
        rest = schema.get("items", {})
        found: list[Any] = []
        if rest is False:
            count = min(count, len(first))
        tries = 0
        while len(found) < count and tries < count * 20 + 50:
            tries += 1
            item = self._value(first[len(found)] if len(found) < len(first) else rest, name, depth + 1)
            if not schema.get("uniqueItems") or item not in found:
                found.append(item)
        return found

    def _string(self, schema: Mapping[str, Any], name: str, _: int) -> str:
        low, high = schema.get("minLength", 0), schema.get("maxLength", MAX_LENGTH)
        if low > MAX_LENGTH:
            raise MediaError(MediaFault.TOO_LARGE, "the schema asks for too long a text")
        if "pattern" in schema:
            return example(schema["pattern"], self._rng, low)
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]](self._rng)
        text = self._words(name)
        while len(text) < low:
            text += " " + self._words(name)
        return text if len(text) <= high else text[: int(high)].rstrip().ljust(low, ".")

    def _integer(self, schema: Mapping[str, Any], _: str, __: int) -> int:
        low, high = _bounds(schema, 1)
        step = schema.get("multipleOf", 1)
        step = int(step) if float(step).is_integer() else 1
        first, last = math.ceil(low / step), math.floor(high / step)
        return self._rng.randint(first, max(first, last)) * step

    def _number(self, schema: Mapping[str, Any], name: str, depth: int) -> float:
        if "multipleOf" in schema:
            low, high = _bounds(schema, schema["multipleOf"])
            first, last = math.ceil(low / schema["multipleOf"]), math.floor(high / schema["multipleOf"])
            return float(self._rng.randint(first, max(first, last)) * schema["multipleOf"])
        low, high = _bounds(schema, 0)
        inside = low + (high - low) * self._rng.uniform(0.1, 0.9)
        rounded = round(inside, 2)
        return rounded if low < rounded < high else inside


def _bounds(schema: Mapping[str, Any], step: float) -> tuple[float, float]:
    """The least and greatest value; exclusive bounds are moved by `step`."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if isinstance(schema.get("exclusiveMinimum"), int | float):
        low = max(schema["exclusiveMinimum"] + step, -math.inf if low is None else low)
    if isinstance(schema.get("exclusiveMaximum"), int | float):
        high = min(schema["exclusiveMaximum"] - step, math.inf if high is None else high)
    if low is None:
        low = 0 if high is None or high >= 0 else high - 100
    return low, (low + 100 if high is None else high)


def _merge(base: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in part.items():
        if key == "properties":
            merged[key] = {**merged.get(key, {}), **value}
        elif key == "required":
            merged[key] = list(dict.fromkeys([*merged.get(key, []), *value]))
        elif key not in _ANNOTATIONS:
            merged.setdefault(key, value)
    return merged


def example(pattern: str, rng: Random, min_length: int = 0) -> str:
    """A text that the regular expression matches, made from its parse tree: it is never run, so it cannot hang."""
    try:
        tree = sre_parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        message = "the schema has a pattern that cannot be read"
        raise MediaError(MediaFault.UNSUPPORTED_MEDIA, message) from error
    text = ""
    for generosity in (0, 2, 6, 12, min_length):
        text = _express(tree, rng, generosity)
        if len(text) >= min_length:
            break
    return text


def _express(tree: Any, rng: Random, generosity: int) -> str:
    parts = []
    for operation, argument in tree:
        if operation is sre.LITERAL:
            parts.append(chr(argument))
        elif operation is sre.NOT_LITERAL:
            parts.append("a" if argument != ord("a") else "b")
        elif operation is sre.ANY:
            parts.append(rng.choice("abcdefgh"))
        elif operation is sre.IN:
            parts.append(rng.choice(_members(argument)))
        elif operation in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            low, high, body = argument
            count = min(int(high), int(low) + generosity)
            if count > MAX_NODES:
                raise MediaError(MediaFault.TOO_LARGE, "the schema's pattern asks for too long a text")
            parts += [_express(body, rng, 0) for _ in range(count)]
        elif operation is sre.SUBPATTERN:
            parts.append(_express(argument[3], rng, generosity))
        elif operation is sre.BRANCH:
            parts.append(_express(rng.choice(argument[1]), rng, generosity))
    return "".join(parts)


_CATEGORIES = {sre.CATEGORY_DIGIT: "0123456789", sre.CATEGORY_WORD: "abcdefgh", sre.CATEGORY_SPACE: " "}
_PRINTABLE = [chr(code) for code in range(32, 127)]


def _members(items: Sequence[Any]) -> list[str]:
    """The characters of a set, a few of each range."""
    negated = items[0][0] is sre.NEGATE
    found: list[str] = []
    for operation, argument in items:
        if operation is sre.LITERAL:
            found.append(chr(argument))
        elif operation is sre.RANGE:
            found += [chr(code) for code in range(argument[0], min(argument[1], argument[0] + 90) + 1)]
        elif operation is sre.CATEGORY:
            found += _CATEGORIES.get(argument, "ax")
    if negated:
        return [
            character for character in "abcxyz0189 -_" + "".join(_PRINTABLE) if character not in found
        ] or ["a"]
    return found
