"""The local model's text: honest templates around the words of the prompt, not a language model.

Every text says so in its first line (a JSON document in `Written.note`). Pure Python: light enough for an
event loop, and cut into words so that it can be streamed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from workers.providers.local.media.fill import Filler

NOTE = "[Penstock local template writer: placeholder text, no language model]"
CHARACTERS_PER_TOKEN = 4
"""How tokens are counted here: one for every four characters, rounded up."""
DEFAULT_MAX_TOKENS = 1024
USUAL_WORDS = 230
_STOP_WORDS = """
a an and are as at be but by can could do does for from give has have how i if in into is it its list make me
my of on one or our out please poem short should some story tell that the their them then there these this to
three two up us was we what when where which who why will with words would write you your about essay outline
explain describe summary summarise summarize paragraph paragraphs five ten 100 200 letter email
"""
_STOP = frozenset(_STOP_WORDS.split())


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
    """`given` is the input of a text generation. At most `max_tokens` come out; JSON is never cut.

    Raises MediaError when a JSON schema cannot be filled in.
    """
    asked = _asked(given)
    rng = Random(hashlib.sha256(f"{asked}\n{seed}".encode()).digest())  # noqa: S311 - chooses templates
    spent = count_tokens(asked + (given.get("system") or ""))
    if given.get("json_schema") is not None:
        return _document(given["json_schema"], asked, rng, spent)
    budget = (given.get("max_tokens") or DEFAULT_MAX_TOKENS) * CHARACTERS_PER_TOKEN
    chunks = tuple(_within(_words(_text(asked, rng)), budget))
    return Written(chunks, "text/plain", spent, count_tokens("".join(chunks)))


def _asked(given: Mapping[str, Any]) -> str:
    """The prompt, or the last thing that the user said."""
    if given.get("prompt"):
        return str(given["prompt"])
    said = [message["content"] for message in given.get("messages") or [] if message["role"] == "user"]
    return str(said[-1]) if said else ""


def _document(schema: Mapping[str, Any], asked: str, rng: Random, spent: int) -> Written:
    topic = Topic.of(asked)
    filler = Filler(schema, rng, lambda name: _phrase(name, topic, rng))
    text = json.dumps(filler.fill(), ensure_ascii=False, indent=2)
    return Written(tuple(_words(text)), "application/json", spent, count_tokens(text))


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


@dataclass(frozen=True, slots=True)
class Topic:
    """What a prompt is about: its own content words, in order."""

    subject: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, asked: str) -> "Topic":
        found = re.findall(r"[^\W\d_][\w'’-]+", asked)
        words = tuple(dict.fromkeys(word for word in found if word.lower() not in _STOP))[:12]
        return cls(" ".join(words[:4]) or "the question", words or ("question",))


def _phrase(name: str, topic: Topic, rng: Random) -> str:
    label = re.sub(r"[_-]+|(?<=[a-z])(?=[A-Z])", " ", name).lower()
    if re.search(r"title|name|heading|label|tag|key", label):
        return f"{rng.choice(_ADJECTIVES).capitalize()} {rng.choice(topic.words)}"
    return f"{label.capitalize()} about {topic.subject}: {rng.choice(_CLAUSES)}."


def _text(asked: str, rng: Random) -> str:
    topic = Topic.of(asked)
    lowered = asked.lower()
    wanted = re.search(r"(\d{1,5})[\s-]*words?", lowered)
    length = min(20_000, int(wanted[1])) if wanted else USUAL_WORDS
    if re.search(r"poem|verse|haiku|song|lyrics", lowered):
        body = _poem(topic, rng)
    elif re.search(r"outline|list|steps|plan|ideas|bullet|checklist", lowered):
        body = _outline(topic, rng)
    elif re.search(r"story|tale|chapter|novel|scene|once", lowered):
        body = _paragraphs(topic, rng, length, _STORY)
    else:
        body = _paragraphs(topic, rng, length, _ANSWER)
    return f"{NOTE}\n\n{body}\n"


def _paragraphs(topic: Topic, rng: Random, length: int, shape: "Shape") -> str:
    """Opening, as many middles as the length asks for, closing."""
    paragraphs = [_sentences(shape.opening, topic, rng, 3)]
    while sum(len(paragraph.split()) for paragraph in paragraphs) < length - 45:
        paragraphs.append(_sentences(shape.middle, topic, rng, rng.randint(3, 5)))
    paragraphs.append(_sentences(shape.closing, topic, rng, 2))
    return "\n\n".join(paragraphs)


def _sentences(templates: tuple[str, ...], topic: Topic, rng: Random, count: int) -> str:
    chosen = rng.sample(templates, min(count, len(templates)))
    return " ".join(_fill(template, topic, rng) for template in chosen)


def _fill(template: str, topic: Topic, rng: Random) -> str:
    text = template.format(
        subject=topic.subject,
        word=rng.choice(topic.words),
        other=rng.choice(topic.words),
        adjective=rng.choice(_ADJECTIVES),
        place=rng.choice(_PLACES),
        person=rng.choice(_PEOPLE),
        clause=rng.choice(_CLAUSES),
    )
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    return text[0].upper() + text[1:]


def _outline(topic: Topic, rng: Random) -> str:
    heads = rng.sample(_HEADS, 5)
    parts = [f"Outline: {topic.subject}"]
    for number, head in enumerate(heads, 1):
        parts.append(f"{number}. {head} {rng.choice(topic.words)}")
        parts += [f"   - {_fill(template, topic, rng)}" for template in rng.sample(_POINTS, 2)]
    return "\n".join(parts)


def _poem(topic: Topic, rng: Random) -> str:
    stanzas = [[_fill(line, topic, rng) for line in rng.sample(_VERSES, 4)] for _ in range(3)]
    return "\n\n".join("\n".join(stanza) for stanza in stanzas)


@dataclass(frozen=True, slots=True)
class Shape:
    opening: tuple[str, ...]
    middle: tuple[str, ...]
    closing: tuple[str, ...]


_ADJECTIVES = (
    "quiet",
    "bright",
    "patient",
    "early",
    "distant",
    "careful",
    "open",
    "slow",
    "small",
    "steady",
    "plain",
)
_PLACES = (
    "the harbour",
    "the old market",
    "the hill above town",
    "the long road north",
    "the reading room",
    "the shore",
)
_PEOPLE = ("Mara", "Tomas", "Ines", "Jonah", "Leila", "Anders", "Noor", "Petra")
_CLAUSES = (
    "what matters is seen late and kept long",
    "each part depends on the one before it",
    "the simple version is the one that lasts",
    "there is more to it than the first look shows",
    "a small change early saves a large one later",
    "what is written down can be checked",
)
_STORY = Shape(
    (
        "{person} first heard of {subject} on a {adjective} morning, halfway to {place}.",
        "Nobody at {place} spoke of {word} any more, and yet everyone listened when the wind turned.",
        "It began, as such things do, with {word} and a door that should have been shut.",
        "That year the days were {adjective}, and {subject} was all that people had in common.",
    ),
    (
        "{person} walked down to {place} and waited there until the light changed.",
        "“You came for {word},” said {person}, “but you will leave with {other}.”",
        "The {word} was not where it had been, and that was the first surprise.",
        "Somebody had drawn {subject} on the wall, in a {adjective} hand, and signed it with a date to come.",
        "They spoke little on the way; {clause}.",
        "By evening {place} was empty, and only {word} was left to prove that it had been a day at all.",
        "{person} kept the note, folded it twice, and told nobody about {other}.",
        "A {adjective} sound came from {place}, once, and then again.",
    ),
    (
        "In the end it was {person} who understood: {clause}.",
        "When the lamps were lit at {place}, {subject} had become a thing that one could tell.",
        "They went home by the {adjective} way, and {word} went with them.",
    ),
)
_ANSWER = Shape(
    (
        "This is about {subject}.",
        "The question of {subject} has a short answer and a longer one.",
        "It helps to take {word} first, and {other} after it.",
        "A {adjective} way into {subject} is to ask what it is for.",
    ),
    (
        "Seen from the side of {word}, {clause}.",
        "Take {word}: it looks {adjective} at first, and shows its edges only in use.",
        "Where {word} and {other} meet, {clause}.",
        "An example makes it plain: somebody at {place} needs {word} today, and has an hour.",
        "The usual mistake is to start with {other} and to come to {word} too late.",
        "It is worth saying what {subject} is not: it is no end in itself.",
        "Whoever works with {word} every day will say that {clause}.",
        "A {adjective} test is to explain {word} to a person who has never met it.",
    ),
    (
        "In short: {clause}.",
        "So much for {subject}; the next step is to try it on a small case.",
        "If one thing is kept from this, let it be {word}.",
    ),
)
_HEADS = (
    "Why it matters:",
    "What it is:",
    "First steps with",
    "Common mistakes around",
    "Measuring",
    "What comes after",
    "Who decides on",
    "Costs of",
)
_POINTS = (
    "Say what {word} means here",
    "Collect two {adjective} examples of {other}",
    "Compare {word} with {other}",
    "Remember that {clause}",
    "Agree on who looks after {word}",
    "Set a date to look at {subject} again",
)
_VERSES = (
    "The {adjective} {word} leans on the day,",
    "and {place} keeps the {other} it was lent;",
    "I asked the {word} to stay, and it went,",
    "a {adjective} line drawn under the bay.",
    "Somewhere a {word} is lit and is waiting,",
    "nothing is said that the {other} has not heard,",
    "over {place} goes a {adjective} bird,",
    "{subject}, and the evening abating.",
)
