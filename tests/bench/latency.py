"""Goals 2 and 3: how soon an idle stack picks a generation up, and what it adds to the provider's own time."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence

import asyncpg
import orjson
from redis.asyncio import Redis

from tests.bench.figures import Figure, most, quantile
from tests.bench.load import Caller, request
from tests.bench.stand import PROVIDER, Stand

TRIALS = 120
QUICK_TRIALS = 12
PROVIDER_S = 0.05
REPLICATE_S = 0.5
REPLICATE_MODEL = "flux-1.1-pro"
PAUSE_S = (0.02, 0.08)
"""Between two requests, so that each finds an idle stack."""

type Times = Mapping[str, Mapping[str, float]]


async def measure_pick_up(stand: Stand) -> list[Figure]:
    """From the 202 to the start of the step, in another process. The bell rings before the answer is sent, so
    the step may begin first."""
    with stand.anywhere():
        async with stand.gateway(pinned=False) as (_, port):
            found, worked = await _run(stand, port, ("image",), 0.0, prefer=None)
        hop, commit = await _hop_ms(stand), await _commit_ms(stand)
    asked = found["image"]
    begun = [(worked[id_]["started"] - times["answered"]) * 1000 for id_, times in asked.items()]
    whole = [(worked[id_]["called"] - times["sent"]) * 1000 for id_, times in asked.items()]
    return [
        Figure(2, "202 to step started, p50", quantile(begun, 0.5), "ms", most(5), hop, "a Redis message"),
        Figure(2, "202 to step started, p99", quantile(begun, 0.99), "ms", most(20), hop, "a Redis message"),
        Figure(
            2, "request sent to provider called, p50", quantile(whole, 0.5), "ms", None, commit, "one commit"
        ),
        Figure(2, "request sent to provider called, p99", quantile(whole, 0.99), "ms"),
    ]


async def measure_life(stand: Stand) -> list[Figure]:
    """From the request to the answer that shows the end, less what the provider took."""
    with stand.anywhere():
        async with stand.gateway(pinned=False) as (_, port):
            asked, worked = await _run(stand, port, ("image", "text"), PROVIDER_S, prefer="wait=20")
            plain, stored = (_overheads_ms(asked[kind], worked) for kind in ("image", "text"))
            remote = [] if stand.quick else await _replicate_ms(stand, port)
        commit = await _commit_ms(stand)
    figures = [
        Figure(
            3, "over the provider's time, p50", quantile(plain, 0.5), "ms", most(30), commit, "one commit"
        ),
        Figure(3, "over the provider's time, p99", quantile(plain, 0.99), "ms"),
        Figure(3, "with a text stored, p50", quantile(stored, 0.5), "ms", most(30), commit, "one commit"),
        Figure(3, "with a text stored, p99", quantile(stored, 0.99), "ms"),
    ]
    if remote:
        figures.append(
            Figure(3, "Replicate emulator, polled, picture stored, p50", quantile(remote, 0.5), "ms")
        )
    return figures


def _overheads_ms(asked: Times, worked: Times) -> list[float]:
    taken = {id_: worked[id_]["answered"] - worked[id_]["called"] for id_ in asked}
    return [(times["answered"] - times["sent"] - taken[id_]) * 1000 for id_, times in asked.items()]


async def _run(
    stand: Stand, port: int, kinds: Sequence[str], seconds: float, *, prefer: str | None
) -> tuple[dict[str, Times], Times]:
    """When the requests of each kind were sent and answered here, and what the worker did when."""
    arguments = ("-m", "tests.bench.worker", *kinds, "--seconds", str(seconds), "--record")
    async with stand.child("worker", *arguments, pinned=False) as worker:
        await worker.said("ready")
        await asyncio.sleep(1.2)  # the gateway looks for room once a second
        asked = {kind: await _ask_in_turn(stand, port, kind, PROVIDER, prefer) for kind in kinds}
        await asyncio.sleep(1)  # one that got no bell is found by the clock
        worked: Times = orjson.loads(await worker.stop())
    return asked, worked


async def _ask_in_turn(stand: Stand, port: int, kind: str, model: str, prefer: str | None) -> Times:
    _, key = await stand.account()
    body = {"kind": kind, "model": model, "input": {"prompt": "a lighthouse in fog"}}
    headers = {} if prefer is None else {"Prefer": prefer}
    content = request("POST", "/api/v1/generations", key, body, headers)
    caller = await Caller.open(port, 202 if prefer is None else 200)
    asked = {}
    trials = QUICK_TRIALS if stand.quick else TRIALS
    for _ in range(trials // 4 if model == REPLICATE_MODEL else trials):
        sent, answered, answer = await caller.ask(content)
        asked[orjson.loads(answer)["id"]] = {"sent": sent, "answered": answered}
        await asyncio.sleep(random.uniform(*PAUSE_S))
    caller.close()
    return asked


async def _replicate_ms(stand: Stand, port: int) -> list[float]:
    emulator_argv = ("-m", "tests.emulators.replicate", "--run-seconds", str(REPLICATE_S))
    async with stand.child("replicate", *emulator_argv, pinned=False) as emulator:
        url = await emulator.said("replicate listens at")
        env = {"REPLICATE_API_TOKEN": "r8_bench", "REPLICATE_BASE_URL": url}
        async with stand.child("replicate-worker", "-m", "workers", "image", pinned=False, env=env) as worker:
            await worker.logged("worker_ready")
            await asyncio.sleep(2.5)  # the gateway reads the model cards every two seconds
            asked = await _ask_in_turn(stand, port, "image", REPLICATE_MODEL, "wait=20")
    return [(times["answered"] - times["sent"] - REPLICATE_S) * 1000 for times in asked.values()]


async def _hop_ms(stand: Stand) -> float:
    """A message through Redis from publish to get_message, at idle."""
    redis: Redis = Redis.from_url(stand.settings.redis_url)
    ears = redis.pubsub(ignore_subscribe_messages=True)
    await ears.subscribe("bench")
    await ears.get_message(timeout=1)
    found = []
    for _ in range(50):
        start = time.perf_counter()
        await redis.publish("bench", b"x")
        while await ears.get_message(timeout=1) is None:
            pass
        found.append((time.perf_counter() - start) * 1000)
    await ears.aclose()  # type: ignore[no-untyped-call]
    await redis.aclose()
    return quantile(found, 0.5)


async def _commit_ms(stand: Stand) -> float:
    """One small transaction, durable, at idle."""
    connection = await asyncpg.connect(stand.superuser_url)
    await connection.execute("CREATE TABLE bench_commit (n int)")
    found = []
    for n in range(60):
        start = time.perf_counter()
        await connection.execute("INSERT INTO bench_commit VALUES ($1)", n)
        found.append((time.perf_counter() - start) * 1000)
        await asyncio.sleep(0.005)
    await connection.execute("DROP TABLE bench_commit")
    await connection.close()
    return quantile(found, 0.5)
