import json
import subprocess
import sys
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "Write a letter to Ana about the broken heating",
            ["Dear Ana,", "the broken heating", "Yours sincerely"],
        ),
        ("List 7 ideas for a party", ["A party:", "\n7. "]),
        ("Outline a talk on bees", ["Outline: Bees", "\n5. "]),
        ("Why is the sky blue?", ["“why is the sky blue”"]),
    ],
)
def test_the_form_is_the_one_asked_for(prompt: str, expected: list[str]) -> None:
    for seed in range(4):
        written = text({"prompt": prompt}, seed)
        assert all(part in written for part in expected)


def test_a_haiku_has_three_lines_and_a_poem_has_stanzas() -> None:
    assert len(text({"prompt": "A haiku about rain"}).removeprefix(NOTE).strip().splitlines()) == 3
    assert text({"prompt": "A poem about rain"}).removeprefix(NOTE).strip().count("\n\n") == 3


def test_sentences_do_not_come_twice() -> None:
    sentences = [part for part in text({"prompt": "A story about a fox"}).split(". ") if len(part) > 20]
    assert len(set(sentences)) == len(sentences)


def test_at_temperature_zero_no_seed_counts() -> None:
    assert text({"prompt": "bees", "temperature": 0}) == text({"prompt": "bees", "temperature": 0.0}, 2)


def test_all_messages_count_as_input() -> None:
    messages = [{"role": "user", "content": "a" * 40}, {"role": "assistant", "content": "b" * 40}]
    assert write({"messages": messages, "system": "c" * 20}, 1).input_tokens == 25


@pytest.mark.parametrize(
    "prompt", ["?", "{subject}", "{0.__class__}", "море", "a" * 100_000, "about", "\ud800"]
)
def test_any_prompt_will_do(prompt: str) -> None:
    assert text({"prompt": prompt}).startswith(NOTE)


SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["title"],
}


def test_a_json_schema_is_answered_with_json() -> None:
    written = write({"prompt": "a report on tides", "json_schema": SCHEMA}, 1)
    document = json.loads("".join(written.chunks))
    assert (written.mime, len(document["tags"])) == ("application/json", 3)
    assert "report" in document["title"] or "tides" in document["title"]


def test_json_within_few_tokens_is_the_least_that_fits() -> None:
    written = write({"prompt": "tides", "json_schema": SCHEMA, "max_tokens": 10}, 1)
    assert written.output_tokens <= 10
    assert set(json.loads("".join(written.chunks))) == {"title"}


def test_json_is_refused_rather_than_cut() -> None:
    with pytest.raises(MediaError) as caught:
        write({"prompt": "tides", "json_schema": SCHEMA, "max_tokens": 3}, 1)
    assert caught.value.code == "TOO_LARGE"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": "three"}, {"type": 5}, {"properties": "a"}, {"type": "thing"},
        {"type": "object", "required": 3}, {"enum": 7}, {"type": "integer", "multipleOf": 0},
        {"type": "number", "minimum": 1e308, "multipleOf": 1e-300, "maximum": "x"}, {"$ref": 3}, {"anyOf": {}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_schema(schema: dict[str, Any]) -> None:
    with pytest.raises(MediaError):
        write({"prompt": "x", "json_schema": schema}, 1)


def test_imports_nothing_heavy() -> None:
    script = "import sys, workers.providers.local.media.prose; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "PIL", "av"} & set(loaded.split())
