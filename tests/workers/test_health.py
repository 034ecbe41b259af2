"""Rules of health: what counts, how much it weighs, and that a state is not left as easily as it is entered."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import JobError
from workers.health import (
    DEGRADED_AT,
    DOWN_AT,
    MOST_DOUBLED,
    WELL,
    Health,
    Tally,
    Verdict,
    observed,
    probed,
    verdict_of_answer,
    verdict_of_error,
    verdicts_of_runs,
)
from workers.providers.base import (
    Accepted,
    Ended,
    Finished,
    Gone,
    HeldBack,
    NotSent,
    Pending,
    Refused,
    Usage,
)

BAD = Verdict("bad")
BROKEN, PROMPT = JobError("PROVIDER_FAILED", "broken"), JobError("CONTENT_BLOCKED", "no")
OUTCOMES = st.lists(st.booleans(), max_size=60)


def _after(outcomes: list[bool], start: Health = Health(), sort: str = "submit") -> list[Health]:  # noqa: B008  # frozen
    """The health after each of these calls, one report for each."""
    found = [start]
    for well in outcomes:
        tally = Tally()
        tally.add(WELL if well else BAD, 0.1)
        found.append(observed(found[-1], {sort: tally}, 5.0))
    return found


@given(OUTCOMES)
def test_the_error_rate_is_a_share_and_follows_the_newest(outcomes: list[bool]) -> None:
    for (before, after), well in zip(pairwise(_after(outcomes)), outcomes, strict=True):
        assert 0 <= after.error_rate <= 1
        if before.status != "down":
            assert (after.error_rate <= before.error_rate) if well else (after.error_rate > before.error_rate)


@given(OUTCOMES)
def test_a_state_is_left_later_than_it_is_entered(outcomes: list[bool]) -> None:
    for n, (before, after) in enumerate(pairwise(_after(outcomes))):
        if before.status == "healthy" and after.status == "degraded":
            assert after.error_rate >= DEGRADED_AT
            soon = _after([True] * 3, after)
            assert [one.status for one in soon] == ["degraded"] * 4, f"flaps after {outcomes[:n]}"
        if after.status == "down" and before.status != "down":
            assert before.error_rate < DOWN_AT <= after.error_rate
        if before.status == "down":
            assert after.status == "down", "only a probe ends it"


@pytest.mark.parametrize(
    ("failures", "status"), [(1, "healthy"), (2, "degraded"), (4, "degraded"), (5, "down")]
)
def test_failures_one_after_the_other(failures: int, status: str) -> None:
    assert _after([False] * failures)[-1].status == status


def test_a_degraded_one_heals_by_what_goes_well() -> None:
    assert _after([False] * 4 + [True] * 12)[-1].status == "healthy"


@given(st.integers(1, 1000))
def test_one_report_is_no_outage_however_many_calls_failed(calls: int) -> None:
    tally = Tally(calls=calls, failures=calls, error="bad")
    assert observed(Health("healthy"), {"submit": tally}, 5.0).status != "down"


@given(st.integers(0, 200))
def test_work_that_fails_there_degrades_but_is_no_outage(failures: int) -> None:
    assert _after([False] * failures, sort="run")[-1].status in {"unknown", "healthy", "degraded"}


def test_polls_that_go_well_do_not_hide_submits_that_fail() -> None:
    state = Health()
    for _ in range(8):
        seen = {"submit": Tally(1, 1, error="bad"), "poll": Tally(500, 0, 5.0)}
        state = observed(state, seen, 5.0)
    assert state.status == "down"


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_a_probe_closes_or_doubles_up_to_the_cap(probes: list[bool]) -> None:
    state = Health("down", {"submit": 0.7}, 100.0, 5.0)
    for well in probes:
        before, state = state, probed(state, WELL if well else BAD, 5.0)
        if well:
            assert (state.status, state.error_rate, state.cooldown_s) == ("healthy", 0.0, 0.0)
            return
        assert state.status == "down"
        assert state.cooldown_s == min(2 * before.cooldown_s, MOST_DOUBLED * 5.0)


def test_the_response_time_is_that_of_submits_that_went_well() -> None:
    seen = {"submit": Tally(4, 2, 0.4, "bad"), "poll": Tally(9, 0, 90.0)}
    assert observed(Health(), seen, 5.0).response_ms == pytest.approx(200)


@pytest.mark.parametrize(
    ("error", "at_fault"),
    [
        (NotSent("refused connection"), True),
        (TimeoutError(), True),
        (Refused(JobError("PROVIDER_AUTH", "our key")), True),
        (Refused(PROMPT, curable=False), False),
        (Refused(JobError("PROVIDER_REJECTED", "width: too large")), False),
        (Refused(JobError("PROVIDER_RATE_LIMITED", "slow down", retryable=True), retry_after_s=3), False),
        (HeldBack("the input could not be read"), False),
    ],
)
def test_what_a_request_that_raised_says(error: Exception, at_fault: bool) -> None:
    verdict = verdict_of_error(error)
    assert (verdict is not None and verdict.error is not None) is at_fault


@pytest.mark.parametrize(("status", "after"), [(401, "down"), (403, "healthy"), (402, "healthy")])
def test_a_key_that_is_refused_is_out_of_use_at_once(status: int, after: str) -> None:
    verdict = verdict_of_error(Refused(JobError("PROVIDER_AUTH", "our key", details={"status": status})))
    assert verdict is not None
    tally = Tally(calls=9)
    tally.add(verdict)
    assert observed(Health("healthy"), {"submit": tally}, 5.0).status == after


@pytest.mark.parametrize(
    ("answer", "request_", "runs"),
    [
        (Accepted("r"), WELL, []),
        (Finished((), Usage()), WELL, [WELL]),
        (Ended(BROKEN), WELL, [Verdict("broken")]),
        (Ended(PROMPT, curable=False), WELL, []),
        (Ended(BROKEN, canceled=True), WELL, []),
        ({1: Pending(True), 2: TimeoutError()}, WELL, []),
        ({1: TimeoutError(), 2: TimeoutError()}, Verdict("Polls end in TimeoutError."), []),
        ({1: Gone(), 2: Finished((), Usage())}, WELL, [Verdict("It forgot a job."), WELL]),
        ({}, None, []),
    ],
)
def test_what_an_answer_says(answer: Any, request_: Verdict | None, runs: list[Verdict]) -> None:
    assert verdict_of_answer(answer) == request_
    assert list(verdicts_of_runs(answer)) == runs
