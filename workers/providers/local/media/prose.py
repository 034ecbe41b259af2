"""The local model's text: honest templates around the words of the prompt, not a language model.

Every text says so in its first line (a JSON document in `Written.note`). Pure Python: light enough for an
event loop, and cut into words so that it can be streamed.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shared.media.errors import MediaError, MediaFault
from workers.providers.local.media import templates
from workers.providers.local.media.fill import fill
from workers.providers.local.media.templates import Shape
from workers.providers.local.media.topic import ANSWER, Topic

NOTE = "[Penstock local template writer: placeholder text, no language model]"
CHARACTERS_PER_TOKEN = 4
"""How tokens are counted here: one for every four characters, rounded up."""
DEFAULT_MAX_TOKENS = 1024
PARAGRAPH_SENTENCES = (3, 5)
CLOSING_WORDS = 45
"""What is kept free for the last paragraph, and for the half of one that the one before may run over."""


@dataclass(frozen=True, slots=True)
class Written:
    """`chunks` joined are the whole text."""

    chunks: tuple[str, ...]
    mime: str
    input_tokens: int
    output_tokens: int
    note: str = NOTE


def count_tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def write(given: Mapping[str, Any], seed: int) -> Written:
    """`given` is the input of a text generation. At most `max_tokens` come out; at temperature 0 no seed counts.

    Raises MediaError when a JSON schema cannot be filled in, or not in so few tokens.
    """
    asked = _asked(given)
    chance = 0 if given.get("temperature") == 0 else seed
    rng = Random(  # noqa: S311 - chooses templates
        hashlib.sha256(f"{given.get('system')}\n{asked}\n{chance}".encode(errors="replace")).digest()
    )
    spent = sum(count_tokens(text) for text in _read(given))
    limit = given.get("max_tokens") or DEFAULT_MAX_TOKENS
    if given.get("json_schema") is not None:
        text, mime = _document(given["json_schema"], Topic.of(asked), rng, limit), "application/json"
    else:
        text, mime = f"{NOTE}\n\n{_text(asked, rng)}\n", "text/plain"
    chunks = tuple(_within(_words(text), limit * CHARACTERS_PER_TOKEN))
    return Written(chunks, mime, spent, count_tokens("".join(chunks)))


def _read(given: Mapping[str, Any]) -> Iterator[str]:
    """All that counts as input."""
    yield given.get("system") or ""
    yield given.get("prompt") or ""
    yield "".join(message["content"] for message in given.get("messages") or [])


def _asked(given: Mapping[str, Any]) -> str:
    """The prompt, or the last thing that the user said."""
    if given.get("prompt"):
        return str(given["prompt"])
    said = [message["content"] for message in given.get("messages") or [] if message["role"] == "user"]
    return str(said[-1]) if said else ""


def _document(schema: Mapping[str, Any], topic: Topic, rng: Random, limit: int) -> str:
    """Indented where that is within the limit, else as short as it can be written."""

    def is_short_enough(document: Any) -> bool:
        return count_tokens(_json(document, spacious=False)) <= limit

    try:
        document = fill(schema, rng, lambda name: _phrase(name, topic, rng), is_short_enough)
        text = _json(document, spacious=True)
        return text if count_tokens(text) <= limit else _json(document, spacious=False)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError) as error:
        # The schema is whatever the caller sent: "minItems": "three" shows only where it is used.
        raise MediaError(MediaFault.UNSUPPORTED_MEDIA, "the JSON schema cannot be read") from error


def _json(document: Any, *, spacious: bool) -> str:
    layout: dict[str, Any] = {"indent": 2} if spacious else {"separators": (",", ":")}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, **layout)


def _words(text: str) -> Iterator[str]:
    """Each word with the white space after it."""
    yield from re.findall(r"\S+\s*|\s+", text)


def _within(chunks: Iterator[str], budget: int) -> Iterator[str]:
    for chunk in chunks:
        if len(chunk) > budget:
            if budget > 0:
                yield chunk[:budget]
            return
        budget -= len(chunk)
        yield chunk


def _phrase(name: str, topic: Topic, rng: Random) -> str:
    """A value for a property, by its name."""
    label = re.sub(r"[_-]+|(?<=[a-z])(?=[A-Z])", " ", name).lower()
    if re.search(r"\be ?mail", label):
        return f"reader{rng.randint(1, 999)}@example.com"
    if re.search(r"\bur[li]\b|link|website|homepage", label):
        return f"https://example.com/{rng.randint(1, 9999)}"
    if re.search(r"author|person|full name|first name|last name|contact", label):
        return rng.choice(templates.PEOPLE)
    if re.search(r"title|name|heading|label|tag|key|topic|subject|category", label):
        return f"{rng.choice(templates.ADJECTIVES).capitalize()} {rng.choice(topic.words)}"
    return f"{label.capitalize()} about {topic.subject}: {rng.choice(templates.CLAUSES)}."


class Deck:
    """Its cards in a drawn order, without repeats until all have been used."""

    def __init__(self, cards: Sequence[str], rng: Random) -> None:
        self._cards, self._rng = cards, rng
        self._left: list[str] = []

    def next(self) -> str:
        if not self._left:
            self._left = self._rng.sample(self._cards, len(self._cards))
        return self._left.pop()


class Scribe:
    """Writes one text on a topic: with two people and three places in it, and words that do not repeat soon."""

    def __init__(self, topic: Topic, rng: Random) -> None:
        self.topic, self._rng = topic, rng
        self._slots = {
            "word": Deck(topic.words, rng),
            "other": Deck(topic.words, rng),
            "adjective": Deck(templates.ADJECTIVES, rng),
            "place": Deck(rng.sample(templates.PLACES, 3), rng),
            "person": Deck(rng.sample(templates.PEOPLE, 2), rng),
            "clause": Deck(templates.CLAUSES, rng),
        }

    def filled(self, template: str) -> str:
        slots = {name: deck.next() for name, deck in self._slots.items() if f"{{{name}}}" in template}
        text = template.format(subject=self.topic.subject, **slots)
        text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
        return _capital(text)

    def one(self, choices: Sequence[str]) -> str:
        return self.filled(self._rng.choice(choices))

    def several(self, choices: Sequence[str], count: int) -> list[str]:
        deck = Deck(choices, self._rng)
        return [self.filled(deck.next()) for _ in range(count)]

    def paragraphs(self, shape: Shape) -> str:
        deck = Deck(shape.middle, self._rng)
        paragraphs = [self.one(shape.opening)]
        words = len(paragraphs[0].split())
        while words < self.topic.length - CLOSING_WORDS:
            count = self._rng.randint(*PARAGRAPH_SENTENCES)
            paragraphs.append(" ".join(self.filled(deck.next()) for _ in range(count)))
            words += len(paragraphs[-1].split())
        return "\n\n".join([*paragraphs, self.one(shape.closing)])


def _text(asked: str, rng: Random) -> str:
    topic = Topic.of(asked)
    return _WRITERS[topic.form](Scribe(topic, rng), rng)


def _story(scribe: Scribe, _: Random) -> str:
    return scribe.paragraphs(templates.STORY)


def _answer(scribe: Scribe, _: Random) -> str:
    return scribe.paragraphs(templates.ANSWER)


def _letter(scribe: Scribe, _: Random) -> str:
    shape = templates.LETTER
    first, *rest = scribe.several(shape.middle, 4)
    parts = [
        f"Subject: {_capital(scribe.topic.subject)}",
        f"Dear {scribe.topic.recipient or '[Name]'},",
        f"{scribe.one(shape.opening)} {first}",
        " ".join(rest),
        scribe.one(shape.closing),
        "Yours sincerely,\n[Name]",
    ]
    return "\n\n".join(parts)


def _outline(scribe: Scribe, rng: Random) -> str:
    points = scribe.several(templates.POINTS, 10)
    parts = [f"Outline: {_capital(scribe.topic.subject)}"]
    for number, head in enumerate(rng.sample(templates.HEADS, 5)):
        parts.append(f"{number + 1}. {head}")
        parts += [f"   - {point}" for point in points[number * 2 : number * 2 + 2]]
    return "\n".join(parts)


def _list(scribe: Scribe, _: Random) -> str:
    items = scribe.several(templates.ITEMS, scribe.topic.count)
    numbered = [f"{number}. {item}." for number, item in enumerate(items, 1)]
    return "\n".join([f"{_capital(scribe.topic.subject)}:", *numbered])


def _poem(scribe: Scribe, rng: Random) -> str:
    stanzas = rng.sample(templates.STANZAS, 3)
    lines = ["\n".join(map(scribe.filled, stanza.split("\n"))) for stanza in stanzas]
    return "\n\n".join([_capital(scribe.topic.subject), *lines])


def _haiku(scribe: Scribe, rng: Random) -> str:
    return "\n".join(map(scribe.filled, rng.choice(templates.HAIKU)))


def _capital(phrase: str) -> str:
    return phrase[0].upper() + phrase[1:]


_WRITERS: dict[str, Callable[[Scribe, Random], str]] = {
    "haiku": _haiku,
    "poem": _poem,
    "letter": _letter,
    "outline": _outline,
    "list": _list,
    "story": _story,
    ANSWER: _answer,
}
