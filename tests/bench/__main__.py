"""`python -m tests.bench`: measures the performance goals, each beside its baseline in the same run.

Figures depend on the machine and on what else it does; ratios say more than numbers. The processor that a
figure is about has a core of its own where there are several; servers and load have the others.
"""

import argparse
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from os import cpu_count, getloadavg
from pathlib import Path

import orjson
import uvloop
from rich.console import Console

from tests.bench import (
    accept,
    artifact,
    idle,
    latency,
    library,
    polling,
    reading,
    sockets,
    throughput,
    waiting,
)
from tests.bench.figures import TITLES, Figure, show
from tests.bench.stand import Stand, open_stand

GOALS: dict[int, Callable[[Stand], Awaitable[list[Figure]]]] = {
    1: accept.measure,
    2: latency.measure_pick_up,
    3: latency.measure_life,
    4: throughput.measure,
    5: waiting.measure,
    6: sockets.measure,
    7: artifact.measure,
    8: idle.measure,
    9: reading.measure,
    10: polling.measure,
    11: library.measure,
}


WIDTH = 132


async def run(goals: list[int], *, quick: bool) -> int:
    """The exit code: 1 when a goal could not be measured. A goal that is not met is a finding, not a failure."""
    console = Console(width=max(Console().width, WIDTH), soft_wrap=True)
    started = time.monotonic()
    figures: list[Figure] = []
    failed: list[int] = []
    async with open_stand(console, quick=quick) as stand:
        for goal in goals:
            begun = time.monotonic()
            try:
                figures += await GOALS[goal](stand)
            except Exception:
                console.print_exception()
                failed.append(goal)
            await stand.clear()
            stand.say(f"goal {goal}: {TITLES[goal]}, {time.monotonic() - begun:.0f} s")
    show(figures, console)
    path = _write(figures, quick=quick, took_s=time.monotonic() - started)
    hint = "; a quick run is only a hint" if quick else ""
    console.print(f"\n{path.name}, {time.monotonic() - started:.0f} s{hint}", highlight=False)
    if failed:
        console.print(f"[red]Not measured: goals {', '.join(map(str, failed))}[/red]", highlight=False)
    return 1 if failed else 0


def _write(figures: list[Figure], *, quick: bool, took_s: float) -> Path:
    now = datetime.now(UTC)
    path = Path(f"bench-{now:%Y-%m-%d-%H%M%S}.json")
    report = {
        "measured_at": now,
        "quick": quick,
        "took_s": round(took_s, 1),
        "cores": cpu_count(),
        "load": getloadavg()[0],
        "figures": [figure.as_json() for figure in figures],
    }
    path.write_bytes(orjson.dumps(report, option=orjson.OPT_INDENT_2))
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--goals", help="some of them, such as 1,9")
    parser.add_argument("--quick", action="store_true", help="short rounds: under a minute, only a hint")
    given = parser.parse_args()
    try:
        goals = [int(word) for word in given.goals.split(",")] if given.goals else list(GOALS)
    except ValueError:
        parser.error("--goals takes numbers, such as 1,9")
    if unknown := set(goals) - set(GOALS):
        parser.error(f"there is no goal {min(unknown)}; there are 1 to {max(GOALS)}")
    return uvloop.run(run(goals, quick=given.quick))


if __name__ == "__main__":
    sys.exit(main())
