"""API keys and tickets over HTTP."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.auth import CACHE_S
from shared.domains.accounts import Scope
from tests.gateway.api import Api

KEYS = "/api/v1/keys"


def _forget(api: Api) -> None:
    """As if more than the cache's five seconds had passed."""
    api.gateway.deps.authenticator.forget(lambda _: True)


async def test_a_new_key_works_and_is_shown_once(api: Api) -> None:
    made = await api.post(KEYS, {"name": "laptop", "scopes": ["read"]})
    assert made.status == 201
    assert made.headers["Cache-Control"] == "no-store"
    key = made.json["key"]
    assert (await replace(api, key=key).get("/api/v1/generations")).status == 200
    listed = (await api.get(KEYS)).json["data"]
    assert [(one["name"], one["scopes"]) for one in listed] == [("laptop", ["read"]), ("test", ["admin"])]
    assert key not in str(listed)
    assert (
        await api.gateway.worker.fetchval("SELECT secret_hmac FROM api_keys WHERE name = 'laptop'")
    ) not in (
        None,
        key[16:48].encode(),
    )


async def test_a_repeated_request_makes_no_second_key_and_keeps_no_secret(api: Api) -> None:
    sent = {"headers": {"Idempotency-Key": "k"}}
    first, again = await api.post(KEYS, {"name": "a"}, **sent), await api.post(KEYS, {"name": "a"}, **sent)
    assert (again.status, again.json["id"], again.json["key"]) == (201, first.json["id"], None)
    assert len((await api.get(KEYS)).json["data"]) == 2
    kept = await api.gateway.worker.fetchval(
        "SELECT body FROM idempotency_keys WHERE account_id = $1", api.account_id
    )
    assert first.json["key"].encode() not in kept


async def test_a_revoked_key_works_no_longer(api: Api) -> None:
    made = (await api.post(KEYS, {"name": "lost", "scopes": ["write"]})).json
    lost = replace(api, key=made["key"])
    assert (await lost.get("/api/v1/models")).status == 200
    assert (await api.delete(f"{KEYS}/{made['id']}")).status == 204
    _forget(api)
    assert (await lost.get("/api/v1/models")).problem[:2] == (401, "UNAUTHENTICATED")
    assert (await api.delete(f"{KEYS}/{made['id']}")).problem[:2] == (404, "NOT_FOUND")
    assert CACHE_S <= 5


async def test_a_rotated_key_overlaps_with_its_successor(api: Api) -> None:
    old = (await api.post(KEYS, {"name": "app", "scopes": ["read"]})).json
    new = (await api.post(f"{KEYS}/{old['id']}/rotate", {"overlap_s": 600})).json
    assert (new["name"], new["scopes"]) == ("app", ["read"])
    for key in (old["key"], new["key"]):
        assert (await replace(api, key=key).get("/api/v1/models")).status == 200
    last = (await api.post(f"{KEYS}/{new['id']}/rotate", {"overlap_s": 0})).json
    _forget(api)
    assert (await replace(api, key=new["key"]).get("/api/v1/models")).status == 401
    assert (await replace(api, key=last["key"]).get("/api/v1/models")).status == 200


async def test_a_key_cannot_revoke_itself(api: Api) -> None:
    mine = (await api.get(KEYS)).json["data"][0]["id"]
    assert (await api.delete(f"{KEYS}/{mine}")).problem[:2] == (409, "CONFLICT")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "scopes": ["root"]}, "scopes.0"),
        ({"name": "a", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "a", "expires_at": "tomorrow"}, "expires_at"),
        ({"name": "a", "expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"name": "a", "account_id": "me"}, "account_id"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, body: dict[str, Any], field: str) -> None:
    assert (await api.post(KEYS, body)).problem == (422, "INVALID_INPUT", field)


async def test_another_accounts_key_is_not_there(api: Api, other: Api) -> None:
    theirs = (await other.get(KEYS)).json["data"][0]["id"]
    assert (await api.delete(f"{KEYS}/{theirs}")).problem[:2] == (404, "NOT_FOUND")
    assert (await api.post(f"{KEYS}/{theirs}/rotate")).problem[:2] == (404, "NOT_FOUND")


async def test_a_ticket_opens_one_stream(api: Api, nobody: Api) -> None:
    generation_id = (await api.submit())["id"]
    await api.post(f"/api/v1/generations/{generation_id}/cancel")
    reader = await api.with_key(Scope.READ)
    drawn = await reader.post("/api/v1/tickets")
    assert drawn.status == 201
    path = f"/api/v1/generations/{generation_id}/events?ticket={drawn.json['ticket']}"
    first = await nobody.get(path)
    assert (first.status, first.headers["Content-Type"]) == (200, "text/event-stream")
    assert (await nobody.get(path)).problem[:2] == (401, "UNAUTHENTICATED")
    fresh = (await reader.post("/api/v1/tickets")).json["ticket"]
    assert (await nobody.get(f"/api/v1/generations/{generation_id}?ticket={fresh}")).status == 401
    assert (await nobody.get(f"{path[:-4]}AAAA")).problem[:2] == (401, "UNAUTHENTICATED")
