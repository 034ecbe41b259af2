"""Answers that never came: whoever can be asked is asked, and nothing is bought twice at the account's expense."""

import pytest

from tests.contract.books import Told, balanced
from tests.contract.cases import CASES, Case, Unknown
from tests.contract.scene import Fault, Scene, each, fault
from tests.emulators.base import Effect

BEFORE = {
    "500": fault(Effect.REFUSE, status=500, times=1),
    "reset": fault(Effect.RESET, times=1),
}
"""The provider has not taken it in, which the caller cannot know."""
AFTER = {
    "500": fault(Effect.REFUSE_AFTER, status=500, times=1),
    "reset": fault(Effect.RESET_AFTER, times=1),
    "malformed": fault(Effect.MALFORMED_AFTER, times=1),
    "truncated": fault(Effect.OUTPUT_TRUNCATED, times=1),
}
"""The provider works and bills."""


def told_as_expected(told: Told, arrived: bool) -> None:
    """`arrived` says whether the first request was taken in."""
    balanced(told)
    match told.case.unknown:
        case Unknown.FOUND if arrived:
            assert (told.state, told.states) == ("completed", ["done"]), told.row["error"]
            assert (len(told.requests), len(told.lines), told.attempts) == (1, 1, 1)
            assert told.charged == told.billed
        case Unknown.FOUND:
            assert (told.state, told.states) == ("completed", ["lost", "done"]), told.row["error"]
            assert (len(told.requests), len(told.lines), told.attempts) == (2, 1, 1)
            assert told.charged == told.billed
        case Unknown.AGAIN:
            assert (told.state, told.states) == ("completed", ["possibly_billed", "done"]), told.row["error"]
            assert (len(told.requests), len(told.lines)) == (2, 1 + arrived)
        case Unknown.UNCHARGED:
            assert (told.state, told.code) == ("failed", "PROVIDER_TIMEOUT")
            assert told.row["error"]["details"]["possibly_billed"] is True
            assert (told.states, told.charged) == (["possibly_billed"], 0)
            assert (len(told.requests), len(told.lines)) == (1, arrived)


@pytest.mark.parametrize("met", BEFORE.values(), ids=BEFORE)
async def test_what_was_not_taken_in_is_sent_again_once_that_is_known(scene: Scene, met: Fault) -> None:
    async def tell(case: Case) -> None:
        told_as_expected(await scene.run(case, met), arrived=False)

    async with scene.working():
        await each(CASES, tell)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("met", AFTER.values(), ids=AFTER)
async def test_what_was_taken_in_is_never_charged_twice(scene: Scene, met: Fault) -> None:
    async def tell(case: Case) -> None:
        told_as_expected(await scene.run(case, met), arrived=True)

    async with scene.working():
        await each([case for case in CASES if _can_befall(met, case)], tell)


def _can_befall(met: Fault, case: Case) -> bool:
    if met.effect is Effect.MALFORMED_AFTER:
        return case.malformed
    return met.effect is not Effect.OUTPUT_TRUNCATED or (case.polled is None and met.effect in case.spoils)


@pytest.mark.usefixtures("impatient")
async def test_an_answer_that_never_comes_is_not_waited_for_for_ever(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        told_as_expected(await scene.run(case, fault(Effect.LOST_AFTER, times=1)), arrived=True)

    async with scene.working(find_window_s=3.0):
        await each(CASES, tell)
