"""Keys for providers over HTTP: kept without ever being shown, tested when they come, and one account's own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from shared.catalog import publish
from shared.domains.accounts import Scope
from shared.ids import new_id
from shared.settings import Settings
from tests.emulators.base import Effect
from tests.emulators.openai import OpenAIEmulator
from tests.gateway.api import Api, Gateway, image, open_gateway
from tests.pipeline import card

KEYS, GOOD = "/api/api-keys", "sk-proj-good-key-0123456789"
CARD = replace(
    card("openai", aliases=("own",)), own_key=True, available=False, unavailable_reason="no key of ours"
)


@pytest.fixture(scope="module")
async def emulator() -> AsyncIterator[OpenAIEmulator]:
    async with OpenAIEmulator(key=GOOD) as running:
        yield running


@pytest.fixture(scope="module")
async def served(settings: Settings, emulator: OpenAIEmulator) -> AsyncIterator[Gateway]:
    """A gateway that finds the emulator where OpenAI is."""
    async with open_gateway(settings.model_copy(update={"openai_base_url": emulator.base_url})) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
async def cards(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """OpenAI serves only those who bring along a key; another provider takes none."""
    await publish(api.gateway.worker, [CARD, card("local")])
    monkeypatch.setattr(api.gateway.deps.catalog, "_read_at", float("-inf"))
    yield
    for table in ("model_cards", "user_api_keys"):
        await api.gateway.worker.execute(f"DELETE FROM {table}")


async def add(api: Api, key: str = GOOD, **given: Any) -> dict[str, Any]:
    answer = await api.post(KEYS, {"provider": "openai", "api_key": key, **given})
    assert answer.status == 201, answer.content
    body: dict[str, Any] = answer.json
    assert body["success"] is True
    assert key not in answer.content.decode()
    data: dict[str, Any] = body["data"]
    return data


async def _can(api: Api) -> bool:
    answer = await api.post("/api/v1/generations:estimate", image(model="own"))
    return answer.status == 200 and [one["billed_to"] for one in answer.json["candidates"]] == ["byok"]


@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_key_is_tested_kept_listed_and_deleted(
    api: Api, slash: str, emulator: OpenAIEmulator
) -> None:
    assert (await api.get(KEYS + slash)).json == {"success": True, "data": [], "message": "0 keys."}
    answer = await api.post(KEYS + slash, {"provider": "openai", "key_name": " mine ", "api_key": GOOD})
    added = answer.json["data"]
    assert (answer.status, answer.json["message"]) == (201, "The key is kept, and openai takes it.")
    assert (added["key_name"], added["masked_key"], added["is_active"]) == ("mine", "••••6789", True)
    assert (added["status"], added["last_used_at"]) == ("valid", None)
    listed = await api.get(KEYS + slash)
    assert listed.json["data"] == [added]
    deleted = await api.delete(f"{KEYS}/{added['id']}{slash}")
    assert deleted.json == {"success": True, "data": None, "message": "The key is deleted."}
    assert (await api.get(KEYS)).json["data"] == []
    assert (await api.delete(f"{KEYS}/{added['id']}")).problem[:2] == (404, "NOT_FOUND")
    assert GOOD not in f"{answer.content!r}{listed.content!r}{deleted.content!r}"


async def test_nothing_of_the_key_is_kept_in_the_open(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    added = await add(api)
    worker = api.gateway.worker
    row = await worker.fetchrow("SELECT * FROM user_api_keys WHERE id = $1", added["id"])
    assert row is not None
    assert GOOD[:-4] not in repr(dict(row))
    kept = await worker.fetchval("SELECT string_agg(k::text, ' ') FROM idempotency_keys k")
    assert GOOD not in (kept or "")
    assert GOOD not in "".join(capsys.readouterr())


async def test_with_an_own_key_a_provider_serves_that_account_alone(api: Api, other: Api) -> None:
    assert not await _can(api)
    added = await add(api)
    assert await _can(api)
    assert not await _can(other)
    for client, available in ((api, True), (other, False)):
        models = {one["id"]: one["available"] for one in (await client.get("/api/v1/models")).json["data"]}
        assert models["openai/openai-image"] is available
        found = {one["id"]: one["available"] for one in (await client.get("/api/v1/providers")).json["data"]}
        assert found["openai"] is available
    admitted = (await api.post("/api/v1/generations", image(model="own"))).json
    assert (admitted["cost"]["billed_to"], admitted["status"]) == ("byok", "queued")
    await api.delete(f"{KEYS}/{added['id']}")
    assert not await _can(api)


async def test_a_refused_key_is_kept_and_not_used(api: Api) -> None:
    refused = await add(api, "sk-proj-bad-key-0123456789")
    assert (refused["status"], refused["is_active"]) == ("refused", False)
    assert not await _can(api)


async def test_an_unreachable_provider_is_tried_with_it(api: Api, emulator: OpenAIEmulator) -> None:
    emulator.faults.add("models", Effect.REFUSE, status=503, times=1)
    added = await add(api)
    assert (added["status"], added["is_active"]) == ("unreachable", True)
    assert await _can(api)


async def test_a_name_is_there_once_per_provider(api: Api, other: Api) -> None:
    first = await add(api)
    assert first["key_name"] == "default"
    again = await api.post(KEYS, {"provider": "openai", "api_key": GOOD})
    assert again.problem == (409, "CONFLICT", "key_name")
    await add(api, key_name="second")
    await add(other)
    await api.delete(f"{KEYS}/{first['id']}")
    await add(api)


async def test_a_repetition_keeps_no_second_key(api: Api) -> None:
    asked = {"provider": "openai", "api_key": GOOD}
    answers = [await api.post(KEYS, asked, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert len((await api.get(KEYS)).json["data"]) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"provider": "local"}, "provider"),
        ({"api_key": "short"}, "api_key"),
        ({"api_key": "with a space in it"}, "api_key"),
        ({"api_key": "with\r\nX-Header: more"}, "api_key"),
        ({"api_key": "k" * 501}, "api_key"),
        ({"api_key": None}, "api_key"),
        ({"key_name": "  "}, "key_name"),
        ({"key_name": "n" * 256}, "key_name"),
        ({"is_active": True}, "is_active"),
    ],
)
async def test_what_cannot_be_a_key_is_refused(api: Api, given: dict[str, Any], field: str) -> None:
    answer = await api.post(KEYS, {"provider": "openai", "api_key": GOOD, **given})
    assert answer.problem == (422, "INVALID_INPUT", field)
    for sent in (GOOD, str(given.get("api_key"))):
        assert sent not in answer.content.decode()


async def test_who_may_not(api: Api, other: Api, nobody: Api) -> None:
    added = await add(api)
    theirs = f"{KEYS}/{added['id']}"
    for method, path in (("GET", KEYS), ("POST", KEYS), ("DELETE", theirs)):
        assert (await nobody.call(method, path)).problem[:2] == (401, "UNAUTHENTICATED")
    viewer = await api.with_key(Scope.READ)
    assert len((await viewer.get(KEYS)).json["data"]) == 1
    for method, path in (("POST", KEYS), ("DELETE", theirs)):
        body = {"provider": "openai", "api_key": GOOD} if method == "POST" else None
        assert (await viewer.call(method, path, body)).problem[:2] == (403, "FORBIDDEN")
    assert (await other.get(KEYS)).json["data"] == []
    assert (await other.delete(theirs)).problem[:2] == (404, "NOT_FOUND")
    assert (await api.delete(f"{KEYS}/{new_id()}")).problem[:2] == (404, "NOT_FOUND")
    assert (await api.delete(f"{KEYS}/nothing")).problem[:2] == (404, "NOT_FOUND")


async def test_without_a_master_key_none_is_taken(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.gateway.deps.vault, "current", None)
    answer = await api.post(KEYS, {"provider": "openai", "api_key": GOOD})
    assert answer.problem[:2] == (503, "UNAVAILABLE")
    assert "ENCRYPTION_MASTER_KEY" in answer.json["message"]


async def test_keys_that_come_together_are_all_kept(api: Api) -> None:
    added = await asyncio.gather(*(add(api, key_name=str(n)) for n in range(4)))
    assert len({one["id"] for one in added}) == 4
