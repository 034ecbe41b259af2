"""What clients ask for, and how their mistakes are answered."""

import asyncio

import aiohttp
import pytest

from gateway.live.connections import RESTARTING, UNAUTHENTICATED
from shared.db import Database
from shared.ids import new_id
from shared.settings import Settings
from tests.gateway.live.scene import LIFE, Client, Gateway, Studio


async def test_a_new_generation_is_followed_from_its_first_event(gateway: Gateway, studio: Studio) -> None:
    async with gateway.connect() as client:
        await client.subscribe("generations")
        id_ = await studio.whole()
        await client.until_end(id_)
    assert client.types(id_) == ["queued", *LIFE]
    assert client.seqs(id_) == [1, 2, 3, 4, 5]


async def test_subscribing_to_one_begins_with_a_snapshot(gateway: Gateway, studio: Studio) -> None:
    id_ = await studio.start()
    await studio.advance(id_, "submitting")
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{id_}")
        await studio.live(id_, LIFE[1:])
        await client.until_end(id_)
    snapshot = client.frames[0]
    assert (snapshot["type"], snapshot["seq"], snapshot["data"]["status"]) == ("snapshot", 2, "running")
    assert "reset" not in snapshot
    assert client.seqs(id_) == [2, 3, 4, 5]


async def test_the_feed_begins_with_the_unfinished_and_the_changed(gateway: Gateway, studio: Studio) -> None:
    ended, running = await studio.whole(), await studio.start()
    async with gateway.connect() as client:
        await client.subscribe("generations")
    assert [f["id"] for f in client.frames if f["type"] == "snapshot"] == [str(running)]
    async with gateway.connect() as client:
        await client.subscribe("generations", changed_after="2026-01-01T00:00:00Z")
    assert [f["id"] for f in client.frames if f["type"] == "snapshot"] == [str(ended), str(running)]


async def test_a_long_feed_comes_whole(gateway: Gateway, studio: Studio) -> None:
    ids = [str(await studio.start()) for _ in range(120)]
    async with gateway.connect() as client:
        await client.subscribe("generations")
    assert [f["id"] for f in client.frames if f["type"] == "snapshot"] == ids


async def test_a_project_is_followed_alone(gateway: Gateway, studio: Studio) -> None:
    project = new_id()
    old = await studio.start(project)
    async with gateway.connect() as client:
        await client.subscribe(f"project:{project}")
        other = await studio.start()
        fresh = await studio.start(project)
        await studio.live(fresh)
        await client.until_end(fresh)
    assert client.types(old) == ["snapshot"]
    assert client.seqs(fresh) == [1, 2, 3, 4, 5]
    assert client.types(other) == []


async def test_a_pause_is_told_once_however_many_wait(gateway: Gateway, studio: Studio) -> None:
    async with gateway.connect() as client:
        await client.subscribe("generations")
        for _ in range(3):
            await studio.start()
        await client.until(lambda f: f["type"] == "generation.queued")
        await gateway.hub._check()
        for sql, type_ in (
            ("INSERT INTO queues (kind, paused) VALUES ('image', true)", "queue.paused"),
            ("DELETE FROM queues", "queue.resumed"),
        ):
            await gateway.worker.execute(sql)
            assert (await client.until(lambda f: f["type"].startswith("queue.")))["type"] == type_
    told = [f["data"] for f in client.frames if f["type"].startswith("queue.")]
    assert told == [{"kind": "image", "until": None}, {"kind": "image"}]


async def test_unsubscribing_ends_it(gateway: Gateway, studio: Studio) -> None:
    id_, kept = await studio.start(), await studio.start()
    async with gateway.connect() as client:
        await client.subscribe("generations", f"generation:{kept}")
        await client.say(op="unsubscribe", topics=["generations"])
        await client.until(lambda f: f["type"] == "unsubscribed")
        await studio.live(id_)
        await studio.live(kept)
        await client.until_end(kept)
    assert client.types(id_) == ["snapshot"]


async def test_several_gateways_and_clients_see_the_same(
    gateway: Gateway, settings: Settings, studio: Studio
) -> None:
    async with gateway.connect() as one, gateway.connect() as two:
        await one.subscribe("generations")
        await two.subscribe("generations")
        id_ = await studio.whole()
        await one.until_end(id_)
        await two.until_end(id_)
    assert one.seqs(id_) == two.seqs(id_) == [1, 2, 3, 4, 5]


async def test_mistakes_are_answered_and_not_punished(gateway: Gateway) -> None:
    mistakes = [
        "{", "[]", "7", '{"op":"dance"}', '{"op":"subscribe"}', '{"op":"subscribe","topics":["nonsense"]}',
        '{"op":"subscribe","topics":["generations"],"more":1}', '{"op":"subscribe","topics":[1]}',
        '{"op":"subscribe","topics":["generations"],"since":{"x":-1}}',
    ]  # fmt: skip
    async with gateway.connect() as client:
        for mistake in mistakes:
            await client.socket.send_str(mistake)
            frame = await client.until(lambda f: f["type"] != "subscribed")
            assert (frame["type"], frame["data"]["code"]) == ("error", "INVALID_INPUT"), mistake
        await client.socket.send_bytes(b"binary")
        await client.until(lambda f: f["type"] == "error")
        await client.say(op="ping")
        await client.until(lambda f: f["type"] == "pong")


async def test_only_what_is_followed_is_confirmed(gateway: Gateway) -> None:
    async with gateway.connect() as client:
        await client.subscribe("everything", "generations")
    assert [f["type"] for f in client.frames] == ["error", "subscribed"]
    assert client.frames[-1]["data"]["topics"] == ["generations"]


async def test_a_time_outside_of_the_calendar_is_a_mistake(gateway: Gateway) -> None:
    async with gateway.connect() as client:
        await client.say(op="subscribe", topics=["generations"], changed_after="0001-01-01T00:00:00+14:00")
        assert (await client.next())["data"]["message"] == "changed_after: This time is out of range"


async def test_topics_in_the_query_are_subscribed_at_once(gateway: Gateway, studio: Studio) -> None:
    one, path = await studio.start(), "/api/v1/ws?topics=generations"
    async with gateway.client.ws_connect(path, headers=gateway.headers()) as socket:
        client = Client(socket)
        await client.until(lambda f: f["type"] == "subscribed")
        await studio.live(one)
        await client.until_end(one)
    assert client.seqs(one) == [1, 2, 3, 4, 5]


async def test_what_belongs_to_others_is_not_found(gateway: Gateway) -> None:
    other, _ = await gateway.account()
    theirs, nobodys = await other.start(), new_id()
    async with gateway.connect() as client:
        await client.subscribe(f"generation:{theirs}", f"generation:{nobodys}", since={str(theirs): 0})
        await other.live(theirs)
        await client.say(op="ping")
        await client.until(lambda f: f["type"] == "pong")
    refused = [f["data"] for f in client.frames if f["type"] == "error"]
    assert [(e["code"], e["topic"]) for e in refused] == [
        ("NOT_FOUND", f"generation:{theirs}"),
        ("NOT_FOUND", f"generation:{nobodys}"),
    ]
    assert client.types(theirs) == []


@pytest.mark.parametrize(
    ("origin", "status"),
    [("https://evil.example", 403), ("null", 403), ("https://studio.example", 101), (None, 101)],
)
async def test_pages_of_other_sites_may_not_connect(
    settings: Settings, app_db: Database, worker: Database, origin: str | None, status: int
) -> None:
    allowing = settings.model_copy(update={"allowed_origins": ("https://studio.example",)})
    gateway = await Gateway(allowing, app_db, worker).start()
    handshake = gateway.headers(
        Upgrade="websocket",
        Connection="Upgrade",
        **{"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="},
        **({"Origin": origin} if origin else {}),
    )
    async with gateway.client.get("/api/v1/ws", headers=handshake) as answer:
        assert answer.status == status
    await gateway.stop()


async def test_credentials_come_by_header_by_protocol_or_by_ticket(gateway: Gateway) -> None:
    key = gateway.key
    async with gateway.client.ws_connect("/api/v1/ws", protocols=("bearer", key)) as socket:
        assert socket.protocol == "bearer"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await gateway.client.ws_connect("/api/v1/ws")
    assert refused.value.status == 401
    async with gateway.client.get("/api/v1/ws", headers=gateway.headers()) as plain:
        assert plain.status == 426


async def test_a_revoked_key_ends_its_connections(gateway: Gateway, worker: Database) -> None:
    async with gateway.connect() as client:
        await client.subscribe("generations")
        await gateway.hub.sweep()
        await client.say(op="ping")
        await client.until(lambda f: f["type"] == "pong")
        await worker.execute(
            "UPDATE api_keys SET revoked_at = now() WHERE account_id = $1", gateway.studio.account_id
        )
        await gateway.hub.sweep()
        assert await client.closed() == UNAUTHENTICATED


async def test_a_restart_says_so(gateway: Gateway) -> None:
    async with gateway.connect() as client:
        await client.subscribe("generations")
        closing = asyncio.create_task(gateway.hub.close())
        assert await client.closed() == RESTARTING
        await closing
