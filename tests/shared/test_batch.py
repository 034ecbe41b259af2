"""Whoever asks a Batcher gets an answer, whatever becomes of the others and of the run."""

import asyncio
import random

import pytest

from shared.batch import Batcher


async def test_a_run_that_is_cancelled_leaves_nobody_waiting() -> None:
    runs: list[list[int]] = []

    async def run(_: str, items: list[int]) -> list[int]:
        runs.append(items)
        if len(runs) == 1:
            await asyncio.sleep(0)
            raise asyncio.CancelledError
        return items

    batcher: Batcher[str, int, int] = Batcher(run)
    async with asyncio.timeout(90):
        answers = await asyncio.gather(*(batcher("", n) for n in range(3)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 3
        assert await batcher("", 7) == 7
    assert runs == [[0, 1, 2], [7]]


@pytest.mark.parametrize("seed", range(5))
async def test_nobody_is_forgotten_in_a_storm(seed: int) -> None:
    chance = random.Random(seed)

    async def run(_: int, items: list[int]) -> list[int | BaseException]:
        for _ in range(chance.randrange(3)):
            await asyncio.sleep(0)
        if (fate := chance.random()) < 0.05:
            raise asyncio.CancelledError
        if fate < 0.1:
            raise TimeoutError
        if fate < 0.3:
            raise ValueError
        return [KeyError(item) if chance.random() < 0.1 else item for item in items]

    batcher: Batcher[int, int, int] = Batcher(run, max_items=4)

    async def ask(item: int) -> int:
        for _ in range(chance.randrange(8)):
            await asyncio.sleep(0)
        async with asyncio.timeout(chance.choice([1e-6, 90.0, 90.0])):
            return await batcher(item % 3, item)

    async with asyncio.timeout(90):
        asked = [asyncio.create_task(ask(item)) for item in range(600)]
        for one in chance.sample(asked, 100):
            await asyncio.sleep(0)
            one.cancel()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        # Nothing is left behind that would keep the next one waiting.
        assert not batcher._waiting
    assert all(
        answer == item or isinstance(answer, KeyError | ValueError | TimeoutError | asyncio.CancelledError)
        for item, answer in enumerate(answers)
    )
    assert sum(isinstance(answer, int) for answer in answers) > 0
