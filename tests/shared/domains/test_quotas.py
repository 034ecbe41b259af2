"""Plans and their quotas: what is included, how much of it, and what is given back."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest

from shared.domains import plans
from shared.domains.generations import Lifecycle
from shared.errors import JobError, QuotaExceeded, TierRequired
from shared.ids import new_id
from tests.pipeline import Pipeline, ScriptedProvider, publish
from workers.providers.base import Finished, Refused, Request, Sink, Usage

NO = JobError("PROVIDER_REJECTED", "no")


async def _plan(pipeline: Pipeline, name: str) -> None:
    await plans.assign(pipeline.app, pipeline.account_id, name)


async def _used(pipeline: Pipeline, feature: str = "image") -> int:
    used = await pipeline.worker.fetchval(
        "SELECT sum(used)::int FROM quota_counters WHERE account_id = $1 AND feature = $2",
        pipeline.account_id, feature,
    )  # fmt: skip
    return used or 0


@pytest.mark.parametrize(
    ("plan", "feature", "most", "period"),
    [
        ("free", "chat", 3, "day"),
        ("free", "image", 1, "week"),
        ("free", "music", 0, "total"),
        ("free", "music_projects", 0, "total"),
        ("free", "writing_projects", 0, "total"),
        ("premium", "chat", 100, "day"),
        ("premium", "image", 20, "month"),
        ("premium", "music_projects", 5, "live"),
        ("premium", "writing_projects", 10, "live"),
        ("premium", "music", None, None),
        ("unlimited", "image", None, None),
        ("unlimited", "tactical", None, None),
    ],
)
async def test_the_plans_are_the_promised_ones(
    pipeline: Pipeline, plan: str, feature: str, most: int | None, period: str | None
) -> None:
    await _plan(pipeline, plan)
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        limit = (await plans.of_account(tx, pipeline.account_id)).limit(feature)
    assert (limit and limit.most, limit and limit.period) == (most, period)


async def test_what_costs_what(pipeline: Pipeline) -> None:
    rows = {row["name"]: row for row in await plans.listed(pipeline.app)}
    assert {name: row["price_nanos"] for name, row in rows.items()} == {
        "free": 0, "premium": 9_990_000_000, "unlimited": 29_990_000_000,
    }  # fmt: skip
    assert [row["name"] for row in rows.values() if row["for_new_users"]] == ["unlimited"]


async def test_a_quota_of_twenty_admits_exactly_twenty_of_fifty(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    await _plan(pipeline, "premium")
    outcomes = await asyncio.gather(*(pipeline.submit() for _ in range(50)), return_exceptions=True)
    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"UUID": 20, "QuotaExceeded": 30}
    assert await _used(pipeline) == 20


async def test_the_refusal_says_what_is_used_and_when_there_is_more(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    await _plan(pipeline, "free")
    await pipeline.submit()
    with pytest.raises(QuotaExceeded) as refusal:
        await pipeline.submit()
    said = refusal.value.context
    assert (said["feature"], said["used"], said["limit"], said["period"]) == ("image", 1, 1, "week")
    assert said["resets_at"].weekday() == 0
    assert 0 < (refusal.value.retry_after_s or 0) <= 7 * 86_400


async def test_every_image_counts(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    await _plan(pipeline, "premium")
    await pipeline.submit(input={"prompt": "x", "count": 3})
    assert await _used(pipeline) == 3


async def test_what_the_plan_does_not_include_needs_another(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    await _plan(pipeline, "free")
    with pytest.raises(TierRequired) as refusal:
        await pipeline.submit(kind="music")
    assert refusal.value.context == {"feature": "music", "plan": "free", "scope": "plan"}
    await _plan(pipeline, "premium")
    await pipeline.submit(kind="music")


async def test_a_product_counts_as_its_own_feature(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    await _plan(pipeline, "free")
    for _ in range(3):
        await pipeline.submit(kind="text")
    with pytest.raises(QuotaExceeded):
        await pipeline.submit(kind="text")
    await pipeline.submit(kind="text", feature="titles")
    assert (await _used(pipeline, "chat"), await _used(pipeline, "titles")) == (3, 0)


async def test_things_that_are_there_at_once(pipeline: Pipeline) -> None:
    async def require(plan: str, live: int) -> None:
        await _plan(pipeline, plan)
        async with pipeline.app.transaction(pipeline.account_id) as tx:
            await plans.require(tx, pipeline.account_id, "music_projects", live)

    with pytest.raises(TierRequired):
        await require("free", 0)
    await require("premium", 4)
    with pytest.raises(QuotaExceeded):
        await require("premium", 5)
    await require("unlimited", 5_000)


@pytest.mark.parametrize(("case", "used"), [("done", 1), ("failed", 0), ("canceled", 0), ("expired", 0)])
async def test_what_ends_in_vain_is_given_back(pipeline: Pipeline, case: str, used: int) -> None:
    def behave(request: Request, sink: Sink) -> Finished:
        if case == "failed":
            raise Refused(NO, curable=False)
        return Finished((), Usage({}))

    provider = ScriptedProvider(behave)
    await publish(pipeline, provider)
    await _plan(pipeline, "free")
    deadline: dict[str, Any] = {"start_deadline_s": 0.001} if case == "expired" else {}
    generation_id = await pipeline.submit(**deadline)
    assert await _used(pipeline) == 1
    if case == "canceled":
        await pipeline.cancel(generation_id)
    elif case == "expired":
        lifecycle = Lifecycle(pipeline.worker, pipeline.publisher)
        (work,) = await lifecycle.claim_expired(new_id(), 10)
        await lifecycle.expired(work)
    else:
        async with pipeline.engine(provider):
            await pipeline.until(generation_id)
    assert await _used(pipeline) == used


async def test_only_operators_change_a_plan(pipeline: Pipeline) -> None:
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.execute("UPDATE plans SET features = '{}'")


async def test_the_plan_sets_how_much_runs_at_once(pipeline: Pipeline) -> None:
    for plan, expected in (("free", 1), ("premium", 4), ("unlimited", None)):
        await _plan(pipeline, plan)
        sql = "SELECT max_running FROM accounts WHERE id = $1"
        assert await pipeline.worker.fetchval(sql, pipeline.account_id) == expected


@pytest.mark.parametrize(
    ("period", "zone", "at", "day", "end"),
    [
        ("week", "UTC", "2026-05-03 23:59+00", "2026-04-27", "2026-05-04 00:00+00"),
        ("day", "Pacific/Auckland", "2026-05-03 12:30+00", "2026-05-04", "2026-05-04 12:00+00"),
        ("month", "America/New_York", "2026-06-01 03:00+00", "2026-05-01", "2026-06-01 04:00+00"),
        ("day", "Europe/Berlin", "2026-03-29 10:00+00", "2026-03-29", "2026-03-29 22:00+00"),
        ("day", "Nowhere/Land", "2026-05-03 23:30+00", "2026-05-03", "2026-05-04 00:00+00"),
        ("total", "UTC", "2026-05-03 23:30+00", "1970-01-01", None),
    ],
)
async def test_periods_begin_in_the_account_s_time_zone(
    pipeline: Pipeline, period: str, zone: str, at: str, day: str, end: str | None
) -> None:
    row = await pipeline.worker.fetchrow(
        "SELECT window_day($1, $2, $3::text::timestamptz)::text AS day,"
        " window_end($1, $2, $3::text::timestamptz) = $4::text::timestamptz AS ends",
        period, zone, at, end,
    )  # fmt: skip
    assert row is not None
    assert (row["day"], row["ends"]) == (day, None if end is None else True)
