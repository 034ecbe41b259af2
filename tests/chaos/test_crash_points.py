"""Every named crash point: a worker process dies right there, another takes over, and all invariants hold.

The process that dies is alone when it gets the generation, so it is known who dies of what; the clean one
starts when it is dead. CHAOS_POINTS names the points, or says `all`, as `make chaos` does.
"""

import asyncio
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from shared.crashpoints import CRASH_EXIT_CODE, CRASH_POINTS
from tests.chaos.submitter import acknowledged
from tests.chaos.world import World, Worlds
from tests.emulators.base import Effect

ROOT = Path(__file__).parents[2]
AT_ONCE = 6
"""Scenarios that run beside each other; they wait more than they work."""


@dataclass(frozen=True, slots=True)
class Story:
    """How one generation gets to its crash points, and how it ends after the crash."""

    faults: Sequence[tuple[str, Effect, Mapping[str, Any]]] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    cancel: bool = False
    orphan: bool = False
    """Another worker died holding it before."""
    ends: frozenset[str] = frozenset({"completed"})


SMOOTH = Story()
BUSY = Story([("create", Effect.REFUSE, {"status": 429, "retry_after_s": 3, "times": 1})])
UNHEARD = Story([("create", Effect.RESET_AFTER, {"times": 1})])
SLOW = Story([("create", Effect.RUN_SECONDS, {"seconds": 4})])
CANCELED = Story([("create", Effect.RUN_SECONDS, {"seconds": 30})], cancel=True, ends=frozenset({"canceled"}))
FAILING = Story([("create", Effect.FAIL, {"message": "CUDA out of memory"})], ends=frozenset({"failed"}))
LATE = Story(options={"start_deadline_s": 0.05}, ends=frozenset({"expired"}))
ORPHAN = Story(orphan=True)

STORIES: dict[str, dict[str, Story]] = {
    "claim": dict.fromkeys(("before_claim", "after_claim"), SMOOTH),
    "dispatch": dict.fromkeys(
        ("before_dispatch_commit", "after_dispatch_commit", "before_ring", "after_ring"), SMOOTH
    ),
    "submit": dict.fromkeys(
        ("before_intent", "after_intent", "before_submit_call", "after_submit_call", "before_accepted",
         "after_accepted"), SMOOTH,
    ),
    "unknown": dict.fromkeys(("before_unknown", "after_unknown", "before_find", "after_find"), UNHEARD),
    "busy": dict.fromkeys(("before_retrying", "after_retrying", "before_release", "after_release"), BUSY),
    "poll": dict.fromkeys(("before_poll_claim", "after_poll_claim", "after_poll_answer"), SMOOTH)
    | dict.fromkeys(("before_poll_again", "after_poll_again"), SLOW),
    "store": dict.fromkeys(
        ("before_storing", "after_storing", "before_artifact_put", "after_artifact_put", "after_derive",
         "before_completed", "after_completed"), SMOOTH,
    ),
    "cancel": dict.fromkeys(
        ("before_provider_cancel", "after_provider_cancel", "before_canceled", "after_canceled",
         "before_settled", "after_settled"), CANCELED,
    ),
    "end": dict.fromkeys(("before_failed", "after_failed"), FAILING)
    | dict.fromkeys(("before_expired", "after_expired"), LATE)
    | dict.fromkeys(("before_reap", "after_reap"), ORPHAN),
}  # fmt: skip
SUBMITTER_POINTS = ("before_admitted", "after_admitted", "after_announced")

FEW = """
    after_claim after_dispatch_commit after_intent after_submit_call after_unknown after_retrying
    after_poll_claim after_artifact_put after_derive before_completed after_provider_cancel before_settled before_failed
    after_expired before_reap after_admitted
"""
NAMED = os.environ.get("CHAOS_POINTS", FEW).split()
CHOSEN = frozenset(CRASH_POINTS if NAMED == ["all"] else NAMED)
"""One of each part at least: where the most is under way."""


def test_every_point_in_the_code_has_a_name_and_a_story() -> None:
    reached = {
        name
        for folder in ("shared", "workers", "gateway")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r'\breach\("(\w+)"\)', path.read_text())
    }
    told = [*SUBMITTER_POINTS, *(point for stories in STORIES.values() for point in stories)]
    assert reached == set(CRASH_POINTS)
    assert set(CRASH_POINTS) >= CHOSEN
    assert sorted(told) == sorted(CRASH_POINTS)


@pytest.mark.parametrize("part", [part for part, stories in STORIES.items() if CHOSEN & stories.keys()])
async def test_a_crash_anywhere_loses_nothing_and_pays_nothing_twice(worlds: Worlds, part: str) -> None:
    limit = asyncio.Semaphore(AT_ONCE)

    async def tell(point: str, story: Story) -> list[str]:
        async with limit, worlds.open(describing=point == "after_derive") as world:
            return [str(wrong) for wrong in await _tell(world, point, story)]

    stories = {point: story for point, story in STORIES[part].items() if point in CHOSEN}
    told = await asyncio.gather(*(tell(point, story) for point, story in stories.items()))
    wrong: Mapping[str, list[str]] = defaultdict(list, zip(stories, told, strict=True))
    assert {point: faults for point, faults in wrong.items() if faults} == {}


async def _tell(world: World, point: str, story: Story) -> list[Any]:
    for operation, effect, details in story.faults:
        world.emulator.faults.add(operation, effect, **details)
    generation_id = await world.submit(point, **story.options)
    if story.orphan:
        first = await world.worker(crash_point="after_claim")
        assert await first.wait() == CRASH_EXIT_CODE
        await world.bury(first)
    doomed = await world.worker(crash_point=point)
    if story.cancel:
        await world.pipeline.until(generation_id, "waiting")
        await world.pipeline.cancel(generation_id)
    assert await doomed.wait() == CRASH_EXIT_CODE, doomed.log.read_text()
    await world.bury(doomed)
    survivor = await world.worker()
    await world.ready(survivor)
    await world.at_rest()
    assert await survivor.stop() == 0, survivor.log.read_text()
    state = (await world.pipeline.row(generation_id))["state"]
    unexpected = [] if state in story.ends else [f"ended as {state}"]
    return [*unexpected, *await world.violations(acknowledged=[generation_id])]


@pytest.mark.parametrize("point", [point for point in SUBMITTER_POINTS if point in CHOSEN])
async def test_a_request_that_is_asked_again_after_a_crash_is_one_generation(
    world: World, point: str
) -> None:
    arguments = (str(world.pipeline.account_id), point, "1", "0")
    worker = await world.worker()
    await world.ready(worker)
    doomed = await world.process(
        "tests.chaos.submitter", *arguments, environment={"PENSTOCK_CRASH_POINT": point}
    )
    assert await doomed.wait() == CRASH_EXIT_CODE, doomed.log.read_text()
    await world.bury()
    second = await world.process("tests.chaos.submitter", *arguments)
    assert await second.wait() == 0, second.log.read_text()
    await world.at_rest()
    answers = acknowledged(second.log.parent / f"{point}.acknowledged")
    assert await world.db.fetchval("SELECT count(*) FROM generations") == 1
    assert await world.violations(acknowledged=answers.values()) == []
