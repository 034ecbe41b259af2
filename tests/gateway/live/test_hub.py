"""Complete and in order, whatever is lost on the way."""

import asyncio
import random
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock
from uuid import UUID

import pytest
from redis.asyncio import Redis

from cli.servers import EmbeddedServers
from shared.db import Database
from shared.events import Publisher
from shared.settings import Settings
from tests.gateway.live.scene import LIFE, Gateway, Studio, status_of


async def test_a_dropped_connection_resumes_by_position(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    async with gateway.connect() as first:
        await first.subscribe(f"generation:{id_}", since={str(id_): 0})
        await studio.advance(id_, "submitting")
        await first.until(lambda f: f.get("seq") == 2)
        cast(Any, first.socket)._response.connection.transport.abort()
    await studio.live(id_, LIFE[1:3])
    async with gateway.connect() as second:
        await second.subscribe(f"generation:{id_}", since={str(id_): 2})
        await studio.advance(id_, "completed")
        await second.until_end(id_)
    assert first.seqs(id_) + second.seqs(id_) == [1, 2, 3, 4, 5]


async def test_the_feed_resumes_by_positions_too(gateway: Gateway, studio: Studio) -> None:
    known, ended, fresh = await studio.start(), await studio.whole(), await studio.start()
    await studio.advance(known, "submitting")
    async with gateway.connect() as client:
        await client.subscribe("generations", since={str(known): 1, str(ended): 3})
    assert client.types(known) == ["submitting"]
    assert client.seqs(ended) == [4, 5]
    assert client.types(fresh) == ["snapshot"]


async def test_pruned_events_become_a_reset(gateway: Gateway, studio: Studio, worker: Database) -> None:
    id_ = await studio.start()
    await studio.live(id_, LIFE[:3])
    await worker.execute("DELETE FROM generation_events WHERE generation_id = $1 AND seq <= 3", id_)
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}", since={str(id_): 1})
        await studio.advance(id_, "completed")
        await client.until_end(id_)
    snapshot = client.frames[0]
    assert (snapshot["type"], snapshot["reset"], snapshot["seq"]) == ("snapshot", True, 4)
    assert client.seqs(id_) == [4, 5]


async def test_a_history_that_is_gone_becomes_a_reset(
    gateway: Gateway, studio: Studio, worker: Database
) -> None:
    id_ = await studio.whole()
    await worker.execute("DELETE FROM generation_events WHERE generation_id = $1", id_)
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}", since={str(id_): 2})
    assert [(f["type"], f.get("reset")) for f in client.frames[:-1]] == [("snapshot", True)]


async def test_a_position_ahead_of_the_record_becomes_a_reset(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}", since={str(id_): 40})
        await studio.advance(id_, "submitting")
        await client.until(lambda f: f["type"] == "generation.submitting")
    assert next((f["type"], f.get("reset")) for f in client.frames if f.get("id")) == ("snapshot", True)
    assert client.seqs(id_) == [1, 2]


@pytest.mark.parametrize("seed", range(4))
async def test_subscribing_while_events_fly_misses_none(gateway: Gateway, studio: Studio, seed: int) -> None:
    """Subscriptions at every moment of a generation's life, with and without a position."""
    dice = random.Random(seed)

    async def watch(id_: UUID, since: dict[str, int]) -> list[int]:
        await asyncio.sleep(dice.random() * 0.02)
        async with gateway.connect() as client:
            await client.say(op="subscribe", topics=[f"generation:{id_}"], since=since)
            await client.until_end(id_)
        return client.seqs(id_)

    for _ in range(10):
        id_ = await studio.start()
        whole, partly = watch(id_, {str(id_): 0}), watch(id_, {})
        _, all_of_it, rest = await asyncio.gather(studio.live(id_), whole, partly)
        assert all_of_it == [1, 2, 3, 4, 5]
        assert rest == [1, 2, 3, 4, 5][-len(rest) :]


async def test_without_the_position_check_a_lost_end_stays_lost(
    gateway: Gateway, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the next test."""
    monkeypatch.setattr(gateway.hub, "_check", AsyncMock())
    studio.lose = lambda seq: seq == 5
    async with gateway.connect() as client:
        await client.subscribe("generations")
        id_ = await studio.whole()
        with pytest.raises(TimeoutError):
            await client.until_end(id_)
    assert client.seqs(id_) == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(3))
async def test_lost_messages_are_repaired_even_the_last(gateway: Gateway, studio: Studio, seed: int) -> None:
    dice = random.Random(seed)
    studio.lose = lambda seq: seq == 5 or dice.random() < 0.4
    async with gateway.connect() as client:
        await client.subscribe("generations")
        ids = await asyncio.gather(*(studio.whole() for _ in range(10)))
        waiting = {str(id_) for id_ in ids}
        while waiting:
            frame = await client.next()
            if status_of(frame) == "completed":
                waiting.discard(frame["id"])
    assert [client.seqs(id_) for id_ in ids] == [[1, 2, 3, 4, 5]] * 10


async def test_a_lost_connection_to_redis_leaves_no_hole(
    gateway: Gateway, studio: Studio, settings: Settings
) -> None:
    redis: Redis = Redis.from_url(settings.redis_url)
    async with gateway.connect() as client:
        await client.subscribe("generations")
        for _ in range(3):
            id_ = await studio.start()
            await redis.client_kill_filter(_type="pubsub")
            await studio.live(id_)
            await client.until_end(id_)
            assert client.seqs(id_) == [1, 2, 3, 4, 5]
    await redis.aclose()


async def test_repeated_and_reordered_messages_are_dropped(gateway: Gateway, studio: Studio) -> None:
    said: list[bytes] = []
    publish = studio.publisher.publish

    async def shuffled(account_id: UUID, frames: Sequence[bytes]) -> None:
        said.extend(frames)
        await publish(account_id, random.Random(len(said)).sample(said, k=len(said)))

    studio.publisher = cast(Publisher, SimpleNamespace(publish=shuffled))
    async with gateway.connect() as client:
        await client.subscribe("generations")
        id_ = await studio.whole()
        await client.until_end(id_)
    assert client.seqs(id_) == [1, 2, 3, 4, 5]


async def test_without_redis_events_still_arrive(
    settings: Settings,
    app_db: Database,
    worker: Database,
    make_servers: Callable[..., EmbeddedServers],
) -> None:
    servers = make_servers(stores=("valkey",))
    servers.start()
    lonely = settings.model_copy(update={"redis_url": servers.environment()["REDIS_URL"]})
    gateway = await Gateway(lonely, app_db, worker).start()
    async with gateway.connect() as client:
        known = await gateway.studio.start()
        await client.subscribe("generations")
        servers.stop()
        unknown = await gateway.studio.whole()
        await gateway.studio.live(known)
        ends = 0
        while ends < 2:
            ends += status_of(await client.next()) == "completed"
        assert client.seqs(known) == client.seqs(unknown) == [1, 2, 3, 4, 5]
        servers.start()
        await client.until_end(await gateway.studio.whole())
    await gateway.stop()


async def test_a_long_poll_wakes_on_a_change(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    waiting = asyncio.create_task(gateway.hub.changed(studio.account_id, id_, 1, 30))
    await studio.advance(id_, "submitting")
    assert await waiting is True


async def test_a_long_poll_sees_what_has_already_changed(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.whole()
    assert await gateway.hub.changed(studio.account_id, id_, 3, 30) is True


async def test_a_long_poll_wakes_though_the_message_is_lost(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    studio.lose = lambda seq: True
    waiting = asyncio.create_task(gateway.hub.changed(studio.account_id, id_, 1, 30))
    await asyncio.sleep(0.1)
    await studio.advance(id_, "submitting")
    assert await waiting is True


async def test_a_long_poll_gives_up_in_time(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    assert await gateway.hub.changed(studio.account_id, id_, 1, 0.1) is False
    assert gateway.hub._channels[studio.account_id].watches == {}


async def test_a_restart_lets_long_polls_go(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    waiting = asyncio.create_task(gateway.hub.changed(studio.account_id, id_, 1, 30))
    async with gateway.connect() as client:
        await client.subscribe("generations")
    await gateway.hub.close()
    assert await waiting is False
    assert await gateway.hub.changed(studio.account_id, id_, 1, 30) is False
