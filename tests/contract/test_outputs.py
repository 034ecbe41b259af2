"""What becomes of the output: what cannot be kept fails at the provider's price, and nothing is made again."""

from tests.contract.books import Told, balanced
from tests.contract.cases import CASES, Case
from tests.contract.scene import Scene, each, fault
from tests.emulators.base import Effect

LIMIT_BYTES = 1 << 20


async def _outputs(scene: Scene, told: Told) -> int:
    count: int = await scene.pipeline.worker.fetchval(
        "SELECT count(*) FROM outputs WHERE generation_id = $1", told.row["id"]
    )
    return count


SPOILED = {
    Effect.OUTPUT_404: "UPLOAD_FAILED",
    Effect.OUTPUT_HUGE: "UPLOAD_FAILED",
    Effect.OUTPUT_GARBAGE: "UPLOAD_FAILED",
    Effect.OUTPUT_EXPIRED: "PROVIDER_FAILED",
}
"""What becomes of a generation with such an output."""


async def test_what_cannot_be_kept_fails_at_the_providers_price(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        for effect in sorted(SPOILED.keys() & case.spoils):
            told = await scene.run(case, fault(effect, bytes=2 * LIMIT_BYTES))
            assert (told.state, told.code) == ("failed", SPOILED[effect]), effect
            assert (told.states, len(told.requests), len(told.lines)) == (["done"], 1, 1)
            assert await _outputs(scene, told) == 0
            assert told.charged == told.billed > 0
            balanced(told)

    async with scene.working(max_output_bytes=LIMIT_BYTES):
        await each([case for case in CASES if SPOILED.keys() & case.spoils], tell)


async def test_the_right_bytes_under_a_wrong_name_are_delivered(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        told = await scene.run(case, fault(Effect.OUTPUT_WRONG_TYPE))
        assert (told.state, await _outputs(scene, told)) == ("completed", 1), told.row["error"]
        balanced(told)

    async with scene.working():
        await each([case for case in CASES if Effect.OUTPUT_WRONG_TYPE in case.spoils], tell)


async def test_a_file_that_breaks_off_is_fetched_again_and_not_made_again(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        told = await scene.run(case, fault(Effect.RESET, case.file, times=1))
        assert (told.state, await _outputs(scene, told)) == ("completed", 1), told.row["error"]
        assert (told.states, len(told.requests)) == (["done"], 1)
        balanced(told)

    cases = [case for case in CASES if case.file]
    async with scene.working():
        await each(cases, tell)
    for case in cases:
        files = [one for one in cases if one.outside is case.outside]
        assert len(scene.emulator(case).seen(case.file)) > len(files)
