"""The steps of a generation's life, with a provider that does what the test says."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import orjson
import pytest

from shared.catalog import Price
from shared.errors import JobError
from shared.events import Subscriber
from shared.ids import new_id
from tests.pipeline import Pipeline, ScriptedProvider, card, publish
from workers.providers.base import (
    Absent,
    Accepted,
    Ended,
    Finished,
    Found,
    Lost,
    NotSent,
    Refused,
    Request,
    Sink,
    Unaskable,
    Usage,
)

PRICED = Price({"image": Decimal(40_000_000)}, date(2026, 1, 1), "test")
NO = JobError("PROVIDER_REJECTED", "no")


class Fallback(ScriptedProvider):
    name: ClassVar[str] = "fallback"


class Askable(ScriptedProvider):
    """`find` answers what the test wants."""

    found: Found | Absent | Unaskable = Absent()

    async def find(self, lost: Lost) -> Found | Absent | Unaskable:
        return self.found


def _both() -> list[Any]:
    """Two cards of one name, each of another provider."""
    return [
        card("scripted", model="first", aliases=("m",), rank=1),
        card("fallback", model="second", aliases=("m",), rank=2),
    ]


def _raises(error: Exception, times: int = 1000) -> Any:
    left = [times]

    def behaviour(request: Request, sink: Sink) -> Finished:
        if left[0] > 0:
            left[0] -= 1
            raise error
        return Finished((), Usage({"run": Decimal(1), "image": Decimal(1)}))

    return behaviour


async def test_a_generation_runs_from_request_to_completed(pipeline: Pipeline) -> None:
    async with pipeline.engine(ScriptedProvider()):
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id)
    assert (row["state"], row["provider"], row["cost_status"]) == ("completed", "scripted", "final")
    events = await pipeline.events(generation_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"].removeprefix("generation.") for event in events] == [
        "queued",
        "submitting",
        "completed",
    ]


async def test_the_reserve_is_settled_by_what_it_cost(pipeline: Pipeline) -> None:
    provider = ScriptedProvider(
        lambda request, sink: Finished((), Usage({"image": Decimal(1)})), [card(price=PRICED)]
    )
    async with pipeline.engine(provider):
        generation_id = await pipeline.submit(input={"prompt": "two", "count": 2})
        row = await pipeline.until(generation_id)
    assert row["cost_nanos"] == 40_000_000
    assert await pipeline.ledger(generation_id) == {
        "reserve": 80_000_000, "settle": 40_000_000, "release": -80_000_000
    }  # fmt: skip


async def test_a_success_without_a_price_stays_reserved_and_says_so(pipeline: Pipeline) -> None:
    provider = ScriptedProvider(
        lambda request, sink: Finished((), Usage({"token": Decimal(9)})), [card(price=PRICED)]
    )
    async with pipeline.engine(provider):
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id)
    assert (row["state"], row["cost_status"], row["cost_nanos"]) == ("completed", "unpriced", None)
    assert await pipeline.ledger(generation_id) == {"reserve": 40_000_000}


async def test_what_never_left_is_sent_again(pipeline: Pipeline) -> None:
    provider = ScriptedProvider(_raises(NotSent("connection refused"), times=1))
    async with pipeline.engine(provider):
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id)
    assert (row["state"], row["attempts"]) == ("completed", 2)
    states = [submission["state"] for submission in await pipeline.submissions(generation_id)]
    assert states == ["rejected", "done"]


async def test_a_refused_prompt_is_tried_nowhere_else(pipeline: Pipeline) -> None:
    first = ScriptedProvider(_raises(Refused(NO, curable=False)), _both()[:1])
    second = Fallback(cards=_both()[1:])
    async with pipeline.engine(first, second):
        generation_id = await pipeline.submit(model="m")
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("failed", "PROVIDER_REJECTED")
    assert second.requests == []


async def test_what_another_route_may_cure_falls_back(pipeline: Pipeline) -> None:
    first = ScriptedProvider(_raises(Refused(NO)), _both()[:1])
    async with pipeline.engine(first, Fallback(cards=_both()[1:])):
        generation_id = await pipeline.submit(model="m")
        row = await pipeline.until(generation_id)
    assert (row["state"], row["provider"], row["provider_model"]) == ("completed", "fallback", "second")
    assert row["decision"]["tried"] == ["scripted/first"]
    assert row["error"] is None


async def test_without_fallbacks_the_first_error_is_final(pipeline: Pipeline) -> None:
    first = ScriptedProvider(_raises(Refused(NO)), _both()[:1])
    async with pipeline.engine(first, Fallback(cards=_both()[1:])):
        generation_id = await pipeline.submit(model="m", prefer={"fallbacks": False})
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["message"]) == ("failed", "no")


async def test_a_limit_cools_the_credential_down_and_spends_no_attempt(pipeline: Pipeline) -> None:
    limit = Refused(JobError("PROVIDER_RATE_LIMITED", "slow down", retryable=True), retry_after_s=60)
    first = ScriptedProvider(_raises(limit), _both()[:1])
    async with pipeline.engine(first, Fallback(cards=_both()[1:])):
        limited = await pipeline.until(await pipeline.submit(model="m"))
        direct = await pipeline.until(await pipeline.submit(model="m"))
    assert (limited["provider"], limited["attempts"]) == ("fallback", 1)
    assert direct["decision"]["skipped"][0]["why"].startswith("cooling down")
    assert len(first.requests) == 1


async def test_it_says_that_it_waits_for_a_cool_down_to_end(pipeline: Pipeline) -> None:
    limit = Refused(JobError("PROVIDER_RATE_LIMITED", "slow down", retryable=True), retry_after_s=60)
    frames: list[bytes] = []
    subscriber = Subscriber(
        pipeline.settings.redis_url, lambda _, payload: frames.append(payload), lambda: None
    )
    subscriber.start()
    await subscriber.follow(pipeline.account_id)
    async with pipeline.engine(ScriptedProvider(_raises(limit))):
        generation_id = await pipeline.submit()
        async with asyncio.timeout(20):
            while not (told := [f for f in map(orjson.loads, frames) if "waiting_for" in f["data"]]):
                await asyncio.sleep(0.01)
    await subscriber.close()
    row = await pipeline.row(generation_id)
    assert (row["state"], row["waiting_for"]) == ("queued", "cooldown")
    assert (told[0]["type"], told[0]["seq"]) == ("generation.progress", row["seq"])
    assert told[0]["data"]["waiting_for"]["reason"] == "cooldown"
    assert row["wake_at"] > datetime.now(UTC) + timedelta(seconds=30)


async def test_an_unclear_answer_is_never_sent_again_blindly(pipeline: Pipeline) -> None:
    provider = Askable(_raises(ConnectionResetError("after the write")))
    async with pipeline.engine(provider, find_window_s=30.0):
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id, "submitting")
        async with asyncio.timeout(90):
            while (await pipeline.submissions(generation_id))[0]["state"] != "unknown":
                await asyncio.sleep(0.01)
        await asyncio.sleep(1.5)
    assert len(provider.requests) == 1
    row = await pipeline.row(generation_id)
    assert (row["state"], row["attempts"], row["waiting_for"]) == ("submitting", 1, "doubt")
    asked = [
        event["data"] for event in await pipeline.events(generation_id) if "reconciling" in event["data"]
    ]
    assert asked[0]["waiting_for"]["reason"] == "doubt"


async def test_once_its_window_has_passed_a_lost_one_is_sent_again(pipeline: Pipeline) -> None:
    provider = Askable(_raises(TimeoutError("no answer"), times=1))
    async with pipeline.engine(provider, find_window_s=0.5):
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id)
    assert row["state"] == "completed"
    states = [submission["state"] for submission in await pipeline.submissions(generation_id)]
    assert states == ["lost", "done"]


@pytest.mark.parametrize(("policy", "state"), [("retry", "completed"), ("fail", "failed")])
async def test_where_nobody_can_be_asked_the_models_policy_decides(
    pipeline: Pipeline, policy: str, state: str
) -> None:
    provider = Askable(_raises(TimeoutError("no answer"), times=1), [card(price=PRICED, on_unknown=policy)])
    provider.found = Unaskable()
    async with pipeline.engine(provider):
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id)
    assert row["state"] == state
    first, *others = await pipeline.submissions(generation_id)
    assert first["state"] == "possibly_billed"
    if policy == "fail":
        assert (row["error"]["code"], row["cost_status"]) == ("PROVIDER_TIMEOUT", "released")
        assert sum((await pipeline.ledger(generation_id)).values()) == 0
    else:
        assert len(others) == 1


async def test_a_bug_of_ours_ends_the_generation_and_not_the_worker(pipeline: Pipeline) -> None:
    def broken(request: Request, sink: Sink) -> Finished:
        return Finished([object()], Usage())  # type: ignore[list-item]  # the bug

    provider = ScriptedProvider()
    async with pipeline.engine(provider):
        provider.behaviour = broken
        first = await pipeline.until(await pipeline.submit())
        provider.behaviour = None
        second = await pipeline.until(await pipeline.submit())
    assert second["state"] == "completed"
    assert (first["state"], first["error"]["code"]) == ("failed", "INTERNAL")


async def test_work_that_costs_nothing_stops_when_it_is_canceled_and_keeps_what_was_read(
    pipeline: Pipeline,
) -> None:
    class Free(ScriptedProvider):
        interruptible: ClassVar[bool] = True

    async def slow(request: Request, sink: Sink) -> Finished:
        await sink.delta(0, "Once upon")
        await sink.delta(9, " a time")
        begun.set()
        await asyncio.sleep(60)
        return Finished((), Usage())

    begun = asyncio.Event()
    async with pipeline.engine(Free(slow), kinds=("text",), heartbeat_interval_s=0.1):
        generation_id = await pipeline.submit("text")
        await begun.wait()
        assert (await pipeline.cancel(generation_id)).money == "pending"
        row = await pipeline.until(generation_id)
    assert (row["state"], row["cost_status"]) == ("canceled", "released")
    assert row["error"]["details"] == {"text": "Once upon a time"}


async def test_a_step_that_hangs_is_given_back(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    class Free(ScriptedProvider):
        interruptible: ClassVar[bool] = True

    async def hangs(request: Request, sink: Sink) -> Finished:
        if len(provider.requests) == 1:
            monkeypatch.undo()
            await asyncio.Event().wait()
        return Finished((), Usage({"run": Decimal(1)}))

    monkeypatch.setattr("workers.steps.runner.STEP_TIMEOUT_S", 2.0)
    provider = Free(hangs, [card(on_unknown="retry")])
    async with pipeline.engine(provider):
        generation_id = await pipeline.submit()
        row = await pipeline.until(generation_id)
    assert (row["state"], row["crashes"]) == ("completed", 0)
    assert [submission["state"] for submission in await pipeline.submissions(generation_id)] == [
        "lost",
        "done",
    ]


async def test_who_does_not_say_what_became_of_a_call_is_asked_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(Askable):
        async def find(self, lost: Lost) -> Found | Absent | Unaskable:
            asked.append(lost)
            if len(asked) == 1:
                await asyncio.Event().wait()
            return await super().find(lost)

    monkeypatch.setattr("workers.steps.reconciling.FIND_TIMEOUT_S", 0.2)
    asked: list[Lost] = []
    provider = Silent(_raises(TimeoutError("no answer"), times=1), [card(on_unknown="retry")])
    provider.found = Unaskable()
    async with pipeline.engine(provider):
        row = await pipeline.until(await pipeline.submit())
    assert row["state"] == "completed"
    assert len(asked) == 2


async def test_what_was_not_started_in_time_expires(pipeline: Pipeline) -> None:
    generation_id = None
    async with pipeline.engine(ScriptedProvider(), arq=False):
        generation_id = await pipeline.submit(start_deadline_s=0.001)
    async with pipeline.engine(ScriptedProvider()):
        row = await pipeline.until(generation_id)
    assert (row["state"], row["error"]["code"]) == ("expired", "DEADLINE")


async def test_a_wrong_output_is_refused_and_names_what_it_was(pipeline: Pipeline) -> None:
    async def html() -> AsyncIterator[bytes]:
        yield b"<html><script>alert(1)</script></html>"

    async def behaviour(request: Request, sink: Sink) -> Accepted | Finished:
        return Finished([await sink.write(0, "image/png", html())], Usage())

    async with pipeline.engine(ScriptedProvider(behaviour)):
        row = await pipeline.until(await pipeline.submit())
    assert (row["state"], row["error"]["code"]) == ("failed", "UPLOAD_FAILED")
    assert "image" in row["error"]["message"]


@pytest.mark.parametrize(
    ("state", "curable", "calls"), [("failed", False, 1), ("completed", True, 2)], ids=["final", "curable"]
)
async def test_a_final_word_without_a_result_is_paid_for_and_may_be_cured_elsewhere(
    pipeline: Pipeline, state: str, curable: bool, calls: int
) -> None:
    price = Price({"run": Decimal(1_000)}, date(2026, 1, 1), "a test")
    cards = [card(price=price, model=name, rank=rank) for rank, name in enumerate(("first", "second"))]

    def behaviour(request: Request, sink: Sink) -> Finished | Ended:
        if request.model == "first":
            refusal = JobError("CONTENT_BLOCKED", "The model refused.")
            return Ended(refusal, Usage({"run": Decimal(1)}), curable=curable)
        return Finished((), Usage({"run": Decimal(1)}))

    provider = ScriptedProvider(behaviour, cards)
    async with pipeline.engine(provider):
        row = await pipeline.until(await pipeline.submit())
    assert (row["state"], row["cost_status"]) == (state, "final")
    assert row["cost_nanos"] == sum((await pipeline.ledger(row["id"])).values()) == calls * 1_000
    assert [submission["state"] for submission in await pipeline.submissions(row["id"])] == ["done"] * calls


@pytest.mark.parametrize("came_back", [False, True])
async def test_who_came_back_under_a_new_id_makes_no_call_of_its_old_life(
    pipeline: Pipeline, came_back: bool
) -> None:
    confirmed: list[bool] = []

    async with pipeline.engine() as engine:
        provider = ScriptedProvider()
        lease = engine._lease

        def behaviour(request: Request, sink: Sink) -> Finished:
            mine = lease.worker_id
            lease.worker_id = new_id() if came_back else mine
            try:
                request.confirm()
                confirmed.append(True)
            except NotSent:
                confirmed.append(False)
            lease.worker_id = mine
            return Finished((), Usage())

        provider.behaviour = behaviour
        await publish(pipeline, provider)
        engine._providers["scripted"] = provider  # type: ignore[index]  # the engine's own mapping
        await pipeline.until(await pipeline.submit())
    assert confirmed == [not came_back]
