"""Which route runs: health, probes, cool-downs and limits, as the whole fleet sees them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from shared.domains import providers as domain
from shared.errors import JobError
from shared.executor import Executor
from shared.ids import new_id
from shared.settings import Limits
from tests.pipeline import Pipeline, ScriptedProvider, publish
from workers.credentials import Credentials
from workers.limits import Limiter
from workers.providers.base import Accepted, Ended, Finished, NotSent, Refused, Request, Sink, Usage
from workers.router import Chosen, Later, NoRoute, Router

SCRIPTED, FALLBACK = "scripted/scripted-image", "fallback/fallback-image"
OK = Finished((), Usage(cost_nanos=0))


class Fallback(ScriptedProvider):
    name: ClassVar[str] = "fallback"


def _route(provider: str = "scripted") -> dict[str, Any]:
    return {"card": f"{provider}/{provider}-image", "provider": provider, "expected_s": 0.05}


@asynccontextmanager
async def _router(pipeline: Pipeline, *providers: ScriptedProvider, **changes: Any) -> AsyncIterator[Router]:
    """As a process of its own has it."""
    settings = pipeline.settings.model_copy(update=changes)
    named = {one.name: one for one in providers or (ScriptedProvider(), Fallback())}
    executor = Executor()
    credentials = Credentials(pipeline.worker, named, settings, executor)
    router = Router(pipeline.worker, credentials, settings)
    yield router
    await router.close()
    await credentials.close()
    await executor.close()


async def _set(pipeline: Pipeline, provider: str = "scripted", **columns: Any) -> None:
    """The provider's row, made as a test wants it; `cooling_s` and `failed_ago_s` are seconds from now."""
    row = {
        "credential": "platform",
        "status": "healthy",
        "cooling_s": None,
        "failed_ago_s": 0.0,
        "cooldown_s": 0.0,
    }
    row |= columns
    await pipeline.worker.execute(
        "INSERT INTO provider_health (provider, credential, status, cooldown_until, last_failure_at, cooldown_s,"
        " error_rates) VALUES ($1, $2, $3, now() + $4::float8 * interval '1 second',"
        " now() - $5::float8 * interval '1 second', $6, '{\"submit\": 0.7}')"
        " ON CONFLICT ON CONSTRAINT provider_health_once DO UPDATE SET status = excluded.status,"
        " cooldown_until = excluded.cooldown_until, cooldown_s = excluded.cooldown_s",
        provider, row["credential"], row["status"], row["cooling_s"], row["failed_ago_s"], row["cooldown_s"],
    )  # fmt: skip


async def _row(pipeline: Pipeline, provider: str = "scripted") -> Mapping[str, Any]:
    row: Mapping[str, Any] | None = await pipeline.worker.fetchrow(
        "SELECT *, extract(epoch FROM cooldown_until - now())::float8 AS cooling_s FROM provider_health"
        " WHERE provider = $1 AND credential = 'platform'",
        provider,
    )
    assert row is not None
    return row


async def _until_status(pipeline: Pipeline, *statuses: str) -> Mapping[str, Any]:
    async with asyncio.timeout(90):
        while not await pipeline.worker.fetchval(
            "SELECT EXISTS (SELECT FROM provider_health WHERE status = ANY ($1))", list(statuses)
        ):
            await asyncio.sleep(0.02)
    return await _row(pipeline)


# Health.


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        ({}, "scripted"),
        ({"status": "degraded"}, "fallback"),
        ({"status": "degraded", "failed_ago_s": domain.FORGET_S + 1}, "scripted"),
        ({"status": "down", "cooling_s": 30.0}, "fallback"),
        ({"status": "healthy", "cooling_s": 30.0}, "fallback"),
        ({"credential": "another", "status": "down", "cooling_s": 30.0}, "scripted"),
    ],
    ids=["healthy", "degraded", "degraded long ago", "down", "limited", "another credential"],
)
async def test_the_first_route_that_does_well_is_taken(
    pipeline: Pipeline, columns: dict[str, Any], chosen: str
) -> None:
    await _set(pipeline, **columns)
    async with _router(pipeline) as router:
        choice = await router.choose([_route(), _route("fallback")], [])
    assert isinstance(choice, Chosen)
    assert choice.provider.name == chosen
    assert choice.decision["reason"].startswith("priority 1" if chosen == "scripted" else "priority 2")
    skipped = [(skip["card"], bool(skip["why"])) for skip in choice.decision["skipped"]]
    assert skipped == ([] if chosen == "scripted" else [(SCRIPTED, True)])
    assert choice.decision["fallbacks"] == ["fallback" if chosen == "scripted" else "scripted"]


async def test_a_degraded_route_serves_when_no_healthy_one_can(pipeline: Pipeline) -> None:
    await _set(pipeline, status="degraded")
    await _set(pipeline, "fallback", cooling_s=30.0)
    async with _router(pipeline) as router:
        choice = await router.choose([_route("fallback"), _route()], [])
    assert isinstance(choice, Chosen)
    assert choice.decision["reason"] == "priority 2, degraded, but no healthy route is free"


async def test_when_all_are_down_it_waits_and_when_all_failed_it_ends(pipeline: Pipeline) -> None:
    for name, cooling_s in (("scripted", 30.0), ("fallback", 3.0)):
        await _set(pipeline, name, status="down", cooling_s=cooling_s)
    async with _router(pipeline) as router:
        waiting = await router.choose([_route(), _route("fallback")], [])
        ended = await router.choose([_route(), _route("fallback")], [SCRIPTED, FALLBACK])
    assert isinstance(waiting, Later)
    assert 2 < waiting.delay_s < 4
    assert isinstance(ended, NoRoute)


async def test_those_who_wait_come_back_one_by_one(pipeline: Pipeline) -> None:
    await _set(pipeline, cooling_s=0.5)
    async with _router(pipeline) as router:
        choices = [await router.choose([_route()], []) for _ in range(20)]
    delays = [choice.delay_s for choice in choices if isinstance(choice, Later)]
    assert len(delays) == 20
    assert delays[-1] - delays[0] > 0.1


async def test_one_probe_and_no_more_in_the_whole_fleet(pipeline: Pipeline) -> None:
    await _set(pipeline, status="down", cooling_s=-1.0, cooldown_s=5.0)
    async with _router(pipeline) as one, _router(pipeline) as two:
        routers = [one, two] * 10
        choices = await asyncio.gather(*(router.choose([_route()], []) for router in routers))
    chosen = [choice for choice in choices if isinstance(choice, Chosen)]
    assert len(chosen) == 1
    assert "down" in chosen[0].decision["reason"]
    assert all(choice.delay_s < 5 for choice in choices if isinstance(choice, Later))


@pytest.mark.parametrize(
    ("outcome", "status", "cooldown_s"),
    [
        (OK, "healthy", 0),
        (TimeoutError(), "down", 10),
        (Refused(JobError("CONTENT_BLOCKED", "no")), "down", 5),
    ],
    ids=["well", "failed", "said nothing"],
)
async def test_what_comes_of_a_probe(
    pipeline: Pipeline, outcome: Finished | Exception, status: str, cooldown_s: float
) -> None:
    await _set(pipeline, status="down", cooling_s=-1.0, cooldown_s=5.0)

    async def call() -> Finished:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async with _router(pipeline) as router:
        choice = await router.choose([_route()], [])
        assert isinstance(choice, Chosen)
        await asyncio.gather(
            router.monitor.watched(choice.provider, "submit", call(), choice.submission_id),
            return_exceptions=True,
        )
    row = await _row(pipeline)
    assert (row["status"], row["cooldown_s"], row["probe"]) == (status, cooldown_s, None)
    if cooldown_s == 10:
        assert row["cooling_s"] > 8
    async with _router(pipeline) as other:
        again = await other.choose([_route()], [])
    assert isinstance(again, Later if cooldown_s == 10 else Chosen)


async def test_a_probe_that_is_not_made_is_somebody_elses(pipeline: Pipeline) -> None:
    await _set(pipeline, status="down", cooling_s=-1.0, cooldown_s=5.0)
    async with _router(pipeline) as router:
        choice = await router.choose([_route()], [])
        assert isinstance(choice, Chosen)
        router.unused(choice)
    async with _router(pipeline) as other:
        assert isinstance(await other.choose([_route()], []), Chosen)


async def test_a_broken_provider_goes_down_is_probed_and_comes_back(pipeline: Pipeline) -> None:
    def behaviour(request: Request, sink: Sink) -> Finished:
        if broken:
            raise NotSent("connection refused")
        return OK

    broken = True
    provider = ScriptedProvider(behaviour)
    async with pipeline.engine(provider, provider_cooldown_s=0.2) as engine:
        engine._router.monitor._flush_s = 0.0
        ids = [await pipeline.submit() for _ in range(10)]
        down = await _until_status(pipeline, "down")
        assert (down["error_message"], down["cooldown_s"]) == (
            "connection refused",
            pytest.approx(0.2, abs=0.5),
        )
        broken = False
        rows = [await pipeline.until(generation_id) for generation_id in ids]
        await _until_status(pipeline, "healthy")
    assert {row["state"] for row in rows} == {"completed"}
    assert (await _row(pipeline))["last_success_at"] is not None


async def test_waiting_for_a_provider_spends_no_attempt_and_ends_with_the_deadline(
    pipeline: Pipeline,
) -> None:
    await publish(pipeline, ScriptedProvider())
    await _set(pipeline, status="down", cooling_s=60.0, cooldown_s=60.0)
    provider = ScriptedProvider()
    async with pipeline.engine(provider):
        row = await pipeline.until(await pipeline.submit(start_deadline_s=30, deadline_s=0.6))
    assert (row["state"], row["error"]["code"], row["attempts"]) == ("expired", "DEADLINE", 0)
    assert provider.requests == []


async def test_polls_and_what_ended_there_are_told_too(pipeline: Pipeline) -> None:
    class Polled(ScriptedProvider):
        async def poll(self, jobs: Any) -> Mapping[Any, Any]:
            broken = JobError("PROVIDER_FAILED", "out of memory", retryable=True)
            return {job.submission_id: Ended(broken) for job in jobs}

    provider = Polled(lambda request, sink: Accepted(str(request.submission_id)))
    async with pipeline.engine(provider):
        rows = [await pipeline.until(await pipeline.submit()) for _ in range(2)]
    row = await _row(pipeline)
    assert {one["state"] for one in rows} == {"failed"}
    assert row["error_rates"]["submit"] == row["error_rates"]["poll"] == 0
    assert row["error_rates"]["run"] > 0
    assert (row["error_message"], row["avg_response_time_ms"] is not None) == ("out of memory", True)


async def test_health_costs_no_statement_per_generation(pipeline: Pipeline) -> None:
    async with _router(pipeline, ScriptedProvider()) as router:
        monitor, written = router.monitor, []
        flush = monitor.flush

        async def counted() -> None:
            written.append(1)
            await flush()

        monitor.flush = counted  # type: ignore[method-assign]  # counts and passes on
        provider = ScriptedProvider()

        async def call() -> Finished:
            return OK

        await asyncio.gather(*(monitor.watched(provider, "submit", call(), new_id()) for _ in range(200)))
        await router.close()
    assert written == [1]
    assert (await _row(pipeline))["status"] == "healthy"


# Limits.


@pytest.fixture
async def limited(pipeline: Pipeline) -> AsyncIterator[Pipeline]:
    yield pipeline
    await pipeline.worker.execute("DELETE FROM provider_limits")
    await pipeline.worker.execute("DELETE FROM provider_calls")


@pytest.mark.parametrize("polled", [False, True])
async def test_two_processes_keep_to_one_limit_of_calls_at_once(limited: Pipeline, polled: bool) -> None:
    running, most = set[Any](), 0

    class Slow(ScriptedProvider):
        async def submit(self, request: Request, sink: Sink) -> Accepted | Finished:
            nonlocal most
            running.add(request.submission_id)
            most = max(most, len(running))
            if polled:
                return Accepted(str(request.submission_id))
            await asyncio.sleep(0.05)
            running.discard(request.submission_id)
            return OK

        async def poll(self, jobs: Any) -> Mapping[Any, Any]:
            await asyncio.sleep(0.05)
            running.difference_update(job.submission_id for job in jobs)
            return {job.submission_id: OK for job in jobs}

    limits = {"scripted": Limits(concurrent=3)}
    async with (
        limited.engine(Slow(), provider_limits=limits),
        limited.engine(Slow(), provider_limits=limits),
    ):
        ids = await asyncio.gather(*(limited.submit() for _ in range(15)))
        rows = [await limited.until(generation_id) for generation_id in ids]
    assert most == 3
    assert {(row["state"], row["attempts"]) for row in rows} == {("completed", 1)}


async def test_a_minutes_calls_are_counted_for_the_fleet_and_paced(limited: Pipeline) -> None:
    limits = {"scripted": Limits(rpm=60)}
    async with (
        _router(limited, provider_limits=limits) as one,
        _router(limited, provider_limits=limits) as two,
    ):
        choices = await asyncio.gather(*(router.choose([_route()], []) for router in [one, two] * 10))
        elsewhere = await one.choose([_route(), _route("fallback")], [])
    assert sum(isinstance(choice, Chosen) for choice in choices) == 6
    assert all(0 < choice.delay_s < 30 for choice in choices if isinstance(choice, Later))
    assert isinstance(elsewhere, Chosen)
    assert elsewhere.provider.name == "fallback"
    assert elsewhere.decision["skipped"][0]["why"] == "60 calls per minute are used up"


@pytest.mark.parametrize("rpm", [1, 6, 60, 3000])
async def test_no_minute_sees_more_calls_than_its_budget(limited: Pipeline, rpm: int) -> None:
    """The fleet always asks for more. Time is moved by moving the clock of the row."""
    granted: list[tuple[float, int]] = []
    moved_s = 0.0
    while moved_s < 130:
        row = await limited.worker.fetchrow(
            "SELECT granted, wait_s, extract(epoch FROM clock_timestamp())::float8 AS at_s"
            " FROM take_provider_calls('p', 'platform', $1, $2, NULL)",
            [new_id()] * 3000,
            rpm,
        )
        assert row is not None
        granted.append((row["at_s"] + moved_s, row["granted"]))
        moved_s += (step_s := max(row["wait_s"], 2.0) + 0.001)
        await limited.worker.execute(
            "UPDATE provider_limits SET next_at = next_at - $1::float8 * interval '1 second'", step_s
        )
    for start, _ in granted:
        assert sum(count for at, count in granted if start <= at < start + 59.99) <= rpm
    assert sum(count for _, count in granted) >= 1.8 * rpm


async def test_calls_of_a_process_that_died_come_back(limited: Pipeline) -> None:
    limits = {"scripted": Limits(concurrent=1)}
    async with _router(limited, provider_limits=limits) as router:
        assert isinstance(await router.choose([_route()], []), Chosen)
        assert isinstance(await router.choose([_route()], []), Later)
        await limited.worker.execute("UPDATE provider_calls SET taken_at = now() - interval '16 seconds'")
        assert isinstance(await router.choose([_route()], []), Chosen)


async def test_a_credential_has_limits_of_its_own(limited: Pipeline) -> None:
    other = ScriptedProvider()
    other.credential = "own-key"
    limits = {"scripted": Limits(concurrent=1)}
    async with (
        _router(limited, ScriptedProvider(), provider_limits=limits) as ours,
        _router(limited, other, provider_limits=limits) as theirs,
    ):
        await ours.open()
        first = [await ours.choose([_route()], []), await theirs.choose([_route()], [])]
        await ours.cool_down(ScriptedProvider(), 30.0, "slow down")
        assert isinstance(await ours.choose([_route()], []), Later)
        await limited.worker.execute("DELETE FROM provider_calls")
        second = await theirs.choose([_route()], [])
    assert all(isinstance(choice, Chosen) for choice in [*first, second])


def test_settings_override_what_the_adapter_knows(pipeline: Pipeline) -> None:
    class Known(ScriptedProvider):
        limits: ClassVar[Limits] = Limits(rpm=600)

    given = {"scripted": Limits.model_validate({"concurrent": 50})}
    lifted = {"scripted": Limits.model_validate({"rpm": None})}
    assert Limiter(pipeline.worker, given).of(Known()) == Limits(rpm=600, concurrent=50)
    assert Limiter(pipeline.worker, lifted).of(Known()) == Limits()
    assert Limiter(pipeline.worker, {}).of(Known()) == Limits(rpm=600)


async def test_without_limits_nothing_is_asked(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _router(pipeline) as router:
        await router.choose([_route()], [])
        monkeypatch.setattr(router._limiter, "_db", None)
        assert isinstance(await router.choose([_route()], []), Chosen)
