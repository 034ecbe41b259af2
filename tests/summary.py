"""What a run ends with, for whoever reads it: what was tested, how long that took, and first what went wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import pytest

AREAS = {
    "tests/browser": "the studio, in a browser",
    "tests/chaos": "crashes and outages",
    "tests/cli": "the command line and private servers",
    "tests/contract": "what holds for every provider",
    "tests/emulators": "emulated providers",
    "tests/gateway": "the HTTP API",
    "tests/gateway/live": "live updates",
    "tests/shared": "stores, isolation, media",
    "tests/shared/domains": "rules, ledger, limits",
    "tests/workers": "the pipeline, from request to output",
    "tests/workers/providers": "each provider's adapter",
    "tests/workers/providers/local": "media made here",
}
"""By folder; the deepest that fits. One that is not named goes by its path."""
BAD = ("failed", "error")
OUTCOMES = ("passed", *BAD, "skipped")


def area(nodeid: str) -> str:
    folders = nodeid.partition("::")[0].split("/")[:-1]
    for depth in range(len(folders), 0, -1):
        if named := AREAS.get("/".join(folders[:depth])):
            return named
    return "/".join(folders[:2])


def lines(stats: dict[str, list[pytest.TestReport]]) -> Iterator[str]:
    """A table by area, those with failures first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    seconds: Counter[str] = Counter()
    for outcome, reports in stats.items():
        for report in _tests(reports):
            counts[area(report.nodeid)][outcome] += outcome in OUTCOMES
            seconds[area(report.nodeid)] += report.duration  # type: ignore[assignment]  # a sum of floats
    wrong = {name: sum(told[bad] for bad in BAD) for name, told in counts.items()}
    yield f"{'':38}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}"
    for name in sorted(counts, key=lambda name: (-wrong[name], name)):
        told = counts[name]
        mark = "!" if wrong[name] else " "
        yield f"{mark} {name:36}{told['passed']:8}{wrong[name]:8}{told['skipped']:9}{seconds[name]:9.0f}"
    yield f"  {'all':36}{sum(told['passed'] for told in counts.values()):8}{sum(wrong.values()):8}" \
          f"{sum(told['skipped'] for told in counts.values()):9}{sum(seconds.values()):9.0f}"  # fmt: skip


def _tests(reports: Iterable[object]) -> Iterator[pytest.TestReport]:
    """Warnings and what could not be collected are no tests."""
    return (report for report in reports if isinstance(report, pytest.TestReport))
