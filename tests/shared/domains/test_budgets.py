"""Budgets: what is held is what the ledger says, a hard one is never exceeded, and thresholds are told once."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.catalog import Price
from shared.db import Role
from shared.domains import budgets
from shared.domains.accounts import Scope, create_key, rotate_key
from shared.domains.admission import Admitter
from shared.domains.budgets import NewBudget
from shared.domains.ledger import verify
from shared.errors import BudgetExceeded, JobError
from shared.ids import new_id
from shared.orm import orm_engine, orm_session
from tests.pipeline import Pipeline, ScriptedProvider, card, publish
from workers.providers.base import Finished, Refused, Request, Sink, Usage

PRICE = Price({"image": Decimal(1_000)}, date(2026, 1, 1), "test")
NO = JobError("PROVIDER_REJECTED", "no")


def _priced(*providers: str) -> list[ScriptedProvider]:
    cards = [card(name, aliases=("scripted",), price=PRICE, rank=n) for n, name in enumerate(providers)]
    return [ScriptedProvider(cards=cards)]


async def _create(pipeline: Pipeline, limit: int, **options: Any) -> UUID:
    new = NewBudget(
        **{"scope": "account", "subject": None, "period": "total", "limit_nanos": limit} | options
    )
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        row = await budgets.create(tx, pipeline.account_id, new)
    return UUID(str(row["id"]))


async def test_a_sum_that_is_wrong_is_found_by_the_check_of_the_ledger(pipeline: Pipeline) -> None:
    await _create(pipeline, 1_000)
    since = datetime.now(UTC)
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        assert (await verify(tx, since)).ok
    await pipeline.worker.execute(
        "UPDATE budgets SET held_nanos = 7 WHERE account_id = $1", pipeline.account_id
    )
    for everywhere in (False, True):
        async with pipeline.app.transaction(pipeline.account_id) as tx:
            found = await verify(tx, since, everywhere=everywhere)
        (wrong,) = [one for one in found.differences if one["account_id"] == str(pipeline.account_id)]
        assert (wrong["what"], wrong["expected"], wrong["found"]) == ("budget", 0, 7)


async def _row(pipeline: Pipeline, budget_id: UUID) -> Mapping[str, Any]:
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        return await budgets.get(tx, pipeline.account_id, budget_id)


async def _sums(pipeline: Pipeline, budget_id: UUID) -> tuple[int, int]:
    """Held and spent; asserts that the ledger says the same."""
    row = await pipeline.worker.fetchrow(
        "SELECT b.held_nanos, b.spent_nanos, r.held, r.spent FROM budgets b, reckon_budget(b) r WHERE b.id = $1",
        budget_id,
    )
    assert row is not None
    assert (row["held_nanos"], row["spent_nanos"]) == (row["held"], row["spent"])
    return row["held_nanos"], row["spent_nanos"]


async def _alerts(pipeline: Pipeline, budget_id: UUID) -> list[tuple[str, int]]:
    rows = await pipeline.worker.fetch(
        "SELECT alert_type, threshold_percent FROM budget_alerts WHERE budget_id = $1 ORDER BY threshold_percent",
        budget_id,
    )
    return [(row["alert_type"], row["threshold_percent"]) for row in rows]


async def _project(pipeline: Pipeline, **columns: Any) -> UUID:
    project_id = new_id()
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        await tx.execute(
            "INSERT INTO projects (id, user_id, name, budget_nanos, settings) VALUES ($1, $2, 'p', $3, $4)",
            project_id, pipeline.account_id, columns.get("budget", 0), columns.get("settings", {}),
        )  # fmt: skip
    return project_id


async def test_a_budget_for_ten_admits_exactly_ten_of_two_hundred_through_several_gateways(
    pipeline: Pipeline,
) -> None:
    await publish(pipeline, *_priced("scripted"))
    project_id = await _project(pipeline, budget=12_000)
    tight, wide = (
        await _create(pipeline, 10_000, period="month"),
        await _create(pipeline, 50_000, mode="soft"),
    )
    gateways = [
        Admitter(
            pipeline.app, pipeline.admitter._catalog, pipeline.bell, pipeline.publisher, pipeline.settings
        )
        for _ in range(4)
    ]
    others = [Pipeline(pipeline.settings, pipeline.app, pipeline.worker, pipeline.publisher, pipeline.bell, gateway,
                       pipeline.account_id) for gateway in gateways]  # fmt: skip
    outcomes = await asyncio.gather(
        *(others[n % 4].submit(project_id=project_id if n % 3 else None) for n in range(200)),
        return_exceptions=True,
    )
    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"UUID": 10, "BudgetExceeded": 190}
    assert await _sums(pipeline, tight) == (10_000, 0)
    assert await _sums(pipeline, wide) == (10_000, 0)
    assert await _alerts(pipeline, tight) == [("budget_exceeded", 100)]


async def test_the_refusal_names_the_budget_what_is_left_and_when_it_begins_anew(pipeline: Pipeline) -> None:
    await publish(pipeline, *_priced("scripted"))
    budget_id = await _create(pipeline, 1_500, period="day", name="Marketing")
    await pipeline.submit()
    with pytest.raises(BudgetExceeded) as refusal:
        await pipeline.submit()
    said = refusal.value.context
    assert (said["scope"], said["budget_id"], said["remaining_nanos"], said["needed_nanos"]) == (
        "account", str(budget_id), 500, 1_000,
    )  # fmt: skip
    assert 'the daily budget "Marketing" of the account' in refusal.value.message
    assert 0 < (said["resets_at"] - datetime.now(UTC)).total_seconds() <= 86_400


@pytest.mark.parametrize(
    ("budget", "its_settings", "admitted"),
    [(0, {}, True), (0, {"budget_mode": "hard"}, False), (1_000, {}, True), (999, {}, False),
     (999, {"budget_mode": "soft"}, True)],
)  # fmt: skip
async def test_a_project_s_budget(
    pipeline: Pipeline, budget: int, its_settings: dict[str, Any], admitted: bool
) -> None:
    await publish(pipeline, *_priced("scripted"))
    project_id = await _project(pipeline, budget=budget, settings=its_settings)
    await pipeline.submit()  # not the project's
    if admitted:
        await pipeline.submit(project_id=project_id)
    else:
        with pytest.raises(BudgetExceeded, match="of the project") as refusal:
            await pipeline.submit(project_id=project_id)
        assert refusal.value.context["project_id"] == str(project_id)


async def test_a_project_s_budget_follows_its_columns_and_goes_with_it(pipeline: Pipeline) -> None:
    project_id = await _project(pipeline, budget=5)
    account_id = pipeline.account_id
    for sql, expected in (
        ("UPDATE projects SET budget_nanos = 7 WHERE id = $1", [(7, "hard")]),
        ('UPDATE projects SET settings = \'{"budget_mode": "soft"}\' WHERE id = $1', [(7, "soft")]),
        ("UPDATE projects SET budget_nanos = 0 WHERE id = $1", []),
        ("UPDATE projects SET budget_nanos = 9, settings = '{}' WHERE id = $1", [(9, "hard")]),
        ("DELETE FROM projects WHERE id = $1", []),
    ):
        async with pipeline.app.transaction(account_id) as tx:
            await tx.execute(sql, project_id)
            rows = await budgets.listed(tx, account_id)
        assert [(row["limit_nanos"], row["mode"]) for row in rows] == expected


async def test_a_key_s_budget_counts_what_is_made_with_it(pipeline: Pipeline) -> None:
    await publish(pipeline, *_priced("scripted"))
    key_id = new_id()
    await pipeline.worker.execute(
        "INSERT INTO api_keys (id, account_id, key_id, secret_hmac, name, budget_nanos)"
        " VALUES ($1::uuid, $2, gen_random_uuid()::text, 'h', 'k', 1000)",
        key_id, pipeline.account_id,
    )  # fmt: skip
    await pipeline.submit(api_key_id=key_id)
    await pipeline.submit()
    with pytest.raises(BudgetExceeded, match="of the API key"):
        await pipeline.submit(api_key_id=key_id)


async def test_a_provider_whose_cap_is_reached_is_passed_over(pipeline: Pipeline) -> None:
    await publish(pipeline, *_priced("first", "second"))
    await pipeline.worker.execute(
        "INSERT INTO account_providers (account_id, provider, monthly_cap_nanos) VALUES ($1, 'first', 1000)",
        pipeline.account_id,
    )
    served = [(await pipeline.row(await pipeline.submit()))["routes"] for _ in range(2)]
    assert [[route["provider"] for route in routes] for routes in served] == [["first", "second"], ["second"]]
    await _create(pipeline, 0, scope="provider", subject="second")
    with pytest.raises(BudgetExceeded) as refusal:
        await pipeline.submit()
    assert refusal.value.context["provider"] == "first"


async def test_a_budget_counts_what_was_admitted_before_it_was_made(pipeline: Pipeline) -> None:
    await publish(pipeline, *_priced("scripted"))
    generation_id = await pipeline.submit()
    await pipeline.submit()
    budget_id = await _create(pipeline, 10_000, period="month")
    assert await _sums(pipeline, budget_id) == (2_000, 0)
    await pipeline.cancel(generation_id)
    assert await _sums(pipeline, budget_id) == (1_000, 0)


async def test_thresholds_are_told_once_with_webhook_mail_and_frame(pipeline: Pipeline) -> None:
    await pipeline.worker.execute(
        "INSERT INTO webhook_endpoints (id, account_id, url, events) VALUES ($1, $2, 'https://x.example', $3)",
        new_id(), pipeline.account_id, ["budget.alert"],
    )  # fmt: skip
    await pipeline.worker.execute(
        "INSERT INTO users (id, email) VALUES ($1::uuid, gen_random_uuid() || '@example.com')",
        pipeline.account_id,
    )
    provider = ScriptedProvider(lambda *_: Finished((), Usage({"image": Decimal(1)})), [card(price=PRICE)])
    budget_id = await _create(pipeline, 4_000)
    told: list[list[tuple[str, int]]] = []
    async with pipeline.engine(provider):
        for _ in range(4):
            await pipeline.until(await pipeline.submit())
            told.append(await _alerts(pipeline, budget_id))
    half, most = ("threshold_reached", 50), ("threshold_reached", 80)
    assert told == [[], [half], [half], [half, most, ("budget_exceeded", 100)]]
    assert await _sums(pipeline, budget_id) == (4_000, 4_000)
    for sql in (
        "SELECT data ->> 'threshold_percent' FROM webhook_deliveries WHERE account_id = $1 ORDER BY created_at",
        "SELECT substring(subject FROM '[0-9]+') FROM emails WHERE account_id = $1 ORDER BY created_at",
    ):
        rows = await pipeline.worker.fetch(sql, pipeline.account_id)
        assert sorted(row[0] for row in rows) == ["100", "50", "80"]
    # What is on its way would be sent by the tests of those who send.
    for table in ("webhook_deliveries", "emails"):
        await pipeline.worker.execute(f"DELETE FROM {table} WHERE account_id = $1", pipeline.account_id)


async def test_a_new_window_begins_at_nothing_and_late_bills_stay_in_the_old_one(pipeline: Pipeline) -> None:
    await publish(pipeline, *_priced("scripted"))
    budget_id = await _create(pipeline, 1_000, period="day")
    old = await pipeline.submit()
    await pipeline.worker.execute(
        "UPDATE generations SET created_at = created_at - interval '1 day' WHERE id = $1", old
    )
    await pipeline.worker.execute(
        "UPDATE budgets SET starts_at = starts_at - interval '1 day', ends_at = starts_at WHERE id = $1",
        budget_id,
    )
    assert (await _row(pipeline, budget_id))["held_nanos"] == 0
    await pipeline.submit()
    await pipeline.cancel(old)
    assert await _sums(pipeline, budget_id) == (1_000, 0)
    with pytest.raises(BudgetExceeded):
        await pipeline.submit()


@pytest.mark.parametrize("seed", range(3))
async def test_at_every_rest_the_sums_are_the_ledger_s(pipeline: Pipeline, seed: int) -> None:
    """Whatever is submitted, refused, billed, fails, is canceled and opened meanwhile."""
    chance = random.Random(seed)

    def behave(request: Request, sink: Sink) -> Finished:
        if chance.random() < 0.3:
            raise Refused(NO, curable=False)
        return Finished((), Usage({"image": Decimal(chance.choice([0, 1, 1]))}))

    project_id = await _project(pipeline, budget=9_000)
    made = [await _create(pipeline, 25_000, period=period, mode=mode)
            for period, mode in (("week", "hard"), ("total", "soft"))]  # fmt: skip

    async def submit(n: int) -> None:
        try:
            id_ = await pipeline.submit(project_id=project_id if n % 2 else None)
        except BudgetExceeded:
            return
        if chance.random() < 0.3:
            await pipeline.cancel(id_)
        await pipeline.until(id_)

    async with pipeline.engine(ScriptedProvider(behave, [card(price=PRICE)])):
        running = [asyncio.create_task(submit(n)) for n in range(60)]
        await asyncio.sleep(chance.random() * 0.2)
        made += await asyncio.gather(
            *(_create(pipeline, 40_000, period=period) for period in ("day", "month"))
        )
        await asyncio.gather(*running)
    rows = await pipeline.worker.fetch("SELECT id FROM budgets WHERE account_id = $1", pipeline.account_id)
    assert len(rows) == 5
    for row in rows:
        held, spent = await _sums(pipeline, row["id"])
        assert held == spent


async def test_a_key_and_its_successors_share_their_budgets(pipeline: Pipeline) -> None:
    await publish(pipeline, *_priced("scripted"))
    engine = orm_engine(pipeline.settings.database_url, Role.APP)
    async with orm_session(engine, pipeline.account_id) as session:
        first = (await create_key(session, pipeline.account_id, "s", name="k", scopes=[Scope.WRITE], expires_at=None,
                                  budget_nanos=2_000, budget_period="month")).row.id  # fmt: skip
    await pipeline.submit(api_key_id=first)
    keys = [first]
    for _ in range(2):
        async with orm_session(engine, pipeline.account_id) as session:
            keys.append((await rotate_key(session, "s", keys[-1], timedelta(hours=1))).row.id)
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        (budget,) = await budgets.listed(tx, pipeline.account_id)
    assert (budget["held_nanos"], budget["limit_nanos"], budget["period"]) == (1_000, 2_000, "month")
    assert budget["api_key_id"] == keys[-1]
    await pipeline.submit(api_key_id=keys[1])  # the overlap: all of them draw on it
    for key in keys:
        with pytest.raises(BudgetExceeded):
            await pipeline.submit(api_key_id=key)
    await engine.dispose()
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        assert (await verify(tx, datetime.now(UTC))).ok
