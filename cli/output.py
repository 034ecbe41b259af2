"""What commands print: results on stdout, everything else on stderr, no control characters off a terminal."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from io import TextIOWrapper
from typing import Any, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.errors import CommandError, Interrupted, Refused
from shared.money import Nanos, amount

STATUS_STYLES = {
    "completed": "green",
    "ready": "green",
    "running": "cyan",
    "failed": "red",
    "expired": "red",
    "canceled": "yellow",
}
WHITESPACE = frozenset("\n\t")


class Output:
    """Where a command's result, remarks and errors go. With `as_json`, remarks are left out."""

    def __init__(
        self, *, as_json: bool = False, stdout: TextIO | None = None, stderr: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self.stdout = stdout or _writable(sys.stdout)
        self.stderr = stderr or _writable(sys.stderr)

    @property
    def interactive(self) -> bool:
        """Whether somebody watches what goes to stderr."""
        return self.stderr.isatty()

    def console(self, stream: TextIO) -> Console:
        return Console(file=stream, force_terminal=stream.isatty(), highlight=False, markup=False)

    def flush(self) -> None:
        """Raises OSError when the result cannot be written."""
        self.stdout.flush()

    def abandon(self) -> None:
        """Let what is still to be written go, or the interpreter tries again when it ends."""
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())

    def line(self, text: str) -> None:
        """One line of the result."""
        print(clean(text), file=self.stdout, flush=True)

    def text(self, text: str) -> None:
        """A part of the result as it is, save what would steer a terminal."""
        self.stdout.write(clean(text) if self.stdout.isatty() else text)
        self.stdout.flush()

    def json(self, data: Any, *, compact: bool = False) -> None:
        print(_dump(data, compact=compact), file=self.stdout, flush=True)

    def answer(self, data: Any, words: str) -> None:
        """A result: people are told it in words, programs get it as it came."""
        if self.as_json:
            self.json(data)
        else:
            self.line(words)

    def note(self, text: str, style: str = "") -> None:
        """A remark for people."""
        if self.as_json:
            return
        if self.interactive:
            self.console(self.stderr).print(Text(clean(text), style=style), soft_wrap=True)
        else:
            print(clean(text), file=self.stderr, flush=True)

    def fail(self, error: CommandError) -> None:
        if self.as_json:
            print(_dump({"error": error.as_json()}, compact=True), file=self.stderr, flush=True)
            return
        if isinstance(error, Interrupted):
            self.note(error.message)
        else:
            self.note(f"Error: {error.message}", "red")
        if error.hint:
            self.note(error.hint)
        request_id = (error.body or {}).get("request_id") if isinstance(error, Refused) else None
        if request_id and isinstance(error, Refused) and error.status >= 500:
            self.note(f"Request id: {request_id}", "dim")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "") -> None:
        """A table on a terminal, tab-separated lines elsewhere; `empty` is the remark when there is no row."""
        cells = [[clean("" if cell is None else str(cell)) for cell in row] for row in rows]
        if not cells and empty:
            self.note(empty)
        elif self.stdout.isatty():
            self.console(self.stdout).print(make_table(columns, cells))
        else:
            for row in ([name.removeprefix("#") for name in columns], *cells):
                print("\t".join(" ".join(cell.split()) for cell in row), file=self.stdout)

    def details(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Names and values, without those that are empty."""
        shown = [(name, clean(str(value))) for name, value in pairs if value not in (None, "", [], {})]
        width = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            print(f"{name:<{width}}  {value}", file=self.stdout)


def _writable(stream: TextIO | None) -> TextIO:
    """A stream that takes every text: what its encoding lacks becomes `?`; into a closed one it goes nowhere."""
    if stream is None:
        return open(os.devnull, "w")
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream


def make_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Columns whose name begins with `#` are aligned to the right."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        table.add_column(
            name.removeprefix("#"),
            justify="right" if name.startswith("#") else "left",
            overflow="fold" if name == "id" else "ellipsis",
            no_wrap=name != "detail",
            min_width=36 if name == "id" else None,
        )
    for row in rows:
        table.add_row(*(Text(cell, style=STATUS_STYLES.get(cell, "")) for cell in row))
    return table


def clean(text: str) -> str:
    """Without characters that steer a terminal: what others wrote must not."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in WHITESPACE else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def dollars(nanos: int) -> str:
    """Exact dollars, at least two decimals: `$0.04`, `$0.000125`."""
    sign, digits = ("-", amount(Nanos(-nanos))) if nanos < 0 else ("", amount(Nanos(nanos)))
    whole, _, fraction = digits.partition(".")
    return f"{sign}${whole}.{fraction.rstrip('0').ljust(2, '0')}"


def cost_words(cost: Mapping[str, Any] | None) -> str:
    """What a generation costs, as far as it is known."""
    if not cost:
        return ""
    actual, estimated = cost.get("actual"), cost.get("estimated")
    match cost.get("status"):
        case "final":
            text = dollars(actual["nanos"]) if actual else dollars(0)
        case "released":
            text = f"{dollars(0)} (nothing charged)"
        case "unpriced":
            text = "unknown (the model has no price)"
        case "reconciling":
            text = "being settled with the provider"
        case _:
            text = f"about {dollars(estimated['nanos'])}" if estimated else "unknown until it ends"
    return f"{text}, billed to your own provider key" if cost.get("billed_to") == "byok" else text


def duration_words(seconds: float) -> str:
    """`4.2 s`, `1 min 05 s`, `2 h 03 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def bytes_words(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def local_time(moment: str | None) -> str:
    """A time of the API in the zone of whoever reads it, to the second."""
    if not moment:
        return ""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def shorten(text: str, width: int = 48) -> str:
    """One line of at most `width` characters."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1]}…"


def _dump(data: Any, *, compact: bool) -> str:
    return json.dumps(data, ensure_ascii=False, indent=None if compact else 2)
