"""Goal 9: a generation, and a page of the gallery, among 100,000."""

from uuid import UUID

import orjson

from tests.bench.figures import Figure, least, middle, most
from tests.bench.load import Caller, Pace, drive, request
from tests.bench.stand import Stand

ROWS = 100_000
QUICK_ROWS = 10_000
SECONDS = 2.0
QUICK_SECONDS = 0.5
SAMPLE = 600
PAGE = 50

# States in the proportions of a lived-in account: most are done, some run, some queue. Half have a picture.
_ROWS = """
INSERT INTO generations (id, account_id, kind, model, input, routes, state, stage, seq, wake_at, provider,
    provider_model, decision, estimate_nanos, reserved_nanos, cost_nanos, cost_status, details, created_at, updated_at,
    started_at, completed_at, deadline_at)
SELECT uuidv7(- (n * interval '10 seconds')), $1, 'image', 'bench',
    jsonb_build_object('prompt', 'a lighthouse in fog, number ' || n, 'aspect_ratio', '16:9', 'seed', n),
    '[{"card": "bench/bench-image", "provider": "bench", "model": "bench-image", "expected_s": 4.0}]',
    s.state, CASE s.state WHEN 'queued' THEN 'routing' WHEN 'waiting' THEN 'provider_running' END, 4,
    CASE WHEN s.state <> 'completed' THEN now() + interval '1 hour' END, 'bench', 'bench-image',
    '{"reason": "first choice", "fallbacks": []}', 5000000, 5000000,
    CASE WHEN s.state = 'completed' THEN 5000000 END,
    CASE WHEN s.state = 'completed' THEN 'final' ELSE 'reserved' END, '{"order": "A-1001"}',
    now() - n * interval '10 seconds', now(), now(), CASE WHEN s.state = 'completed' THEN now() END,
    now() + interval '2 hours'
FROM generate_series(1, $2::int) AS n,
    LATERAL (SELECT CASE n % 100 WHEN 1 THEN 'queued' WHEN 2 THEN 'waiting' ELSE 'completed' END) AS s(state)
"""
_OUTPUTS = """
INSERT INTO outputs (generation_id, n, account_id, kind, key, mime, bytes, sha256, width, height, thumbnail_key)
SELECT id, 0, account_id, 'image', 'k', 'image/png', 123456, repeat('0', 64), 1024, 576, 't'
FROM generations WHERE state = 'completed'
"""
_SOME = "SELECT id FROM generations WHERE account_id = $1 AND state = $2 ORDER BY id DESC LIMIT $3"


async def measure(stand: Stand) -> list[Figure]:
    seconds = QUICK_SECONDS if stand.quick else SECONDS
    account_id, key = await stand.account()
    await stand.db.execute(_ROWS, account_id, QUICK_ROWS if stand.quick else ROWS)
    await stand.db.execute(_OUTPUTS)
    await stand.settle()
    ids = [
        id_ for state in ("completed", "waiting", "queued") for id_ in await _some(stand, account_id, state)
    ]
    gets = [request("GET", f"/api/v1/generations/{id_}", key) for id_ in ids]
    known = [
        request("GET", f"/api/v1/generations/{id_}", key, headers={"If-None-Match": 'W/"4"'}) for id_ in ids
    ]
    ours, bare, unchanged, one = [], [], [], []
    pages: list[Pace] = []
    deeper: list[Pace] = []
    searches: list[Pace] = []
    async with stand.bare() as (_, bare_port), stand.gateway() as (_, port):
        far = await _walk(port, key)
        for _ in range(stand.rounds):
            bare.append(
                await drive(bare_port, [request("GET", "/")], connections=64, seconds=seconds, status=200)
            )
            ours.append(await drive(port, gets, connections=64, seconds=seconds, status=200))
            unchanged.append(await drive(port, known, connections=64, seconds=seconds / 2, status=304))
            one.append(await drive(port, gets, connections=1, seconds=seconds / 2, status=200))
            for found, query in (
                (pages, f"limit={PAGE}"),
                (deeper, f"limit={PAGE}&status=completed&after={far}"),
                (searches, f"limit={PAGE}&q=number+77"),
            ):
                asked = [request("GET", f"/api/v1/generations?{query}", key)]
                found.append(await drive(port, asked, connections=1, seconds=seconds / 2, status=200))
    base = middle([pace.per_s for pace in bare])
    await stand.clear()
    return [
        Figure(9, "GET a generation, 64 connections", middle([p.per_s for p in ours]), "/s",
               least(0.40, relative=True), base, "bare aiohttp"),
        Figure(9, "the same, unchanged (304)", middle([p.per_s for p in unchanged]), "/s", None, base, "bare aiohttp"),
        Figure(9, "GET p50 at one connection", middle([p.p50_ms for p in one]), "ms"),
        Figure(9, "first page of 50, p50", middle([p.p50_ms for p in pages]), "ms", most(20)),
        Figure(9, "an old page of 50, p50", middle([p.p50_ms for p in deeper]), "ms", most(20)),
        Figure(9, "a searched page of 50, p50", middle([p.p50_ms for p in searches]), "ms"),
    ]  # fmt: skip


async def _some(stand: Stand, account_id: UUID, state: str) -> list[UUID]:
    return [row["id"] for row in await stand.db.fetch(_SOME, account_id, state, SAMPLE // 3)]


async def _walk(port: int, key: str) -> str:
    """The cursor of a page that is some way back."""
    caller, cursor = await Caller.open(port, 200), ""
    for _ in range(20):
        path = f"/api/v1/generations?limit={PAGE}&status=completed{cursor}"
        _, _, body = await caller.ask(request("GET", path, key))
        cursor = f"&after={orjson.loads(body)['next']}"
    caller.close()
    return cursor.removeprefix("&after=")
