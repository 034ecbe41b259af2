"""Webhook endpoints and their log over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.domains.accounts import Scope
from shared.domains.deliveries import ENDED, TYPES
from shared.ids import new_id
from shared.settings import Settings
from tests.gateway.api import Api, Gateway, image, open_gateway
from tests.receiver import Receiver, open_receiver
from workers.deliveries import Deliveries
from workers.metrics import WorkerMetrics

WEBHOOKS = "/api/v1/webhooks"
DELIVERIES = "/api/v1/deliveries"
GENERATIONS = "/api/v1/generations"
HOOK = {"url": "https://192.0.43.8/hook"}
"""A public address without a name, so that no name server is asked."""


async def made(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.post(WEBHOOKS, HOOK | body)
    assert answer.status == 201, answer.content
    resource: dict[str, Any] = answer.json
    return resource


async def send(gateway: Gateway) -> None:
    """What a maintenance worker does."""
    settings = gateway.deps.settings.model_copy(update={"allow_private_urls": True})
    await Deliveries(gateway.worker, settings, WorkerMetrics.open()).send_due()


@pytest.fixture(autouse=True)
async def _no_leftovers(served: Gateway) -> AsyncIterator[None]:
    yield
    await served.worker.execute("DELETE FROM webhook_deliveries")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
async def lenient(api: Api, settings: Settings) -> AsyncIterator[Api]:
    """The same account at a gateway that takes URLs on this machine."""
    async with open_gateway(settings.model_copy(update={"allow_private_urls": True})) as gateway:
        yield Api(gateway, api.account_id, api.key)


async def test_an_endpoint_from_its_making_to_its_end(api: Api) -> None:
    answer = await api.post(WEBHOOKS, HOOK | {"description": "orders"})
    assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
    endpoint = answer.json
    assert endpoint["secret"].startswith("whsec_")
    assert (endpoint["events"], endpoint["enabled"]) == (list(ENDED), True)
    path = f"{WEBHOOKS}/{endpoint['id']}"
    assert answer.headers["Location"] == path
    shown = {name: value for name, value in endpoint.items() if name != "secret"}
    assert (await api.get(path)).json == shown
    assert (await api.get(WEBHOOKS)).json["data"] == [shown]
    changed = await api.call("PATCH", path, {"events": ["generation.failed"], "enabled": False})
    assert changed.json == shown | {"events": ["generation.failed"], "enabled": False}
    assert (await api.delete(path)).status == 204
    assert (await api.get(path)).problem[:2] == (404, "NOT_FOUND")
    assert (await api.get(WEBHOOKS)).json["data"] == []


async def test_a_repeated_request_makes_no_second_endpoint_and_keeps_no_secret(api: Api) -> None:
    sent = {"headers": {"Idempotency-Key": "k"}}
    first, again = await api.post(WEBHOOKS, HOOK, **sent), await api.post(WEBHOOKS, HOOK, **sent)
    assert (again.status, again.json) == (201, first.json | {"secret": None})
    kept = await api.gateway.worker.fetch(
        "SELECT body FROM idempotency_keys WHERE account_id = $1", api.account_id
    )
    assert all(first.json["secret"].encode() not in row["body"] for row in kept)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://192.0.43.8/hook"}, "url"),
        ({"url": "https://user:word@192.0.43.8/hook"}, "url"),
        ({"url": "https://127.0.0.1/hook"}, "url"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "url"),
        ({"url": "https://localhost/hook"}, "url"),
        ({"url": "https://192.0.43.8/" + "x" * 2000}, "url"),
        (HOOK | {"events": []}, "events"),
        (HOOK | {"events": ["generation.imagined"]}, "events.0"),
        (HOOK | {"events": ["webhook.test"]}, "events.0"),
        (HOOK | {"description": "x" * 501}, "description"),
        (HOOK | {"secret": "whsec_mine"}, "secret"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post(WEBHOOKS, body)).problem == (422, "INVALID_INPUT", field)


async def test_a_change_is_checked_like_the_first_url(api: Api) -> None:
    path = f"{WEBHOOKS}/{(await made(api))['id']}"
    assert (await api.call("PATCH", path, {"url": "https://10.0.0.1/"})).problem == (
        422,
        "INVALID_INPUT",
        "url",
    )
    assert (await api.get(path)).json["url"] == HOOK["url"]


async def test_an_account_has_so_many_endpoints_at_most(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.domains.webhooks.MAX_ENDPOINTS", 2)
    for _ in range(2):
        await made(api)
    assert (await api.post(WEBHOOKS, HOOK)).problem[:2] == (409, "CONFLICT")


async def test_every_route_of_another_account_finds_nothing(api: Api, other: Api) -> None:
    endpoint = await made(other)
    delivery = (await other.post(f"{WEBHOOKS}/{endpoint['id']}/test")).json
    theirs = f"{WEBHOOKS}/{endpoint['id']}"
    for method, path, body in (
        ("GET", theirs, None),
        ("PATCH", theirs, {"enabled": False}),
        ("POST", f"{theirs}/rotate", {}),
        ("POST", f"{theirs}/test", None),
        ("GET", f"{theirs}/deliveries", None),
        ("POST", f"{DELIVERIES}/{delivery['id']}/redeliver", None),
        ("DELETE", theirs, None),
    ):
        assert (await api.call(method, path, body)).problem[:2] == (404, "NOT_FOUND"), path
    assert (await api.get(WEBHOOKS)).json["data"] == []
    assert (await api.get(DELIVERIES)).json["data"] == []
    assert (await other.get(theirs)).json["enabled"] is True
    assert (await other.get(DELIVERIES)).json["data"][0]["id"] == delivery["id"]


async def test_a_viewer_reads_and_writes_nothing_and_nobody_reads(api: Api, nobody: Api) -> None:
    viewer = await api.with_key(Scope.READ)
    endpoint = await made(api)
    path = f"{WEBHOOKS}/{endpoint['id']}"
    delivery = (await api.post(f"{path}/test")).json
    for read in (WEBHOOKS, path, f"{path}/deliveries", DELIVERIES):
        assert (await viewer.get(read)).status == 200
        assert (await nobody.get(read)).problem[:2] == (401, "UNAUTHENTICATED")
    for method, write, body in (
        ("POST", WEBHOOKS, HOOK),
        ("PATCH", path, {"enabled": False}),
        ("DELETE", path, None),
        ("POST", f"{path}/rotate", {}),
        ("POST", f"{path}/test", None),
        ("GET", f"{WEBHOOKS}/default/secret", None),
        ("POST", f"{WEBHOOKS}/default/rotate", {}),
        ("POST", f"{DELIVERIES}/{delivery['id']}/redeliver", None),
    ):
        assert (await viewer.call(method, write, body)).problem[:2] == (403, "FORBIDDEN"), write
        assert (await nobody.call(method, write, body)).problem[:2] == (401, "UNAUTHENTICATED"), write
    assert endpoint["secret"] not in (await viewer.get(path)).content.decode()


async def test_the_test_button_the_log_and_sending_it_again(lenient: Api, receiver: Receiver) -> None:
    endpoint = await made(lenient, url=receiver.url)
    path = f"{WEBHOOKS}/{endpoint['id']}"
    receiver.statuses, receiver.text = (500, 200), "out of\0 order"
    sent = await lenient.post(f"{path}/test")
    assert (sent.status, sent.json["state"], sent.json["type"]) == (202, "pending", "webhook.test")
    await send(lenient.gateway)
    [failed] = (await lenient.get(f"{path}/deliveries?state=pending")).json["data"]
    assert (failed["attempts"], failed["last_status"], failed["last_response"]) == (
        1,
        500,
        "out of\N{REPLACEMENT CHARACTER} order",
    )
    assert failed["next_attempt_at"] > failed["last_attempt_at"]
    again = await lenient.post(f"{DELIVERIES}/{failed['id']}/redeliver")
    assert (again.status, again.json["id"]) == (202, failed["id"])
    await send(lenient.gateway)
    [done] = (await lenient.get(f"{path}/deliveries")).json["data"]
    assert (done["state"], done["attempts"], done["next_attempt_at"]) == ("delivered", 2, None)
    assert {got.id for got in receiver.received} == {failed["id"]}
    assert all(got.signed_with(endpoint["secret"]) for got in receiver.received)
    assert (await lenient.post(f"{DELIVERIES}/{failed['id']}/redeliver")).json["state"] == "pending"


async def test_what_is_being_sent_or_has_nowhere_to_go_is_not_sent_again(api: Api) -> None:
    path = f"{WEBHOOKS}/{(await made(api))['id']}"
    delivery = (await api.post(f"{path}/test")).json
    again = f"{DELIVERIES}/{delivery['id']}/redeliver"
    await api.gateway.worker.execute(
        "UPDATE webhook_deliveries SET claimed_at = now(), next_at = now() + interval '1 minute'"
    )
    assert (await api.post(again)).problem[:2] == (409, "CONFLICT")
    await api.gateway.worker.execute("UPDATE webhook_deliveries SET claimed_at = NULL")
    await api.call("PATCH", path, {"enabled": False})
    [shown] = (await api.get(DELIVERIES)).json["data"]
    assert (shown["state"], shown["last_error"]) == ("abandoned", "The endpoint was disabled.")
    assert (await api.post(again)).problem[:2] == (409, "CONFLICT")
    assert (await api.post(f"{path}/test")).problem[:2] == (409, "CONFLICT")
    await api.call("PATCH", path, {"enabled": True})
    assert (await api.post(again)).status == 202
    await api.delete(path)
    assert [one["state"] for one in (await api.get(DELIVERIES)).json["data"]] == ["abandoned"]


async def test_the_log_comes_in_pages(api: Api) -> None:
    path = f"{WEBHOOKS}/{(await made(api))['id']}"
    sent = [(await api.post(f"{path}/test")).json["id"] for _ in range(5)]
    found: list[str] = []
    target = f"{path}/deliveries?limit=2"
    while True:
        page = (await api.get(target)).json
        found += [one["id"] for one in page["data"]]
        if page["next"] is None:
            break
        target = f"{path}/deliveries?limit=2&after={page['next']}"
    assert found == sent[::-1]
    assert (await api.get(f"{DELIVERIES}?after={page['next']}x")).problem[2] == "after"
    assert (await api.get(f"{DELIVERIES}?state=lost")).problem[2] == "state"


async def test_rotation_shows_the_new_secret_once(api: Api) -> None:
    endpoint = await made(api)
    sent = {"headers": {"Idempotency-Key": "k"}}
    path = f"{WEBHOOKS}/{endpoint['id']}/rotate"
    new, again = (
        await api.post(path, {"overlap_s": 60}, **sent),
        await api.post(path, {"overlap_s": 60}, **sent),
    )
    assert new.status == 201
    assert new.json["secret"].startswith("whsec_")
    assert new.json["secret"] != endpoint["secret"]
    assert new.json["previous_expires_at"] > new.json["created_at"]
    assert again.json == new.json | {"secret": None}
    last = (await api.post(path, {"overlap_s": 0})).json
    assert last["previous_expires_at"] is None
    assert (await api.post(path, {"overlap_s": -1})).problem[2] == "overlap_s"
    live = await api.gateway.worker.fetchval(
        "SELECT count(*) FROM webhook_secrets WHERE account_id = $1 AND (expires_at IS NULL OR expires_at > now())",
        api.account_id,
    )
    assert live == 1


async def test_the_accounts_own_secret_stays_until_it_is_rotated(api: Api, other: Api) -> None:
    path = f"{WEBHOOKS}/default"
    first, again = await api.get(f"{path}/secret"), await api.get(f"{path}/secret")
    assert first.headers["Cache-Control"] == "no-store"
    assert first.json == again.json
    assert (await other.get(f"{path}/secret")).json["secret"] != first.json["secret"]
    new = (await api.post(f"{path}/rotate", {})).json
    assert new["secret"] != first.json["secret"]
    assert (await api.get(f"{path}/secret")).json == new


async def test_a_request_names_who_is_told_of_it(lenient: Api, receiver: Receiver) -> None:
    target = {"url": receiver.url, "events": ["generation.canceled"]}
    generation = await lenient.submit(webhook=target)
    await lenient.post(f"{GENERATIONS}/{generation['id']}/cancel")
    await send(lenient.gateway)
    [got] = receiver.received
    assert got.signed_with((await lenient.get(f"{WEBHOOKS}/default/secret")).json["secret"])
    assert (got.json["type"], got.json["data"]["id"]) == ("generation.canceled", generation["id"])
    [shown] = (await lenient.get(f"{DELIVERIES}?generation={generation['id']}")).json["data"]
    assert (shown["url"], shown["webhook_id"], shown["state"]) == (receiver.url, None, "delivered")
    again = await lenient.post(f"{GENERATIONS}/{generation['id']}/retry")
    await lenient.post(f"{GENERATIONS}/{again.json['id']}/cancel")
    await send(lenient.gateway)
    assert len(receiver.received) == 2, "a retry tells the same receiver"


@pytest.mark.parametrize(
    ("webhook", "field"),
    [
        ({}, "webhook.url"),
        ({"url": "https://10.0.0.1/hook"}, "webhook.url"),
        ({"url": "http://192.0.43.8/hook"}, "webhook.url"),
        (HOOK | {"events": ["budget.alert"]}, "webhook.events.0"),
        (HOOK | {"events": []}, "webhook.events"),
        (HOOK | {"secret": "mine"}, "webhook.secret"),
    ],
)
async def test_a_receiver_that_cannot_be_is_refused_with_the_request(
    api: Api, webhook: dict[str, Any], field: str
) -> None:
    assert (await api.post(GENERATIONS, image(webhook=webhook))).problem == (422, "INVALID_INPUT", field)


async def test_the_schema_names_the_events(nobody: Api) -> None:
    schemas = (await nobody.get("/api/openapi.json")).json["components"]["schemas"]
    assert schemas["EndpointRequest"]["properties"]["events"]["items"]["enum"] == list(TYPES)


async def test_what_is_not_there_is_not_found(api: Api) -> None:
    for path in (f"{WEBHOOKS}/{new_id()}", f"{WEBHOOKS}/seven", f"{WEBHOOKS}/{new_id()}/deliveries"):
        assert (await api.get(path)).problem[:2] == (404, "NOT_FOUND")
    assert (await api.post(f"{DELIVERIES}/{new_id()}/redeliver")).problem[:2] == (404, "NOT_FOUND")
