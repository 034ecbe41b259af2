"""A cancel in each state: it ends at once or comes too late, and the bill is the provider's."""

from tests.contract.books import balanced
from tests.contract.cases import CASES, LOCAL_TEXT, Case
from tests.contract.scene import Scene, each, fault
from tests.emulators.base import Effect

LONG_S = 600.0
POLLED = [case for case in CASES if case.polled]


async def test_what_only_waits_here_is_never_asked_for(scene: Scene) -> None:
    await scene.publish()
    cases = [*CASES, LOCAL_TEXT]
    asked = {case.name: await scene.ask(case) for case in cases}
    for one in asked.values():
        result = await scene.pipeline.cancel(one.id)
        assert (result.state, result.money) == ("canceled", "released")

    async def tell(case: Case) -> None:
        await scene.run(case)
        told = await scene.told(asked[case.name])
        assert (told.state, told.states, told.requests, told.charged) == ("canceled", [], [], 0)
        balanced(told)

    async with scene.working():
        await each(cases, tell)


async def test_a_paid_call_is_not_cut_off(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        asked = await scene.ask(case, fault(Effect.SLOW, seconds=0.5))
        await scene.reaches(asked)
        await scene.pipeline.cancel(asked.id)
        told = await scene.told(asked)
        assert told.state == ("canceled" if case.polled else "completed"), told.row["error"]
        assert (told.states, len(told.requests), len(told.lines)) == (["done"], 1, 1)
        assert told.charged == told.billed
        balanced(told)

    async with scene.working():
        await each(CASES, tell)


async def test_work_that_costs_nothing_stops(scene: Scene) -> None:
    async with scene.working():
        asked = await scene.ask(LOCAL_TEXT, input={"simulate": {"seconds": 60}})
        await scene.until(asked, "submitting")
        await scene.pipeline.cancel(asked.id)
        told = await scene.told(asked)
    assert (told.state, told.states, told.charged) == ("canceled", [], 0)


async def test_what_waits_at_the_provider_is_canceled_there(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        asked = await scene.ask(case, fault(Effect.QUEUE_SECONDS, seconds=LONG_S))
        await scene.until(asked, "provider_queued")
        await scene.pipeline.cancel(asked.id)
        told = await scene.told(asked)
        assert (told.state, told.states, len(told.requests)) == ("canceled", ["done"], 1)
        assert told.charged == told.billed == 0
        balanced(told)

    async with scene.working():
        await each([case for case in CASES if case.queues], tell)


async def test_what_runs_at_the_provider_is_settled_by_its_bill(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        asked = await scene.ask(case, fault(Effect.RUN_SECONDS, seconds=LONG_S))
        await scene.until(asked, "provider_running")
        await scene.pipeline.cancel(asked.id)
        assert (await scene.pipeline.until(asked.id))["state"] == "canceled"
        if not case.cancels:
            await scene.emulator(case).advance(LONG_S)
        told = await scene.told(asked)
        assert (told.states, len(told.requests), len(told.lines)) == (["done"], 1, 1)
        assert told.charged == told.billed
        balanced(told)

    async with scene.working():
        await each(POLLED, tell)


async def test_what_is_being_stored_is_delivered(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        asked = await scene.ask(case, fault(Effect.SLOW, case.file, seconds=0.5))
        await scene.until(asked, "downloading")
        await scene.pipeline.cancel(asked.id)
        told = await scene.told(asked)
        assert (told.state, told.states) == ("completed", ["done"]), told.row["error"]
        assert told.charged == told.billed
        balanced(told)

    async with scene.working():
        await each([case for case in CASES if case.file], tell)


async def test_after_the_end_a_cancel_changes_nothing(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        asked = await scene.ask(case)
        before = await scene.told(asked)
        result = await scene.pipeline.cancel(asked.id)
        assert (result.state, result.changed) == ("completed", False)
        after = await scene.told(asked)
        assert (after.row["seq"], after.ledger, after.lines) == (
            before.row["seq"],
            before.ledger,
            before.lines,
        )

    async with scene.working():
        await each([*CASES, LOCAL_TEXT], tell)
