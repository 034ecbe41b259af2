"""Frames, the publisher, the throttle and the subscriber, against a real Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from unittest.mock import AsyncMock
from uuid import UUID

import orjson
import pytest
from redis.asyncio import Redis

from cli.servers import EmbeddedServers
from shared.events import (
    EventType,
    ProgressThrottle,
    Publisher,
    Subscriber,
    channel,
    delta_frame,
    event_frame,
    progress_frame,
)
from shared.ids import new_id
from shared.settings import Settings

ACCOUNT = new_id()
GENERATION = new_id()


class Inbox:
    """What a subscriber has handed over."""

    def __init__(self) -> None:
        self.messages: list[tuple[UUID, bytes]] = []
        self.gaps = 0
        self._news = asyncio.Event()

    def message(self, account_id: UUID, payload: bytes) -> None:
        self.messages.append((account_id, payload))
        self._news.set()

    def gap(self) -> None:
        self.gaps += 1
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(90):
            while not condition():
                self._news.clear()
                await self._news.wait()

    @property
    def payloads(self) -> list[bytes]:
        return [payload for _, payload in self.messages]


@asynccontextmanager
async def subscriber(redis_url: str) -> AsyncIterator[tuple[Subscriber, Inbox]]:
    inbox = Inbox()
    made = Subscriber(redis_url, inbox.message, inbox.gap)
    made.start()
    try:
        await inbox.until(lambda: inbox.gaps == 1)
        yield made, inbox
    finally:
        await made.close()


@pytest.fixture
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    made = Publisher.open(settings.redis_url)
    yield made
    await made.close()


def test_a_frame_says_what_its_row_says() -> None:
    at = datetime(2026, 5, 1, 12, 0, 0, 250000, tzinfo=UTC)
    row = {
        "generation_id": GENERATION,
        "seq": 12,
        "type": "generation.completed",
        "data": {"status": "completed", "progress": 1.0},
        "created_at": at,
    }
    assert orjson.loads(event_frame(row)) == {
        "v": 1,
        "id": str(GENERATION),
        "seq": 12,
        "ts": "2026-05-01T12:00:00.250000Z",
        "type": "generation.completed",
        "data": {"status": "completed", "progress": 1.0},
    }


def test_ephemeral_frames_carry_the_current_position() -> None:
    progress = orjson.loads(progress_frame(GENERATION, 4, progress=0.5, stage="storing", eta_seconds=2.0))
    delta = orjson.loads(delta_frame(GENERATION, 4, offset=10, text="more"))
    assert (progress["type"], progress["seq"]) == (EventType.PROGRESS, 4)
    assert progress["data"] == {"progress": 0.5, "stage": "storing", "eta_seconds": 2.0}
    assert (delta["type"], delta["seq"], delta["data"]) == (
        EventType.DELTA,
        4,
        {"offset": 10, "text": "more"},
    )


async def test_frames_reach_only_the_followers_of_their_account(
    settings: Settings, publisher: Publisher
) -> None:
    stranger = new_id()
    async with subscriber(settings.redis_url) as (follower, inbox):
        assert await follower.follow(ACCOUNT)
        await publisher.publish(stranger, [b"not mine"])
        await publisher.publish(ACCOUNT, [b"1", b"2"])
        await inbox.until(lambda: len(inbox.messages) == 2)
    assert inbox.messages == [(ACCOUNT, b"1"), (ACCOUNT, b"2")]


async def test_nothing_comes_after_unfollow(settings: Settings, publisher: Publisher) -> None:
    other = new_id()
    async with subscriber(settings.redis_url) as (follower, inbox):
        await follower.follow(ACCOUNT)
        await follower.follow(other)
        await follower.unfollow(ACCOUNT)
        await publisher.publish(ACCOUNT, [b"unwanted"])
        await publisher.publish(other, [b"wanted"])
        await inbox.until(lambda: bool(inbox.messages))
    assert inbox.payloads == [b"wanted"]


async def test_concurrent_publishes_share_a_pipeline_and_keep_their_order(settings: Settings) -> None:
    sent: list[int] = []

    class Counting(Publisher):
        async def _send_batch(self, batch) -> None:  # type: ignore[no-untyped-def]  # as in the base
            sent.append(len(batch.messages))
            await super()._send_batch(batch)

    publisher = Counting.open(settings.redis_url)
    async with subscriber(settings.redis_url) as (follower, inbox):
        await follower.follow(ACCOUNT)
        await asyncio.gather(*(publisher.publish(ACCOUNT, [b"%d" % n]) for n in range(100)))
        await inbox.until(lambda: len(inbox.messages) == 100)
    await publisher.close()
    assert sent == [100]
    assert inbox.payloads == [b"%d" % n for n in range(100)]


async def test_a_dead_redis_costs_the_publisher_nothing(
    make_servers: Callable[..., EmbeddedServers], monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = make_servers(stores=("valkey",))
    servers.start()
    publisher = Publisher.open(servers.environment()["REDIS_URL"])
    await publisher.publish(ACCOUNT, [b"alive"])
    servers.stop()
    await publisher.publish(ACCOUNT, [b"lost"])
    attempt = AsyncMock()
    monkeypatch.setattr(publisher, "_send_batch", attempt)
    await asyncio.gather(*(publisher.publish(ACCOUNT, [b"lost"]) for _ in range(1000)))
    attempt.assert_not_called()
    await publisher.close()


async def test_the_publisher_resumes_after_an_outage(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.events.publisher.OUTAGE_PAUSE_S", 0.05)
    publisher = Publisher.open(settings.redis_url)
    async with subscriber(settings.redis_url) as (follower, inbox), asyncio.timeout(90):
        await follower.follow(ACCOUNT)
        await _kill_connections(settings.redis_url, "normal")
        while b"again" not in inbox.payloads:
            await publisher.publish(ACCOUNT, [b"again"])
            await asyncio.sleep(0.02)
    await publisher.close()


async def test_the_subscriber_comes_back_with_all_its_accounts(
    settings: Settings, publisher: Publisher
) -> None:
    accounts = [new_id() for _ in range(20)]
    async with subscriber(settings.redis_url) as (follower, inbox):
        for account in accounts:
            assert await follower.follow(account)
        await _kill_connections(settings.redis_url, "pubsub")
        await inbox.until(lambda: inbox.gaps == 2)
        for account in accounts:
            await publisher.publish(account, [b"x"])
        await inbox.until(lambda: len(inbox.messages) == 20)
    assert [account for account, _ in inbox.messages] == accounts


async def test_the_subscriber_survives_a_restart_of_redis(
    make_servers: Callable[..., EmbeddedServers],
) -> None:
    servers = make_servers(stores=("valkey",))
    servers.start()
    url = servers.environment()["REDIS_URL"]
    publisher = Publisher.open(url)
    async with subscriber(url) as (follower, inbox):
        await follower.follow(ACCOUNT)
        servers.stop()
        late = new_id()
        assert not await follower.follow(late)
        servers.start()
        await inbox.until(lambda: inbox.gaps == 2)
        await publisher.publish(late, [b"late"])
        await inbox.until(lambda: bool(inbox.messages))
    await publisher.close()
    assert inbox.messages == [(late, b"late")]


async def test_the_throttle_sends_the_first_and_the_latest() -> None:
    inbox = Inbox()

    async def send(account_id: UUID, frames: Sequence[bytes]) -> None:
        for frame in frames:
            inbox.message(account_id, frame)

    throttle = ProgressThrottle(send, interval_s=0.05)
    for n in range(10):
        throttle.offer(ACCOUNT, GENERATION, b"%d" % n)
    await inbox.until(lambda: len(inbox.messages) == 2)
    assert inbox.payloads == [b"0", b"9"]
    await throttle.close()


async def test_the_throttle_flushes_the_last_value_and_forgets_the_ended() -> None:
    sent: list[bytes] = []

    async def send(account_id: UUID, frames: Sequence[bytes]) -> None:
        sent.extend(frames)

    throttle = ProgressThrottle(send, interval_s=60)
    throttle.offer(ACCOUNT, GENERATION, b"0.1")
    throttle.offer(ACCOUNT, GENERATION, b"1.0")
    await throttle.flush(GENERATION)
    assert sent == [b"0.1", b"1.0"]
    throttle.offer(ACCOUNT, GENERATION, b"a")
    throttle.offer(ACCOUNT, GENERATION, b"stale")
    throttle.forget(GENERATION)
    await throttle.close()
    assert sent == [b"0.1", b"1.0", b"a"]


def test_channels_are_named_for_the_account() -> None:
    assert channel(ACCOUNT) == f"penstock:events:{ACCOUNT}"


async def _kill_connections(redis_url: str, kind: str) -> None:
    client: Redis = Redis.from_url(redis_url)
    await client.client_kill_filter(_type=kind, skipme=True)
    await client.aclose()
