"""Goal 5: one worker process that looks after 10,000 generations at their provider."""

import asyncio
import time
from uuid import UUID

import aiohttp

from shared.ids import new_id
from tests.bench.figures import Figure, most
from tests.bench.processes import Child
from tests.bench.stand import Stand

WAITING = 10_000
QUICK_WAITING = 1_000
SETTLE_S = 8.0
QUICK_SETTLE_S = 2.0
WATCH_S = 20.0
QUICK_WATCH_S = 3.0
MODEL = "flux-1.1-pro"
EXPECTED_S, LOOKS_EVERY_S = 300.0, 15
"""Long runs: most of them are far from their end, so each is looked at about every 15 s."""
CREATORS = 16

_ROWS = """
WITH given AS (
    SELECT *, row_number() OVER () AS n
    FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS g(id, submission_id, remote_id)
), g AS (
    INSERT INTO generations (id, account_id, kind, model, input, routes, state, stage, seq, wake_at, attempts,
        provider, provider_model, decision, deadline_at, started_at)
    SELECT id, $1, 'image', $5, '{"prompt": "x"}', jsonb_build_array($6::jsonb), 'waiting', 'provider_running', 4,
        now() + interval '1 hour', 1, 'replicate', $5, '{}', now() + interval '2 hours', now()
    FROM given
)
INSERT INTO submissions (id, generation_id, account_id, n, provider, model, route, state, remote_id, request_hash,
    intent_at, accepted_at)
SELECT submission_id, id, $1, 1, 'replicate', $5, $6, 'accepted', remote_id, '', now(),
    now() - n % 120 * interval '1 second'
FROM given
"""


_SPREAD = """
UPDATE generations SET wake_at = now() + random() * $1::int * interval '1 second' WHERE state = 'waiting'
"""


async def measure(stand: Stand) -> list[Figure]:
    count = QUICK_WAITING if stand.quick else WAITING
    watch_s = QUICK_WATCH_S if stand.quick else WATCH_S
    emulator_argv = ("-m", "tests.emulators.replicate", "--run-seconds", "36000")
    async with stand.child("replicate", *emulator_argv, pinned=False) as emulator:
        url = await emulator.said("replicate listens at")
        await _wait_there(stand, url, count)
        env = {"REPLICATE_API_TOKEN": "r8_bench", "REPLICATE_BASE_URL": url}
        async with stand.child("worker", "-m", "workers", "image", env=env) as worker:
            await worker.logged("worker_ready")
            await stand.db.execute(_SPREAD, LOOKS_EVERY_S)
            await asyncio.sleep(QUICK_SETTLE_S if stand.quick else SETTLE_S)
            before = await _looks(stand), worker.cpu_s(), time.monotonic()
            await asyncio.sleep(watch_s)
            after = await _looks(stand), worker.cpu_s(), time.monotonic()
            memory = worker.memory_mb()
        idle_mb = await _idle_mb(stand, env)
    taken = after[2] - before[2]
    busy = (after[1] - before[1]) / taken * 100
    return [
        Figure(5, f"one worker's processor with {count:,} waiting", busy, "% of a core", most(50)),
        Figure(5, "its memory", memory, "MB", most(300), idle_mb, "an idle worker"),
        Figure(5, "looks at the provider", (after[0] - before[0]) / taken, "/s"),
    ]


async def _wait_there(stand: Stand, url: str, count: int) -> None:
    """Has so many predictions run at the emulator, and as many generations wait for them."""
    account_id, _ = await stand.account()
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer r8_bench"}) as http:
        shares = await asyncio.gather(*(_create(http, url, count // CREATORS) for _ in range(CREATORS)))
    remote = [remote_id for share in shares for remote_id in share]
    route = {
        "card": f"replicate/{MODEL}", "provider": "replicate", "model": MODEL, "price_id": None, "price": None,
        "estimate_nanos": None, "expected_s": EXPECTED_S, "on_unknown": "fail",
    }  # fmt: skip
    ids: list[tuple[UUID, UUID]] = [(new_id(), new_id()) for _ in remote]
    await stand.db.execute(_ROWS, account_id, [a for a, _ in ids], [b for _, b in ids], remote, MODEL, route)
    await stand.settle()


async def _create(http: aiohttp.ClientSession, url: str, count: int) -> list[str]:
    found = []
    for _ in range(count):
        body = {"input": {"prompt": "x"}}
        async with http.post(f"{url}/v1/models/black-forest-labs/{MODEL}/predictions", json=body) as answer:
            found.append((await answer.json())["id"])
    return found


async def _looks(stand: Stand) -> int:
    return int(await stand.db.fetchval("SELECT sum(polls) FROM generations WHERE state = 'waiting'"))


async def _idle_mb(stand: Stand, env: dict[str, str]) -> float:
    await stand.clear()
    async with stand.child("idle-worker", "-m", "workers", "image", env=env) as worker:
        await worker.logged("worker_ready")
        await asyncio.sleep(1)
        return _memory(worker)


def _memory(worker: Child) -> float:
    return worker.memory_mb()
