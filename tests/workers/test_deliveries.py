"""Outgoing webhooks, from the end of a generation to what a receiver gets and says."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cli.servers.process import guarded
from shared.catalog import Catalog
from shared.db import Database, Role
from shared.domains import deliveries, webhooks
from shared.domains.admission import Admitter
from shared.domains.deliveries import ENDED, STARTED
from shared.domains.generations import Lifecycle
from shared.errors import JobError
from shared.ids import new_id
from shared.settings import Settings
from shared.storage import ObjectStore
from tests.pipeline import Pipeline, ScriptedProvider, publish
from tests.receiver import Receiver, open_receiver
from tests.samples import Samples
from tests.workers.test_metrics import paint, told
from workers.deliveries import HOLD_S, JITTER, PER_ACCOUNT, SCHEDULE_S, SOFT_SCHEDULE_S, Deliveries
from workers.maintenance import DELIVERIES_KEPT_DAYS, Maintenance
from workers.metrics import WorkerMetrics
from workers.providers.base import Finished, Refused, Request, Sink

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Post:
    """A post office: one account with a receiver, and the worker that sends."""

    pipeline: Pipeline
    receiver: Receiver
    metrics: WorkerMetrics

    @property
    def key(self) -> str:
        return self.pipeline.settings.secret_key.get_secret_value()

    async def endpoint(self, *events: str, account_id: UUID | None = None, url: str = "") -> tuple[UUID, str]:
        """An endpoint's id and secret."""
        account_id = account_id or self.pipeline.account_id
        async with self.pipeline.app.transaction(account_id) as tx:
            row, secret = await webhooks.create(
                tx, account_id, self.key, url=url or self.receiver.url, events=events or ENDED, description="",
                enabled=True,
            )  # fmt: skip
        return row["id"], secret

    async def enqueue(self, endpoint_id: UUID, account_id: UUID | None = None) -> UUID:
        account_id = account_id or self.pipeline.account_id
        async with self.pipeline.app.transaction(account_id) as tx:
            return await deliveries.enqueue_test(tx, account_id, endpoint_id, {"n": 1})

    def sender(self, **changes: Any) -> Deliveries:
        settings = self.pipeline.settings.model_copy(update={"allow_private_urls": True} | changes)
        return Deliveries(self.pipeline.worker, settings, self.metrics)

    async def send(self, **changes: Any) -> int:
        return await self.sender(**changes).send_due()

    async def row(self, delivery_id: UUID) -> Mapping[str, Any]:
        row: Mapping[str, Any] | None = await self.pipeline.worker.fetchrow(
            "SELECT *, extract(epoch FROM next_at - now())::float8 AS due_in_s FROM webhook_deliveries"
            " WHERE id = $1", delivery_id,
        )  # fmt: skip
        assert row is not None
        return row

    async def rows(self, account_id: UUID | None = None) -> list[Mapping[str, Any]]:
        sql = "SELECT * FROM webhook_deliveries WHERE account_id = $1 ORDER BY created_at"
        return list(await self.pipeline.worker.fetch(sql, account_id or self.pipeline.account_id))

    async def make_due(self, delivery_id: UUID) -> None:
        await self.pipeline.worker.execute(
            "UPDATE webhook_deliveries SET next_at = now() WHERE id = $1 AND state = 'pending'", delivery_id
        )

    @property
    def told(self) -> Samples:
        return told(self.metrics)


@pytest.fixture
async def post(pipeline: Pipeline, receiver: Receiver) -> AsyncIterator[Post]:
    await publish(pipeline, ScriptedProvider())
    yield Post(pipeline, receiver, WorkerMetrics.open())
    await pipeline.worker.execute("DELETE FROM webhook_deliveries")
    await pipeline.worker.execute("DELETE FROM webhook_endpoints")


@pytest.fixture
async def bucket(pipeline: Pipeline) -> None:
    store = ObjectStore.open(pipeline.settings)
    await store.ensure_bucket()
    await store.close()


# What is told, and to whom.


async def test_a_completed_generation_is_told_with_its_outputs_and_signed(post: Post, bucket: None) -> None:
    endpoint_id, secret = await post.endpoint()
    async with post.pipeline.engine(ScriptedProvider(paint)):
        generation_id = await post.pipeline.submit(metadata={"order": "A-7"})
        row = await post.pipeline.until(generation_id)
    assert await post.send() == 1
    [got] = post.receiver.received
    assert got.signed_with(secret)
    assert got.headers["Content-Type"] == "application/json"
    assert set(got.json) == {"type", "timestamp", "data"}
    assert got.json["type"] == "generation.completed"
    data = got.json["data"]
    assert (data["id"], data["status"], data["seq"]) == (str(generation_id), "completed", row["seq"])
    assert (data["metadata"], data["error"], data["cost"]["status"]) == (
        {"order": "A-7"},
        None,
        row["cost_status"],
    )
    assert data["outputs"][0]["path"] == f"/api/v1/generations/{generation_id}/outputs/0"
    assert data["outputs"][0]["mime"] == "image/png"
    [delivery] = await post.rows()
    assert (str(delivery["id"]), delivery["endpoint_id"]) == (got.id, endpoint_id)
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("delivered", 1, 200)
    assert (delivery["response"], delivery["next_at"]) == ("thanks", None)
    assert post.told("webhook_deliveries_total", outcome="delivered") == 1
    assert await post.send() == 0, "what was delivered is not sent again"


async def test_each_change_is_told_to_those_who_asked_for_it(post: Post) -> None:
    everything, _ = await post.endpoint(STARTED, *ENDED)
    failures, _ = await post.endpoint("generation.failed")

    def refuse(request: Request, sink: Sink) -> Finished:
        raise Refused(JobError("PROVIDER_REJECTED", "no"), curable=False)

    async with post.pipeline.engine(ScriptedProvider(refuse)):
        failed = await post.pipeline.submit()
        await post.pipeline.until(failed)
    canceled = await post.pipeline.submit()
    await post.pipeline.cancel(canceled)
    expired = await post.pipeline.submit(start_deadline_s=0.001)
    worker = new_id()
    lifecycle = Lifecycle(post.pipeline.worker, post.pipeline.publisher)
    async with asyncio.timeout(90):
        while not (works := await lifecycle.claim_expired(worker, 10)):
            await asyncio.sleep(0.01)
    await lifecycle.expired(works[0])
    told = {(row["generation_id"], row["type"], row["endpoint_id"]) for row in await post.rows()}
    assert told == {
        (failed, "generation.started", everything),
        (failed, "generation.failed", everything),
        (failed, "generation.failed", failures),
        (canceled, "generation.canceled", everything),
        (expired, "generation.expired", everything),
    }
    [row] = [row for row in await post.rows() if row["endpoint_id"] == failures]
    assert row["data"]["error"]["code"] == "PROVIDER_REJECTED"
    assert (row["data"]["status"], row["data"]["outputs"]) == ("failed", [])


async def test_nobody_hears_of_another_accounts_generations(post: Post) -> None:
    other = new_id()
    await post.pipeline.worker.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
    await post.endpoint(account_id=other)
    generation_id = await post.pipeline.submit()
    await post.pipeline.cancel(generation_id)
    assert (await post.rows(other), await post.rows()) == ([], [])


async def test_what_is_rolled_back_is_not_told(post: Post) -> None:
    await post.endpoint("budget.alert")
    account_id = post.pipeline.account_id

    async def alert(type_: str, *, fails: bool = False) -> None:
        async with post.pipeline.app.transaction(account_id) as tx:
            await deliveries.enqueue(tx, account_id, type_, {"percent": 80})
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        await alert("budget.alert", fails=True)
    assert await post.rows() == []
    await alert("budget.alert")
    await alert("generation.failed")
    assert [(row["type"], row["data"]) for row in await post.rows()] == [("budget.alert", {"percent": 80})]


async def test_a_request_names_its_own_receiver(post: Post) -> None:
    settings = post.pipeline.settings.model_copy(update={"allow_private_urls": True})
    closed = Admitter(
        post.pipeline.app, Catalog(post.pipeline.app), post.pipeline.bell, post.pipeline.publisher, settings
    )
    webhook = {"url": post.receiver.url + "/mine", "events": ["generation.canceled"]}
    generation_id = await replace(post.pipeline, admitter=closed).submit(webhook=webhook)
    await post.pipeline.cancel(generation_id)
    await post.send()
    [got] = post.receiver.received
    async with post.pipeline.app.transaction(post.pipeline.account_id) as tx:
        signing = await webhooks.own_secret(tx, post.pipeline.account_id, post.key)
    assert got.path == "/hook/mine"
    assert got.signed_with(signing.secret)
    assert got.json["data"]["id"] == str(generation_id)


# How it is sent.


async def test_it_is_tried_on_schedule_under_one_id_until_it_fails(post: Post) -> None:
    endpoint_id, secret = await post.endpoint()
    post.receiver.statuses = (500,)
    delivery_id = await post.enqueue(endpoint_id)
    for expected in SCHEDULE_S:
        assert await post.send() == 1
        row = await post.row(delivery_id)
        assert row["state"] == "pending"
        assert expected * (1 - JITTER) - 60 < row["due_in_s"] <= expected * (1 + JITTER)
        assert await post.send() == 0, "it is not due yet"
        await post.make_due(delivery_id)
    await post.send()
    row = await post.row(delivery_id)
    assert (row["state"], row["attempts"], row["next_at"], row["status"]) == ("failed", 10, None, 500)
    received = post.receiver.received
    assert {got.id for got in received} == {str(delivery_id)}
    assert {got.body for got in received} == {received[0].body}
    assert all(got.signed_with(secret) for got in received)
    assert post.told("webhook_deliveries_total", outcome="retried") == 9
    assert post.told("webhook_deliveries_total", outcome="failed") == 1


async def test_what_is_not_there_is_tried_less_often(post: Post) -> None:
    endpoint_id, _ = await post.endpoint()
    post.receiver.statuses = (404,)
    delivery_id = await post.enqueue(endpoint_id)
    for expected in SOFT_SCHEDULE_S:
        await post.send()
        assert (await post.row(delivery_id))["due_in_s"] > expected * (1 - JITTER) - 60
        await post.make_due(delivery_id)
    await post.send()
    assert (await post.row(delivery_id))["state"] == "failed"


async def test_an_endpoint_that_is_gone_is_disabled(post: Post) -> None:
    endpoint_id, _ = await post.endpoint()
    post.receiver.statuses = (410,)
    later = await post.enqueue(endpoint_id)
    await post.pipeline.worker.execute("UPDATE webhook_deliveries SET next_at = now() + interval '1 hour'")
    delivery_id = await post.enqueue(endpoint_id)
    await post.send()
    async with post.pipeline.app.transaction(post.pipeline.account_id) as tx:
        endpoint = await webhooks.get(tx, endpoint_id)
    assert (endpoint["enabled"], endpoint["disabled_reason"]) == (False, "It answered 410 Gone.")
    assert [(await post.row(one))["state"] for one in (delivery_id, later)] == ["abandoned", "abandoned"]
    generation_id = await post.pipeline.submit()
    await post.pipeline.cancel(generation_id)
    assert len(await post.rows()) == 2, "it is told of nothing new"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(post: Post, status: int) -> None:
    endpoint_id, _ = await post.endpoint()
    post.receiver.statuses = (status,)
    post.receiver.headers = {"Location": post.receiver.url + "/elsewhere"}
    delivery_id = await post.enqueue(endpoint_id)
    await post.send()
    row = await post.row(delivery_id)
    assert (row["state"], row["status"]) == ("pending", status)
    assert [got.path for got in post.receiver.received] == ["/hook"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_private_addresses_are_refused_at_every_attempt(post: Post, host: str) -> None:
    endpoint_id, _ = await post.endpoint(url=post.receiver.url.replace("127.0.0.1", host))
    delivery_id = await post.enqueue(endpoint_id)
    for attempt in (1, 2):
        await post.make_due(delivery_id)
        await post.send(allow_private_urls=False)
        row = await post.row(delivery_id)
        assert (row["attempts"], row["status"]) == (attempt, None)
        assert row["error"] == "The URL leads to a private address."
    assert post.receiver.received == []


async def test_why_there_was_no_answer_is_said_without_the_url(post: Post) -> None:
    endpoint_id, _ = await post.endpoint(url="http://127.0.0.1:9/hook?token=sesame")
    delivery_id = await post.enqueue(endpoint_id)
    await post.send()
    row = await post.row(delivery_id)
    assert (row["state"], row["error"]) == ("pending", "The receiver cannot be reached.")


async def test_a_slow_receiver_is_given_up_in_time(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.deliveries.TIMEOUT_S", 0.1)
    endpoint_id, _ = await post.endpoint()
    post.receiver.gate.clear()
    delivery_id = await post.enqueue(endpoint_id)
    await post.send()
    row = await post.row(delivery_id)
    assert (row["state"], row["status"]) == ("pending", None)
    assert row["error"].startswith("No answer within")


async def test_both_secrets_sign_while_one_replaces_the_other(post: Post) -> None:
    endpoint_id, old = await post.endpoint()
    account_id = post.pipeline.account_id

    async def rotate(overlap_s: float) -> str:
        async with post.pipeline.app.transaction(account_id) as tx:
            return (await webhooks.rotate(tx, account_id, post.key, endpoint_id, overlap_s)).secret

    new = await rotate(60)
    await post.enqueue(endpoint_id)
    await post.send()
    newest = await rotate(0)
    await post.enqueue(endpoint_id)
    await post.send()
    during, after = post.receiver.received
    assert [during.signed_with(secret) for secret in (old, new)] == [True, True]
    assert [after.signed_with(secret) for secret in (old, new, newest)] == [False, False, True]
    stored = await post.pipeline.worker.fetch(
        "SELECT sealed FROM webhook_secrets WHERE account_id = $1", account_id
    )
    assert all(secret.encode() not in row["sealed"] for row in stored for secret in (old, new, newest))


async def test_without_the_servers_key_nothing_is_sent_unsigned(post: Post) -> None:
    endpoint_id, _ = await post.endpoint()
    delivery_id = await post.enqueue(endpoint_id)
    other = post.pipeline.settings.secret_key.__class__("another-secret-that-is-long-enough-too")
    await post.send(secret_key=other)
    row = await post.row(delivery_id)
    assert (row["state"], row["attempts"]) == ("pending", 1)
    assert "another SECRET_KEY" in row["error"]
    assert post.receiver.received == []


# Who sends it.


async def test_two_workers_send_each_message_once(post: Post) -> None:
    endpoint_id, _ = await post.endpoint()
    sent = {str(await post.enqueue(endpoint_id)) for _ in range(2 * PER_ACCOUNT)}
    counts = await asyncio.gather(post.send(), post.send(), post.send())
    while await post.send():
        pass
    assert sum(counts) <= len(sent)
    assert sorted(got.id for got in post.receiver.received) == sorted(sent)


async def test_one_accounts_backlog_leaves_room_for_the_others(post: Post) -> None:
    other = new_id()
    await post.pipeline.worker.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", other)
    mine, _ = await post.endpoint()
    for _ in range(PER_ACCOUNT + 5):
        await post.enqueue(mine)
    theirs, _ = await post.endpoint(account_id=other, url=post.receiver.url + "/other")
    await post.enqueue(theirs, other)
    assert await post.send() == PER_ACCOUNT + 1
    assert [got.path for got in post.receiver.received].count("/hook/other") == 1


async def test_a_sender_that_was_believed_dead_writes_nothing(post: Post) -> None:
    endpoint_id, _ = await post.endpoint()
    delivery_id = await post.enqueue(endpoint_id)
    post.receiver.gate.clear()
    post.receiver.statuses = (500, 200)
    first = asyncio.create_task(post.send())
    await post.receiver.until(1)
    assert await post.send() == 0, "it is held"
    assert 0 < (await post.row(delivery_id))["due_in_s"] <= HOLD_S
    await post.make_due(delivery_id)
    second = asyncio.create_task(post.send())
    await post.receiver.until(2)
    post.receiver.gate.set()
    await asyncio.gather(first, second)
    row = await post.row(delivery_id)
    assert (row["state"], row["attempts"], row["status"]) == ("delivered", 1, 200)


async def test_what_a_killed_worker_was_sending_is_sent_again_under_its_id(
    post: Post, environment: dict[str, str], tmp_path: Path
) -> None:
    endpoint_id, secret = await post.endpoint()
    delivery_id = await post.enqueue(endpoint_id)
    post.receiver.gate.clear()
    process = await asyncio.create_subprocess_exec(
        *guarded([sys.executable, "-m", "workers", "maintenance"], signal.SIGKILL),
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT), "ALLOW_PRIVATE_URLS": "true"},
        cwd=tmp_path, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        await post.receiver.until(1)
    finally:
        process.kill()
        await process.wait()
        await post.pipeline.worker.execute("DELETE FROM workers")
    row = await post.row(delivery_id)
    assert (row["state"], row["attempts"]) == ("pending", 0)
    post.receiver.gate.set()
    await post.make_due(delivery_id)
    await post.send()
    assert [got.id for got in post.receiver.received] == [str(delivery_id)] * 2
    assert post.receiver.received[1].signed_with(secret)
    assert (await post.row(delivery_id))["state"] == "delivered"


async def test_it_runs_until_it_is_stopped_and_lets_what_runs_end(post: Post) -> None:
    endpoint_id, _ = await post.endpoint()
    post.receiver.gate.clear()
    task = asyncio.create_task(post.sender().run())
    delivery_id = await post.enqueue(endpoint_id)
    await post.receiver.until(1)
    task.cancel()
    await asyncio.sleep(0)
    post.receiver.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await post.row(delivery_id))["state"] == "delivered"


async def test_old_ones_are_dropped_but_none_that_is_pending(post: Post, settings: Settings) -> None:
    endpoint_id, _ = await post.endpoint()
    kept, ended, recent = [await post.enqueue(endpoint_id) for _ in range(3)]
    age = "UPDATE webhook_deliveries SET created_at = now() - $2::int * interval '1 day' WHERE id = $1"
    for one in (kept, ended):
        await post.pipeline.worker.execute(age, one, DELIVERIES_KEPT_DAYS + 1)
    await post.pipeline.worker.execute(
        "UPDATE webhook_deliveries SET state = 'failed', next_at = NULL WHERE id = ANY ($1)", [ended, recent]
    )
    db = await Database.open(settings.worker_url, Role.WORKER)
    store = ObjectStore.open(settings)
    await Maintenance(db, Lifecycle(db, post.pipeline.publisher), store).clean()
    await store.close()
    await db.close()
    assert {row["id"] for row in await post.rows()} == {kept, recent}
