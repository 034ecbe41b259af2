"""When a generation will be done, as far as that can be told, and what it waits for until then."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from shared.db import CONNECTION_ERRORS, Database
from shared.domains import fleet, run_times
from shared.domains.fleet import QueueLoad
from shared.domains.run_times import SUBMIT, Expectation, Known
from shared.domains.states import TERMINAL
from shared.kinds import KINDS
from shared.log import get_logger

log = get_logger(__name__)

FRESH_S = 2.0
LEAST_PROGRESS = 0.05
"""Before this, progress says nothing of the speed."""
STORE_S = 1.0
PROVIDER_AT_ONCE = 10
"""How many jobs a provider is taken to run at once; none of them tells."""


class Wait(NamedTuple):
    """Why nobody works on an unfinished generation just now, and until when at least; None is unknown."""

    reason: str
    until: datetime | None


class Eta(NamedTuple):
    """Seconds that are left: in the middle of what is likely, and with nine chances in ten. None is unknown."""

    seconds: float | None
    p90_seconds: float | None
    wait: Wait | None = None


UNKNOWN = Eta(None, None)


class Etas:
    """Looks ahead for the gateway. What it knows is at most about two seconds old, and shared by all requests."""

    def __init__(self, db: Database, lease_ttl_s: float) -> None:
        self._db = db
        self._lease_ttl_s = lease_ttl_s
        self._known: Known = {}
        self._loads: Mapping[str, QueueLoad] = {}
        self._pauses: Mapping[str, datetime | None] = {}
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Reads anew what is older than two seconds. Not to be awaited inside a transaction: it needs a
        connection of its own. Without Postgres what is known stays."""
        if self._is_stale():
            await asyncio.shield(self._read_soon())

    def of(self, row: Mapping[str, Any], place: int | None = None) -> Eta:
        """The ETA of a row of `generations`; `place` is its place among its account's own, if it queues.

        Asks nobody: what is stale is read in the background.
        """
        if row["state"] in TERMINAL:
            return UNKNOWN
        if self._is_stale():
            self._read_soon()
        now = datetime.now(UTC)
        eta = look_ahead(row, self._known, self._loads.get(row["kind"]), place, now)
        return _after_wait(eta, wait_of(row, self._pauses, now), now)

    def wait(self, row: Mapping[str, Any]) -> Wait | None:
        """What the row waits for, as far as is known; asks nobody."""
        return None if row["state"] in TERMINAL else wait_of(row, self._pauses, datetime.now(UTC))

    def _is_stale(self) -> bool:
        return time.monotonic() - self._read_at > FRESH_S

    def _read_soon(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
        return self._reading

    async def _read(self) -> None:
        try:
            self._known = await run_times.read(self._db)
            self._loads = await fleet.queue_loads(self._db, list(KINDS), self._lease_ttl_s)
            self._pauses = await fleet.pauses(self._db)
        except CONNECTION_ERRORS as error:
            log.warning("etas_not_read", error=type(error).__name__)
        except Exception:
            # Nobody fails to see his generation because its end cannot be foretold.
            log.exception("etas_not_read")
        self._read_at = time.monotonic()


def guess(row: Mapping[str, Any]) -> Eta:
    """The ETA of a row by the models' own guesses, as if nothing else waited."""
    if row["state"] in TERMINAL:
        return UNKNOWN
    now = datetime.now(UTC)
    return _after_wait(look_ahead(row, {}, None, None, now), wait_of(row, {}, now), now)


def wait_of(row: Mapping[str, Any], pauses: Mapping[str, datetime | None], now: datetime) -> Wait | None:
    """What an unfinished row waits for; `pauses` are the paused kinds, and when each pause ends by itself."""
    if row["owner"] is not None:
        return None
    # Also with a bell under way, which begins nothing in a paused queue.
    if row["state"] == "queued" and row["kind"] in pauses:
        return Wait("paused", pauses[row["kind"]])
    if row["rung"] or row["waiting_for"] is None:
        return None
    wake_at = row["wake_at"]
    return Wait(row["waiting_for"], wake_at if wake_at is not None and wake_at > now else None)


def _after_wait(eta: Eta, wait: Wait | None, now: datetime) -> Eta:
    """What waits in our queue begins after its wait; nobody knows when, if nobody knows how long that is."""
    if wait is None:
        return eta
    if wait.reason == "doubt" or eta.seconds is None or eta.p90_seconds is None:
        return eta._replace(wait=wait)
    if wait.until is None:
        return Eta(None, None, wait) if wait.reason == "paused" else eta._replace(wait=wait)
    left_s = max(0.0, (wait.until - now).total_seconds())
    return Eta(round(eta.seconds + left_s, 1), round(eta.p90_seconds + left_s, 1), wait)


def look_ahead(
    row: Mapping[str, Any], known: Known, load: QueueLoad | None, place: int | None, now: datetime
) -> Eta:
    """The ETA of an unfinished row, from what is known of run times and of its queue."""
    route = _route(row)
    if route is None:
        return UNKNOWN
    run = run_times.expect(known, route, row["kind"])
    if row["state"] == "queued":
        step = known.get((route["card"], SUBMIT), run)
        wait = _queue_wait(step, load, place or 0)
        return UNKNOWN if wait is None else _eta(wait[0] + run.median_s, wait[1] + run.late_s)
    if row["state"] == "storing":
        left_s = max(0.0, STORE_S - _seconds_since(row["updated_at"], now))
        return _eta(left_s, 2 * left_s)
    return _running(row, run, now)


def _route(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The route that it took last, or will take first."""
    routes: list[dict[str, Any]] = row["routes"]
    if not routes:
        return None
    card = row["decision"].get("card") if row["state"] != "queued" else None
    return next((route for route in routes if route["card"] == card), routes[0])


def _queue_wait(step: Expectation, load: QueueLoad | None, place: int) -> tuple[float, float] | None:
    """Seconds in our own queue (likely, late): what fair order serves first, by so many slots at once.

    Of each account as much goes before it as of its own. None when no worker serves the queue.
    """
    if load is None:
        return 0.0, 0.0
    if load.slots == 0:
        return None
    ahead = min(place * max(load.accounts, 1), max(load.queued - 1, place))
    return ahead * step.median_s / load.slots, ahead * step.late_s / load.slots


def _running(row: Mapping[str, Any], run: Expectation, now: datetime) -> Eta:
    """While it is with its provider: in the queue there its run has not begun, whatever the clock says."""
    if row["provider_queue_position"]:
        rounds = 1 + row["provider_queue_position"] / PROVIDER_AT_ONCE
        return _eta(rounds * run.median_s, rounds * run.late_s)
    # A later attempt began with its own submit, not with the first one.
    began = row["started_at"] if row["attempts"] <= 1 else row["updated_at"]
    if began is None:
        return _eta(run.median_s, run.late_s)
    return _remaining(run, _seconds_since(began, now), row["progress"])


def _remaining(run: Expectation, elapsed_s: float, progress: float | None) -> Eta:
    """The further it says it is, the more its own pace counts, and the less what others took."""
    median_s, late_s = max(0.0, run.median_s - elapsed_s), max(0.0, run.late_s - elapsed_s)
    if progress is None or progress < LEAST_PROGRESS:
        # Later than nearly all before it: nobody knows.
        return _eta(median_s, late_s) if late_s else UNKNOWN
    share = min(1.0, progress)
    own_s = elapsed_s * (1 - share) / share
    likely_s = share * own_s + (1 - share) * median_s if median_s else own_s
    return _eta(likely_s, max(likely_s, share * own_s + (1 - share) * late_s))


def _eta(seconds: float, p90_seconds: float) -> Eta:
    return Eta(round(seconds, 1), round(p90_seconds, 1))


def _seconds_since(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds())
