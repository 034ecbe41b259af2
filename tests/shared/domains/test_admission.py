"""Admission: one transaction that decides everything, or nothing."""

import asyncio
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.catalog import Price
from shared.domains.admission import Idempotency, NewGeneration, StoredResponse
from shared.errors import (
    BudgetExceeded,
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    ModelRetired,
    NoProvider,
    PenstockError,
)
from shared.ids import new_id
from shared.kinds import KINDS
from tests.pipeline import Pipeline, ScriptedProvider, card, publish

PRICE = Price({"image": Decimal(1_000)}, date(2026, 1, 1), "test")


def _new(**options: Any) -> NewGeneration:
    given = options.pop("input", {"prompt": "a harbour"})
    return NewGeneration(
        "image", KINDS["image"].parameters.model_validate(given), **{"model": "scripted"} | options
    )


def _render(row: Any) -> StoredResponse:
    return StoredResponse(202, {"Location": str(row["id"])}, str(row["id"]).encode())


async def test_the_same_key_fifty_times_at_once_is_one_generation(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    key = Idempotency("POST /x", "once", b"body")
    admissions = await asyncio.gather(
        *(pipeline.admitter.admit(pipeline.account_id, _new(), key, _render) for _ in range(50))
    )
    fresh = [str(admission.row["id"]).encode() for admission in admissions if admission.row]
    replayed = {admission.replayed.body for admission in admissions if admission.replayed}
    assert len(fresh) == 1
    assert replayed == set(fresh)
    assert await pipeline.worker.fetchval("SELECT count(*) FROM generations") == 1


async def test_the_same_key_with_another_body_is_refused(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    await pipeline.admitter.admit(pipeline.account_id, _new(), Idempotency("r", "k", b"one"), _render)
    with pytest.raises(IdempotencyMismatch):
        await pipeline.admitter.admit(pipeline.account_id, _new(), Idempotency("r", "k", b"two"), _render)


async def test_the_same_key_of_another_account_is_another_key(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    other = new_id()
    await pipeline.worker.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
    key = Idempotency("r", "k", b"one")
    for account in (pipeline.account_id, other):
        assert (await pipeline.admitter.admit(account, _new(), key, _render)).row is not None


async def test_a_budget_for_ten_admits_exactly_ten_of_two_hundred(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider(cards=[card(price=PRICE)]))
    await _budget(pipeline, 10_000)
    outcomes = await asyncio.gather(
        *(pipeline.admitter.admit(pipeline.account_id, _new()) for _ in range(200)), return_exceptions=True
    )
    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"Admission": 10, "BudgetExceeded": 190}
    held = await pipeline.worker.fetchval(
        "SELECT held_nanos FROM accounts WHERE id = $1", pipeline.account_id
    )
    total = await pipeline.worker.fetchval(
        "SELECT sum(nanos)::bigint FROM ledger WHERE account_id = $1", pipeline.account_id
    )
    assert held == total == 10_000


async def test_a_refusal_says_what_is_left_and_keeps_no_answer(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider(cards=[card(price=PRICE)]))
    await _budget(pipeline, 500)
    key = Idempotency("r", "k", b"one")
    with pytest.raises(BudgetExceeded) as refusal:
        await pipeline.admitter.admit(pipeline.account_id, _new(), key, _render)
    assert refusal.value.context == {"remaining_nanos": 500, "needed_nanos": 1_000, "scope": "account"}
    await _budget(pipeline, 5_000)
    assert (await pipeline.admitter.admit(pipeline.account_id, _new(), key, _render)).row is not None


async def test_the_reserve_covers_the_dearest_candidate(pipeline: Pipeline) -> None:
    dear = Price({"image": Decimal(9_000)}, date(2026, 1, 1), "test")
    cards = [
        card(model="cheap", aliases=("m",), price=PRICE, rank=1),
        card(model="dear", aliases=("m",), price=dear, rank=2),
    ]
    await publish(pipeline, ScriptedProvider(cards=cards))
    plan = await pipeline.admitter.plan(pipeline.account_id, _new(model="m"))
    assert (plan.estimate, plan.reserve) == (1_000, 9_000)


async def test_a_suspended_account_is_refused(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    await pipeline.worker.execute(
        "UPDATE accounts SET status = 'suspended' WHERE id = $1", pipeline.account_id
    )
    with pytest.raises(Forbidden):
        await pipeline.admitter.admit(pipeline.account_id, _new())


@pytest.mark.parametrize(
    ("options", "error", "field"),
    [
        ({"model": "nobody"}, InvalidInput, "model"),
        ({"model": "old"}, ModelRetired, "model"),
        ({"model": "keyless"}, NoProvider, "model"),
        ({"model": "small", "input": {"prompt": "x", "count": 4}}, InvalidInput, "input.count"),
        ({"model": "small", "input": {"prompt": "x", "seed": 1}}, InvalidInput, "input.seed"),
        ({"input": {"prompt": "x", "image": str(new_id())}}, InvalidInput, "input.image"),
        ({"input": {"prompt": "x", "image": "file.png"}}, InvalidInput, "input.image"),
        ({"input": {"prompt": "x", "image": "http://127.0.0.1/a.png"}}, InvalidInput, "input.image"),
        ({"input": {"prompt": "x", "image": "https://169.254.169.254/"}}, InvalidInput, "input.image"),
    ],
)
async def test_what_cannot_run_is_refused_with_its_field(
    pipeline: Pipeline, options: dict[str, Any], error: type[PenstockError], field: str
) -> None:
    small = card(model="small", aliases=("small",), accepts=frozenset({"prompt", "count"}),
                 limits={"count": {"maximum": 1}})  # fmt: skip
    old = card(model="old", aliases=("old",), shutdown_on=date(2026, 1, 1), successor="new")
    keyless = card(model="keyless", aliases=("keyless",), available=False, unavailable_reason="no key")
    await publish(pipeline, ScriptedProvider(cards=[card(), small, old, keyless]))
    with pytest.raises(error) as refusal:
        await pipeline.admitter.admit(pipeline.account_id, _new(**options))
    assert refusal.value.field == field
    assert await pipeline.worker.fetchval("SELECT count(*) FROM generations") == 0


async def test_what_is_admitted_says_so_once(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    ids: list[UUID] = [await pipeline.submit() for _ in range(3)]
    for generation_id in ids:
        (event,) = await pipeline.events(generation_id)
        assert (event["type"], event["data"]["status"]) == ("generation.queued", "queued")


async def _budget(pipeline: Pipeline, nanos: int) -> None:
    await pipeline.worker.execute(
        "UPDATE accounts SET budget_nanos = $2 WHERE id = $1", pipeline.account_id, nanos
    )
