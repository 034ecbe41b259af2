"""What a gateway tells Prometheus."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from shared.catalog import Price
from shared.ids import new_id
from tests.gateway.api import Api, Painter
from tests.pipeline import Pipeline, ScriptedProvider, card, publish
from tests.samples import Samples
from workers.metrics import WorkerMetrics

SLOT_STATES = ("busy", "idle", "quiet", "draining")
PROMISED = frozenset({
    "queue_depth", "queue_oldest_seconds", "queue_paused", "jobs_enqueued_total", "jobs_finished_total",
    "job_wait_seconds", "job_run_seconds", "job_attempts", "worker_slots", "worker_up",
    "provider_requests_total", "provider_latency_seconds", "provider_state", "provider_cooldown_seconds",
    "cost_nanousd_total", "reserved_nanousd", "unpriced_total", "spend_capture_ratio", "uploads_bytes_total",
    "upload_seconds", "ws_connections", "ws_dropped_total", "webhook_deliveries_total", "http_requests_total",
    "http_request_seconds", "idempotent_replays_total", "model_days_to_shutdown"
})  # fmt: skip
PRICED = Price({"image": Decimal(40_000_000)}, date(2026, 1, 1), "test")


async def scrape(api: Api) -> Samples:
    """What the gateway tells now, the service's gauges read anew."""
    api.gateway.deps.metrics.service._fresh_until = float("-inf")
    answer = await api.get("/metrics")
    assert answer.status == 200
    return Samples(answer.content.decode())


async def test_a_generation_is_seen_from_the_queue_to_its_end(
    api: Api, nobody: Api, pipeline: Pipeline
) -> None:
    before = await scrape(nobody)
    generation = await api.submit(priority="high")
    queued = await scrape(nobody)
    assert queued("queue_depth", queue="image", priority="high") == 1
    assert queued("queue_depth", queue="video", priority="low") == 0
    assert queued("queue_oldest_seconds", queue="image") > 0
    assert queued.since(before, "jobs_enqueued_total", type="image") == 1
    async with pipeline.engine(ScriptedProvider()):
        await api.until_ended(generation["id"])
        ended = await scrape(nobody)
    assert ended("queue_depth", queue="image", priority="high") == 0
    assert ended("queue_oldest_seconds", queue="image") == 0


async def test_workers_and_their_slots(api: Api, nobody: Api, painter: Painter) -> None:
    painter.gate.clear()
    generation = await api.submit()
    async with asyncio.timeout(90):
        while (samples := await scrape(nobody))("worker_slots", type="image", state="busy") != 1:
            await asyncio.sleep(0.02)
    slots = api.gateway.deps.settings.worker_slots
    assert samples("worker_slots", type="image", state="idle") == slots - 1
    assert samples("worker_slots", type="video", state="idle") == 0
    await api.gateway.worker.execute("UPDATE workers SET quiet = true")
    samples = await scrape(nobody)
    states = {state: samples("worker_slots", type="image", state=state) for state in SLOT_STATES}
    assert states == {"busy": 1, "idle": 0, "quiet": slots - 1, "draining": 0}
    await api.gateway.worker.execute("UPDATE workers SET draining = true")
    samples = await scrape(nobody)
    states = {state: samples("worker_slots", type="image", state=state) for state in SLOT_STATES}
    assert states == {"busy": 1, "idle": 0, "quiet": 0, "draining": slots - 1}
    assert samples.all("worker_up") == [1]
    painter.gate.set()
    await api.until_ended(generation["id"])


async def test_a_silent_worker_is_down(api: Api, nobody: Api) -> None:
    worker = api.gateway.worker
    await worker.execute(
        "INSERT INTO workers (id, kinds, slots, host, pid, version, beat_at)"
        " VALUES ($1, '{}', 8, 'silent', 7, 'x', now() - interval '1 minute')",
        new_id(),
    )
    assert (await scrape(nobody))("worker_up", worker="silent:7", type="maintenance") == 0
    await worker.execute("DELETE FROM workers WHERE host = 'silent'")


async def test_a_pause_ends_by_itself(api: Api, nobody: Api) -> None:
    worker = api.gateway.worker
    for until, paused in ((None, 1), (timedelta(hours=1), 1), (timedelta(hours=-1), 0)):
        await worker.execute(
            "INSERT INTO queues (kind, paused, paused_until) VALUES ('video', true, $1)"
            " ON CONFLICT (kind) DO UPDATE SET paused_until = excluded.paused_until",
            until and datetime.now(UTC) + until,
        )
        assert (await scrape(nobody))("queue_paused", queue="video") == paused
    await worker.execute("DELETE FROM queues WHERE kind = 'video'")


async def test_money_that_is_reserved_and_bills_without_a_price(nobody: Api, pipeline: Pipeline) -> None:
    provider = ScriptedProvider(cards=[card(price=PRICED)])
    await publish(pipeline, provider)
    generation_id = await pipeline.submit()
    reserved = await scrape(nobody)
    assert reserved("reserved_nanousd") == 40_000_000
    assert reserved("unpriced_total", provider="scripted") == 0
    async with pipeline.engine(provider):
        await pipeline.until(generation_id)
    unpriced = await scrape(nobody)
    assert unpriced("reserved_nanousd") == 40_000_000
    assert unpriced("unpriced_total", provider="scripted") == 1


async def test_a_provider_that_cools_down(api: Api, nobody: Api, pipeline: Pipeline) -> None:
    healthy = await scrape(nobody)
    assert healthy("provider_state", provider="scripted") == 0
    await pipeline.worker.execute(
        "INSERT INTO provider_health (provider, status, cooldown_until)"
        " VALUES ('scripted', 'degraded', now() + interval '1 minute')"
    )
    cooling = await scrape(nobody)
    assert cooling("provider_state", provider="scripted") == 1
    assert 0 < cooling("provider_cooldown_seconds", provider="scripted") <= 60


async def test_a_model_that_will_be_shut_down(nobody: Api, pipeline: Pipeline) -> None:
    today = datetime.now(UTC).date()
    await publish(pipeline, ScriptedProvider(cards=[card(shutdown_on=today + timedelta(days=10))]))
    left = (await scrape(nobody))("model_days_to_shutdown", provider="scripted", model="scripted-image")
    assert left in {9, 10}


async def test_replays_and_cancels_are_counted(api: Api, nobody: Api) -> None:
    before = await scrape(nobody)
    key = {"Idempotency-Key": "twice"}
    body = {"kind": "image", "model": "scripted", "input": {"prompt": "a pear"}}
    first = await api.post("/api/v1/generations", body, headers=key)
    await api.post("/api/v1/generations", body, headers=key)
    await api.post(f"/api/v1/generations/{first.json['id']}/cancel")
    after = await scrape(nobody)
    assert after.since(before, "jobs_enqueued_total", type="image") == 1
    assert after.since(before, "idempotent_replays_total") == 1
    canceled = {"type": "image", "provider": "none", "outcome": "canceled"}
    assert after.since(before, "jobs_finished_total", **canceled) == 1


async def test_the_handbook_lists_every_metric(nobody: Api) -> None:
    await scrape(nobody)
    handbook = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    names = {metric.name for metric in nobody.gateway.deps.registry.collect()}
    assert not {name for name in names if name.startswith("penstock_") and name not in handbook}


async def test_every_promised_metric_is_told(nobody: Api) -> None:
    told = {
        metric.name
        for registry in (nobody.gateway.deps.registry, WorkerMetrics.open().registry)
        for collector in registry._collector_to_names
        for metric in getattr(collector, "describe", collector.collect)()
    }
    assert {f"penstock_{name.removesuffix('_total')}" for name in PROMISED} <= {
        name.removesuffix("_total") for name in told
    }


async def test_what_an_audit_found_is_told(nobody: Api) -> None:
    await nobody.gateway.worker.execute(
        "INSERT INTO provider_audits (id, provider, since, until, finished_at, listed, known, orphans)"
        " VALUES ($1, 'scripted', now(), now(), now(), 4, 3, 1), ($2, 'idle', now(), now(), now(), 0, 0, 0)",
        new_id(),
        new_id(),
    )
    samples = await scrape(nobody)
    assert samples("spend_capture_ratio", provider="scripted") == 0.75
    assert samples("spend_capture_ratio", provider="idle") == 1
    await nobody.gateway.worker.execute("DELETE FROM provider_audits")


async def test_many_scrapes_read_once(nobody: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    service = nobody.gateway.deps.metrics.service
    service._fresh_until = float("-inf")
    reads = []
    read = service._read

    async def once_more() -> object:
        reads.append(1)
        return await read()

    monkeypatch.setattr(service, "_read", once_more)
    await asyncio.gather(*(nobody.get("/metrics") for _ in range(10)))
    assert len(reads) == 1


async def test_without_the_database_the_rest_is_told(nobody: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(nobody.gateway.deps.db, "fetch", fail)
    samples = await scrape(nobody)
    assert "ws_connections" in samples
    assert "reserved_nanousd" not in samples
