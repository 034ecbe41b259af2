"""Providers over HTTP: how they do, trying one again, and an account's own order."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from shared.catalog import publish
from shared.domains.accounts import Scope
from tests.gateway.api import Api, image
from tests.pipeline import Pipeline, ScriptedProvider, card

PROVIDERS = "/api/v1/providers"
ORDER = f"{PROVIDERS}/order"
NAMES = ("first", "second")


@pytest.fixture(autouse=True)
async def cards(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Two providers that serve one model."""
    worker = api.gateway.worker
    await publish(worker, [card(name, aliases=("m",), rank=rank) for rank, name in enumerate(NAMES)])
    monkeypatch.setattr(api.gateway.deps.catalog, "_read_at", float("-inf"))
    yield
    for table in ("model_cards", "provider_health", "provider_limits", "account_providers"):
        await worker.execute(f"DELETE FROM {table}")


async def _provider(api: Api, name: str) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {one["id"]: one for one in (await api.get(PROVIDERS)).json["data"]}
    return found[name]


async def _candidates(api: Api, **request: Any) -> list[str]:
    answer = await api.post("/api/v1/generations:estimate", image(**{"model": "m", **request}))
    assert answer.status == 200, answer.content
    return [one["provider"] for one in answer.json["candidates"]]


async def test_a_provider_says_how_it_does_and_what_it_may_do(api: Api) -> None:
    worker = api.gateway.worker
    await worker.execute(
        "INSERT INTO provider_health (provider, status, error_rates, avg_response_time_ms, cooldown_until,"
        " error_message, last_failure_at) VALUES ('first', 'down', '{\"submit\": 0.7, \"poll\": 0}', 123.46,"
        " now() + interval '1 minute', 'connection refused', now())"
    )
    await worker.execute("INSERT INTO provider_limits VALUES ('first', 'platform', 600, 50)")
    found = await _provider(api, "first")
    assert (found["kinds"], found["models"], found["available"]) == (["image"], ["first/first-image"], True)
    [credential] = found["credentials"]
    assert (credential["status"], credential["error_rate"], credential["response_ms"]) == ("down", 0.7, 123.5)
    assert (credential["reason"], credential["cooldown_until"] is not None) == ("connection refused", True)
    assert credential["limits"] == {"rpm": 600, "concurrent": 50}
    assert (await _provider(api, "second"))["credentials"] == []


async def test_one_that_was_degraded_long_ago_is_shown_as_it_is_routed(api: Api) -> None:
    await api.gateway.worker.execute(
        "INSERT INTO provider_health (provider, status, last_failure_at, error_message)"
        " VALUES ('first', 'degraded', now() - interval '2 minutes', 'old')"
    )
    [credential] = (await _provider(api, "first"))["credentials"]
    assert (credential["status"], credential["reason"]) == ("healthy", None)


async def test_another_accounts_own_credential_is_not_shown_and_not_reset(api: Api, other: Api) -> None:
    worker = api.gateway.worker
    await worker.execute(
        "INSERT INTO provider_health (provider, user_id, credential, status) VALUES ('first', $1, 'own', 'down')",
        other.account_id,
    )
    assert (await _provider(api, "first"))["credentials"] == []
    assert (await api.post(f"{PROVIDERS}/first/reset")).json["reset"] == 0
    assert [one["status"] for one in (await _provider(other, "first"))["credentials"]] == ["down"]
    assert (await other.post(f"{PROVIDERS}/first/reset")).json["reset"] == 1
    assert await worker.fetchval("SELECT status FROM provider_health") == "unknown"


async def test_a_reset_forgets_what_is_held_against_it(api: Api) -> None:
    worker = api.gateway.worker
    await worker.execute(
        "INSERT INTO provider_health (provider, status, cooldown_until, cooldown_s, probe_until, failure_count)"
        " VALUES ('first', 'down', now() + interval '1 hour', 320, now() + interval '1 hour', 9)"
    )
    assert (await api.post(f"{PROVIDERS}/first/reset")).json == {"id": "first", "reset": 1}
    [credential] = (await _provider(api, "first"))["credentials"]
    assert (credential["status"], credential["cooldown_until"], credential["probing"]) == (
        "unknown",
        None,
        False,
    )
    assert await worker.fetchval("SELECT cooldown_s FROM provider_health") == 0
    assert (await api.post(f"{PROVIDERS}/nobody/reset")).problem[:2] == (404, "NOT_FOUND")
    writer = await api.with_key(Scope.WRITE)
    assert (await writer.post(f"{PROVIDERS}/first/reset")).problem[:2] == (403, "FORBIDDEN")


async def test_an_accounts_order_decides_unless_the_request_does(api: Api, other: Api) -> None:
    assert (await api.get(ORDER)).json == {"data": []}
    assert await _candidates(api) == ["first", "second"]
    answer = await api.call("PUT", ORDER, {"providers": [{"provider": "second"}]})
    assert answer.json == {"data": [{"provider": "second", "priority": 1, "enabled": True}]}
    assert (await api.get(ORDER)).json == answer.json
    assert await _candidates(api) == ["second", "first"]
    assert await _candidates(api, provider={"order": ["first"]}) == ["first", "second"]
    assert await _candidates(other) == ["first", "second"]
    assert (await _provider(api, "second"))["priority"] == 1
    await api.call("PUT", ORDER, {"providers": []})
    assert await _candidates(api) == ["first", "second"]


async def test_what_an_account_disabled_serves_none_of_its_requests(api: Api) -> None:
    await api.call("PUT", ORDER, {"providers": [{"provider": "first", "enabled": False}]})
    assert await _candidates(api) == ["second"]
    assert await _candidates(api, provider={"order": ["first"]}) == ["second"]
    assert (await _provider(api, "first"))["enabled"] is False
    both = [{"provider": name, "enabled": False} for name in NAMES]
    await api.call("PUT", ORDER, {"providers": both})
    refused = await api.post("/api/v1/generations", image(model="m"))
    assert refused.problem == (503, "NO_PROVIDER", "model")
    assert "order of providers" in refused.json["detail"]


@pytest.mark.parametrize(
    ("names", "field"), [(["nobody"], "providers.0.provider"), (["first", "first"], "providers.1.provider")]
)
async def test_an_order_that_makes_no_sense_is_refused(api: Api, names: list[str], field: str) -> None:
    answer = await api.call("PUT", ORDER, {"providers": [{"provider": name} for name in names]})
    assert answer.problem == (422, "INVALID_INPUT", field)
    assert (await api.get(ORDER)).json == {"data": []}


async def test_the_order_is_asked_for_once_in_a_while_only(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = api.gateway.deps.admitter.orders
    await orders.of(api.account_id)
    monkeypatch.setattr(orders, "_db", None)
    assert await _candidates(api) == ["first", "second"]


async def test_the_decision_and_its_reasons_are_shown(api: Api, pipeline: Pipeline) -> None:
    await pipeline.worker.execute(
        "INSERT INTO provider_health (provider, status, cooldown_until)"
        " VALUES ('first', 'healthy', now() + interval '1 minute')"
    )

    class First(ScriptedProvider):
        name: ClassVar[str] = "first"

    class Second(ScriptedProvider):
        name: ClassVar[str] = "second"

    mine = [card(name, aliases=("m",), rank=rank) for rank, name in enumerate(NAMES)]
    async with pipeline.engine(First(cards=mine[:1]), Second(cards=mine[1:])):
        generation = await api.until_ended((await api.submit(model="m"))["id"])
    found = (await api.get(f"/api/v1/generations/{generation['id']}/submissions")).json
    assert generation["resolved"]["provider"] == "second"
    assert generation["resolved"]["reason"] == found["decision"]["reason"]
    assert found["decision"]["reason"] == "priority 2, healthy, within its limits"
    assert found["decision"]["card"] == "second/second-image"
    [skipped] = found["decision"]["skipped"]
    assert (skipped["card"], skipped["provider"]) == ("first/first-image", "first")
    assert skipped["why"].startswith("cooling down for ")
    assert (found["decision"]["tried"], found["decision"]["fallbacks"]) == ([], ["first"])
