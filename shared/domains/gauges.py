"""How much waits, runs, is reserved and is going wrong right now, over all accounts, for a scrape."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.db import Database
from shared.kinds import KINDS

_READ = """
SELECT gauge, labels, value FROM auth.gauges($1, $2)
UNION ALL SELECT gauge, labels, value FROM auth.audit_gauges()
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """One number, such as `queue_depth` of `("image", "normal")`."""

    gauge: str
    labels: Sequence[str]
    value: float


async def read(db: Database, lease_ttl_s: float) -> list[Reading]:
    """Everything in one statement. A worker that was silent for `lease_ttl_s` is down. Raises CONNECTION_ERRORS.

    Names and labels are those of the metrics, without their prefix; every kind has its numbers, if only zeros.
    """
    rows = await db.fetch(_READ, list(KINDS), lease_ttl_s)
    return [Reading(row["gauge"], row["labels"], row["value"]) for row in rows]
