"""Alive, ready, and how it is doing."""

import pytest

from tests.gateway.api import Api


async def test_alive_asks_nobody(nobody: Api) -> None:
    assert (await nobody.get("/livez")).json == {"status": "ok"}


async def test_ready_when_everything_answers(nobody: Api) -> None:
    answer = await nobody.get("/readyz")
    assert answer.status == 200
    assert (answer.json["ready"], answer.json["degraded"]) == (True, False)
    assert {name: part["status"] for name, part in answer.json["checks"].items()} == {
        "postgres": "up",
        "migrations": "up",
        "redis": "up",
        "object_store": "up",
    }


@pytest.mark.parametrize("part", ["postgres", "migrations", "redis", "object_store"])
async def test_a_part_that_fails_is_named(nobody: Api, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionError("10.0.0.7 refused")

    deps = nobody.gateway.deps
    if part == "postgres":
        monkeypatch.setattr(deps.db, "fetchval", fail)
    elif part == "migrations":
        monkeypatch.setattr("gateway.routes.health.newest_revision", lambda: "9999")
    elif part == "redis":
        monkeypatch.setattr(deps.redis, "ping", fail)
    else:
        monkeypatch.setattr(deps.store, "ping", fail)
    ready, health = await nobody.get("/readyz"), await nobody.get("/healthz")
    assert ready.json["checks"][part]["status"] == "down"
    assert ready.json["degraded"] is True
    assert ready.status == (200 if part == "redis" else 503)
    assert health.status == 200
    assert b"10.0.0.7" not in ready.content


async def test_metrics_are_for_prometheus(nobody: Api) -> None:
    answer = await nobody.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"penstock_ws_connections" in answer.content
