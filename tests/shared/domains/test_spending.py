"""What projects have spent is what the ledger says, whoever writes at the same time."""

import asyncio
import random
from uuid import UUID

from shared.domains import projects, spending
from shared.domains.ledger import Entry, record
from shared.domains.spending import Difference
from shared.ids import new_id
from shared.money import Nanos
from tests.pipeline import Pipeline
from tests.rows import insert


async def _project(pipeline: Pipeline) -> UUID:
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        row = await projects.create(tx, pipeline.account_id, {"name": "p"})
    return UUID(str(row["id"]))


async def _generation(pipeline: Pipeline, project_id: UUID) -> UUID:
    made = new_id()
    async with pipeline.worker.transaction() as tx:
        await insert(tx, "generations", made, pipeline.account_id)
        await tx.execute("UPDATE generations SET project_id = $2 WHERE id = $1", made, project_id)
    return made


async def _spent(pipeline: Pipeline, project_id: UUID) -> int:
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        spent: int = (await projects.get(tx, project_id))["spent_nanos"]
    return spent


async def _put_right(pipeline: Pipeline) -> list[Difference]:
    """What was repaired of this account; other tests leave projects behind whose generations are gone."""
    return [one for one in await spending.put_right(pipeline.worker) if one.account_id == pipeline.account_id]


def _settle(pipeline: Pipeline, generation_id: UUID, nanos: int, payer: str = "account") -> Entry:
    return Entry(new_id(), pipeline.account_id, generation_id, new_id(), "settle", Nanos(nanos), payer)


async def test_bills_at_the_same_time_all_count_once(pipeline: Pipeline) -> None:
    """Each transaction writes for several projects in an order of its own, while their budgets change and the sums
    are checked: nobody waits in a circle."""
    chance = random.Random(1)
    made = [(project := await _project(pipeline), await _generation(pipeline, project)) for _ in range(3)]
    expected = dict.fromkeys((project for project, _ in made), 0)

    async def bill() -> None:
        picked = chance.sample(made, 2)
        entries = [_settle(pipeline, generation, chance.randrange(1, 9_999)) for _, generation in picked]
        for (project, _), entry in zip(picked, entries, strict=True):
            expected[project] += entry.nanos
        own = _settle(pipeline, picked[0][1], 5, "byok")
        reserve = Entry(new_id(), pipeline.account_id, picked[0][1], None, "adjust", Nanos(0))
        async with pipeline.worker.transaction() as tx:
            await tx.execute(
                "INSERT INTO generation_events (generation_id, seq, account_id, type)"
                " SELECT $1, coalesce(max(seq), 0) + $3, $2, 't' FROM generation_events WHERE generation_id = $1",
                picked[0][1], pipeline.account_id, chance.randrange(1, 10**9),
            )  # fmt: skip
            await record(tx, [*entries, own, reserve])

    async def change(project: UUID) -> None:
        async with pipeline.app.transaction(pipeline.account_id) as tx:
            await projects.update(tx, project, {"budget_nanos": chance.randrange(10**12, 10**13)})

    work = [bill() for _ in range(40)] + [change(made[n % 3][0]) for n in range(6)]
    await asyncio.gather(*work, spending.put_right(pipeline.worker))
    assert {project: await _spent(pipeline, project) for project in expected} == expected
    assert await _put_right(pipeline) == []


async def test_a_difference_is_put_right_and_told(pipeline: Pipeline) -> None:
    project = await _project(pipeline)
    async with pipeline.worker.transaction() as tx:
        await record(tx, [_settle(pipeline, await _generation(pipeline, project), 700)])
    await pipeline.worker.execute("UPDATE projects SET spent_nanos = 9 WHERE id = $1", project)
    assert await _put_right(pipeline) == [Difference(project, pipeline.account_id, 9, 700)]
    assert await _spent(pipeline, project) == 700
