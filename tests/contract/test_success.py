"""What goes well: delivered once, paid once, shown on the way."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import orjson
import pytest

from shared.events import Subscriber
from tests.contract.books import balanced
from tests.contract.cases import CASES, LOCAL_TEXT, Case
from tests.contract.scene import Scene, each, eventually, fault
from tests.emulators.base import Effect

LONG_S = 600.0
ALL = [*CASES, LOCAL_TEXT]
Frames = dict[str, list[dict[str, Any]]]
"""What watchers are shown, by generation."""


@pytest.fixture
async def frames(scene: Scene) -> AsyncIterator[Frames]:
    heard: Frames = defaultdict(list)

    def hear(_: UUID, message: bytes) -> None:
        frame = orjson.loads(message)
        heard[frame["id"]].append(frame)

    subscriber = Subscriber(scene.settings.redis_url, hear, lambda: None)
    subscriber.start()
    assert await subscriber.follow(scene.pipeline.account_id)
    yield heard
    await subscriber.close()


async def test_what_goes_well_is_asked_once_and_paid_as_billed(scene: Scene) -> None:
    async def tell(case: Case) -> None:
        told = await scene.run(case)
        assert (told.state, told.attempts) == ("completed", 1), told.row["error"]
        assert told.states == ["done"]
        assert (len(told.requests), len(told.lines)) == ((1, 1) if case is not LOCAL_TEXT else (0, 0))
        balanced(told)
        stages = [event["data"].get("stage") for event in await scene.pipeline.events(told.row["id"])]
        waiting = {"provider_queued", "provider_running"}
        assert [stage for stage in stages if stage not in waiting] == [
            "routing", "submitting", "downloading", None,
        ]  # fmt: skip
        assert bool(waiting & set(stages)) is (case.polled is not None)

    async with scene.working():
        await each(ALL, tell)


async def test_progress_is_shown_and_never_falls(scene: Scene, frames: Frames) -> None:
    async def tell(case: Case) -> None:
        slow: dict[str, Any] = {"input": {"simulate": {"seconds": 0.6}}} if case is LOCAL_TEXT else {}
        faults = [fault(Effect.RUN_SECONDS, seconds=LONG_S)] if case.polled else []
        # What an SDK imports on its first use holds the loop up, and late frames are dropped.
        await scene.run(case)
        asked = await scene.ask(case, *faults, **slow)
        mine = frames[str(asked.id)]
        if case.polled:
            await scene.until(asked, "provider_running")
            await scene.emulator(case).advance(LONG_S / 2)
            await eventually(lambda: any(0 < (frame["data"].get("progress") or 0) < 1 for frame in mine))
            await scene.emulator(case).advance(LONG_S)
        told = await scene.told(asked)
        assert told.state == "completed", told.row["error"]
        await eventually(lambda: any(frame["type"] == "generation.completed" for frame in mine))
        shown = [frame["data"]["progress"] for frame in mine if frame["type"] == "generation.progress"]
        known = [progress for progress in shown if progress is not None]
        assert known == sorted(known)
        deltas = [frame["data"] for frame in mine if frame["type"] == "generation.delta"]
        assert any(0 < progress < 1 for progress in known) or deltas
        if case.kind == "text":
            stored = await scene.pipeline.worker.fetchval(
                "SELECT text FROM outputs WHERE generation_id = $1", told.row["id"]
            )
            assert "".join(delta["text"] for delta in deltas) == stored
            assert [delta["offset"] for delta in deltas][:1] == [0]

    async with scene.working():
        await each([case for case in ALL if case.shows_progress], tell)
