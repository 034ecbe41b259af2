"""Clear refusals: limits are waited out without an attempt, everything else fails at once, and costs nothing."""

import pytest

from tests.contract.books import balanced
from tests.contract.cases import CASES, Case
from tests.contract.scene import Scene, each, fault
from tests.emulators.base import Effect

WAIT_S = 0.8


@pytest.mark.parametrize("hint", ["header", "milliseconds", "body"])
async def test_a_limit_is_waited_out_and_spends_no_attempt(scene: Scene, hint: str) -> None:
    async def tell(case: Case) -> None:
        limit = fault(Effect.REFUSE, status=429, retry_after_s=WAIT_S, retry_after_in=hint, times=1)
        told = await scene.run(case, limit)
        assert (told.state, told.attempts) == ("completed", 1), told.row["error"]
        assert told.states == ["rejected", "done"]
        first, second = told.requests
        assert second.at - first.at >= WAIT_S
        assert len(told.lines) == 1
        balanced(told)

    async with scene.working():
        await each([case for case in CASES if hint in case.outside.hints], tell)


async def test_an_account_that_is_not_let_in_fails_it_uncharged(scene: Scene) -> None:
    """For its key, or for its quota: told once, not tried again."""

    async def tell(case: Case) -> None:
        for status, message in (case.outside.auth, case.outside.quota):
            told = await scene.run(case, fault(Effect.REFUSE, status=status, message=message))
            assert (told.state, told.code) == ("failed", "PROVIDER_AUTH"), message
            assert (told.states, len(told.requests), told.lines) == (["rejected"], 1, [])
            assert told.charged == 0
            balanced(told)

    async with scene.working():
        await each(CASES, tell)


async def test_refused_content_is_final_and_costs_what_the_provider_bills(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        told = await scene.run(case, fault(Effect.NSFW))
        assert (told.state, told.code) == ("failed", "CONTENT_BLOCKED")
        assert not told.row["error"]["retryable"]
        assert (len(told.requests), len(told.states)) == (1, 1)
        assert told.charged == told.billed
        balanced(told)

    async with scene.working():
        await each([case for case in CASES if case.blocks], tell)


async def test_what_fails_there_costs_what_the_provider_bills(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        told = await scene.run(case, fault(Effect.FAIL, message="CUDA out of memory"))
        assert (told.state, told.code, told.states) == ("failed", "PROVIDER_FAILED", ["done"])
        assert told.charged == told.billed
        balanced(told)

    async with scene.working():
        await each([case for case in CASES if case.polled], tell)
