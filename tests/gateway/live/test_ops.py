"""The topic `ops`: who may follow it, and what it tells."""

import asyncio
from typing import Any

from shared.domains.accounts import Scope
from shared.domains.ops import queues
from shared.domains.ops.audit import Actor
from shared.domains.ops.queues import Rest
from tests.gateway.live.scene import Client, Gateway, Studio


async def operator(gateway: Gateway) -> tuple[Actor, dict[str, str]]:
    desk, key = await gateway.account(Scope.ADMIN)
    return Actor(desk.account_id, "key:test", None), {"Authorization": f"Bearer {key}"}


async def told(client: Client, part: str) -> dict[str, Any]:
    return await client.until(lambda f: f["type"] == "ops.changed" and part in f["data"]["parts"])


async def test_operators_are_told_what_has_changed(gateway: Gateway, studio: Studio) -> None:
    actor, headers = await operator(gateway)
    async with gateway.connect(**headers) as client, gateway.connect(**headers) as second:
        await client.subscribe("ops")
        await second.subscribe("ops")
        await studio.whole()
        for one in (client, second):
            assert "audit" not in (await told(one, "jobs"))["data"]["parts"]
        await queues.rest(gateway.db, actor, "video", Rest.PAUSE)
        assert "queues" in (await told(client, "audit"))["data"]["parts"]
    async with gateway.connect(**headers) as client:
        await client.subscribe("ops")
        await gateway.worker.execute("DELETE FROM queues")
        await told(client, "queues")


async def test_nothing_is_said_while_nothing_changes(gateway: Gateway) -> None:
    _, headers = await operator(gateway)
    async with gateway.connect(**headers) as client:
        await client.subscribe("ops")
        looks = gateway.hub.ops.looks
        while gateway.hub.ops.looks < looks + 2:
            await asyncio.sleep(0.05)
        await client.say(op="ping")
        while (await client.next())["type"] != "pong":
            pass
    parts = {part for f in client.frames if f["type"] == "ops.changed" for part in f["data"]["parts"]}
    assert not parts & {"jobs", "workers", "audit"}  # rates and totals follow the clock for a while


async def test_it_watches_only_while_somebody_follows(gateway: Gateway) -> None:
    _, headers = await operator(gateway)
    async with gateway.connect(**headers) as client:
        await client.subscribe("ops")
        assert gateway.hub.ops.watching
        await client.say(op="unsubscribe", topics=["ops"])
        async with asyncio.timeout(30):
            while gateway.hub.ops.watching:
                await asyncio.sleep(0.05)


async def test_others_are_refused_and_follow_the_rest(gateway: Gateway, studio: Studio) -> None:
    async with gateway.connect() as client:
        await client.subscribe("ops", "generations")
        refusal, subscribed = client.frames
        assert refusal["data"] | {"message": ""} == {
            "code": "FORBIDDEN", "message": "", "field": "topics", "topic": "ops",
        }  # fmt: skip
        assert subscribed["data"]["topics"] == ["generations"]
        await client.until_end(await studio.whole())


async def test_who_loses_the_role_hears_no_more(gateway: Gateway) -> None:
    _, headers = await operator(gateway)
    async with gateway.connect(**headers) as client:
        await client.subscribe("ops")
        await gateway.worker.execute("UPDATE api_keys SET scopes = '{read}'")
        await gateway.hub.sweep()
        refusal = await client.until(lambda f: f["type"] == "error")
        assert (refusal["data"]["code"], refusal["data"]["topic"]) == ("FORBIDDEN", "ops")
