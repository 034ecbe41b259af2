import io
import sys

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from cli.errors import Refused
from cli.output import Output, bytes_words, clean, cost_words, dollars, duration_words
from cli.session import finish
from shared.money import usd


@pytest.mark.parametrize(
    ("nanos", "words"),
    [
        (0, "$0.00"),
        (40_000_000, "$0.04"),
        (125_000, "$0.000125"),
        (1, "$0.000000001"),
        (-5, "-$0.000000005"),
        (12_345_500_000_000, "$12345.50"),
    ],
)
def test_dollars(nanos: int, words: str) -> None:
    assert dollars(nanos) == words


@given(st.integers(0, 10**18))
def test_dollars_lose_nothing(nanos: int) -> None:
    assert usd(dollars(nanos).removeprefix("$")) == nanos


@given(st.text())
def test_clean_text_steers_no_terminal(text: str) -> None:
    assert clean(text).replace("\n", "").replace("\t", "").isprintable()
    assert len(clean(text)) == len(text)


def test_cost_words() -> None:
    estimated = {"nanos": 40_000_000}
    assert cost_words({"status": "reserved", "estimated": estimated}) == "about $0.04"
    assert cost_words({"status": "final", "actual": {"nanos": 0}}) == "$0.00"
    assert cost_words({"status": "unpriced"}) == "unknown (the model has no price)"
    assert cost_words({"status": "released", "billed_to": "byok"}).endswith("your own provider key")


def test_durations_and_sizes() -> None:
    assert [duration_words(s) for s in (4.24, 59, 65, 7380)] == ["4.2 s", "59 s", "1 min 05 s", "2 h 03 min"]
    assert [bytes_words(n) for n in (9, 1500, 2_000_000, 3 * 10**9)] == [
        "9 bytes",
        "1.5 kB",
        "2.0 MB",
        "3.0 GB",
    ]


def test_errors_are_a_sentence_or_json() -> None:
    error = Refused("Not so.", status=422, code="INVALID_INPUT", hint="Do this.", field="input.size")
    plain, structured = io.StringIO(), io.StringIO()
    Output(stderr=plain).fail(error)
    Output(as_json=True, stderr=structured).fail(error)
    assert plain.getvalue() == "Error: Not so.\nDo this.\n"
    assert structured.getvalue() == (
        '{"error": {"code": "INVALID_INPUT", "message": "Not so.", "hint": "Do this.", '
        '"status": 422, "field": "input.size"}}\n'
    )


def test_a_result_that_cannot_be_written_is_said() -> None:
    async def work() -> None:
        out.line("a result")

    said = io.StringIO()
    with open("/dev/full", "w") as full:
        out = Output(stdout=full, stderr=said)
        with pytest.raises(typer.Exit) as ended:
            finish(out, work)
    assert (ended.value.exit_code, said.getvalue()) == (
        1,
        "Error: The result cannot be written: No space left on device.\n",
    )


def test_every_stream_takes_every_text(monkeypatch: pytest.MonkeyPatch) -> None:
    bytes_written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_written, encoding="ascii"))
    Output().line("naïve")
    assert bytes_written.getvalue() == b"na?ve\n"
    monkeypatch.setattr(sys, "stdout", None)
    out = Output()
    out.line("into nothing")
    out.stdout.close()
