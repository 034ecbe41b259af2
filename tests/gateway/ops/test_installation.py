"""Workers, providers, the audit log and what it all stands on, over HTTP."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.domains import fleet
from shared.domains.ops import audit, providers
from shared.ids import new_id
from tests.gateway.api import Api
from tests.gateway.people import Person

OPS = "/api/v1/ops"


@pytest.fixture
async def process_id(api: Api) -> AsyncIterator[UUID]:
    """A worker process that has just registered."""
    db, id_ = api.gateway.worker, new_id()
    await fleet.register(db, id_, kinds=["image", "video"], slots=4, host="h", pid=7, version="1")
    yield id_
    await fleet.leave(db, id_)


async def test_a_worker_is_shown_and_told_to_be_quiet(api: Api, process_id: UUID) -> None:
    path = f"{OPS}/workers"
    (found,) = [one for one in (await api.get(path)).json["data"] if one["id"] == str(process_id)]
    assert (found["state"], found["slots"], found["host"], found["pid"]) == (
        "up", {"total": 8, "used": 0, "free": 8, "quiet": 0}, "h", 7,
    )  # fmt: skip
    quiet = (await api.post(f"{path}/{process_id}/quiet")).json
    assert (quiet["state"], quiet["slots"]["free"], quiet["slots"]["quiet"]) == ("quiet", 0, 8)
    heard = await fleet.beat(api.gateway.worker, process_id, {}, [])
    assert heard is not None
    assert heard.quiet
    queues = {one["id"]: one for one in (await api.get(f"{OPS}/queues")).json["data"]}
    assert queues["video"]["slots"] == {"total": 0, "busy": 0, "quiet": 4}
    assert (await api.post(f"{path}/{process_id}/unquiet")).json["state"] == "up"
    for deed in ("quiet", "stop"):
        assert (await api.post(f"{path}/{new_id()}/{deed}")).status == 404
    assert not heard.draining
    assert (await api.post(f"{path}/{process_id}/stop")).json["state"] == "draining"
    heard = await fleet.beat(api.gateway.worker, process_id, {}, [])
    assert heard is not None
    assert heard.draining


async def test_a_provider_rests_is_tried_again_and_asked(api: Api) -> None:
    path, db = f"{OPS}/providers", api.gateway.worker
    until = (await api.post(f"{path}/scripted/cooldown", {"seconds": 600, "reason": "a storm"})).json
    (found,) = [one for one in (await api.get(path)).json["data"] if one["id"] == "scripted"]
    assert found["credentials"][0]["cooldown_until"] == until["cooldown_until"]
    assert found["credentials"][0]["reason"] == "a storm"
    assert (await api.post(f"{path}/scripted/reset")).json == {"id": "scripted", "reset": 1}
    for wrong in ({}, {"seconds": 1, "until": "2100-01-01T00:00:00Z"}, {"until": "2000-01-01T00:00:00Z"}):
        assert (await api.post(f"{path}/scripted/cooldown", wrong)).status == 422, wrong
    asked = await api.post(f"{path}/scripted/check?wait=0")
    assert (asked.status, asked.json["state"], asked.json["outcome"]) == (202, "pending", None)

    async def answers(provider: str) -> str:
        return "valid" if provider == "scripted" else "unset"

    assert await providers.answer_check(db, answers)
    assert not await providers.answer_check(db, answers), "each is asked once"
    (found,) = [one for one in (await api.get(path)).json["data"] if one["id"] == "scripted"]
    assert (found["check"]["state"], found["check"]["outcome"]) == ("done", "valid")
    assert (await api.post(f"{path}/nobody/check")).status == 404
    await db.execute("DELETE FROM provider_health")


async def test_what_has_not_changed_is_not_sent_again(api: Api) -> None:
    first = await api.get(f"{OPS}/dead")
    again = await api.get(f"{OPS}/dead", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.content) == (304, b"")


async def test_the_audit_log_only_grows_for_seven_years(api: Api) -> None:
    await api.post(f"{OPS}/queues/video/resume")
    db = api.gateway.worker
    for sql in ("UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await db.execute(sql)
    await db.execute(
        "INSERT INTO audit_log (id, at, actor_id, actor, role, credential, action, target)"
        " SELECT gen_random_uuid(), now() - interval '7 years 2 days', id, 'x', 'admin', 'c', 'old', 't'"
        " FROM accounts WHERE id = $1",
        api.account_id,
    )
    async with db.transaction() as tx:
        await providers.prune(tx)
        await audit.prune(tx)
    assert (await api.get(f"{OPS}/audit?action=old")).json["data"] == []
    assert (await api.get(f"{OPS}/audit?actor={api.account_id}")).json["data"] != []


async def test_what_is_changed_beside_these_pages_is_written_down_too(api: Api, ada: Person) -> None:
    user, plan = f"/api/v1/users/{ada.account_id}", f"/api/v1/accounts/{ada.account_id}/plan"
    card = (await api.get("/api/v1/models?kind=image")).json["data"][0]["id"]
    price = {"card": card, "effective_from": "2026-01-01", "source": "a page", "reset": True}
    assert (await api.call("PATCH", f"/api/v1/users/{new_id()}", {"role": "viewer"})).status == 404
    assert (await api.call("PATCH", user, {"role": "viewer"})).status == 200
    assert (await api.call("PUT", plan, {"plan": "free"})).status == 200
    assert (await api.post("/api/v1/providers/scripted/reset")).status == 200
    assert (await api.post("/api/v1/prices", {"prices": [price]})).status == 200
    told = (await api.get(f"{OPS}/audit?actor={api.account_id}")).json["data"]
    assert [(one["action"], one["target"], one["details"]) for one in told[:4]] == [
        ("price.import", "prices", {"cards": [card]}),
        ("provider.reset", "provider:scripted", {}),
        ("plan.assign", f"account:{ada.account_id}", {"plan": "free"}),
        ("user.change", f"user:{ada.account_id}", {"role": "viewer"}),
    ]


async def test_the_system_says_what_is_wrong(api: Api) -> None:
    found = (await api.get(f"{OPS}/system")).json
    assert found["postgres"]["migration"] == found["postgres"]["wanted_migration"]
    assert abs(found["postgres"]["clock_skew_s"]) < 60
    assert _warnings(found) == []
    redis = api.gateway.deps.redis
    await redis.config_set("maxmemory", "1gb")
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        warned = _warnings((await api.get(f"{OPS}/system")).json)
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")
        await redis.config_set("maxmemory", "0")
    assert warned == ["redis_may_evict"]


def _warnings(system: dict[str, Any]) -> list[str]:
    """Without what other tests left in queues that nobody works for here."""
    return [one["code"] for one in system["warnings"] if one["code"] != "no_worker"]


async def test_a_kind_that_queues_without_a_worker_is_told(api: Api) -> None:
    left = {"code": "no_worker", "message": "What queues for video waits: no worker takes it."}
    submitted = await api.post("/api/v1/generations", {"kind": "video", "input": {"prompt": "a kite"}})
    assert left not in (await api.get(f"{OPS}/system")).json["warnings"], "one may just be starting"
    await api.gateway.worker.execute(
        "UPDATE generations SET updated_at = now() - interval '1 minute' WHERE id = $1",
        UUID(submitted.json["id"]),
    )
    api.gateway.deps.board.forget()
    assert left in (await api.get(f"{OPS}/system")).json["warnings"]
    assert (await api.post(f"{OPS}/queues/video/pause", {})).status == 200
    assert left not in (await api.get(f"{OPS}/system")).json["warnings"], "it is meant to wait"
    assert (await api.post(f"{OPS}/queues/video/resume")).status == 200
