"""What a benchmark finds: figures beside their baselines and goals, as a table and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

TITLES = {
    1: "accept path",
    2: "pick-up",
    3: "submit to terminal",
    4: "one worker's throughput",
    5: "10,000 waiting",
    6: "websocket fan-out",
    7: "21 MB artifact",
    8: "idle stack",
    9: "reading",
    10: "1,000 predictions watched",
    11: "library of assets",
}


class Bound(Enum):
    LEAST = "≥"
    MOST = "≤"


@dataclass(frozen=True, slots=True)
class Limit:
    """What the goal asks of a figure: at least or at most so much, of its baseline if `relative`."""

    bound: Bound
    number: float
    relative: bool = False


def least(number: float, *, relative: bool = False) -> Limit:
    return Limit(Bound.LEAST, number, relative)


def most(number: float, *, relative: bool = False) -> Limit:
    return Limit(Bound.MOST, number, relative)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value; without a limit it only explains the others."""

    goal: int
    what: str
    value: float
    unit: str
    limit: Limit | None = None
    baseline: float | None = None
    beside: str = ""
    """What the baseline is."""

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        if self.limit is None:
            return None
        value = self.ratio if self.limit.relative else self.value
        if value is None:
            return False
        return value >= self.limit.number if self.limit.bound is Bound.LEAST else value <= self.limit.number

    def as_json(self) -> dict[str, Any]:
        limit = self.limit
        return {
            "goal": self.goal,
            "what": self.what,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "beside": self.beside or None,
            "ratio": self.ratio,
            "limit": None if limit is None else {
                "bound": limit.bound.value, "number": limit.number, "relative": limit.relative,
            },
            "met": self.met,
        }  # fmt: skip


def middle(values: Sequence[float]) -> float:
    """The median of the rounds."""
    return float(median(values))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def show(figures: Sequence[Figure], console: Console) -> None:
    table = Table(title="Performance goals", title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("#", justify="right")
    table.add_column("measured")
    table.add_column("value", justify="right")
    table.add_column("baseline", justify="right")
    table.add_column("ratio", justify="right")
    table.add_column("goal", justify="right")
    table.add_column("met", justify="center")
    shown = 0
    for figure in figures:
        if figure.goal != shown:
            if shown:
                table.add_section()
            table.add_row(f"[bold]{figure.goal}[/bold]", f"[bold]{TITLES[figure.goal]}[/bold]")
            shown = figure.goal
        table.add_row("", *_cells(figure))
    console.print(table)


def _cells(figure: Figure) -> tuple[str, ...]:
    what = f"{figure.what} [dim]({figure.beside})[/dim]" if figure.beside else figure.what
    baseline = "" if figure.baseline is None else f"{_number(figure.baseline)} {figure.unit}"
    ratio = "" if figure.ratio is None else _number(figure.ratio)
    met = {None: "", True: "[green]✓[/green]", False: "[red]✗[/red]"}[figure.met]
    return what, f"{_number(figure.value)} {figure.unit}", baseline, ratio, _goal(figure), met


def _goal(figure: Figure) -> str:
    limit = figure.limit
    if limit is None:
        return ""
    if limit.relative and limit.number < 1:
        return f"{limit.bound.value} {limit.number:.0%}"
    return f"{limit.bound.value} {_number(limit.number)}{' x' if limit.relative else f' {figure.unit}'}"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
