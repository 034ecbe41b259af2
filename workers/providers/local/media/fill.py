"""Fills in a JSON Schema: walks it, makes up documents, and hands out the first that is valid against it.

Made on purpose: type, properties, required, items, prefixItems, contains, enum, const, anyOf, oneOf, allOf,
if, local $ref, bounds, multipleOf, lengths, pattern, format, uniqueItems. The rest of what `conform` knows
(`not`, `dependent…`, `propertyNames`, …) is met by luck or not at all.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shared.media.errors import MediaError, MediaFault
from workers.providers.local.media import patterns
from workers.providers.local.media.conform import Conformity, canonical, exact, is_number, positions, target
from workers.providers.local.media.merging import merged

MAX_DEPTH = 24
OPTIONAL_DEPTH = 6
"""Deeper than this only what is required is filled in, which ends recursive schemas."""
MAX_NODES, MAX_NODES_IN_ALL = 5_000, 20_000
MAX_LENGTH = 200_000
"""Characters of text, all strings together."""
ATTEMPTS = 6
"""Of each sort: generous, then lean."""
SPAN = 100
"""How far numbers go from the one bound that is given."""
_FORMATS: dict[str, Callable[[Random], str]] = {
    "date": lambda rng: f"20{rng.randint(20, 29)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
    "time": lambda rng: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00Z",
    "date-time": lambda rng: f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T12:00:00Z",
    "duration": lambda rng: f"PT{rng.randint(1, 59)}M",
    "email": lambda rng: f"reader{rng.randint(1, 999)}@example.com",
    "uri": lambda rng: f"https://example.com/{rng.randint(1, 9999)}",
    "hostname": lambda rng: "example.com",
    "ipv4": lambda rng: f"192.0.2.{rng.randint(1, 254)}",
    "ipv6": lambda rng: f"2001:db8::{rng.randint(1, 9999)}",
    "uuid": lambda rng: (
        f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4000-8000-{rng.getrandbits(48):012x}"
    ),
}


def fill(
    schema: Mapping[str, Any],
    rng: Random,
    words: Callable[[str], str],
    is_short_enough: Callable[[Any], bool] = lambda _: True,
) -> Any:
    """A valid document, generous, or else with no more in it than is required.

    `words` makes a phrase for a property of a given name. Raises MediaError when no document is found, and
    TOO_LARGE when the schema asks for too much.
    """
    conformity = Conformity(schema)
    reason = MediaError(MediaFault.UNSUPPORTED_MEDIA, "no document was found that fits the schema")
    nodes = 0
    for lean in (False, True):
        for attempt in range(ATTEMPTS):
            filler = Filler(schema, rng, words, conformity, lean=lean, adventurous=attempt > 0)
            try:
                document = filler.fill()
                fits = conformity.fits(document, schema)
            except MediaError as error:
                reason, fits = error, False
            else:
                if fits and is_short_enough(document):
                    return document
                if fits:
                    reason = MediaError(
                        MediaFault.TOO_LARGE, "no document that fits the schema is short enough"
                    )
            nodes += filler.nodes
            if fits or reason.code is MediaFault.TOO_LARGE or nodes > MAX_NODES_IN_ALL:
                break
    raise reason


@dataclass
class Filler:
    """One document. `lean`: only what is required; `adventurous`: choices are drawn, not taken in order."""

    root: Mapping[str, Any]
    rng: Random
    words: Callable[[str], str]
    conformity: Conformity
    lean: bool
    adventurous: bool

    def __post_init__(self) -> None:
        self.nodes = self._characters = 0
        self._makers: dict[str, Callable[[Mapping[str, Any], str, int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._integer,
            "number": self._number,
            "boolean": lambda *_: self.rng.random() < 0.5,
            "null": lambda *_: None,
        }

    def fill(self) -> Any:
        return self._value(self.root, "text", 0)

    def _value(self, schema: Any, name: str, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES or depth > MAX_DEPTH:
            raise MediaError(MediaFault.TOO_LARGE, "the schema asks for too large a document")
        if not isinstance(schema, Mapping):  # true: anything will do
            return self.words(name)
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._chosen(schema)
        return self._makers[self._type(schema)](schema, name, depth)

    def _is_sparing(self, depth: int) -> bool:
        return self.lean or depth >= OPTIONAL_DEPTH

    def _chosen(self, schema: Mapping[str, Any]) -> Any:
        fitting = [value for value in schema["enum"] if self.conformity.fits(value, schema)]
        if not fitting:
            raise MediaError(MediaFault.UNSUPPORTED_MEDIA, "the schema asks for what none of its values is")
        return self.rng.choice(fitting)

    def _resolved(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
        """The schema with its reference followed and its combinations merged into it."""
        result = dict(schema)
        for _ in range(MAX_DEPTH):
            parts: list[Any] = [target(self.root, result.pop("$ref"))] if "$ref" in result else []
            parts += result.pop("allOf", [])
            parts += self._choices(result, depth)
            if not parts:
                break
            for part in parts:
                result = merged(result, part)
        return result

    def _choices(self, schema: dict[str, Any], depth: int) -> list[Any]:
        """One of each choice and of each condition's ends, taken out of the schema."""
        parts = [self._choice(schema.pop(key), depth) for key in ("anyOf", "oneOf") if key in schema]
        if "if" in schema:
            met = [schema.pop("if"), schema.pop("then", True)]
            unmet = [schema.pop("else", True)]
            parts += met if self.rng.random() < 0.5 else unmet
        return parts

    def _choice(self, choices: Sequence[Any], depth: int) -> Any:
        possible = [choice for choice in choices if choice is not False]
        if not possible:
            raise MediaError(MediaFault.UNSUPPORTED_MEDIA, "the schema has a choice of nothing")
        if self._is_sparing(depth) and not (self.lean and self.adventurous and depth < OPTIONAL_DEPTH):
            return min(possible, key=_weight)
        if self.adventurous:
            return self.rng.choice(possible)
        return next((choice for choice in possible if choice != {"type": "null"}), possible[0])

    def _type(self, schema: Mapping[str, Any]) -> str:
        stated = schema.get("type")
        if isinstance(stated, list):
            kinds = [kind for kind in stated if kind != "null"] or stated
            if not kinds:
                raise MediaError(MediaFault.UNSUPPORTED_MEDIA, "the schema asks for two types at once")
            stated = self.rng.choice(kinds) if self.adventurous else kinds[0]
        if stated is not None:
            return str(stated)
        if {"properties", "required", "minProperties"} & set(schema):
            return "object"
        if {"items", "prefixItems", "minItems", "contains"} & set(schema):
            return "array"
        return "number" if {"minimum", "maximum", "multipleOf"} & set(schema) else "string"

    def _object(self, schema: Mapping[str, Any], _: str, depth: int) -> dict[str, Any]:
        known: Mapping[str, Any] = schema.get("properties", {})
        required = list(schema.get("required", []))
        optional = [name for name in known if known[name] is not False and name not in required]
        room = max(0, schema.get("maxProperties", MAX_NODES) - len(required))
        spare = max(0, schema.get("minProperties", 0) - len(required))
        names = {*required, *optional[: min(room, spare if self._is_sparing(depth) else room)]}
        order = [name for name in known if name in names] + [name for name in required if name not in known]
        extra = schema.get("additionalProperties", True)
        document = {name: self._value(known.get(name, extra), name, depth + 1) for name in order}
        for index in range(schema.get("minProperties", 0) - len(document)):
            document[f"item_{index + 1}"] = self._value(extra, "item", depth + 1)
        return document

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        first, rest = positions(schema)
        contained = schema.get("minContains", 1) if "contains" in schema else 0
        low = max(schema.get("minItems", 0), len(first) + contained if contained else 0)
        count = int(
            min(low if self._is_sparing(depth) else max(low, len(first), 3), _most(schema, first, rest))
        )
        if count > MAX_NODES:
            raise MediaError(MediaFault.TOO_LARGE, "the schema asks for too many items")
        found: list[Any] = []
        seen: set[str] = set()
        tries = 0
        while len(found) < count and tries < count * 20 + 50:
            tries += 1
            part = first[len(found)] if len(found) < len(first) else rest
            if contained and len(first) <= len(found) < len(first) + contained:
                part = {"allOf": [part, schema["contains"]]}
            item = self._value(part, name, depth + 1)
            if schema.get("uniqueItems"):
                if canonical(item) in seen:
                    continue
                seen.add(canonical(item))
            found.append(item)
        return found

    def _string(self, schema: Mapping[str, Any], name: str, _: int) -> str:
        low, high = schema.get("minLength", 0), schema.get("maxLength", MAX_LENGTH)
        self._characters += low
        if self._characters > MAX_LENGTH:
            raise MediaError(MediaFault.TOO_LARGE, "the schema asks for too long a text")
        if "pattern" in schema:
            text = patterns.example(schema["pattern"], self.rng, low, high)
        elif schema.get("format") in _FORMATS:
            text = _FORMATS[schema["format"]](self.rng)
        else:
            text = self._phrases(name, low, high)
        self._characters += len(text)
        return text

    def _phrases(self, name: str, low: int, high: int) -> str:
        text = self.words(name)
        while len(text) < low:
            text += " " + self.words(name)
        return text if len(text) <= high else text[: int(high)].rstrip().ljust(low, ".")

    def _integer(self, schema: Mapping[str, Any], _: str, __: int) -> int:
        # The integers among the multiples of p/q, in lowest terms, are the multiples of p.
        step = exact(schema.get("multipleOf", 1)).numerator
        first, last = self._multiples(schema, step)
        return self.rng.randint(first, last) * step

    def _number(self, schema: Mapping[str, Any], _: str, __: int) -> float:
        if "multipleOf" in schema:
            return self._multiple(schema)
        low, high = _bounds(schema)
        inside = low + (high - low) * self.rng.uniform(0.1, 0.9)
        rounded = round(inside, 2)
        return float(rounded if low < rounded < high else inside)

    def _multiple(self, schema: Mapping[str, Any]) -> float:
        """One that is a multiple by floating division too, where a few draws find such."""
        step = schema["multipleOf"]
        first, last = self._multiples(schema, exact(step))
        value = 0.0
        for _ in range(20):
            value = float(self.rng.randint(first, last) * exact(step))
            if (value / step).is_integer():
                break
        return value

    def _multiples(self, schema: Mapping[str, Any], step: Any) -> tuple[int, int]:
        """The first and the last factor of `step` within the bounds."""
        low, high = _bounds(schema, widen=2 * step)
        first, last = math.ceil(exact(low) / step), math.floor(exact(high) / step)
        first += first * step == schema.get("exclusiveMinimum")
        last -= last * step == schema.get("exclusiveMaximum")
        if first > last:
            raise MediaError(MediaFault.UNSUPPORTED_MEDIA, "the schema's bounds leave no number")
        return first, last


def _most(schema: Mapping[str, Any], first: Sequence[Any], rest: Any) -> float:
    return float(min(schema.get("maxItems", math.inf), len(first) if rest is False else math.inf))


def _weight(choice: Any) -> int:
    nested = isinstance(choice, Mapping) and ("$ref" in choice or choice.get("type") in ("object", "array"))
    return 1 if nested else 0


def _bounds(schema: Mapping[str, Any], widen: Any = 0) -> tuple[float, float]:
    """The least and the greatest value; where one is not given, SPAN (or `widen`, if more) from the other."""
    lows = [schema[key] for key in ("minimum", "exclusiveMinimum") if is_number(schema.get(key))]
    highs = [schema[key] for key in ("maximum", "exclusiveMaximum") if is_number(schema.get(key))]
    span = max(SPAN, math.ceil(widen))
    assumed = min(highs) - span if highs and min(highs) <= 0 else 0
    low = max(lows) if lows else assumed
    return low, min(highs) if highs else low + span
