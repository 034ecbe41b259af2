"""When a generation will be done."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from shared.domains.eta import UNKNOWN, Eta, Wait, guess, look_ahead, wait_of
from shared.domains.fleet import QueueLoad
from shared.domains.run_times import SUBMIT, Expectation, Known
from shared.domains.states import TERMINAL

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
CARD = "a/m"
SIZE = "1 megapixel"
KNOWN: Known = {
    (CARD, SIZE): Expectation(15.0, 20.0, 30.0, 50),
    (CARD, SUBMIT): Expectation(0.4, 0.5, 1.0, 50),
}


def row(state: str = "queued", **columns: Any) -> dict[str, Any]:
    route = {"card": CARD, "size": SIZE, "expected_s": 8.0}
    given = {
        "kind": "image", "state": state, "routes": [route], "decision": {"card": CARD}, "attempts": 1,
        "started_at": None if state == "queued" else NOW, "updated_at": NOW, "progress": None,
        "provider_queue_position": None, "waiting_for": None, "wake_at": None, "owner": None, "rung": False,
    }  # fmt: skip
    return given | columns


def eta(given: dict[str, Any], *, load: QueueLoad | None = None, place: int = 0, after_s: float = 0.0) -> Eta:
    return look_ahead(given, KNOWN, load, place, NOW + timedelta(seconds=after_s))


def test_without_a_queue_it_takes_as_long_as_a_run() -> None:
    assert eta(row()) == Eta(20.0, 30.0)
    assert look_ahead(row(), {}, None, 0, NOW) == Eta(8.0, 16.0), "the card's own guess"
    assert guess(row()) == Eta(8.0, 16.0)


def test_what_goes_first_takes_its_calls_not_its_runs() -> None:
    """A generation that waits at its provider holds no slot."""
    load = QueueLoad(queued=100, accounts=1, slots=4)
    assert eta(row(), load=load, place=40) == Eta(40 * 0.5 / 4 + 20, 40 * 1.0 / 4 + 30)


def test_other_accounts_take_turns() -> None:
    load = QueueLoad(queued=100, accounts=3, slots=1)
    assert eta(row(), load=load, place=10).seconds == 30 * 0.5 + 20
    assert eta(row(), load=load, place=90).seconds == 99 * 0.5 + 20, "no more than there are"


def test_nobody_knows_when_no_worker_serves_it() -> None:
    assert eta(row(), load=QueueLoad(1, 1, slots=0)) == UNKNOWN


def test_a_providers_queue_comes_before_the_run() -> None:
    waiting = row("waiting", provider_queue_position=5)
    assert eta(waiting, after_s=12.0) == Eta(30.0, 45.0)


def test_time_that_passes_is_time_that_is_not_left() -> None:
    assert eta(row("waiting"), after_s=12.0) == Eta(8.0, 18.0)
    assert eta(row("waiting"), after_s=25.0) == Eta(0.0, 5.0)
    assert eta(row("waiting"), after_s=31.0) == UNKNOWN


def test_a_later_attempt_begins_anew() -> None:
    began = NOW - timedelta(minutes=5)
    assert eta(row("waiting", attempts=2, started_at=began)) == Eta(20.0, 30.0)


def test_it_shrinks_as_progress_comes_and_is_never_negative() -> None:
    """A run that is twice as slow as usual, and says so."""
    told = [eta(row("waiting", progress=n / 20), after_s=2.0 * n) for n in range(1, 21)]
    likely = [one.seconds for one in told if one.seconds is not None]
    assert len(likely) == 20
    assert all(later <= sooner for sooner, later in pairwise(likely[10:]))
    assert likely[-1] == 0.0
    assert all(
        one.seconds is not None and one.p90_seconds is not None and 0 <= one.seconds <= one.p90_seconds
        for one in told
    )


def test_storing_is_short() -> None:
    assert eta(row("storing")) == Eta(1.0, 2.0)
    assert eta(row("storing"), after_s=5.0) == Eta(0.0, 0.0)


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_the_end_has_no_eta(state: str) -> None:
    assert guess(row(state)) == UNKNOWN


def test_the_route_that_it_took_counts() -> None:
    routes = [
        {"card": "b/m", "size": SIZE, "expected_s": 3.0},
        {"card": CARD, "size": SIZE, "expected_s": 8.0},
    ]
    assert eta(row("waiting", routes=routes)).seconds == 20.0
    assert eta(row(routes=routes)).seconds == 3.0, "it will try the first"


LATER, PAST = NOW + timedelta(seconds=40), NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("given", "pauses", "wait"),
    [
        (row(), {}, None),
        (row(waiting_for="cooldown", wake_at=LATER), {}, Wait("cooldown", LATER)),
        (row(waiting_for="limit", wake_at=PAST), {}, Wait("limit", None)),
        (row(waiting_for="limit", wake_at=LATER, rung=True), {}, None),
        (row("submitting", waiting_for="doubt", wake_at=LATER, owner="w"), {}, None),
        (row(waiting_for="retry", wake_at=LATER), {"image": None}, Wait("paused", None)),
        (row(rung=True), {"image": LATER}, Wait("paused", LATER)),
        (row(owner="w"), {"image": LATER}, None),
        (row("waiting"), {"image": LATER}, None),
        (row(), {"video": LATER}, None),
    ],
)
def test_what_it_waits_for(given: dict[str, Any], pauses: dict[str, Any], wait: Wait | None) -> None:
    assert wait_of(given, pauses, NOW) == wait


def test_a_wait_comes_on_top_of_the_run() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=100)
    found = guess(row(waiting_for="cooldown", wake_at=soon))
    assert found.seconds is not None
    assert 100 < found.seconds <= 108
    assert found.wait == Wait("cooldown", soon)
