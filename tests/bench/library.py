"""Goal 11: a page of the library of assets, found among 100,000, in the database and over HTTP."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.db import Database, Role
from shared.domains import assets
from shared.domains.assets import Place, Search, Sort
from tests.bench.figures import Figure, middle, most, quantile
from tests.bench.load import drive, request
from tests.bench.stand import Stand

ROWS = 100_000
QUICK_ROWS = 10_000
OTHERS = 5
"""Accounts that have a tenth as many each, of the same words."""
CHUNK = 10_000
LOOKS = 60
QUICK_LOOKS = 15
PAGE = 50
SECONDS = 1.0

# Every prompt has a common word, some of a few hundred, and one of its own.
_ROWS = """
INSERT INTO assets (id, user_id, type, kind, name, file_url, thumbnail_url, file_size_bytes, file_format, mime, sha256,
    width, height, generation_id, output_n, model, provider, provider_model, prompt, seed, tags, favorite, rating,
    created_at)
SELECT uuidv7(- (n * interval '10 seconds')), $1, t.type, t.type, left(p.prompt, 120),
    'users/u/generations/g/' || n || '.png', 'users/u/generations/g/' || n || '.thumb.webp', 123456, 'png',
    'image/png', repeat('0', 64), 1024, 576, gen_random_uuid(), 0, 'flux-' || n % 7, 'bench', 'bench-image', p.prompt,
    n, CASE WHEN n % 50 = 0 THEN ARRAY['hero', 'set ' || n % 400] ELSE '{}' END, n % 41 = 0, n % 100 / 17,
    now() - n * interval '10 seconds'
FROM generate_series($2::int, $3::int) AS n,
    LATERAL (SELECT CASE n % 10 WHEN 1 THEN 'video' WHEN 2 THEN 'audio' ELSE 'image' END) AS t (type),
    LATERAL (SELECT format('a lighthouse in fog, in the style of painter%s, with place%s, mood%s and light%s, take %s',
        n % 311, n * 7 % 523, n * 13 % 197, n * 17 % 89, 'w' || md5(n::text)) AS prompt) AS p
"""
_FAR = "SELECT id FROM assets WHERE user_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1"

SEARCHES: Mapping[str, Search] = {
    "first page": Search(),
    "a word of all": Search(q="lighthouse"),
    "a word of a few hundred": Search(q="painter77"),
    "two words of some": Search(q="mood11 place4"),
    "a word of none": Search(q="elephant"),
    "a rare tag": Search(tags=["set 150"]),
    "favourites of one type": Search(types=["video"], favorite=True),
    "a rare seed": Search(seed=77),
    "best rated": Search(sort=Sort.RATING),
}


async def measure(stand: Stand) -> list[Figure]:
    account_id, key = await stand.account()
    rows = QUICK_ROWS if stand.quick else ROWS
    await _fill(stand, account_id, rows)
    for _ in range(OTHERS):
        other, _ = await stand.account()
        await _fill(stand, other, rows // 10)
    await stand.settle()
    figures = await _in_the_database(stand, account_id, rows)
    async with stand.gateway() as (_, port):
        for what, query in (("first page", ""), ("a word of a few hundred", "&q=painter77")):
            asked = [request("GET", f"/api/v1/assets?limit={PAGE}{query}", key)]
            paces = [
                await drive(port, asked, connections=1, seconds=SECONDS, status=200)
                for _ in range(stand.rounds)
            ]
            figures.append(
                Figure(11, f"{what} over HTTP, p50", middle([pace.p50_ms for pace in paces]), "ms")
            )
    await stand.clear()
    return figures


async def _fill(stand: Stand, account_id: UUID, rows: int) -> None:
    for start in range(1, rows + 1, CHUNK):
        await stand.db.execute(_ROWS, account_id, start, min(rows, start + CHUNK - 1))


async def _in_the_database(stand: Stand, account_id: UUID, rows: int) -> list[Figure]:
    far = await stand.db.fetchval(_FAR, account_id, rows // 2)
    cases: list[tuple[str, Search, Place | None]] = [(what, where, None) for what, where in SEARCHES.items()]
    cases.append(("a page half way down", Search(), Place(far, 0)))
    db = await Database.open(stand.settings.database_url, Role.APP)
    figures = []
    for what, where, after in cases:
        times = [
            await _look_ms(db, account_id, where, after) for _ in range(QUICK_LOOKS if stand.quick else LOOKS)
        ]
        figures.append(Figure(11, f"{what}, p95 in the database", quantile(times, 0.95), "ms", most(100)))
    await db.close()
    return figures


async def _look_ms(db: Database, account_id: UUID, where: Search, after: Place | None) -> float:
    async with db.transaction(account_id) as tx:
        start = time.monotonic()
        found: list[Any] = await assets.page(tx, where, after, PAGE + 1)
        taken = time.monotonic() - start
    assert found or where.q == "elephant", where
    return taken * 1000
