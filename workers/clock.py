"""What is due, in one question: an idle process asks Postgres twice a second and nothing else.

Everything that has to happen (steps to announce, jobs to look at, open submissions, dead workers) is a time
in Postgres that has come, so one statement finds all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.db import Database

_READ = """
SELECT
    ARRAY(SELECT k.kind FROM unnest($1::text[]) AS k(kind) WHERE
        EXISTS (SELECT FROM generations g WHERE g.kind = k.kind AND g.state IN ('submitting', 'storing')
            AND g.wake_at <= now() AND g.owner IS NULL)
        OR EXISTS (SELECT FROM generations g WHERE g.kind = k.kind AND g.state = 'queued'
            AND g.wake_at <= now() AND g.owner IS NULL)
    ) AS steps,
    (SELECT extract(epoch FROM min(w.wake_at) - now())::float8 FROM unnest($1::text[]) AS k(kind),
        LATERAL (SELECT wake_at FROM generations g WHERE g.kind = k.kind AND g.state = 'waiting'
            AND g.owner IS NULL ORDER BY wake_at LIMIT 1) w) AS poll_in_s,
    EXISTS (SELECT FROM submissions WHERE check_at <= now()) AS open_submissions,
    EXISTS (SELECT FROM workers WHERE beat_at < now() - $2::float8 * interval '1 second')
        OR EXISTS (SELECT FROM generations g WHERE g.owner IS NOT NULL AND (g.wake_at < now()
            OR NOT EXISTS (SELECT FROM workers w WHERE w.id = g.owner))) AS abandoned
"""


@dataclass(frozen=True, slots=True)
class Due:
    """`steps` are kinds with something to announce; `poll_in_s` is None while nothing waits at a provider."""

    steps: Sequence[str]
    poll_in_s: float | None
    open_submissions: bool
    abandoned: bool


async def read(db: Database, kinds: Sequence[str], lease_ttl_s: float) -> Due:
    """Raises CONNECTION_ERRORS."""
    row = await db.fetchrow(_READ, list(kinds), lease_ttl_s)
    assert row is not None  # noqa: S101  # a SELECT without FROM has one row
    return Due(row["steps"], row["poll_in_s"], row["open_submissions"], row["abandoned"])
