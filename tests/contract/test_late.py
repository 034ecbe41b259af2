"""What comes late, or twice: a result after the deadline, a prediction that shows up after it was given up,
bells and pokes that are repeated."""

import asyncio

from tests.contract.books import balanced
from tests.contract.cases import CASES, LOCAL_TEXT, Case
from tests.contract.scene import Asked, Scene, each, fault
from tests.emulators.base import Effect
from tests.pipeline import TERMINAL

LONG_S = 600.0
_POKE = "UPDATE generations SET pokes = pokes + 1, wake_at = now() WHERE id = $1 AND state = 'waiting'"


async def test_what_ends_after_its_deadline_is_settled_by_its_bill(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        late = fault(Effect.RUN_SECONDS, seconds=LONG_S)
        asked = await scene.ask(case, late, start_deadline_s=4.0, deadline_s=4.0)
        await scene.pipeline.until(asked.id)
        if not case.cancels:
            await scene.emulator(case).advance(LONG_S)
        told = await scene.told(asked)
        assert (told.state, told.code) == ("failed", "DEADLINE")
        assert (told.states, len(told.requests), len(told.lines)) == (["done"], 1, 1)
        assert told.charged == told.billed
        balanced(told)

    async with scene.working():
        await each([case for case in CASES if case.polled], tell)


async def test_what_shows_up_after_it_was_given_up_is_not_charged_too(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        unheard = fault(Effect.RESET_AFTER, times=1), fault(Effect.LIST_LAG, seconds=3600.0, times=1)
        told = await scene.run(case, *unheard)
        assert (told.state, len(told.requests), len(told.lines)) == ("completed", 2, 2), told.row["error"]
        assert told.states[-1] == "done"
        assert told.charged == told.lines[-1].amount_nanos

    async with scene.working():
        await each([case for case in CASES if case.lags], tell)


async def test_repeated_bells_and_pokes_change_nothing(scene: Scene) -> None:
    async def knock(asked: Asked) -> None:
        """As webhooks do that come twice, and queues that deliver twice."""
        while (row := await scene.pipeline.row(asked.id))["state"] not in TERMINAL:
            await scene.pipeline.worker.execute(_POKE, asked.id)
            for number in range(max(0, row["dispatch_no"] - 1), row["dispatch_no"] + 1):
                await scene.pipeline.bell.ring(asked.case.kind, [(asked.id, number)])
            await asyncio.sleep(0.02)

    async def tell(case: Case) -> None:
        slow = [fault(Effect.RUN_SECONDS, seconds=0.3)] if case is not LOCAL_TEXT else []
        asked = await scene.ask(case, *slow)
        await knock(asked)
        told = await scene.told(asked)
        assert (told.state, told.states, told.attempts) == ("completed", ["done"], 1), told.row["error"]
        assert len(told.requests) == (case is not LOCAL_TEXT)
        balanced(told)

    async with scene.working():
        await each([*CASES, LOCAL_TEXT], tell)
