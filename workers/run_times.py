"""What this process sees of how long models take, and what everybody has seen."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from shared.db import CONNECTION_ERRORS, Database
from shared.domains import run_times
from shared.domains.run_times import SUBMIT, Expectation, Key, Sample
from shared.log import get_logger

log = get_logger(__name__)

FLUSH_S = 2.0
READ_S = 60.0
"""How often what others saw of models that this process has not used is read."""
MOST_WAITING = 10_000
"""While Postgres is away, the newest samples are kept."""
EXPLORE = 0.85
"""The first look comes somewhat before the early runs end; otherwise a model that became faster stays unnoticed."""


class RunTimes:
    """Samples are written together every two seconds, and answers come from memory."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[Key, Expectation] = {}
        self._seen: list[Sample] = []
        self._read_at = float("-inf")

    def ran(self, route: Mapping[str, Any], seconds: float) -> None:
        """A run on this route came to its result after so long."""
        self._seen.append(Sample(route["card"], route.get("size", ""), seconds))

    def submitted(self, route: Mapping[str, Any], seconds: float) -> None:
        """The call held a slot for so long."""
        self._seen.append(Sample(route["card"], SUBMIT, seconds))

    def expect(self, route: Mapping[str, Any], kind: str) -> Expectation:
        return run_times.expect(self._known, route, kind)

    async def run(self) -> None:
        """Writes and reads until it is cancelled; an idle process asks once a minute."""
        while True:
            await self.flush()
            await asyncio.sleep(FLUSH_S)

    async def flush(self) -> None:
        """Writes what was seen; without Postgres it is kept for the next time. Raises nothing."""
        samples, self._seen = self._seen[-MOST_WAITING:], []
        try:
            if time.monotonic() - self._read_at > READ_S:
                self._known = await run_times.read(self._db)
                self._read_at = time.monotonic()
            if samples:
                self._known |= await run_times.add(self._db, samples)
        except CONNECTION_ERRORS as error:
            self._seen = samples + self._seen
            log.warning("run_times_put_off", samples=len(samples), error=type(error).__name__)
        except Exception:
            # A guess is good enough to go on with.
            log.exception("run_times_lost", samples=len(samples))


def first_look_s(expected: Expectation) -> float:
    """How long after the submit the first poll is worth it: a little before the earliest fifth has ended."""
    return max(0.05, EXPLORE * expected.early_s)
