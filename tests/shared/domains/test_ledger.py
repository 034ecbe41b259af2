"""The check of the ledger: clean after a run, and each sort of difference is found and named."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.catalog import Price
from shared.domains.ledger import MOST_DIFFERENCES, Verification, verify
from shared.errors import JobError
from shared.ids import new_id
from tests.pipeline import Pipeline, ScriptedProvider, card
from workers.providers.base import Finished, Refused, Request, Sink, Usage

PRICED = Price({"image": Decimal(40_000_000)}, date(2026, 1, 1), "test")
NO = JobError("PROVIDER_REJECTED", "no")
SET = "UPDATE generations SET "
BILL = "UPDATE submissions SET cost_nanos = 7 WHERE generation_id = $1"
LONG = SET + "cost_status = 'reconciling', completed_at = now() - interval '25 hours' WHERE id = $1"
ENTRIES = "INSERT INTO ledger (id, account_id, generation_id, submission_id, kind, nanos, payer) "
ENTRY = ENTRIES + "VALUES (gen_random_uuid(), $2, $1, "

type Run = dict[str, UUID]


@pytest.fixture
async def run(pipeline: Pipeline) -> Run:
    """What the pipeline made of four requests and a cancel, by prompt."""
    count = {"unpriced": Usage({"token": Decimal(9)}), "priced": Usage({"image": Decimal(1)})}

    def behaviour(request: Request, sink: Sink) -> Finished:
        if request.input["prompt"] == "refused":
            raise Refused(NO, curable=False)
        return Finished((), count[request.input["prompt"]])

    async with pipeline.engine(ScriptedProvider(behaviour, [card(price=PRICED)])):
        made = {prompt: await pipeline.submit(input={"prompt": prompt, "count": 2})
                for prompt in ("priced", "unpriced", "refused")}  # fmt: skip
        await asyncio.gather(*(pipeline.until(id_) for id_ in made.values()))
    made |= {prompt: await pipeline.submit(input={"prompt": prompt}) for prompt in ("queued", "canceled")}
    await pipeline.cancel(made["canceled"])
    return made


async def _verify(
    pipeline: Pipeline, account_id: UUID | None = None, days: int = 30, *, everywhere: bool = False
) -> Verification:
    since = datetime.now(UTC) - timedelta(days=days)
    async with pipeline.app.transaction(account_id or pipeline.account_id) as tx:
        return await verify(tx, since, everywhere=everywhere)


async def test_a_run_through_the_pipeline_is_clean(pipeline: Pipeline, run: Run) -> None:
    await pipeline.worker.execute(
        "UPDATE accounts SET budget_nanos = 1000000000, held_nanos = (SELECT sum(nanos) FROM ledger"
        " WHERE account_id = $1) WHERE id = $1",
        pipeline.account_id,
    )
    found = await _verify(pipeline)
    assert (found.ok, found.total, found.differences) == (True, 0, [])
    assert (found.generations, found.entries, found.budgets) == (5, 9, 1)
    (waiting,) = found.unsettled.items()
    assert waiting[0] == "unpriced"
    assert (waiting[1]["oldest"], waiting[1]["reserved"]) == (str(run["unpriced"]), 80_000_000)
    assert 0 <= waiting[1]["age_s"] < 3600


@pytest.mark.parametrize(
    ("whose", "sql", "expected"),
    [
        ("priced", SET + "cost_nanos = 50000000 WHERE id = $1", {"cost": (50_000_000, 40_000_000)}),
        ("priced", SET + "cost_nanos = NULL WHERE id = $1", {"cost": (0, 40_000_000)}),
        ("priced", BILL, {"bill": (7, 40_000_000)}),
        ("unpriced", BILL, {"bill": (7, 0)}),
        ("priced", ENTRY + "gen_random_uuid(), 'settle', 9, 'platform')", {"stray": (0, 9)}),
        ("queued", SET + "reserved_nanos = 1 WHERE id = $1", {"reserve": (1, 40_000_000)}),
        ("queued", ENTRY + "NULL, 'release', -1, 'account')", {"release": (0, -1)}),
        ("unpriced", SET + "cost_status = 'final' WHERE id = $1", {"release": (-80_000_000, 0)}),
        (
            "priced",
            ENTRY + "gen_random_uuid(), 'release', -80000000, 'account')",
            {"release": (-80_000_000, -160_000_000)},
        ),
        ("unpriced", SET + "cost_status = 'reserved' WHERE id = $1", {"held_after_end": (0, 80_000_000)}),
        ("unpriced", LONG, {"reconciling_long": (None, 80_000_000)}),
    ],
)
async def test_each_difference_is_found(
    pipeline: Pipeline, run: Run, whose: str, sql: str, expected: dict[str, Any]
) -> None:
    await pipeline.worker.execute(sql, run[whose], *([pipeline.account_id] if "$2" in sql else []))
    found = await _verify(pipeline)
    assert {one["what"]: (one["expected"], one["found"]) for one in found.differences} == expected
    assert [one["generation_id"] for one in found.differences] == [str(run[whose])]
    assert (found.ok, found.total) == (False, 1)


async def test_a_wrong_held_sum_is_found_whatever_the_time(pipeline: Pipeline, run: Run) -> None:
    await pipeline.worker.execute(
        "UPDATE accounts SET budget_nanos = 5, held_nanos = 3 WHERE id = $1", pipeline.account_id
    )
    (found,) = (await _verify(pipeline, days=-1)).differences
    account_id, ours, theirs = found["account_id"], found["expected"], found["found"]
    assert (found["what"], account_id, theirs) == ("held_sum", str(pipeline.account_id), 3)
    assert ours == 160_000_000  # settled 40, reserved 80 unpriced and 40 queued


async def test_fifty_are_named_and_all_are_counted(pipeline: Pipeline, run: Run) -> None:
    sql = "SELECT gen_random_uuid(), $2, $1, gen_random_uuid(), 'settle', 1, 'platform' FROM generate_series(1, 60)"
    await pipeline.worker.execute(ENTRIES + sql, run["priced"], pipeline.account_id)
    found = await _verify(pipeline)
    assert (found.total, len(found.differences)) == (60, MOST_DIFFERENCES)


async def test_what_was_made_before_is_not_read(pipeline: Pipeline, run: Run) -> None:
    await pipeline.worker.execute(
        "UPDATE generations SET cost_nanos = 1, created_at = now() - interval '40 days' WHERE id = $1",
        run["priced"],
    )
    assert (await _verify(pipeline)).ok
    assert (await _verify(pipeline, days=60)).total == 1


async def test_only_the_installation_s_check_sees_other_accounts(pipeline: Pipeline, run: Run) -> None:
    await pipeline.worker.execute("UPDATE generations SET cost_nanos = 1 WHERE id = $1", run["priced"])
    other = new_id()
    await pipeline.worker.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
    mine = await _verify(pipeline, other)
    assert (mine.ok, mine.generations, mine.audits) == (True, 0, ())
    everyone = await _verify(pipeline, other, everywhere=True)
    assert str(run["priced"]) in {one["generation_id"] for one in everyone.differences}


async def test_the_last_audits_are_told(pipeline: Pipeline) -> None:
    finding = {"what": "second_job", "remote_id": "p1"}
    for hours, orphans in ((30, 4), (2, 1)):
        await pipeline.worker.execute(
            "INSERT INTO provider_audits (id, provider, since, until, started_at, finished_at, listed, orphans,"
            " findings) SELECT $1, 'audited', t, t, t, t, 9, $3, $4 "
            " FROM (SELECT now() - $2::int * interval '1 hour' AS t) x",
            new_id(), hours, orphans, [finding] * 60,
        )  # fmt: skip
    found = await _verify(pipeline, everywhere=True)
    await pipeline.worker.execute("DELETE FROM provider_audits WHERE provider = 'audited'")
    (audit,) = [one for one in found.audits if one["provider"] == "audited"]
    assert (audit["listed"], audit["orphans"], found.ok) == (9, 1, False)
    assert audit["findings"] == [finding] * MOST_DIFFERENCES


async def test_it_can_write_nothing(pipeline: Pipeline) -> None:
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        await verify(tx, datetime.now(UTC))
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await tx.execute("UPDATE accounts SET name = 'x'")
