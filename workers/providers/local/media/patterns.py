"""Texts for the `pattern` of a JSON Schema: made from the expression's parse tree, so that nothing can hang."""

import re
from collections.abc import Sequence
from random import Random
from re import _constants as sre  # type: ignore[attr-defined]  # the parse tree has no public name
from re import _parser as sre_parser  # type: ignore[attr-defined]
from typing import Any

from shared.media.errors import MediaError, MediaFault

MAX_LENGTH = 200_000
MAX_STEPS = 50_000
"""A search that may take more at worst is not run at all."""
TRIES = 24
_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_ANY = "abcdefghijkmnprstuvwxyzABCDEFGH0123456789"
_CATEGORIES = {
    sre.CATEGORY_DIGIT: "0123456789", sre.CATEGORY_WORD: "abcdefgh", sre.CATEGORY_SPACE: " ",
    sre.CATEGORY_NOT_DIGIT: "abcdefgh", sre.CATEGORY_NOT_WORD: "-", sre.CATEGORY_NOT_SPACE: "abcdefgh",
}  # fmt: skip
_PRINTABLE = "abcxyz0189 -_" + "".join(chr(code) for code in range(32, 127))


def example(pattern: str, rng: Random, low: int = 0, high: float = MAX_LENGTH) -> str:
    """A text of `low` to `high` characters that the expression matches (see `matches`).

    Looking ahead and behind is left to luck and a few tries. Raises MediaError for an expression that cannot
    be read, that asks for too long a text, or that no try met.
    """
    tree = parsed(pattern)
    for attempt in range(TRIES):
        text = _Writer(rng).write(tree, (0, 2, 6, 12, low)[attempt % 5] if attempt < 10 else low)
        if low <= len(text) <= high and matches(pattern, text):
            return text
    raise MediaError(MediaFault.UNSUPPORTED_MEDIA, "no text was found for a pattern of the schema")


def parsed(pattern: str) -> Any:
    try:
        return sre_parser.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        message = "the schema has a pattern that cannot be read"
        raise MediaError(MediaFault.UNSUPPORTED_MEDIA, message) from error


def matches(pattern: str, text: str) -> bool:
    """Whether the expression is found in the text; True unseen where the search might take for ever."""
    nested, repeats = _repeats(parsed(pattern))
    if nested or (len(text) + 1) ** (repeats + 1) > MAX_STEPS:
        return True
    return re.search(pattern, text) is not None


def _repeats(tree: Any) -> tuple[bool, int]:
    """Whether a repeat holds another or a choice, and how many repeats there are."""
    nested, count = False, 0
    for operation, argument in tree:
        for inner in _inside(operation, argument):
            inner_nested, inner_count = _repeats(inner)
            nested |= inner_nested or (operation in _REPEATS and (inner_count > 0 or _chooses(inner)))
            count += inner_count
        count += operation in _REPEATS
    return nested, count


def _inside(operation: Any, argument: Any) -> Sequence[Any]:
    """The trees under a node."""
    if operation in _REPEATS:
        return [argument[2]]
    if operation is sre.SUBPATTERN:
        return [argument[3]]
    if operation is sre.BRANCH:
        return list(argument[1])
    if operation in (sre.ASSERT, sre.ASSERT_NOT):
        return [argument[1]]
    if operation is sre.GROUPREF_EXISTS:
        return [part for part in argument[1:] if part is not None]
    return [argument] if operation is sre.ATOMIC_GROUP else []


def _chooses(tree: Any) -> bool:
    return any(
        operation is sre.BRANCH or any(map(_chooses, _inside(operation, argument)))
        for operation, argument in tree
    )


class _Writer:
    """One text. `generosity` is how many more times than it must an outermost repeat comes."""

    def __init__(self, rng: Random) -> None:
        self._rng, self._groups, self._written = rng, dict[int, str](), 0

    def write(self, tree: Any, generosity: int) -> str:
        return "".join([self._part(operation, argument, generosity) for operation, argument in tree])

    def _part(self, operation: Any, argument: Any, generosity: int) -> str:
        if operation in _REPEATS:
            least, most, body = argument
            times = min(int(most), int(least) + generosity)
            self._spend(times)
            return "".join([self.write(body, 0) for _ in range(times)])
        if operation is sre.SUBPATTERN:
            text = self.write(argument[3], generosity)
            if argument[0] is not None:
                self._groups[argument[0]] = text
            return text
        if operation is sre.BRANCH:
            return self.write(self._rng.choice(argument[1]), generosity)
        if operation is sre.ATOMIC_GROUP:
            return self.write(argument, generosity)
        return self._character(operation, argument)

    def _character(self, operation: Any, argument: Any) -> str:
        """One character, an earlier group again, or nothing for what only looks (anchors, assertions)."""
        self._spend(1)
        if operation is sre.LITERAL:
            return chr(argument)
        if operation is sre.NOT_LITERAL:
            return "a" if argument != ord("a") else "b"
        if operation is sre.ANY:
            return self._rng.choice(_ANY)
        if operation is sre.IN:
            return self._rng.choice(_members(argument))
        if operation is sre.GROUPREF:
            text = self._groups.get(argument, "")
            self._spend(len(text))
            return text
        return ""

    def _spend(self, characters: int) -> None:
        self._written += characters
        if self._written > MAX_LENGTH:
            raise MediaError(MediaFault.TOO_LARGE, "the schema's pattern asks for too long a text")


def _members(items: Sequence[Any]) -> list[str]:
    """The characters of a set, a few of each range."""
    found: list[str] = []
    for operation, argument in items:
        if operation is sre.LITERAL:
            found.append(chr(argument))
        elif operation is sre.RANGE:
            found += [chr(code) for code in range(argument[0], min(argument[1], argument[0] + 90) + 1)]
        elif operation is sre.CATEGORY:
            found += _CATEGORIES.get(argument, "a")
    if items[0][0] is not sre.NEGATE:
        return found
    return [character for character in _PRINTABLE if character not in found] or ["a"]
