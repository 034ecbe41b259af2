"""The roll-up of usage: it equals the record in any time zone, whatever comes late, and proves it."""

import asyncio
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from shared.domains.analytics import record, report, rollup
from shared.domains.analytics.record import KEYS, SUMS, Run
from shared.domains.analytics.report import Asked, GroupBy, Sums
from shared.domains.changes import Settlement, SubmissionChange
from shared.domains.open_submissions import settle_open
from shared.ids import new_id
from shared.money import Nanos
from tests.pipeline import Pipeline
from tests.usage_history import Made, day_of, make, pay, random_history, summed
from workers.rollup import Rollup

NOW = datetime.now(UTC)
# Around changes of the clock, the ends of months, and a moment ago.
MOMENTS = (
    datetime(2025, 3, 9, 5, tzinfo=UTC),
    datetime(2025, 4, 6, 3, tzinfo=UTC),
    datetime(2025, 11, 2, 4, tzinfo=UTC),
    datetime(2025, 12, 31, 23, 59, tzinfo=UTC),
    NOW - timedelta(days=5),
)
ZONES = ("UTC", "America/Havana", "Asia/Kathmandu", "Pacific/Kiritimati", "America/Santiago")


async def _rolled(pipeline: Pipeline, period: str = "daily") -> dict[tuple[Any, ...], dict[str, int]]:
    """What is rolled up, in the shape of `summed`."""
    rows = await pipeline.worker.fetch(
        "SELECT * FROM usage_analytics WHERE user_id = $1 AND period_type = $2", pipeline.account_id, period
    )
    return {
        (row["period_start"], *(row[key] for key in KEYS)): {name: row[name] for name in SUMS if row[name]}
        for row in rows
    }


async def _read(pipeline: Pipeline, day: date) -> Sums:
    """The total of one day as the gateway reads it."""
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        now = await record.standing(tx, pipeline.account_id)
        return (await report.report(tx, pipeline.account_id, now, Asked(day, day), GroupBy.KIND)).total


async def _zone(pipeline: Pipeline, zone: str) -> None:
    await pipeline.worker.execute(
        "UPDATE accounts SET timezone = $2 WHERE id = $1", pipeline.account_id, zone
    )


async def _project(pipeline: Pipeline) -> UUID:
    project_id = new_id()
    await pipeline.worker.execute(
        "INSERT INTO projects (id, user_id, name) VALUES ($1, $2, 'p')", project_id, pipeline.account_id
    )
    return project_id


async def _late_end(pipeline: Pipeline, made: Made) -> None:
    for state in ("storing", "completed"):
        await pipeline.worker.execute(
            "UPDATE generations SET state = $2, wake_at = CASE WHEN $2 = 'completed' THEN NULL ELSE wake_at END,"
            " completed_at = now() WHERE id = $1", made.id, state,
        )  # fmt: skip


def _by_month(daily: dict[tuple[Any, ...], dict[str, int]]) -> dict[tuple[Any, ...], dict[str, int]]:
    months: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for (day, *keys), sums in daily.items():
        months[(day.replace(day=1), *keys)].update(sums)
    return {key: dict(sums) for key, sums in months.items()}


@pytest.mark.parametrize(("seed", "zone"), list(enumerate(ZONES)))
async def test_a_random_history_rolled_up_equals_its_sums(pipeline: Pipeline, seed: int, zone: str) -> None:
    await _zone(pipeline, zone)
    projects = [await _project(pipeline)]
    made, paid = await random_history(pipeline.worker, pipeline.account_id, seed, MOMENTS, projects)
    expected = summed(made, paid, zone)
    assert await rollup.roll_up(pipeline.worker, pipeline.account_id)
    assert await _rolled(pipeline) == expected
    assert await _rolled(pipeline, "monthly") == _by_month(expected)
    # Again, with more of today: nothing is added twice.
    made.append(await make(pipeline.worker, pipeline.account_id, datetime.now(UTC), state="failed"))
    paid.append(await pay(pipeline.worker, pipeline.account_id, made[0], 77))
    for _ in range(2):
        await rollup.roll_up(pipeline.worker, pipeline.account_id)
        assert await _rolled(pipeline) == summed(made, paid, zone)
    recount = await rollup.recount(pipeline.worker, pipeline.account_id)
    assert recount is not None
    assert (recount.total, await _rolled(pipeline, "monthly")) == (0, _by_month(summed(made, paid, zone)))


async def test_what_is_read_is_never_behind(pipeline: Pipeline) -> None:
    today = day_of(datetime.now(UTC), "UTC")
    for n in range(1, 4):
        made = await make(pipeline.worker, pipeline.account_id, datetime.now(UTC))
        assert (await _read(pipeline, today)).requests == n
        await pay(pipeline.worker, pipeline.account_id, made, 5)
        assert (await _read(pipeline, today)).cost == 5 * n
        await rollup.roll_up(pipeline.worker, pipeline.account_id)
        assert (await _read(pipeline, today)).cost == 5 * n


async def test_a_late_result_counts_on_its_day_and_its_bill_today(pipeline: Pipeline) -> None:
    asked = datetime.now(UTC) - timedelta(days=3)
    made = await make(pipeline.worker, pipeline.account_id, asked, state="waiting")
    await make(pipeline.worker, pipeline.account_id, asked)
    await rollup.roll_up(pipeline.worker, pipeline.account_id)
    day, today = day_of(asked, "UTC"), day_of(datetime.now(UTC), "UTC")
    assert ((await _read(pipeline, day)).unfinished, (await _read(pipeline, day)).successes) == (1, 1)
    # The margin is over: only what is open or new is looked at.
    await pipeline.worker.execute(
        "UPDATE usage_rollups SET rolled_to = now() WHERE account_id = $1", pipeline.account_id
    )
    await _late_end(pipeline, made)
    await pay(pipeline.worker, pipeline.account_id, made, 9)
    for _ in range(2):
        late, now = await _read(pipeline, day), await _read(pipeline, today)
        assert (late.unfinished, late.successes, late.cost) == (0, 2, 0)
        assert (now.requests, now.cost) == (0, 9)
        await rollup.roll_up(pipeline.worker, pipeline.account_id)
    stored = await _rolled(pipeline)
    assert {key[0]: sums.get("total_cost_nanos", 0) for key, sums in stored.items()} == {day: 0, today: 9}


async def test_another_time_zone_means_other_days(pipeline: Pipeline) -> None:
    made, paid = await random_history(pipeline.worker, pipeline.account_id, 7, MOMENTS)
    await rollup.roll_up(pipeline.worker, pipeline.account_id)
    await _zone(pipeline, "Asia/Tokyo")
    expected = summed(made, paid, "Asia/Tokyo")
    some = next(iter(expected))[0]
    requests = sum(sums.get("request_count", 0) for key, sums in expected.items() if key[0] == some)
    assert (await _read(pipeline, some)).requests == requests
    assert pipeline.account_id in await rollup.due(pipeline.worker)
    await rollup.roll_up(pipeline.worker, pipeline.account_id)
    assert await _rolled(pipeline) == expected
    assert (await _read(pipeline, some)).requests == requests


async def test_a_recount_finds_and_repairs_what_differs(pipeline: Pipeline) -> None:
    zone = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"  # where it is about noon: the night is over
    await _zone(pipeline, zone)
    made, paid = await random_history(pipeline.worker, pipeline.account_id, 3, MOMENTS)
    await rollup.roll_up(pipeline.worker, pipeline.account_id)
    expected = summed(made, paid, zone)
    wrong, gone, *_ = sorted({key[0] for key in expected})
    for sql in (
        "UPDATE usage_analytics SET total_cost_nanos = total_cost_nanos + 1"
        f" WHERE user_id = $1 AND period_type = 'daily' AND period_start = '{wrong}'",
        f"DELETE FROM usage_analytics WHERE user_id = $1 AND period_start = '{gone}'",
        "INSERT INTO usage_analytics (user_id, period_type, period_start, request_count)"
        " VALUES ($1, 'daily', '2024-02-03', 5)",
    ):
        await pipeline.worker.execute(sql, pipeline.account_id)
    assert pipeline.account_id not in await rollup.due_for_recount(pipeline.worker)
    await pipeline.worker.execute(
        "UPDATE usage_rollups SET recounted_at = now() - interval '1 day' WHERE account_id = $1",
        pipeline.account_id,
    )
    broken = sum(key[0] in {wrong, gone} for key in expected) + 1
    with capture_logs() as logs:
        assert await Rollup(pipeline.worker).recount() == broken
    told = [line for line in logs if line["event"] == "rollup_differed"]
    assert len(told) == broken
    assert {"day": "2024-02-03", "request_count": "5 is 0"}.items() <= next(
        line for line in told if line["day"] == "2024-02-03"
    ).items()
    assert await _rolled(pipeline) == expected
    assert await _rolled(pipeline, "monthly") == _by_month(expected)
    assert pipeline.account_id not in await rollup.due_for_recount(pipeline.worker)


async def test_many_at_once_are_one(pipeline: Pipeline) -> None:
    made, paid = await random_history(pipeline.worker, pipeline.account_id, 11, MOMENTS[-1:])
    done = await asyncio.gather(*(rollup.roll_up(pipeline.worker, pipeline.account_id) for _ in range(6)))
    assert any(done)
    assert await _rolled(pipeline) == summed(made, paid, "UTC")


async def test_a_deleted_project_leaves_what_was_used_for_it(pipeline: Pipeline) -> None:
    project_id = await _project(pipeline)
    made, paid = await random_history(pipeline.worker, pipeline.account_id, 5, MOMENTS, [project_id])
    await rollup.roll_up(pipeline.worker, pipeline.account_id)
    async with pipeline.worker.transaction() as tx:
        await tx.execute("UPDATE generations SET project_id = NULL WHERE project_id = $1", project_id)
        await tx.execute("DELETE FROM projects WHERE id = $1", project_id)
    recount = await rollup.recount(pipeline.worker, pipeline.account_id)
    assert recount is not None
    assert recount.total == 0
    assert sum(sums.get("request_count", 0) for sums in (await _rolled(pipeline)).values()) == len(made)
    assert all(key[1] is None for key in await _rolled(pipeline))
    await pipeline.worker.execute("DELETE FROM accounts WHERE id = $1", pipeline.account_id)
    assert await _rolled(pipeline) == {}
    assert paid


async def test_the_seeds_columns_follow_the_sums(pipeline: Pipeline) -> None:
    made = await make(pipeline.worker, pipeline.account_id, NOW, seconds=3)
    await pay(pipeline.worker, pipeline.account_id, made, 5_000_000, NOW)
    await make(pipeline.worker, pipeline.account_id, NOW, seconds=4)
    await Rollup(pipeline.worker).roll_up()
    row = await pipeline.worker.fetchrow(
        "SELECT total_cost_cents, avg_duration_ms FROM usage_analytics WHERE user_id = $1 AND period_type = 'daily'",
        pipeline.account_id,
    )
    assert tuple(row or ()) == (1, 3500)


def test_days_in_a_row_are_one_run() -> None:
    days = [date(2026, 3, n) for n in (5, 1, 2, 6, 9)]
    assert record.runs(days) == [
        Run(date(2026, 3, 1), date(2026, 3, 2)),
        Run(date(2026, 3, 5), date(2026, 3, 6)),
        Run(date(2026, 3, 9), date(2026, 3, 9)),
    ]
    assert record.months([Run(date(2026, 1, 31), date(2026, 2, 1))]) == [
        Run(date(2026, 1, 1), date(2026, 2, 28))
    ]
    assert record.pieces([Run(date(2026, 1, 30), date(2026, 2, 2))]) == [
        Run(date(2026, 1, 30), date(2026, 1, 31)),
        Run(date(2026, 2, 1), date(2026, 2, 2)),
    ]
    assert record.within(record.runs(days), date(2026, 3, 2), date(2026, 3, 5)) == [
        Run(date(2026, 3, 2), date(2026, 3, 2)),
        Run(date(2026, 3, 5), date(2026, 3, 5)),
    ]


async def test_tokens_of_a_late_result_that_is_free_count_at_once(pipeline: Pipeline) -> None:
    asked = datetime.now(UTC) - timedelta(days=3)
    made = await make(pipeline.worker, pipeline.account_id, asked, state="canceled")
    (submission,) = await pipeline.submissions(made.id)
    await pipeline.worker.execute(
        "UPDATE submissions SET state = 'accepted', remote_id = 'r', ended_at = NULL WHERE generation_id = $1",
        made.id,
    )
    await rollup.roll_up(pipeline.worker, pipeline.account_id)
    change = SubmissionChange(submission["id"], "done", usage={"output_token": "70"}, cost_nanos=0)
    settle = Settlement(submission["id"], Nanos(0), "scripted", "flux-2", None)
    assert await settle_open(pipeline.worker, pipeline.publisher, made.id, change, settle)
    assert pipeline.account_id in await rollup.due(pipeline.worker)
    await rollup.roll_up(pipeline.worker, pipeline.account_id)
    assert sum(sums.get("total_tokens", 0) for sums in (await _rolled(pipeline)).values()) == 70
