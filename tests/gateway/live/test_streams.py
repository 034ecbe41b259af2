"""Server-sent events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson

from tests.gateway.live.scene import Gateway, Studio, status_of


async def test_a_generations_stream_tells_all_and_ends(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    reading = asyncio.create_task(gateway.stream(f"/api/v1/generations/{id_}/events"))
    await studio.live(id_)
    status, frames, ids = await reading
    assert status == 200
    assert [f["seq"] for f in frames] == [1, 2, 3, 4, 5]
    assert ids == ["1", "2", "3", "4", "5"]


async def test_a_stream_resumes_after_the_last_event(gateway: Gateway, studio: Studio) -> None:
    path = f"/api/v1/generations/{await studio.whole()}/events"
    _, frames, _ = await gateway.stream(path, **{"Last-Event-ID": "3"})
    assert [f["seq"] for f in frames] == [4, 5]
    status, frames, _ = await gateway.stream(path, **{"Last-Event-ID": "5"})
    assert (status, frames) == (204, [])


async def test_a_stream_of_another_account_is_not_found(gateway: Gateway) -> None:
    other, _ = await gateway.account()
    status, _, _ = await gateway.stream(f"/api/v1/generations/{await other.start()}/events")
    assert status == 404


async def test_a_stream_says_how_to_treat_it(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.whole()
    path = f"/api/v1/generations/{id_}/events"
    async with gateway.client.get(path, headers=gateway.headers()) as response:
        text = await response.text()
    assert response.headers["Content-Type"] == "text/event-stream"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert text.startswith("retry: 3000\n\n")


async def test_the_accounts_stream_resumes_by_time(gateway: Gateway, studio: Studio) -> None:
    running = await studio.start()
    async with gateway.client.get("/api/v1/events", headers=gateway.headers()) as response:
        frames = _sse(response)
        first_id, first = await anext(frames)
        assert (first["type"], first["id"]) == ("snapshot", str(running))
        ended = await studio.whole()
        last_id, frame = await anext(frames)
        while not (frame.get("id") == str(ended) and status_of(frame) == "completed"):
            last_id, frame = await anext(frames)
    assert last_id > first_id
    late = await studio.whole()
    resume = gateway.headers(**{"Last-Event-ID": last_id})
    async with gateway.client.get("/api/v1/events", headers=resume) as response:
        shown = [f["id"] async for _, f in _until_subscribed(_sse(response))]
    assert str(running) in shown
    assert str(late) in shown


async def _sse(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    id_ = ""
    async for line in response.content:
        name, _, value = line.decode().rstrip("\n").partition(": ")
        if name == "id":
            id_ = value
        elif name == "data":
            yield id_, orjson.loads(value)


async def _until_subscribed(
    frames: AsyncIterator[tuple[str, dict[str, Any]]],
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async for id_, frame in frames:
        if frame["type"] == "subscribed":
            return
        yield id_, frame
