"""API keys that are for some kinds or one project only, and where a request comes from."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.addresses import client_address
from shared.settings import Settings
from tests.gateway.api import Api, image

KEYS, GENERATIONS = "/api/v1/keys", "/api/v1/generations"


async def _limited(api: Api, **limits: Any) -> Api:
    made = await api.post(KEYS, {"name": "limited", "scopes": ["write"]} | limits)
    assert made.status == 201, made.content
    return replace(api, key=made.json["key"])


async def test_a_key_for_some_kinds_is_refused_for_others(api: Api) -> None:
    speaker = await _limited(api, kinds=["audio", "music", "audio"])
    ended = (await api.submit())["id"]
    await api.post(f"{GENERATIONS}/{ended}/cancel")
    for path, body in (
        (GENERATIONS, image()),
        (f"{GENERATIONS}:estimate", image()),
        (f"{GENERATIONS}/{ended}/retry", None),
        (f"{GENERATIONS}/{ended}/rerun", {}),
    ):
        answer = await speaker.post(path, body)
        assert answer.problem == (403, "FORBIDDEN", "kind"), path
        assert answer.json["details"] == {"allowed": ["audio", "music"]}
    assert "audio, music only" in answer.json["message"]
    batch = (await speaker.post(f"{GENERATIONS}:batch", {"items": [image()]})).json
    assert [item["error"]["error"] for item in batch["data"]] == ["FORBIDDEN"]
    assert (await speaker.get(GENERATIONS)).status == 200
    assert await api.gateway.worker.fetchval(
        "SELECT count(*) FROM generations WHERE account_id = $1", api.account_id
    ) == 1  # fmt: skip
    painter = await _limited(api, kinds=["image"])
    assert (await painter.submit())["kind"] == "image"


async def test_what_a_projects_key_makes_belongs_to_the_project(api: Api) -> None:
    mine, other = [(await api.post("/api/v1/projects", {"name": name})).json["id"] for name in "ab"]
    key = await _limited(api, project_id=mine)
    made = await key.submit()
    project = "SELECT project_id::text FROM generations WHERE id = $1"
    assert await api.gateway.worker.fetchval(project, made["id"]) == mine
    assert (await key.post(GENERATIONS, image(project_id=mine))).status == 202
    elsewhere = await key.post(GENERATIONS, image(project_id=other))
    assert elsewhere.problem == (403, "FORBIDDEN", "project_id")
    theirs = (await api.submit(project_id=other))["id"]
    await api.post(f"{GENERATIONS}/{theirs}/cancel")
    assert (await key.post(f"{GENERATIONS}/{theirs}/retry")).problem == (403, "FORBIDDEN", "project_id")


async def test_limits_are_shown_and_outlive_a_rotation(api: Api) -> None:
    project = str(uuid4())
    limits = {"kinds": ["image"], "project_id": project, "budget_nanos": 5_000_000_000}
    made = (await api.post(KEYS, {"name": "limited", "scopes": ["write"]} | limits)).json
    assert {name: made[name] for name in limits} == limits
    rotated = (await api.post(f"{KEYS}/{made['id']}/rotate", {"overlap_s": 60})).json
    assert {name: rotated[name] for name in limits} == limits
    refused = await replace(api, key=rotated["key"]).post(GENERATIONS, {"kind": "text", "input": {}})
    assert refused.problem[:2] == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kinds": ["smell"]}, "kinds.0"),
        ({"kinds": ["image"] * 10}, "kinds"),
        ({"project_id": "p"}, "project_id"),
        ({"budget_nanos": -1}, "budget_nanos"),
        ({"budget_nanos": 2**63}, "budget_nanos"),
        ({"budget_nanos": 1, "budget_period": "year"}, "budget_period"),
        ({"kinds": ["image"], "scopes": ["admin"]}, "scopes"),
        ({"budget_nanos": 1, "scopes": ["read", "admin"]}, "scopes"),
    ],
)
async def test_limits_that_are_none_are_refused(api: Api, body: dict[str, Any], field: str) -> None:
    answer = await api.post(KEYS, {"name": "limited", "scopes": ["write"]} | body)
    assert answer.problem == (422, "INVALID_INPUT", field)


# Where a request comes from.


def _request(peer: str, *forwarded: str) -> web.Request:
    headers = [("X-Forwarded-For", line) for line in forwarded]
    request = make_mocked_request("GET", "/", headers=dict(headers))
    return request.clone(remote=peer)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.2", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.2", "1.1.1.1, 198.51.100.1, 10.0.0.3", "198.51.100.1"),
        ("10.0.0.2", "10.0.0.3", "10.0.0.3"),
        ("10.0.0.2", "", "unknown"),
        ("10.0.0.2", "198.51.100.1, nonsense", "nonsense"),
    ],
)
def test_forwarded_addresses_are_believed_of_trusted_proxies_only(
    peer: str, forwarded: str, found: str
) -> None:
    proxies = Settings(_env_file=None, trusted_proxies=["10.0.0.0/8"]).trusted_proxies
    assert client_address(_request(peer, forwarded), proxies) == found
    assert client_address(_request(peer, forwarded), ()) == peer
