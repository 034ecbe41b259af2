"""Goal 10: what it costs at the provider to look after 1,000 predictions of 20 seconds.

Three workers do the same: one asks for each prediction once a second, as the seed's client does; one asks for
each when its learned run time says so; and one, which is ours, asks for many at once besides. The predictions end
without an output, so that storing delays no look.

    python -m tests.bench.polling --each --every 1
"""

import argparse
import asyncio
import time
from dataclasses import dataclass
from statistics import median

import aiohttp
import uvloop

from shared import heap, log
from shared.domains import run_times
from shared.domains.run_times import RECENT, Expectation, Sample
from shared.ids import new_id
from shared.settings import Settings
from tests.bench.figures import Figure, most, quantile
from tests.bench.stand import Stand
from workers import poller
from workers.__main__ import run
from workers.providers.replicate import adapter
from workers.run_times import first_look_s

COUNT, RUN_S, START_S = 1_000, 20.0, 5.0
QUICK_COUNT, QUICK_RUN_S, QUICK_START_S = 300, 4.0, 1.0
CREATORS = 16
PATIENCE_S = 60.0
CARD, MODEL, SIZE = "replicate/flux-1.1-pro", "flux-1.1-pro", "1 megapixel"
NEVER = 1 << 30

# What was started so many seconds ago, first looked at when it is due.
_ROWS = """
WITH given AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::float8[]) AS g(id, submission_id, remote_id, ago_s)
), g AS (
    INSERT INTO generations (id, account_id, kind, model, input, routes, state, stage, seq, wake_at, attempts,
        provider, provider_model, decision, deadline_at, started_at)
    SELECT id, $1, 'image', $6, '{"prompt": "x"}', jsonb_build_array($7::jsonb), 'waiting', 'provider_queued', 4,
        now() + ($8::float8 - ago_s) * interval '1 second', 1, 'replicate', $6, '{}', now() + interval '2 hours', now()
    FROM given
)
INSERT INTO submissions (id, generation_id, account_id, n, provider, model, route, state, remote_id, request_hash,
    intent_at, accepted_at)
SELECT submission_id, id, $1, 1, 'replicate', $6, $7, 'accepted', remote_id, '', now(),
    now() - ago_s * interval '1 second'
FROM given
"""

_LEFT = "SELECT count(*) FROM generations WHERE wake_at IS NOT NULL"
_NOTICED = """
SELECT extract(epoch FROM g.completed_at - s.accepted_at)::float8 AS after_s
FROM generations g JOIN submissions s ON s.generation_id = g.id
"""


@dataclass(frozen=True, slots=True)
class Way:
    """How a worker looks; `every_s` None is by learned run times."""

    name: str
    argv: tuple[str, ...]
    every_s: float | None = None


WAYS = (
    Way("one by one, every second", ("--each", "--every", "1"), 1.0),
    Way("one by one, by learned run times", ("--each",)),
    Way("in batches, by learned run times", ()),
)


@dataclass(frozen=True, slots=True)
class Found:
    requests: int
    late_s: list[float]
    """How long after its end each was noticed."""


async def measure(stand: Stand) -> list[Figure]:
    count = QUICK_COUNT if stand.quick else COUNT
    found: dict[Way, Found] = {}
    for way in WAYS:
        found[way] = await _look_after(stand, way, count)
        await stand.clear()
    seed, single, ours = found.values()
    what = f"{count:,} predictions, requests"
    return [
        Figure(10, f"{what} {WAYS[0].name}", seed.requests, "requests"),
        Figure(10, f"{what} {WAYS[1].name}", single.requests, "requests", None, seed.requests, WAYS[0].name),
        Figure(10, f"{what} {WAYS[2].name}", ours.requests, "requests", most(0.1, relative=True), seed.requests,
               WAYS[0].name),
        Figure(10, "their end noticed, median", median(ours.late_s), "s late", None, median(seed.late_s), WAYS[0].name),
        Figure(10, "their end noticed, 99th percentile", quantile(ours.late_s, 0.99), "s late", None,
               quantile(seed.late_s, 0.99), WAYS[0].name),
    ]  # fmt: skip


async def _look_after(stand: Stand, way: Way, count: int) -> Found:
    run_s = QUICK_RUN_S if stand.quick else RUN_S
    argv = ("-m", "tests.emulators.replicate", "--run-seconds", f"{run_s}")
    async with stand.child("replicate", *argv, pinned=False) as emulator:
        url = await emulator.said("replicate listens at")
        env = {"REPLICATE_API_TOKEN": "r8_bench", "REPLICATE_BASE_URL": url}
        await run_times.add(stand.db, [Sample(CARD, SIZE, run_s)] * RECENT)
        async with stand.child(
            f"worker-{WAYS.index(way)}", "-m", "tests.bench.polling", *way.argv, env=env
        ) as worker:
            await worker.logged("worker_ready")
            await _start(stand, way, url, count, run_s)
            async with asyncio.timeout(run_s + PATIENCE_S):
                while await stand.db.fetchval(_LEFT):
                    await asyncio.sleep(0.2)
        return Found(await _asked(url), [row["after_s"] - run_s for row in await stand.db.fetch(_NOTICED)])


async def _start(stand: Stand, way: Way, url: str, count: int, run_s: float) -> None:
    """Has the predictions start, spread over some seconds, each with a generation that waits for it."""
    account_id, _ = await stand.account()
    route = {
        "card": CARD, "provider": "replicate", "model": MODEL, "price_id": None, "price": None,
        "estimate_nanos": None, "expected_s": run_s, "size": SIZE, "on_unknown": "fail",
    }  # fmt: skip
    first_s = way.every_s or first_look_s(Expectation(run_s, run_s, run_s, RECENT))
    pause_s = (QUICK_START_S if stand.quick else START_S) * CREATORS / count
    headers = {"Authorization": "Bearer r8_bench"}

    async def create(http: aiohttp.ClientSession, share: int) -> None:
        for _ in range(share):
            at = time.monotonic()
            remote_id = await _create(http, url)
            ago_s = time.monotonic() - at
            ids = [[new_id()], [new_id()], [remote_id], [ago_s]]
            await stand.db.execute(_ROWS, account_id, *ids, MODEL, route, first_s)
            await asyncio.sleep(max(0.0, pause_s - ago_s))

    async with aiohttp.ClientSession(headers=headers) as http:
        fault = {"operation": "create", "effect": "fail"}
        async with http.post(f"{url}/_emulator/faults", json=fault) as answer:
            answer.raise_for_status()
        shares = [count // CREATORS + (n < count % CREATORS) for n in range(CREATORS)]
        await asyncio.gather(*(create(http, share) for share in shares))


async def _create(http: aiohttp.ClientSession, url: str) -> str:
    path = f"{url}/v1/models/black-forest-labs/{MODEL}/predictions"
    async with http.post(path, json={"input": {"prompt": "x"}}) as answer:
        return str((await answer.json())["id"])


async def _asked(url: str) -> int:
    """How many requests the emulator's log has, the creations left out."""
    async with aiohttp.ClientSession() as http, http.get(f"{url}/_emulator/requests") as answer:
        return sum(entry["operation"] in {"get", "list"} for entry in await answer.json())


def main() -> None:
    """A worker for images that looks as it is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", action="store_true", help="ask for one at a time")
    parser.add_argument("--every", type=float, help="ask every so many seconds")
    given = parser.parse_args()
    if given.each:
        adapter.LIST_FROM = NEVER  # type: ignore[misc]  # Final, but for this comparison
    if given.every:
        poller.next_look_s = lambda *_: given.every
    settings = Settings()
    log.configure(settings, "bench-poller")
    heap.settle()
    uvloop.run(run(settings, ["image"]))


if __name__ == "__main__":
    main()
