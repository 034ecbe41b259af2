"""`make audit`: Lighthouse looks at the built studio as a desktop and as a phone, and a browser opens a gallery of
10,000 pictures, beside what was promised.

Figures of time depend on the machine; run it on a quiet one. Words choose among pages and forms: `phone gallery`.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from tests.browser import library
from tests.browser.alone import stack_alone
from tests.browser.browsers import QUIET, find_chromium, open_browser
from tests.browser.library import Look
from tests.browser.sights import arrange

STUDIO = Path(__file__).parents[2] / "gateway" / "studio"
PAGES = ("/studio/create/image", "/studio/gallery", "/ops/queues")
FORMS = {"desktop": ("--preset=desktop",), "phone": ()}
CATEGORIES = ("performance", "accessibility", "best-practices")
KB = 1000


@dataclass(frozen=True, slots=True)
class Goal:
    name: str
    most: float | None = None
    least: float | None = None
    unit: str = ""

    def met(self, value: float) -> bool:
        return (self.most is None or value < self.most) and (self.least is None or value >= self.least)


GOALS = (
    *(Goal(name, least=95) for name in CATEGORIES),
    Goal("first contentful paint", most=1.5, unit="s"),
    Goal("largest contentful paint", most=2.5, unit="s"),
    Goal("cumulative layout shift", most=0.1),
    Goal("time to interactive", most=3.0, unit="s"),
    Goal("script, first view", most=200, unit="kB"),
)
LIBRARY_GOALS = (
    Goal("nothing cached", most=library.MOST_MS, unit="ms"),
    # The promise is about the pictures (U20); when they can be chosen is told beside it.
    Goal("… and usable", unit="ms"),
    Goal("cached", most=library.MOST_MS, unit="ms"),
    Goal("… and usable, cached", unit="ms"),
    Goal("from another view", most=library.MOST_MS, unit="ms"),
)


async def main() -> int:
    """Exit code 1 when a goal is missed."""
    console = Console()
    missed = False
    async with stack_alone() as stack, open_browser() as browser:
        await arrange(stack)
        for page, form in _chosen(sys.argv[1:]):
            report = await _lighthouse(stack.url + page, FORMS[form])
            missed |= _show(console, f"{page}, {form}", figures(report), GOALS, _to_mend(report))
        if not sys.argv[1:]:
            look = await library.measure(browser, stack)
            title = f"the first page of a gallery of {library.ROWS:,} pictures, from the start until it is painted"
            missed |= _show(console, title, _look_figures(look), LIBRARY_GOALS)
    return int(missed)


def _chosen(words: Sequence[str]) -> list[tuple[str, str]]:
    """Pages and forms whose title has all of the words."""
    return [
        (page, form) for page in PAGES for form in FORMS if all(word in f"{page}, {form}" for word in words)
    ]


async def _lighthouse(url: str, options: Iterable[str]) -> Mapping[str, Any]:
    """Lighthouse's report. Raises RuntimeError when it has none."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        process = await asyncio.create_subprocess_exec(
            "node", str(STUDIO / "node_modules" / "lighthouse" / "cli" / "index.js"), url, "--quiet",
            "--output=json", f"--output-path={path}", f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-path={find_chromium()}", f"--chrome-flags=--headless --no-sandbox {' '.join(QUIET)}",
            *options,
        )  # fmt: skip
        if await process.wait() != 0 or not path.exists():
            raise RuntimeError(f"Lighthouse gave no report of {url}")
        report: dict[str, Any] = orjson.loads(path.read_bytes())
        return report


def figures(report: Mapping[str, Any]) -> dict[str, float]:
    """What the goals speak of, by their names."""
    audits = report["audits"]
    requests = audits["network-requests"]["details"]["items"]
    return {
        **{name: 100 * (report["categories"][name]["score"] or 0) for name in CATEGORIES},
        "first contentful paint": audits["first-contentful-paint"]["numericValue"] / 1000,
        "largest contentful paint": audits["largest-contentful-paint"]["numericValue"] / 1000,
        "cumulative layout shift": audits["cumulative-layout-shift"]["numericValue"],
        "time to interactive": audits["interactive"]["numericValue"] / 1000,
        "script, first view": sum(
            item.get("transferSize", 0) for item in requests if item.get("resourceType") == "Script"
        ) / KB,
    }  # fmt: skip


def _look_figures(look: Look) -> dict[str, float]:
    found = (look.cold_ms, look.cold_usable_ms, look.warm_ms, look.warm_usable_ms, look.within_ms)
    return {goal.name: value for goal, value in zip(LIBRARY_GOALS, found, strict=True)}


def _show(
    console: Console,
    title: str,
    found: Mapping[str, float],
    goals: Iterable[Goal],
    to_mend: Iterable[str] = (),
) -> bool:
    """Prints the figures beside the goals, and what to mend; whether one is missed."""
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
    for heading, justify in (("", "left"), ("measured", "right"), ("goal", "right"), ("", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]  # the literals are of rich's own
    for goal in goals:
        table.add_row(goal.name, f"{found[goal.name]:.3g} {goal.unit}", *_verdict(goal, found[goal.name]))
    console.print(table)
    for line in to_mend:
        console.print(f"    {line}", style="dim")
    console.print()
    return not all(goal.met(found[goal.name]) for goal in goals)


def _verdict(goal: Goal, value: float) -> tuple[str, str]:
    """The bound, and whether it is kept; nothing where nothing was promised."""
    if goal.most is None and goal.least is None:
        return "", ""
    bound = f"< {goal.most:g}" if goal.most is not None else f"≥ {goal.least:g}"
    return f"{bound} {goal.unit}", "[green]met[/]" if goal.met(value) else "[red]missed[/]"


def _to_mend(report: Mapping[str, Any]) -> list[str]:
    """What keeps accessibility and best practices from the full mark."""
    return [
        audit["title"]
        for name in CATEGORIES[1:]
        for ref in report["categories"][name]["auditRefs"]
        if ref["weight"] and (audit := report["audits"][ref["id"]])["score"] not in (None, 1)
    ]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
