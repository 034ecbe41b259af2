"""What a worker process counts of its work."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest
from prometheus_client import generate_latest

from shared.catalog import Price
from shared.errors import JobError
from tests.gateway.api import picture
from tests.pipeline import Pipeline, ScriptedProvider, card
from tests.samples import Samples
from workers.metrics import WorkerMetrics
from workers.providers.base import Finished, NotSent, Refused, Request, Sink, Usage

PRICED = Price({"image": Decimal(40_000_000)}, date(2026, 1, 1), "test")


def told(metrics: WorkerMetrics) -> Samples:
    return Samples(generate_latest(metrics.registry).decode())


async def paint(request: Request, sink: Sink) -> Finished:
    async def chunks() -> AsyncIterator[bytes]:
        yield picture()

    stored = await sink.write(0, "image/png", chunks())
    return Finished((stored,), Usage({"image": Decimal(1)}))


async def test_a_generation_and_what_it_took(pipeline: Pipeline) -> None:
    async with pipeline.engine(ScriptedProvider(paint, [card(price=PRICED)])) as engine:
        await engine._store.ensure_bucket()
        row = await pipeline.until(await pipeline.submit())
        assert row["state"] == "completed"
        seen = told(engine.metrics)
    assert seen("jobs_finished_total", type="image", provider="scripted", outcome="completed") == 1
    assert seen("job_wait_seconds_count", type="image") == 1
    waited, ran = row["started_at"] - row["created_at"], row["completed_at"] - row["started_at"]
    assert seen("job_wait_seconds_sum", type="image") == pytest.approx(waited.total_seconds())
    assert seen("job_run_seconds_sum", type="image", provider="scripted") == pytest.approx(
        ran.total_seconds()
    )
    assert seen("job_attempts_sum", type="image") == 1
    assert seen("cost_nanousd_total", provider="scripted", type="image") == 40_000_000
    assert seen("provider_requests_total", provider="scripted", op="submit", code="ok") == 1
    assert seen("provider_latency_seconds_count", provider="scripted", op="submit") == 1
    assert seen("uploads_bytes_total", type="image") == len(picture())
    assert seen("upload_seconds_count") == 1


@pytest.mark.parametrize(
    ("error", "code", "outcome", "tries"),
    [
        (NotSent("refused connection"), "not_sent", "completed", 2),
        (Refused(JobError("PROVIDER_REJECTED", "no"), curable=False), "refused", "failed", 1),
        (Refused(JobError("RATE_LIMITED", "later"), retry_after_s=0.01), "rate_limited", "completed", 1),
    ],
)
async def test_what_a_provider_says_is_counted(
    pipeline: Pipeline, error: Exception, code: str, outcome: str, tries: int
) -> None:
    def once(request: Request, sink: Sink) -> Finished:
        if len(provider.requests) == 1:
            raise error
        return Finished((), Usage({"run": Decimal(1)}))

    provider = ScriptedProvider(once)
    async with pipeline.engine(provider) as engine:
        await pipeline.until(await pipeline.submit(), "completed", "failed")
        seen = told(engine.metrics)
    assert seen("provider_requests_total", provider="scripted", op="submit", code=code) == 1
    assert seen("jobs_finished_total", type="image", provider="scripted", outcome=outcome) == 1
    assert seen("job_attempts_sum", type="image") == tries
    assert seen("job_wait_seconds_count", type="image") == 1


async def test_a_poll_fails_only_if_it_said_nothing_at_all() -> None:
    metrics = WorkerMetrics.open()

    async def answer(*values: object) -> dict[int, object]:
        return dict(enumerate(values))

    await metrics.asked("p", "poll", answer(TimeoutError(), "pending"))
    await metrics.asked("p", "poll", answer(TimeoutError(), TimeoutError()))
    seen = told(metrics)
    assert seen("provider_requests_total", provider="p", op="poll", code="ok") == 1
    assert seen("provider_requests_total", provider="p", op="poll", code="error") == 1


def test_the_handbook_lists_every_metric() -> None:
    handbook = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    names = {metric.name for metric in WorkerMetrics.open().registry.collect()}
    own = {name for name in names if name.startswith("penstock_")}
    assert len(own) == 10
    assert not {name for name in own if name not in handbook}


async def test_metrics_are_served_where_the_settings_say(pipeline: Pipeline) -> None:
    async with pipeline.engine(ScriptedProvider(), worker_metrics_port=0) as engine:
        url = f"http://127.0.0.1:{engine.metrics_server.port}/metrics"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            assert b"penstock_jobs_finished_total" in await answer.read()
    assert engine.metrics_server.port is None


async def test_two_workers_with_one_port_both_work(pipeline: Pipeline) -> None:
    async with pipeline.engine(ScriptedProvider(), worker_metrics_port=0) as first:
        port = first.metrics_server.port
        async with pipeline.engine(ScriptedProvider(), worker_metrics_port=port) as second:
            assert second.metrics_server.port is None
            await pipeline.until(await pipeline.submit(), "completed")
