"""Operators steer queues; viewers look; users do neither."""

import pytest

from tests.gateway.api import Api
from tests.gateway.people import Person

QUEUES = "/api/v1/ops/queues"
READS = ("queues", "queues/image", "throughput", "jobs", "dead", "workers", "providers", "audit", "system")


@pytest.fixture(autouse=True)
async def running(api: Api) -> None:
    await api.gateway.worker.execute("DELETE FROM queues")


@pytest.mark.parametrize("role", ["viewer", "user", "operator"])
async def test_who_sees_what(api: Api, role: str) -> None:
    caller = (await (await Person.sign_up(api.gateway)).become(role)).api
    answers = {path: (await caller.get(f"/api/v1/ops/{path}")) for path in READS}
    wanted = 403 if role == "user" else 200
    assert {path: answer.status for path, answer in answers.items()} == dict.fromkeys(READS, wanted)
    paused = await caller.post(f"{QUEUES}/video/pause", {})
    assert paused.status == (200 if role == "operator" else 403)


async def test_a_key_of_a_user_that_only_reads_is_no_viewer(api: Api) -> None:
    ada = await (await Person.sign_up(api.gateway)).become("user")
    key = (await ada.api.post("/api/v1/keys", {"name": "reads", "scopes": ["read"]})).json["key"]
    assert (await Api(api.gateway, ada.account_id, key).get(QUEUES)).status == 403


async def test_a_pause_is_kept_with_who_and_why(api: Api) -> None:
    answer = await api.post(f"{QUEUES}/image/pause", {"until": "2100-01-01T00:00:00Z", "reason": "a test"})
    assert answer.json["state"] == "paused"
    pause = (await api.get(f"{QUEUES}/image")).json["pause"]
    assert (pause["mode"], pause["reason"], pause["by"]) == ("pause", "a test", "test")
    assert pause["until"] == "2100-01-01T00:00:00Z"
    assert (await api.post(f"{QUEUES}/image/drain", {})).json["state"] == "drained", "nothing is under way"
    assert (await api.post(f"{QUEUES}/image/resume")).json["pause"] is None
    entries = (await api.get("/api/v1/ops/audit?target=queue:image&limit=3")).json["data"]
    assert [entry["action"] for entry in entries] == ["queue.resume", "queue.drain", "queue.pause"]
    assert entries[2]["details"] == {"until": "2100-01-01T00:00:00+00:00", "reason": "a test"}
    assert entries[2]["actor"]["address"] == "127.0.0.1"
