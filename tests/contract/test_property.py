"""Whatever happens in whatever order: at rest, what the accounts paid is what the providers bill.

Random generations at every provider meet random faults, cancels, deadlines, repeated bells and pokes, and workers
that are declared dead in the middle of their calls. CONTRACT_SEED and CONTRACT_GENERATIONS make another run, or a
longer one; `make chaos` makes both.
"""

import asyncio
import os
import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from shared.queue import BellUnavailable
from tests.contract.books import Told, balanced
from tests.contract.cases import CASES, LOCAL_TEXT, Case
from tests.contract.scene import Asked, Fault, Scene, fault
from tests.emulators.base import Effect
from tests.pipeline import TERMINAL
from workers.engine import Engine

SEED = int(os.environ.get("CONTRACT_SEED", "7"))
GENERATIONS = int(os.environ.get("CONTRACT_GENERATIONS", "40"))
AT_ONCE = 40
STOCK = (*CASES, LOCAL_TEXT)

_POKE = "UPDATE generations SET pokes = pokes + 1, wake_at = now() WHERE id = $1 AND state = 'waiting'"


async def test_at_rest_the_ledger_is_the_sum_of_the_invoices(scene: Scene) -> None:
    print(f"CONTRACT_SEED={SEED} CONTRACT_GENERATIONS={GENERATIONS}")  # noqa: T201  # shown when it fails
    chance = random.Random(SEED)
    limit = asyncio.Semaphore(AT_ONCE)

    async def live(case: Case, chance: random.Random) -> Told:
        async with limit:
            faults, options = misfortune(case, chance)
            asked = await scene.ask(case, *faults, **options)
            await asyncio.gather(
                *(act(scene, asked, chance) for act in (_cancel, _knock) if chance.random() < 0.35)
            )
            return await scene.told(asked)

    async with scene.working(find_window_s=2.0) as first, scene.working(find_window_s=2.0) as second:
        killer = asyncio.create_task(_declare_dead(scene, (first, second), random.Random(SEED)))
        lives = [live(chance.choice(STOCK), random.Random(chance.random())) for _ in range(GENERATIONS)]
        try:
            told = await asyncio.gather(*lives)
        finally:
            killer.cancel()
    for one in told:
        try:
            balanced(one)
            assert sum(nanos > 0 for nanos in await _settled(scene, one)) <= 1
        except AssertionError as error:
            error.add_note(f"{one.case.name}: {one.state} {one.row['error']} {one.states}")
            raise
    billed = sum(len(emulator.invoice()) for emulator in scene.emulators.values())
    assert billed == sum(len(one.lines) for one in told), "somebody was billed for what nobody asked for"
    assert {one.state for one in told} >= {"completed", "failed", "canceled"}


def misfortune(case: Case, chance: random.Random) -> tuple[Sequence[Fault], dict[str, Any]]:
    """What befalls a generation: at most one thing at its call, or else with its work."""
    options: dict[str, Any] = {}
    if chance.random() < 0.15:
        options = dict.fromkeys(("start_deadline_s", "deadline_s"), chance.uniform(0.5, 2.0))
    if case is LOCAL_TEXT:
        return [], {**options, "input": {"simulate": {"seconds": chance.uniform(0, 1)}}}
    at_call = [
        fault(Effect.REFUSE, status=500, times=1),
        fault(Effect.REFUSE, status=429, retry_after_s=0.2, times=1),
        fault(Effect.RESET, times=1),
        fault(Effect.REFUSE_AFTER, status=500, times=1),
        fault(Effect.RESET_AFTER, times=1),
        *([fault(Effect.MALFORMED_AFTER, times=1)] if case.malformed and case.polled is None else []),
        *([fault(Effect.NSFW)] if case.blocks else []),
    ]
    at_work = [
        fault(Effect.SLOW, seconds=chance.uniform(0.1, 0.6)),
        fault(Effect.RUN_SECONDS, seconds=chance.uniform(0.1, 1.0)),
        *([fault(Effect.FAIL)] if case.polled else []),
        *([fault(Effect.QUEUE_SECONDS, seconds=chance.uniform(0.1, 1.0))] if case.queues else []),
        *(fault(effect, bytes=1 << 20) for effect in sorted(case.spoils - {Effect.OUTPUT_TRUNCATED})),
    ]
    return [chance.choice(chance.choice([at_call, at_work]))] if chance.random() < 0.75 else [], options


async def _cancel(scene: Scene, asked: Asked, chance: random.Random) -> None:
    await asyncio.sleep(chance.uniform(0, 1.2))
    await scene.pipeline.cancel(asked.id)


async def _knock(scene: Scene, asked: Asked, chance: random.Random) -> None:
    """As webhooks do that come twice, and queues that deliver twice."""
    while (row := await scene.pipeline.row(asked.id))["state"] not in TERMINAL:
        await scene.pipeline.worker.execute(_POKE, asked.id)
        number = max(0, row["dispatch_no"] - chance.randrange(2))
        # A Redis that is slow for a moment costs a knock.
        with suppress(BellUnavailable):
            await scene.pipeline.bell.ring(asked.case.kind, [(asked.id, number)] * 2)
        await asyncio.sleep(chance.uniform(0.02, 0.3))


async def _declare_dead(scene: Scene, engines: Sequence[Engine], chance: random.Random) -> None:
    """Somebody takes a worker for dead: what it holds is given away, and it comes back under a new name."""
    while True:
        await asyncio.sleep(chance.uniform(0.3, 1.2))
        worker_id = chance.choice(engines)._lease.worker_id
        await scene.pipeline.worker.execute("DELETE FROM workers WHERE id = $1", worker_id)


async def _settled(scene: Scene, told: Told) -> list[int]:
    rows = await scene.pipeline.worker.fetch(
        "SELECT nanos FROM ledger WHERE generation_id = $1 AND kind = 'settle'", told.row["id"]
    )
    return [row["nanos"] for row in rows]
