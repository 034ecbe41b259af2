"""Goal 1: the accept path, complete (key, checks, idempotency-free admission, reserve, event, frame, bell)."""

from uuid import uuid4

from tests.bench.figures import Figure, least, middle, most
from tests.bench.load import Pace, drive, request
from tests.bench.stand import PROVIDER, Stand

CONNECTIONS = 64
SECONDS = 3.0
QUICK_SECONDS = 0.6
SLOTS = 30_000
"""Slots of a worker that is only written down: every admission rings its bell, and nobody takes the work."""

_IDLE_WORKER = """
INSERT INTO workers (id, kinds, slots, host, pid, version, beat_at)
VALUES ($1, '{image,text}', $2, 'bench', 1, '0', now() + interval '1 hour')
"""


async def measure(stand: Stand) -> list[Figure]:
    seconds = QUICK_SECONDS if stand.quick else SECONDS
    _, key = await stand.account()
    others = [(await stand.account())[1] for _ in range(CONNECTIONS)]
    ours, bare, alone, many, waiting, cpu, bare_cpu, bare_alone = [], [], [], [], [], [], [], []
    async with stand.bare() as (plain, bare_port), stand.gateway() as (gateway, port):
        for _ in range(stand.rounds):
            used = plain.cpu_s()
            bare.append(await drive(bare_port, [post("/")], connections=64, seconds=seconds, status=202))
            bare_cpu.append(bare[-1].cpu_us(plain.cpu_s() - used))
            bare_alone.append(await drive(bare_port, [post("/")], connections=1, seconds=1, status=202))
            await _fresh(stand, bells=True)
            used = gateway.cpu_s()
            ours.append(await _drive(port, [key], CONNECTIONS, seconds))
            cpu.append(ours[-1].cpu_us(gateway.cpu_s() - used))
            await _fresh(stand, bells=True)
            alone.append(await _drive(port, [key], 1, seconds / 2))
            await _fresh(stand, bells=True)
            many.append(await _drive(port, others, CONNECTIONS, seconds / 2))
            await _fresh(stand, bells=False)
            waiting.append(await _drive(port, [key], CONNECTIONS, seconds / 2))
    await _fresh(stand, bells=False)
    base = middle([pace.per_s for pace in bare])
    return [
        Figure(1, "admissions, 64 connections", middle([p.per_s for p in ours]), "/s",
               least(0.30, relative=True), base, "bare aiohttp"),
        Figure(1, "p99 over p50 at 64", middle([p.p99_ms / p.p50_ms for p in ours]), "x", most(5),
               middle([p.p99_ms / p.p50_ms for p in bare]), "bare aiohttp"),
        Figure(1, "p50 at 64", middle([p.p50_ms for p in ours]), "ms", None,
               middle([p.p50_ms for p in bare]), "bare aiohttp"),
        Figure(1, "p50 at one connection", middle([p.p50_ms for p in alone]), "ms", most(2),
               middle([p.p50_ms for p in bare_alone]), "bare aiohttp"),
        Figure(1, "gateway's processor per admission", middle(cpu), "µs", None, middle(bare_cpu), "bare aiohttp"),
        Figure(1, "64 accounts, one connection each", middle([p.per_s for p in many]), "/s", None, base,
               "bare aiohttp"),
        Figure(1, "behind a backlog, no bells", middle([p.per_s for p in waiting]), "/s", None, base, "bare aiohttp"),
    ]  # fmt: skip


async def _drive(port: int, keys: list[str], connections: int, seconds: float) -> Pace:
    requests = [post("/api/v1/generations", key) for key in keys]
    return await drive(port, requests, connections=connections, seconds=seconds, status=202)


async def _fresh(stand: Stand, *, bells: bool) -> None:
    await stand.clear()
    if bells:
        await stand.db.execute(_IDLE_WORKER, uuid4(), SLOTS)


def post(path: str, key: str | None = None) -> bytes:
    """A request as clients send it: some parameters, some metadata."""
    body = {
        "kind": "image",
        "model": PROVIDER,
        "input": {"prompt": "a lighthouse in fog, long exposure", "aspect_ratio": "16:9", "seed": 7},
        "metadata": {"order": "A-1001"},
    }
    return request("POST", path, key, body)
