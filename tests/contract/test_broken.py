"""What should not happen: ids that are given twice, and a mistake of ours in the middle of a paid call."""

from typing import Any

import pytest

from shared.domains.generations import Lifecycle
from tests.contract.books import balanced
from tests.contract.cases import CASES, Case, Unknown
from tests.contract.scene import Scene, each
from tests.emulators import openai

SOME = ("replicate-official", "openai-image", "openai-speech", "elevenlabs-speech", "mubert")
"""Each mistake is logged at length, so not everybody makes it."""


async def test_a_server_that_repeats_its_ids_is_still_served(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "_id", lambda kind: f"{kind}-1")
    case = next(case for case in CASES if case.name == "compatible-text")
    async with scene.working():
        for _ in range(2):
            told = await scene.run(case)
            assert (told.state, told.states) == ("completed", ["done"]), told.row["error"]


async def test_a_mistake_of_ours_after_the_call_leaves_no_bill_unwatched(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: Any, **options: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Lifecycle, "waiting", broken)
    monkeypatch.setattr(Lifecycle, "storing", broken)

    async def tell(case: Case) -> None:
        told = await scene.run(case)
        assert (told.state, told.code, len(told.requests)) == ("failed", "INTERNAL", 1)
        assert told.states == (["done"] if case.unknown is Unknown.FOUND else ["possibly_billed"])
        balanced(told)

    async with scene.working():
        await each([case for case in CASES if case.name in SOME], tell)
