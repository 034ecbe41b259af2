"""An account's settings of providers over HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.catalog import publish
from shared.domains.accounts import Scope
from tests.gateway.api import Api, image
from tests.pipeline import card

SETTINGS, ORDER = "/api/settings/providers", "/api/v1/providers/order"
NAMES = ("first", "second")


@pytest.fixture(autouse=True)
async def cards(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Two providers that serve one model, and a third with one of its own."""
    worker = api.gateway.worker
    await worker.execute("DELETE FROM model_cards")
    both = [card(name, aliases=("m",), rank=rank) for rank, name in enumerate(NAMES)]
    await publish(worker, [*both, card("third", aliases=("t",), rank=9)])
    monkeypatch.setattr(api.gateway.deps.catalog, "_read_at", float("-inf"))
    yield
    for table in ("model_cards", "account_providers", "account_routing"):
        await worker.execute(f"DELETE FROM {table}")


async def put(api: Api, **given: Any) -> dict[str, Any]:
    answer = await api.call("PUT", SETTINGS, given)
    assert answer.status == 200, answer.content
    data: dict[str, Any] = answer.json["data"]
    assert data == (await api.get(SETTINGS)).json["data"]
    return data


async def candidates(api: Api, **request: Any) -> list[str]:
    answer = await api.post("/api/v1/generations:estimate", image(**{"model": "m", **request}))
    assert answer.status == 200, answer.content
    return [one["provider"] for one in answer.json["candidates"]]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_all_providers_are_listed_as_they_are_without_settings(api: Api, slash: str) -> None:
    body = (await api.get(SETTINGS + slash)).json
    assert (body["success"], body["data"]["defaults"], body["data"]["fallbacks"]) == (True, {}, True)
    assert [one["provider"] for one in body["data"]["providers"]] == ["first", "second", "third"]
    assert body["data"]["providers"][0] == {
        "provider": "first", "kinds": ["image"], "available": True, "reason": None, "priority": None,
        "enabled": True, "monthly_cap_cents": None, "takes_own_key": False, "own_key": False,
    }  # fmt: skip


async def test_order_and_what_is_disabled_decide_who_serves(api: Api, other: Api) -> None:
    data = await put(api, providers=[{"provider": "second"}, {"provider": "third", "enabled": False}])
    shown = [(one["provider"], one["priority"], one["enabled"]) for one in data["providers"]]
    assert shown == [("second", 1, True), ("third", 2, False), ("first", None, True)]
    assert await candidates(api) == ["second", "first"]
    assert await candidates(other) == ["first", "second"]
    refused = await api.post("/api/v1/generations:estimate", image(model="t"))
    assert refused.problem[:2] == (503, "NO_PROVIDER")


async def test_without_fallbacks_the_first_serves_alone_unless_the_request_says_so(api: Api) -> None:
    assert (await put(api, fallbacks=False))["fallbacks"] is False
    assert await candidates(api) == ["first"]
    assert await candidates(api, provider={"order": ["second"]}) == ["second"]
    assert await candidates(api, provider={"fallbacks": True}) == ["first", "second"]
    assert await candidates(api, provider={"fallbacks": False}) == ["first"]


async def test_a_default_model_is_taken_where_none_is_named(api: Api) -> None:
    assert await candidates(api, model=None) == ["first", "second"]
    assert (await put(api, defaults={"image": "t"}))["defaults"] == {"image": "t"}
    assert await candidates(api, model=None) == ["third"]
    assert await candidates(api) == ["first", "second"]
    await put(api, fallbacks=True)
    assert await candidates(api, model=None) == ["third"]
    await put(api, defaults={})
    assert await candidates(api, model=None) == ["first", "second"]


async def test_a_cap_stays_until_it_is_lifted(api: Api) -> None:
    def caps(data: dict[str, Any]) -> dict[str, int | None]:
        return {one["provider"]: one["monthly_cap_cents"] for one in data["providers"]}

    data = await put(
        api, providers=[{"provider": "first", "monthly_cap_cents": 1234}, {"provider": "second"}]
    )
    assert caps(data) == {"first": 1234, "second": None, "third": None}
    nanos = "SELECT monthly_cap_nanos FROM account_providers WHERE account_id = $1 AND provider = 'first'"
    assert await api.gateway.worker.fetchval(nanos, api.account_id) == 12_340_000_000
    await api.call("PUT", ORDER, {"providers": [{"provider": "second"}]})
    data = (await api.get(SETTINGS)).json["data"]
    assert (caps(data)["first"], data["providers"][0]["provider"]) == (1234, "second")
    assert (await api.get(ORDER)).json["data"] == [{"provider": "second", "priority": 1, "enabled": True}]
    assert await candidates(api) == ["second", "first"]
    assert caps(await put(api, providers=[{"provider": "first"}]))["first"] == 1234
    assert caps(await put(api, providers=[{"provider": "first", "monthly_cap_cents": None}]))["first"] is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"providers": [{"provider": "nobody"}]}, "providers.0.provider"),
        ({"providers": [{"provider": "first"}, {"provider": "first"}]}, "providers.1.provider"),
        ({"providers": [{"provider": "first", "monthly_cap_cents": -1}]}, "providers.0.monthly_cap_cents"),
        ({"providers": [{"provider": "first", "priority": 1}]}, "providers.0.priority"),
        ({"defaults": {"image": "no such model"}}, "defaults.image"),
        ({"defaults": {"audio": "t"}}, "defaults.audio"),
        ({"fallbacks": "yes"}, "fallbacks"),
    ],
)
async def test_what_cannot_be_is_refused_and_changes_nothing(
    api: Api, given: dict[str, Any], field: str
) -> None:
    before = await put(api, providers=[{"provider": "second"}], fallbacks=False)
    answer = await api.call("PUT", SETTINGS, given)
    assert answer.problem == (422, "INVALID_INPUT", field)
    assert (await api.get(SETTINGS)).json["data"] == before


async def test_who_may_not(api: Api, other: Api, nobody: Api) -> None:
    for method in ("GET", "PUT"):
        assert (await nobody.call(method, SETTINGS)).problem[:2] == (401, "UNAUTHENTICATED")
    viewer = await api.with_key(Scope.READ)
    assert (await viewer.get(SETTINGS)).status == 200
    assert (await viewer.call("PUT", SETTINGS, {"fallbacks": False})).problem[:2] == (403, "FORBIDDEN")
    await put(api, fallbacks=False)
    assert (await other.get(SETTINGS)).json["data"]["fallbacks"] is True
