"""Usage: what counts, for whom, and when."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.domains import usage
from shared.domains.usage import GroupBy, UsageRow
from shared.ids import new_id
from shared.money import Nanos
from tests.pipeline import Pipeline, ScriptedProvider, publish

DAY = datetime(2026, 3, 1, tzinfo=UTC)
ENTRY = """
INSERT INTO ledger (id, account_id, generation_id, kind, nanos, payer, provider, model, media_kind, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'scripted-image', 'image', $8)
"""


async def _entry(pipeline: Pipeline, **given: Any) -> None:
    entry: Mapping[str, Any] = {
        "generation_id": None, "kind": "adjust", "nanos": 1, "payer": "account", "provider": "scripted", "at": DAY
    } | given  # fmt: skip
    await pipeline.worker.execute(
        ENTRY, new_id(), entry.get("account_id", pipeline.account_id), entry["generation_id"], entry["kind"],
        entry["nanos"], entry["payer"], entry["provider"], entry["at"],
    )  # fmt: skip


async def _usage(pipeline: Pipeline, group_by: GroupBy = GroupBy.KIND) -> list[UsageRow]:
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        return await usage.usage(tx, DAY, DAY + timedelta(days=1), group_by)


async def test_only_what_the_account_paid_in_the_period_counts(pipeline: Pipeline) -> None:
    await _entry(pipeline, nanos=5)
    await _entry(pipeline, nanos=-2)
    await _entry(pipeline, nanos=100, payer="platform")
    await _entry(pipeline, nanos=100, kind="reserve", generation_id=new_id())
    await _entry(pipeline, nanos=100, account_id=new_id())
    await _entry(pipeline, nanos=100, at=DAY - timedelta(microseconds=1))
    await _entry(pipeline, nanos=100, at=DAY + timedelta(days=1))
    assert await _usage(pipeline) == [UsageRow("image", 0, 0, 0, Nanos(3))]


async def test_sums_do_not_overflow(pipeline: Pipeline) -> None:
    for _ in range(2):
        await _entry(pipeline, nanos=2**61)
    assert (await _usage(pipeline))[0].nanos == 2**62


@pytest.mark.parametrize("group_by", list(GroupBy))
async def test_every_group_counts_generations_and_money_together(
    pipeline: Pipeline, group_by: GroupBy
) -> None:
    await publish(pipeline, ScriptedProvider())
    generation_id: UUID = await pipeline.submit()
    await pipeline.worker.execute(
        "UPDATE generations SET created_at = $2, provider = 'scripted' WHERE id = $1", generation_id, DAY
    )
    await _entry(pipeline, nanos=7, generation_id=generation_id)
    rows = await _usage(pipeline, group_by)
    assert [(row.generations, row.nanos) for row in rows] == [(1, 7)]
    assert usage.total(rows).nanos == 7
