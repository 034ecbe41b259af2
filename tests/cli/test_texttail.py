import io

from cli.output import Output
from cli.texttail import TextTail


def tail() -> tuple[TextTail, io.StringIO]:
    screen = io.StringIO()
    return TextTail(Output(stdout=screen, stderr=io.StringIO())), screen


def test_text_comes_once_however_it_is_repeated() -> None:
    text, screen = tail()
    for offset, part in ((0, "one "), (0, "one two "), (4, "two "), (8, "three")):
        text.add(offset, part)
    text.finish("one two three")
    assert screen.getvalue() == "one two three\n"


def test_what_was_missed_comes_with_the_end() -> None:
    text, screen = tail()
    text.add(0, "one ")
    text.add(8, "three")
    text.finish("one two three\n")
    assert screen.getvalue() == "one two three\n"


def test_another_attempt_is_printed_anew() -> None:
    text, screen = tail()
    text.add(0, "first try")
    text.add(0, "second ")
    text.finish("second try")
    assert screen.getvalue() == "first try\nsecond try\n"
