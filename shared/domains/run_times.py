"""How long models take: what was seen, by model and size of the request, and what it lets expect.

A run is timed from the call to the provider's final word, its queue included: that is what is waited for. The
time for which the call itself held a slot is kept too, under the size `submit`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shared.db import Database
from shared.kinds import KINDS

RECENT = 50
"""So many of the last times decide."""
ENOUGH = 10
"""With fewer samples than this, the range that is told stays wide."""
SUBMIT = "submit"

_TRIMMED = f"""
    (r.recent || excluded.recent)[greatest(1, cardinality(r.recent) + cardinality(excluded.recent) - {RECENT - 1}):]
"""

_QUANTILES = """
    SELECT q[1], q[2], q[3] FROM (
        SELECT percentile_cont(ARRAY[0.2, 0.5, 0.9]) WITHIN GROUP (ORDER BY x) AS q FROM unnest({times}) AS x) AS p
"""

# Rows are written in the order of their keys, so two workers never wait for each other in a circle.
_ADD = f"""
WITH seen AS (
    SELECT card, size, array_agg(seconds ORDER BY n) AS times
    FROM unnest($1::text[], $2::text[], $3::float8[]) WITH ORDINALITY AS s(card, size, seconds, n)
    GROUP BY card, size ORDER BY card, size
)
INSERT INTO run_times AS r (card, size, samples, recent, early_s, median_s, late_s)
SELECT card, size, cardinality(times), times[greatest(1, cardinality(times) - {RECENT - 1}):], p.*
FROM seen CROSS JOIN LATERAL ({_QUANTILES.format(times="seen.times")}) AS p
ON CONFLICT (card, size) DO UPDATE SET samples = r.samples + excluded.samples, recent = {_TRIMMED},
    (early_s, median_s, late_s) = ({_QUANTILES.format(times=_TRIMMED)}), updated_at = now()
RETURNING card, size, samples, early_s, median_s, late_s
"""  # noqa: S608  # constants only

_READ = "SELECT card, size, samples, early_s, median_s, late_s FROM run_times"

type Key = tuple[str, str]
"""A card's id and a size."""


class Sample(NamedTuple):
    card: str
    size: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Expectation:
    """The 20th, 50th and 90th percentile of a run time, in seconds. Without samples it is a guess."""

    early_s: float
    median_s: float
    late_s: float
    samples: int = 0

    @classmethod
    def guessed(cls, seconds: float) -> "Expectation":
        return cls(0.2 * seconds, seconds, 2.0 * seconds)

    @classmethod
    def seen(cls, row: Mapping[str, Any]) -> "Expectation":
        early_s, median_s, late_s = row["early_s"], row["median_s"], row["late_s"]
        if row["samples"] < ENOUGH:
            early_s, late_s = min(early_s, 0.6 * median_s), max(late_s, 1.5 * median_s)
        return cls(early_s, median_s, late_s, row["samples"])


type Known = Mapping[Key, Expectation]


async def add(db: Database, samples: Sequence[Sample]) -> dict[Key, Expectation]:
    """Adds what was seen in one statement; what is to be expected of the same models now."""
    return _by_key(await db.fetch(_ADD, *map(list, zip(*samples, strict=True))))


async def read(db: Database) -> dict[Key, Expectation]:
    """Everything that is known."""
    return _by_key(await db.fetch(_READ))


def _by_key(rows: Sequence[Mapping[str, Any]]) -> dict[Key, Expectation]:
    return {(row["card"], row["size"]): Expectation.seen(row) for row in rows}


def expect(known: Known, route: Mapping[str, Any], kind: str) -> Expectation:
    """What a run on this route (see `shared.domains.routing`) takes: as was seen, else as its card guesses."""
    found = known.get((route["card"], route.get("size", "")))
    if found is not None:
        return found
    return Expectation.guessed(route.get("expected_s") or KINDS[kind].usual_s)
