"""What was seen of models' run times, and what it lets expect."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from shared.db import Database
from shared.domains import run_times
from shared.domains.run_times import RECENT, Expectation, Sample, expect
from shared.kinds import KINDS
from tests.pipeline import Pipeline


@pytest.fixture
async def db(pipeline: Pipeline) -> AsyncIterator[Database]:
    await pipeline.worker.execute("DELETE FROM run_times")
    yield pipeline.worker
    await pipeline.worker.execute("DELETE FROM run_times")


async def test_percentiles_follow_the_last_fifty_times(db: Database) -> None:
    await run_times.add(db, [Sample("a/m", "1 run", 100.0)] * 30)
    known = await run_times.add(db, [Sample("a/m", "1 run", float(n)) for n in range(1, RECENT + 1)])
    found = known["a/m", "1 run"]
    assert (found.early_s, found.median_s, found.late_s) == pytest.approx((10.8, 25.5, 45.1))
    assert found.samples == 30 + RECENT
    assert await run_times.read(db) == known
    row = await db.fetchrow("SELECT recent FROM run_times")
    assert row is not None
    assert row["recent"] == [float(n) for n in range(1, RECENT + 1)]


async def test_more_at_once_than_are_kept_are_only_the_last(db: Database) -> None:
    await run_times.add(db, [Sample("a/m", "1 run", float(n)) for n in range(3 * RECENT)])
    row = await db.fetchrow("SELECT recent, samples FROM run_times")
    assert row is not None
    assert (row["samples"], row["recent"][0], len(row["recent"])) == (3 * RECENT, 2.0 * RECENT, RECENT)


async def test_workers_that_write_at_once_lose_nothing(db: Database) -> None:
    keys = [(card, size) for card in ("a/m", "b/m", "c/m") for size in ("1 run", "2 run")]
    batches = [[Sample(*key, 1.0) for key in order] for order in (keys, keys[::-1]) * 10]
    await asyncio.gather(*(run_times.add(db, batch) for batch in batches))
    assert {found.samples for found in (await run_times.read(db)).values()} == {len(batches)}


async def test_the_gateway_reads_and_does_not_write(pipeline: Pipeline, db: Database) -> None:
    await run_times.add(db, [Sample("a/m", "1 run", 1.0)])
    assert await run_times.read(pipeline.app) == await run_times.read(db)
    with pytest.raises(Exception, match="permission denied"):
        await run_times.add(pipeline.app, [Sample("a/m", "1 run", 1.0)])


def test_few_samples_leave_the_range_wide() -> None:
    row = {"samples": 2, "early_s": 10.0, "median_s": 10.0, "late_s": 10.0}
    assert Expectation.seen(row) == Expectation(6.0, 10.0, 15.0, 2)
    assert Expectation.seen(row | {"samples": 20}) == Expectation(10.0, 10.0, 10.0, 20)


def test_what_was_seen_wins_over_the_card_and_the_card_over_the_kind() -> None:
    route = {"card": "a/m", "size": "1 megapixel", "expected_s": 7.0}
    seen = Expectation(1.0, 2.0, 3.0, 50)
    assert expect({("a/m", "1 megapixel"): seen}, route, "image") is seen
    assert expect({("a/m", "4 megapixel"): seen}, route, "image").median_s == 7.0
    assert expect({}, {"card": "a/m"}, "upscale").median_s == 25.0


@pytest.mark.parametrize(
    ("kind", "given", "size"),
    [
        ("image", {"prompt": "x"}, "1 megapixel"),
        ("image", {"prompt": "x", "size": "512x512"}, "0.25 megapixel"),
        ("image", {"prompt": "x", "count": 4}, "4 megapixel"),
        ("audio", {"text": "x" * 500}, "512 character"),
        ("music", {"prompt": "x"}, "32 output_second"),
        ("text", {"prompt": "x"}, "1024 output_token"),
        ("upscale", {"image": "x", "scale": 4}, "4 scale"),
    ],
)
def test_requests_of_about_one_size_are_one_class(kind: str, given: dict[str, Any], size: str) -> None:
    parameters = KINDS[kind].parameters.model_validate(given)
    assert KINDS[kind].size(parameters) == size


def test_the_seeds_times_are_where_it_begins() -> None:
    assert [KINDS[kind].usual_s for kind in ("image", "audio", "music", "upscale")] == [8.0, 5.0, 20.0, 25.0]


def test_expectations_are_in_order() -> None:
    for found in (
        Expectation.guessed(8.0),
        Expectation.seen({"samples": 1, "early_s": 3.0, "median_s": 3.0, "late_s": 3.0}),
    ):
        assert all(a < b for a, b in pairwise((found.early_s, found.median_s, found.late_s)))
