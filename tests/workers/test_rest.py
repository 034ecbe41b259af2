"""Queues that rest and workers that are quiet begin nothing; what was paid for goes on all the same."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from shared.domains.ops import audit, jobs, purges, queues, workers
from shared.domains.ops.audit import Actor
from shared.domains.ops.queues import Rest
from shared.errors import Conflict, NotFound
from shared.queue import Bell
from tests.pipeline import Pipeline, ScriptedProvider, publish
from workers.engine import Engine
from workers.providers.base import Accepted, Answer, Finished, Job, NotSent, Pending, Request, Sink, Usage

DONE = Finished((), Usage({"run": Decimal(1)}))
LOOKS = 3
"""So many looks of dispatch that begin nothing are taken for its answer."""


class Remote(ScriptedProvider):
    """Accepts at once, and is done when the test says so."""

    def __init__(self) -> None:
        super().__init__(lambda request, sink: Accepted(str(request.submission_id)))
        self.done = False

    async def poll(self, jobs: Sequence[Job]) -> Mapping[UUID, Answer | Exception]:
        return {job.submission_id: DONE if self.done else Pending(True) for job in jobs}


@pytest.fixture(autouse=True)
async def running(pipeline: Pipeline) -> AsyncIterator[None]:
    yield
    await pipeline.worker.execute("DELETE FROM queues")


@pytest.fixture
def actor(pipeline: Pipeline) -> Actor:
    """The fresh account has no user, so whoever runs the installation made it."""
    return Actor(pipeline.account_id, "key:test", "127.0.0.1")


async def _looked(pipeline: Pipeline, engine: Engine, kind: str = "image") -> None:
    """Dispatch has looked, and claims that were under way are through."""
    for _ in range(LOOKS):
        await engine._dispatcher.dispatch(kind, 100)


@pytest.mark.parametrize("redis", [True, False], ids=["bells", "without Redis"])
async def test_a_paused_queue_submits_nothing_and_stores_what_is_paid(
    pipeline: Pipeline, actor: Actor, redis: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Remote()
    async with pipeline.engine(provider, arq=redis) as engine:
        if not redis:
            monkeypatch.setattr(engine._bell, "_rest_until", float("inf"))
        paid = await pipeline.submit()
        await pipeline.until(paid, "waiting")
        await queues.rest(pipeline.app, actor, "image", Rest.PAUSE)
        unpaid = await pipeline.submit()
        provider.done = True
        assert (await pipeline.until(paid))["state"] == "completed"
        await _looked(pipeline, engine)
        assert (await pipeline.row(unpaid))["state"] == "queued"
        assert len(provider.requests) == 1
        await queues.resume(pipeline.app, actor, "image", pipeline.bell)
        assert (await pipeline.until(unpaid))["state"] == "completed"


async def test_a_bell_that_rang_before_the_pause_is_not_answered(pipeline: Pipeline, actor: Actor) -> None:
    async with pipeline.engine(ScriptedProvider(), arq=False) as engine:
        await pipeline.worker.execute("UPDATE workers SET slots = 0")
        generation_id = await pipeline.submit()
        await pipeline.worker.execute(
            "UPDATE generations SET rung = true, dispatch_no = 7, wake_at = now() + interval '1 minute'"
        )
        await queues.rest(pipeline.app, actor, "image", Rest.PAUSE)
        await engine.step(generation_id, 7)
        assert (await pipeline.row(generation_id))["attempts"] == 0
        await queues.resume(pipeline.app, actor, "image", pipeline.bell)
        await engine.step(generation_id, 7)
        assert (await pipeline.row(generation_id))["state"] == "completed"


async def test_a_pause_ends_by_itself(pipeline: Pipeline, actor: Actor) -> None:
    async with pipeline.engine(ScriptedProvider()):
        await queues.rest(
            pipeline.app, actor, "image", Rest.PAUSE, datetime.now(UTC) + timedelta(seconds=1), "a limit"
        )
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id)
    (queue,) = await pipeline.worker.fetch("SELECT * FROM queues")
    assert queue["paused"], "nobody has resumed it"
    assert row["started_at"] >= queue["paused_until"]


async def test_one_job_runs_while_its_queue_is_paused(pipeline: Pipeline, actor: Actor) -> None:
    async with pipeline.engine(ScriptedProvider()) as engine:
        await queues.rest(pipeline.app, actor, "image", Rest.PAUSE)
        first, second = await pipeline.submit(), await pipeline.submit()
        await jobs.run_now(pipeline.app, actor, [second], pipeline.bell)
        row = await pipeline.until(second)
        await _looked(pipeline, engine)
        assert (row["state"], row["run_now"]) == ("completed", False)
        assert (await pipeline.row(first))["state"] == "queued"
        with pytest.raises(Conflict):
            await jobs.run_now(pipeline.app, actor, [second], pipeline.bell)


async def test_a_drain_carries_on_what_was_begun(pipeline: Pipeline, actor: Actor) -> None:
    tries: list[UUID] = []

    def once_not(request: Request, sink: Sink) -> Any:
        tries.append(request.generation_id)
        if len(tries) == 1:
            raise NotSent("no line")
        return DONE

    provider = ScriptedProvider(once_not)
    async with pipeline.engine(provider) as engine:
        begun = await pipeline.submit()
        async with asyncio.timeout(20):
            while not tries:
                await asyncio.sleep(0.01)
        await queues.rest(pipeline.app, actor, "image", Rest.DRAIN)
        fresh = await pipeline.submit()
        assert (await pipeline.until(begun))["attempts"] >= 1
        await _looked(pipeline, engine)
        assert (await pipeline.row(fresh))["state"] == "queued"
        rows = await queues.read(pipeline.app, pipeline.account_id, 8.0)
        assert queues.state_of(next(row for row in rows if row["kind"] == "image")) == "drained"


async def test_a_quiet_worker_begins_nothing_and_stores_what_is_paid(
    pipeline: Pipeline, actor: Actor
) -> None:
    provider = Remote()
    async with pipeline.engine(provider) as engine:
        paid = await pipeline.submit()
        await pipeline.until(paid, "waiting")
        await workers.quiet(pipeline.app, actor, engine._lease.worker_id, on=True)
        unpaid = await pipeline.submit()
        provider.done = True
        assert (await pipeline.until(paid))["state"] == "completed"
        await _looked(pipeline, engine)
        assert (await pipeline.row(unpaid))["state"] == "queued"
        await workers.quiet(pipeline.app, actor, engine._lease.worker_id, on=False)
        assert (await pipeline.until(unpaid))["state"] == "completed"
    with pytest.raises(NotFound):
        await workers.quiet(pipeline.app, actor, engine._lease.worker_id, on=True)


async def test_what_is_under_way_is_followed_when_all_are_quiet(pipeline: Pipeline, actor: Actor) -> None:
    async with pipeline.engine(ScriptedProvider()) as engine:
        await workers.quiet(pipeline.app, actor, engine._lease.worker_id, on=True)
        generation_id = await pipeline.submit()
        await pipeline.worker.execute(
            "INSERT INTO submissions (id, generation_id, account_id, n, provider, model, route, request_hash)"
            " SELECT gen_random_uuid(), id, account_id, 1, 'scripted', model, routes -> 0, 'h' FROM generations"
        )
        await pipeline.worker.execute(
            "UPDATE generations SET state = 'submitting', rung = false, wake_at = now()"
        )
        async with asyncio.timeout(20):
            while not (await pipeline.row(generation_id))["epoch"]:
                await asyncio.sleep(0.01)


async def test_a_purge_leaves_what_was_ever_paid_for(pipeline: Pipeline, actor: Actor) -> None:
    provider = ScriptedProvider()
    await publish(pipeline, provider)
    bell: Bell = pipeline.bell
    ids = [await pipeline.submit() for _ in range(3)]
    await pipeline.worker.execute("UPDATE generations SET cost_nanos = 5 WHERE id = $1", ids[0])
    with pytest.raises(Conflict) as refused:
        await purges.purge(pipeline.app, actor, "image", 3, pipeline.publisher, bell)
    assert refused.value.context["count"] == 2
    assert {(await pipeline.row(id_))["state"] for id_ in ids} == {"queued"}
    purge = await purges.purge(pipeline.app, actor, "image", 2, pipeline.publisher, bell)
    assert [(await pipeline.row(id_))["state"] for id_ in ids] == ["queued", "canceled", "canceled"]
    assert (await pipeline.events(ids[1]))[-1]["type"] == "generation.canceled"
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        entry, *_ = await audit.read(tx, audit.AuditFilter(action="queue.purge"), None, 10)
    assert entry["details"] == {"count": 2, "ids": [str(id_) for id_ in ids[1:]], "purge": str(purge.id)}


async def test_a_worker_that_is_told_to_end_begins_nothing_and_says_so_once(
    pipeline: Pipeline, actor: Actor
) -> None:
    told: asyncio.Queue[None] = asyncio.Queue()
    async with pipeline.engine(ScriptedProvider(), on_stop=lambda: told.put_nowait(None)) as engine:
        await workers.stop(pipeline.app, actor, engine._lease.worker_id)
        late = await pipeline.submit()
        engine.nudge()
        await asyncio.wait_for(told.get(), 20)
        await engine._lease._beat()
        assert (await pipeline.row(late))["state"] == "queued", "nothing begins there any more"
    assert told.empty()
