"""Run times are learned from what was seen, and decide when a provider is asked."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from shared.domains import run_times
from shared.domains.run_times import SUBMIT, Expectation
from tests.emulators.base import Effect
from tests.emulators.replicate import ReplicateEmulator
from tests.pipeline import Pipeline, ScriptedProvider
from workers.poller import LOOK_LIMITS_S, next_look_s
from workers.providers.replicate.adapter import ReplicateProvider
from workers.run_times import RunTimes, first_look_s

_ACCEPTED_LONG_AGO = (
    "UPDATE submissions SET accepted_at = accepted_at - interval '1 hour' WHERE generation_id = $1"
)

STEADY = Expectation(20.0, 20.0, 20.0, 50)
SPREAD = Expectation(5.0, 8.0, 15.0, 50)


def looks(expected: Expectation, ends_after_s: float) -> list[float]:
    """The ages at which a job that takes so long is asked for."""
    ages = [first_look_s(expected)]
    while ages[-1] < ends_after_s:
        ages.append(ages[-1] + next_look_s(ages[-1], expected))
    return ages


def test_a_steady_model_is_asked_for_seldom_and_found_soon() -> None:
    ages = looks(STEADY, 20.0)
    assert ages[0] == pytest.approx(17.0)
    assert len(ages) <= 4
    assert ages[-1] - 20.0 < 0.5


@pytest.mark.parametrize("takes_s", [5.0, 8.0, 15.0])
def test_close_looks_come_near_the_expected_end(takes_s: float) -> None:
    ages = looks(SPREAD, takes_s)
    assert ages[0] == pytest.approx(4.25)
    assert ages[-1] - takes_s < 1.0
    # Sixteen, and what their jitter may add.
    assert len(ages) <= 18


def test_a_late_one_is_asked_for_less_and_less() -> None:
    ages = looks(SPREAD, 400.0)
    gaps = [later - sooner for sooner, later in pairwise(ages)]
    assert max(gaps) <= LOOK_LIMITS_S[1] * 1.1
    assert gaps[-1] > 10.0
    assert len(ages) < 60


def test_a_model_that_became_faster_is_noticed() -> None:
    """The first look comes before the earliest runs ended so far."""
    assert first_look_s(STEADY) < STEADY.early_s
    assert first_look_s(Expectation(0.0, 0.0, 0.0)) == 0.05


async def test_a_synchronous_run_is_timed(pipeline: Pipeline) -> None:
    async with pipeline.engine(ScriptedProvider()):
        await pipeline.until(await pipeline.submit(input={"prompt": "x", "size": "512x512"}))
    known = await run_times.read(pipeline.app)
    card = "scripted/scripted-image"
    assert known.keys() == {(card, "0.25 megapixel"), (card, SUBMIT)}
    assert known[card, SUBMIT].samples == 1


async def test_a_polled_run_is_timed_from_its_acceptance(pipeline: Pipeline) -> None:
    async with ReplicateEmulator() as emulator:
        emulator.faults.add("create", Effect.RUN_SECONDS, seconds=3600)
        changes: dict[str, Any] = {"allow_private_urls": True, "heartbeat_interval_s": 0.1}
        async with pipeline.engine(ReplicateProvider("r8_test", emulator.url), **changes):
            generation_id = await pipeline.submit(model="flux-1.1-pro")
            await pipeline.until(generation_id, "waiting")
            await pipeline.worker.execute(_ACCEPTED_LONG_AGO, generation_id)
            await emulator.advance(3600)
            await pipeline.until(generation_id, "storing", "completed", "failed")
            wanted = [("replicate/flux-1.1-pro", size) for size in ("1 megapixel", SUBMIT)]
            async with asyncio.timeout(90):
                while not set(wanted) <= set(known := await run_times.read(pipeline.app)):
                    await asyncio.sleep(0.05)
    run, call = (known[key] for key in wanted)
    assert run.median_s >= 3600 > call.median_s


async def test_samples_are_written_together_and_kept_while_postgres_is_away(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = RunTimes(pipeline.worker)
    route = {"card": "a/m", "size": "1 run", "expected_s": 3.0}
    assert times.expect(route, "image").median_s == 3.0

    async def away(*_: object) -> None:
        raise ConnectionRefusedError

    for n in range(20):
        times.ran(route, 1.0 + n / 100)
    with monkeypatch.context() as broken:
        broken.setattr(run_times, "add", away)
        await times.flush()
    assert times.expect(route, "image").samples == 0
    await asyncio.gather(times.flush(), times.flush())
    assert times.expect(route, "image").samples == 20
