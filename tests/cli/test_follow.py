import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from cli.client import Client
from cli.errors import Refused, Unreachable
from cli.follow import LOST, Follower
from cli.target import Target
from tests.cli.fake_gateway import KEY, FakeGateway


@pytest.fixture
async def client(gateway: FakeGateway) -> AsyncIterator[Client]:
    async with Client.open(Target(gateway.url, KEY)) as opened:
        yield opened


async def types(follower: Follower) -> list[str]:
    return [frame.type async for frame in follower.frames()]


async def test_frames_come_in_order_until_the_end(gateway: FakeGateway, client: Client) -> None:
    id_ = gateway.make()
    following = asyncio.create_task(types(Follower(client, id_, 1)))
    await gateway.until(gateway.followers)
    gateway.run(id_)
    gateway.progress(id_, 0.5)
    gateway.complete(id_)
    assert await following == ["generation.waiting", "generation.progress", "generation.completed"]


async def test_what_ended_while_the_gateway_was_away_is_seen(gateway: FakeGateway, client: Client) -> None:
    id_ = gateway.make()
    following = asyncio.create_task(types(Follower(client, id_, 1)))
    await gateway.until(gateway.followers)
    await gateway.stop()
    gateway.complete(id_)
    await gateway.start()
    seen = await following
    assert (set(seen), seen[-1]) == ({LOST, "snapshot"}, "snapshot")


async def test_patience_ends(gateway: FakeGateway, client: Client) -> None:
    id_ = gateway.make()
    await gateway.stop()
    with pytest.raises(Unreachable):
        await types(Follower(client, id_, 1, patience_s=0.3))


async def test_an_error_that_repeating_cannot_cure_is_raised(gateway: FakeGateway, client: Client) -> None:
    id_ = gateway.make()
    gateway.refuse(f"GET /generations/{id_}/events", 403, "FORBIDDEN", "The key may not read.")
    with pytest.raises(Refused, match="may not read"):
        await types(Follower(client, id_, 1))


async def test_streams_that_give_nothing_are_replaced_by_polls(gateway: FakeGateway, client: Client) -> None:
    id_ = gateway.make()
    empty = {"Content-Type": "text/event-stream"}
    gateway.refusals[f"GET /generations/{id_}/events"] = lambda: web.Response(headers=empty)
    follower = Follower(client, id_, 1)
    following = asyncio.create_task(types(follower))
    await gateway.until(lambda: gateway.followers() == 2)
    gateway.complete(id_)
    assert (await following)[-1] == "snapshot"
    assert not follower.streams
