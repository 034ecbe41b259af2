"""The life of a generation: every change, its illegal neighbours, and the fence."""

from collections.abc import Awaitable, Callable
from itertools import product
from uuid import UUID

import asyncpg
import pytest

from shared.domains import fleet
from shared.domains.changes import Lease, LeaseLost, NewSubmission, Settlement, SubmissionChange
from shared.domains.generations import Lifecycle, Work
from shared.domains.states import TERMINAL
from shared.domains.trash import soft_delete
from shared.errors import JobError
from shared.ids import new_id
from shared.money import Nanos
from tests.pipeline import Pipeline, ScriptedProvider, publish

STATES = ("queued", "submitting", "waiting", "storing", *sorted(TERMINAL))
LEGAL = {
    "queued": {"submitting", "canceled", "failed", "expired"},
    "submitting": {"waiting", "storing", "completed", "queued", "failed", "canceled"},
    "waiting": {"storing", "queued", "failed", "canceled"},
    "storing": {"completed", "queued", "failed", "canceled"},
}
ERROR = JobError("PROVIDER_FAILED", "for this test")
ROUTE = {"price_id": None, "card": "scripted/x"}


class Stage:
    """A claimed generation that tests move along."""

    def __init__(self, pipeline: Pipeline, lifecycle: Lifecycle, work: Work) -> None:
        self.pipeline = pipeline
        self.lifecycle = lifecycle
        self.work = work
        self.submission_id = new_id()

    @property
    def lease(self) -> Lease:
        return self.work.lease

    async def submitting(self) -> None:
        intent = NewSubmission(self.submission_id, "scripted", "platform", "x", ROUTE, b"hash")
        await self.lifecycle.submitting(self.work, intent, {})

    async def waiting(self) -> None:
        await self.lifecycle.waiting(self.lease, self.submission_id, str(self.submission_id), 0)
        await self.claim_poll()

    async def claim_poll(self) -> None:
        (self.work,) = await self.lifecycle.claim_polls(self.lease.owner, ["image"], 1)

    async def storing(self) -> None:
        change = SubmissionChange(self.submission_id, "done", cost_nanos=5)
        settle = Settlement(self.submission_id, Nanos(5), "scripted", "x", None)
        await self.lifecycle.storing(self.lease, change, settle)

    async def state(self) -> str:
        return str((await self.pipeline.row(self.work.id))["state"])


@pytest.fixture
async def stage(pipeline: Pipeline) -> Stage:
    await publish(pipeline, ScriptedProvider())
    worker = new_id()
    await fleet.register(pipeline.worker, worker, kinds=["image"], slots=1, host="h", pid=1, version="t")
    generation_id = await pipeline.submit()
    row = await pipeline.row(generation_id)
    lifecycle = Lifecycle(pipeline.worker, pipeline.publisher)
    work = await lifecycle.claim(worker, generation_id, row["dispatch_no"])
    assert work is not None
    return Stage(pipeline, lifecycle, work)


async def test_every_way_through_the_diagram(stage: Stage) -> None:
    await stage.submitting()
    await stage.waiting()
    await stage.storing()
    await stage.lifecycle.completed(stage.lease, ())
    row = await stage.pipeline.row(stage.work.id)
    assert (row["state"], row["wake_at"], row["owner"], row["cost_nanos"]) == ("completed", None, None, 5)
    assert row["completed_at"] >= row["started_at"] >= row["created_at"]
    types = [event["type"].partition(".")[2] for event in await stage.pipeline.events(stage.work.id)]
    assert types == ["queued", "submitting", "waiting", "storing", "completed"]


@pytest.mark.parametrize("ending", ["failed", "canceled", "expired"])
async def test_a_queued_generation_can_end(stage: Stage, ending: str) -> None:
    endings: dict[str, Callable[[], Awaitable[None]]] = {
        "failed": lambda: stage.lifecycle.failed(stage.work, ERROR),
        "canceled": lambda: stage.lifecycle.canceled(stage.work),
        "expired": lambda: stage.lifecycle.expired(stage.work),
    }
    await endings[ending]()
    assert await stage.state() == ending


async def test_a_retry_goes_back_to_the_queue_and_counts_its_attempt(stage: Stage) -> None:
    await stage.submitting()
    change = SubmissionChange(stage.submission_id, "rejected")
    await stage.lifecycle.retrying(stage.work, ERROR, delay_s=30, submission=change)
    row = await stage.pipeline.row(stage.work.id)
    assert (row["state"], row["attempts"], row["error"]["code"]) == ("queued", 1, "PROVIDER_FAILED")


async def test_a_refunded_attempt_does_not_count(stage: Stage) -> None:
    await stage.submitting()
    change = SubmissionChange(stage.submission_id, "rejected")
    await stage.lifecycle.retrying(stage.work, ERROR, delay_s=0, submission=change, refund_attempt=True)
    assert (await stage.pipeline.row(stage.work.id))["attempts"] == 0


async def test_a_stranger_to_the_lease_changes_nothing(stage: Stage) -> None:
    for lease in (
        Lease(stage.work.id, stage.lease.epoch - 1, stage.lease.owner),
        Lease(stage.work.id, stage.lease.epoch, new_id()),
    ):
        with pytest.raises(LeaseLost):
            await stage.lifecycle.failed(Work(lease, stage.work.row, None), ERROR)
        await stage.lifecycle.release(lease)
    row = await stage.pipeline.row(stage.work.id)
    assert (row["state"], row["owner"]) == ("queued", stage.lease.owner)
    assert len(await stage.pipeline.events(stage.work.id)) == 1


async def test_a_second_claim_with_the_same_bell_is_a_no_op(stage: Stage) -> None:
    assert await stage.lifecycle.claim(stage.lease.owner, stage.work.id, 1) is None
    await stage.lifecycle.release(stage.lease)
    assert await stage.lifecycle.claim(new_id(), stage.work.id, 1) is None, "an unregistered worker"


async def test_a_poke_during_a_step_makes_the_release_due_at_once(stage: Stage) -> None:
    await stage.pipeline.worker.execute("UPDATE generations SET pokes = pokes + 1")
    await stage.lifecycle.release(stage.lease, wake_s=60)
    assert await stage.pipeline.worker.fetchval("SELECT wake_at <= now() FROM generations")


async def test_only_one_live_submission_at_a_time(stage: Stage) -> None:
    await stage.submitting()
    with pytest.raises(asyncpg.UniqueViolationError):
        await stage.pipeline.worker.execute(
            "INSERT INTO submissions (id, generation_id, account_id, n, provider, model, request_hash)"
            " VALUES ($1, $2, $3, 9, 'p', 'm', 'h')",
            new_id(), stage.work.id, stage.pipeline.account_id,
        )  # fmt: skip


@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
async def test_the_database_refuses_what_is_not_in_the_diagram(
    pipeline: Pipeline, before: str, after: str
) -> None:
    generation_id = await _raw(pipeline, before)
    wake = None if after in TERMINAL else "now()"
    change = pipeline.worker.execute(
        f"UPDATE generations SET state = $2, wake_at = {wake or 'NULL'} WHERE id = $1", generation_id, after
    )
    if before == after or after in LEGAL.get(before, ()):
        await change
    else:
        with pytest.raises(asyncpg.CheckViolationError):
            await change


async def test_the_clock_stands_exactly_at_the_end(pipeline: Pipeline) -> None:
    for state, wake in (("queued", "NULL"), ("completed", "now()")):
        with pytest.raises(asyncpg.CheckViolationError, match="generations_clock"):
            await _raw(pipeline, state, wake)


async def test_a_queued_generation_is_canceled_at_once_and_only_once(pipeline: Pipeline) -> None:
    await publish(pipeline, ScriptedProvider())
    generation_id = await pipeline.submit()
    first, second = await pipeline.cancel(generation_id), await pipeline.cancel(generation_id)
    assert (first.state, first.money, first.changed) == ("canceled", "released", True)
    assert (second.state, second.money, second.changed) == ("canceled", "released", False)
    assert len(await pipeline.events(generation_id)) == 2


async def test_a_held_generation_is_asked_to_cancel(stage: Stage) -> None:
    result = await stage.pipeline.cancel(stage.work.id)
    assert (result.money, result.changed) == ("pending", True)
    row = await stage.pipeline.row(stage.work.id)
    assert (row["state"], row["pokes"]) == ("queued", 1)
    assert row["cancel_requested_at"] is not None


async def test_only_the_finished_can_be_deleted(stage: Stage) -> None:
    async with stage.pipeline.app.transaction(stage.pipeline.account_id) as tx:
        assert await soft_delete(tx, stage.work.id) is False
        assert await soft_delete(tx, new_id()) is None
    await stage.lifecycle.failed(stage.work, ERROR)
    async with stage.pipeline.app.transaction(stage.pipeline.account_id) as tx:
        assert await soft_delete(tx, stage.work.id) is True


async def _raw(pipeline: Pipeline, state: str, wake: str | None = None) -> UUID:
    wake = wake or ("NULL" if state in TERMINAL else "now()")
    generation_id = new_id()
    await pipeline.worker.execute(
        "INSERT INTO generations (id, account_id, kind, model, state, wake_at, deadline_at)"
        f" VALUES ($1, $2, 'image', 'm', $3, {wake}, now())",
        generation_id, pipeline.account_id, state,
    )  # fmt: skip
    return generation_id
