"""A worker process that is killed between the paid request and its answer: another one finds out what is paid.

CONTRACT_KILLED names the cases, or says `all`.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping

from pydantic import SecretStr

from shared.crashpoints import CRASH_EXIT_CODE
from tests.chaos.nursery import Nursery
from tests.contract.books import balanced
from tests.contract.cases import CASES, LOCAL_TEXT, Case
from tests.contract.scene import Asked, Scene, each
from tests.contract.test_unknown import told_as_expected

DOOMED = {
    "PENSTOCK_CRASH_POINT": "after_submit_call",
    "WORKER_SLOTS": "1",
    "LEASE_TTL_S": "60",
    "ALLOW_PRIVATE_URLS": "true",
    "LOG_FORMAT": "json",
}


FEW = "fal openai-text elevenlabs-speech elevenlabs-music"
ALL = {case.name: case for case in (*CASES, LOCAL_TEXT)}
NAMED = os.environ.get("CONTRACT_KILLED", FEW).split()
DOOMED_CASES = [ALL[name] for name in (ALL if NAMED == ["all"] else NAMED)]
"""One of each kind, each with another way out, or all: each takes a process of its own."""


async def test_a_worker_killed_before_it_knows_the_answer_costs_nobody_twice(
    scene: Scene, nursery: Nursery, environment: Mapping[str, str]
) -> None:
    await scene.publish()
    asked: dict[str, list[Asked]] = defaultdict(list)
    for case in DOOMED_CASES:
        asked[case.kind].append(await scene.ask(case))

    async def kill(kind: str) -> None:
        """One process after the other takes a generation of this kind with it."""
        while await _queued(scene, kind):
            child = await nursery.start(
                "workers", kind, environment={**environment, **_variables(scene), **DOOMED},
                without=["description"],
            )  # fmt: skip
            assert await child.wait() == CRASH_EXIT_CODE, child.log.read_text()
            await scene.pipeline.worker.execute(
                "UPDATE generations SET wake_at = now() WHERE rung AND owner IS NULL AND kind = $1", kind
            )

    await asyncio.gather(*(kill(kind) for kind in asked))
    await scene.pipeline.worker.execute("UPDATE workers SET beat_at = beat_at - interval '1 hour'")
    found = {one.case.name: one for of_kind in asked.values() for one in of_kind}

    async def tell(case: Case) -> None:
        told = await scene.told(found[case.name])
        assert told.row["crashes"] == 1
        if case is LOCAL_TEXT:
            balanced(told)
            assert (told.state, told.states) == ("completed", ["lost", "done"]), told.row["error"]
        else:
            told_as_expected(told, arrived=True)

    async with scene.working():
        await each(DOOMED_CASES, tell)


async def _queued(scene: Scene, kind: str) -> int:
    """How many of them no worker has died with yet."""
    count: int = await scene.pipeline.worker.fetchval(
        "SELECT count(*) FROM generations WHERE kind = $1 AND state = 'queued'", kind
    )
    return count


def _variables(scene: Scene) -> dict[str, str]:
    """The settings of the scene as a process gets them."""
    changed = scene.settings.model_dump(include=scene.given)
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in changed.items()
    }
