"""Answers that wait."""

import asyncio

import pytest
from multidict import CIMultiDict

from gateway.waiting import preferred_wait_s
from shared.settings import Settings
from tests.gateway.api import Api, open_gateway


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        (["wait=10"], 10),
        (["respond-async, wait=5"], 5),
        (["respond-async", "Wait=7"], 7),
        (['wait="3"'], 3),
        (["wait=5; foo"], 5),
        (["wait=9999"], 60),
        (["wait"], None),
        (["wait=-1"], None),
        (["await=3"], None),
        (["wait=1e9"], None),
    ],
)
def test_prefer_is_read_as_rfc_7240_says(headers: list[str], seconds: int | None) -> None:
    assert preferred_wait_s(CIMultiDict([("Prefer", value) for value in headers]), 60) == seconds


async def test_waits_end_when_the_gateway_closes(api: Api, settings: Settings) -> None:
    generation_id = (await api.submit())["id"]
    async with open_gateway(settings) as closing:
        path = f"{closing.url}/api/v1/generations/{generation_id}?wait=60"
        poll = asyncio.create_task(api.get(path))
        async with asyncio.timeout(90):
            while not closing.deps.hub._channels:
                await asyncio.sleep(0.01)
        await closing.deps.hub.close()
        answer = await asyncio.wait_for(poll, 5)
    assert (answer.status, answer.json["status"]) == (200, "queued")


async def test_a_wait_goes_on_without_redis(api: Api, settings: Settings) -> None:
    generation_id = (await api.submit())["id"]
    dead = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    async with open_gateway(dead) as gateway:
        path = f"{gateway.url}/api/v1/generations/{generation_id}"
        poll = asyncio.create_task(api.get(f"{path}?wait=20"))
        canceled = await api.post(f"{path}/cancel")
        assert canceled.status == 200
        answer = await asyncio.wait_for(poll, 15)
        admitted = await api.post(
            f"{gateway.url}/api/v1/generations", {"kind": "image", "input": {"prompt": "x"}}
        )
    assert (answer.status, answer.json["status"]) == (200, "canceled")
    assert admitted.status == 202
