"""Generations on an account's own key: whose key arrives, who pays, and what becomes of a key that is refused or
deleted."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from aiohttp import web

from shared.catalog import ModelCard, Price
from shared.domains import ledger, provider_keys
from shared.domains.provider_keys import NewProviderKey, bound_to, credential_of, last_four
from shared.errors import NoProvider
from shared.executor import Executor
from shared.ids import new_id
from shared.keychecks import KeyStatus
from shared.storage import ObjectStore
from shared.vault import Vault
from tests.emulators.base import Effect
from tests.emulators.openai import OpenAIEmulator
from tests.emulators.replicate import ReplicateEmulator
from tests.pipeline import Pipeline, ScriptedProvider, card
from workers import credentials
from workers.credentials import Credentials, Unusable
from workers.providers import registry
from workers.providers.base import Provider
from workers.providers.openai.adapter import OpenAIProvider
from workers.providers.replicate.adapter import ReplicateProvider

TEXT, IMAGE = "gpt-4o", "flux-2"
OURS, OWN = "sk-the-key-of-the-platform", "sk-the-key-of-an-account"
REPLICATE_OURS, REPLICATE_OWN = "r8_the-key-of-the-platform", "r8_the-key-of-an-account"
QUICK: dict[str, Any] = {"allow_private_urls": True, "find_window_s": 1.0, "heartbeat_interval_s": 0.1}


class Doorman(OpenAIEmulator):
    """Remembers whose keys came, which the log of an emulator does not show."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.keys: list[str] = []

    def refusal(self, request: web.Request) -> web.Response | None:
        self.keys.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        return super().refusal(request)


class ReplicateDoorman(ReplicateEmulator):
    """Remembers who asked for what."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.asked: list[tuple[str, str]] = []

    def refusal(self, request: web.Request) -> web.Response | None:
        self.asked.append((request.headers.get("Authorization", "").removeprefix("Bearer "), request.path))
        return super().refusal(request)


@pytest.fixture
async def emulator() -> AsyncIterator[Doorman]:
    async with Doorman() as running:
        yield running


@pytest.fixture(autouse=True)
async def store(pipeline: Pipeline) -> AsyncIterator[None]:
    opened = ObjectStore.open(pipeline.settings)
    await opened.ensure_bucket()
    yield
    await opened.close()
    await pipeline.worker.execute("DELETE FROM user_api_keys")


async def bring(
    pipeline: Pipeline, key: str, provider: str = "openai", name: str = "mine", account_id: UUID | None = None
) -> UUID:
    """Keeps a key as the gateway does."""
    account, key_id = account_id or pipeline.account_id, new_id()
    sealed = await Vault.of(pipeline.settings).seal(key, bound_to(account, provider, key_id))
    new = NewProviderKey(key_id, account, provider, name, sealed, last_four(key), KeyStatus.VALID)
    async with pipeline.app.transaction(account) as tx:
        await provider_keys.add(tx, new)
    pipeline.admitter.orders.forget(account)
    return key_id


async def let_go(pipeline: Pipeline, key_id: UUID) -> None:
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        await provider_keys.delete(tx, key_id)
    pipeline.admitter.orders.forget(pipeline.account_id)


async def somebody_else(pipeline: Pipeline) -> UUID:
    account_id = new_id()
    await pipeline.worker.execute("INSERT INTO accounts (id, name) VALUES ($1, 'other')", account_id)
    return account_id


def serving(pipeline: Pipeline, emulator: OpenAIEmulator, *others: Provider, key: str | None = OURS) -> Any:
    ours = OpenAIProvider(key, emulator.base_url)
    changes = {**QUICK, "openai_base_url": emulator.base_url}
    return pipeline.engine(ours, *others, kinds=("text",), **changes)


async def said(pipeline: Pipeline, generation_id: UUID) -> str:
    """All that is told and kept of a generation."""
    told = [dict(await pipeline.row(generation_id)), *map(dict, await pipeline.events(generation_id)),
            *map(dict, await pipeline.submissions(generation_id))]  # fmt: skip
    return orjson.dumps(told, default=str).decode()


async def payers(pipeline: Pipeline, generation_id: UUID) -> list[tuple[str, str, int]]:
    rows = await pipeline.worker.fetch(
        "SELECT kind, payer, nanos FROM ledger WHERE generation_id = $1 ORDER BY id", generation_id
    )
    return [(row["kind"], row["payer"], row["nanos"]) for row in rows]


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(90):
        while not await true():
            await asyncio.sleep(0.02)


async def test_the_accounts_key_arrives_and_its_owner_pays(
    pipeline: Pipeline, emulator: Doorman, capsys: pytest.CaptureFixture[str]
) -> None:
    await pipeline.worker.execute("UPDATE accounts SET budget_nanos = 0 WHERE id = $1", pipeline.account_id)
    other = await somebody_else(pipeline)
    key_id = await bring(pipeline, OWN)
    async with serving(pipeline, emulator):
        mine = await pipeline.until(await pipeline.submit("text", model=TEXT))
        assert emulator.keys == [OWN]
        theirs = await pipeline.until(await pipeline.submit("text", account_id=other, model=TEXT))
        assert emulator.keys == [OWN, OURS]
    assert (mine["state"], mine["billed_to"], mine["reserved_nanos"]) == ("completed", "byok", 0)
    assert (theirs["state"], theirs["billed_to"]) == ("completed", "platform")
    bill = emulator.billed_nanos() // 2
    assert (mine["cost_nanos"], mine["cost_status"]) == (bill, "final")
    assert await payers(pipeline, mine["id"]) == [("settle", "byok", bill)]
    held = "SELECT held_nanos FROM accounts WHERE id = $1"
    assert await pipeline.worker.fetchval(held, pipeline.account_id) == 0
    async with pipeline.app.transaction(pipeline.account_id) as tx:
        assert (await ledger.verify(tx, mine["created_at"])).ok
    [submission] = await pipeline.submissions(mine["id"])
    assert submission["credential"] == credential_of(key_id)
    assert await pipeline.worker.fetchval("SELECT last_used_at FROM user_api_keys WHERE id = $1", key_id)
    for text in (await said(pipeline, mine["id"]), "".join(capsys.readouterr())):
        assert OWN not in text


async def test_a_provider_that_the_platform_has_no_key_for_serves_who_has_one(
    pipeline: Pipeline, emulator: Doorman
) -> None:
    other = await somebody_else(pipeline)
    await bring(pipeline, OWN)
    async with serving(pipeline, emulator, key=None):
        row = await pipeline.until(await pipeline.submit("text", model=TEXT))
        with pytest.raises(NoProvider, match="OPENAI_API_KEY is not set"):
            await pipeline.submit("text", account_id=other, model=TEXT)
    assert (row["state"], emulator.keys) == ("completed", [OWN])


async def test_the_newest_of_several_keys_serves(pipeline: Pipeline, emulator: Doorman) -> None:
    await bring(pipeline, OWN)
    newest = await bring(pipeline, f"{OWN}-2", name="newer")
    async with serving(pipeline, emulator):
        await pipeline.until(await pipeline.submit("text", model=TEXT))
        await let_go(pipeline, newest)
        await pipeline.until(await pipeline.submit("text", model=TEXT))
    assert emulator.keys == [f"{OWN}-2", OWN]


async def test_a_refused_key_is_found_out_and_harms_nobody_else(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    other = await somebody_else(pipeline)
    key_id = await bring(pipeline, OWN)

    async def is_refused() -> bool:
        row = await pipeline.worker.fetchrow("SELECT * FROM user_api_keys WHERE id = $1", key_id)
        assert row is not None
        return (row["status"], row["is_active"]) == ("refused", False)

    async with OpenAIEmulator(key=OURS) as emulator, serving(pipeline, emulator):
        mine = await pipeline.until(await pipeline.submit("text", model=TEXT))
        await until(is_refused)
        theirs = await pipeline.until(await pipeline.submit("text", account_id=other, model=TEXT))
        pipeline.admitter.orders.forget(pipeline.account_id)
        with pytest.raises(NoProvider, match="your own key for openai is not accepted"):
            await pipeline.submit("text", model=TEXT)
        await let_go(pipeline, key_id)
        after = await pipeline.until(await pipeline.submit("text", model=TEXT))
    assert (mine["state"], mine["error"]["code"]) == ("failed", "PROVIDER_AUTH")
    assert "your own key" in mine["error"]["message"]
    assert [row["billed_to"] for row in (theirs, after) if row["state"] == "completed"] == ["platform"] * 2
    rows = await pipeline.worker.fetch("SELECT credential, user_id, failure_count FROM provider_health")
    health = {row["credential"]: (row["user_id"], row["failure_count"]) for row in rows}
    assert health == {credential_of(key_id): (pipeline.account_id, 1), "platform": (None, 0)}
    async with pipeline.app.transaction(other) as tx:
        assert await tx.fetchval("SELECT count(*) FROM provider_health WHERE credential <> 'platform'") == 0
    for text in (await said(pipeline, mine["id"]), "".join(capsys.readouterr())):
        assert OWN not in text


async def test_without_credit_a_key_stays_good(pipeline: Pipeline, emulator: Doorman) -> None:
    key_id = await bring(pipeline, OWN)
    emulator.faults.add("chat", Effect.REFUSE, status=402)
    async with serving(pipeline, emulator):
        row = await pipeline.until(await pipeline.submit("text", model=TEXT))
        await until(lambda: _answered(emulator))
    assert (row["state"], row["error"]["code"]) == ("failed", "PROVIDER_AUTH")
    status = "SELECT status FROM user_api_keys WHERE id = $1 AND is_active"
    assert await pipeline.worker.fetchval(status, key_id) == "valid"


async def _answered(emulator: Doorman) -> bool:
    return bool(emulator.seen("models"))


async def test_what_falls_back_to_the_platform_is_paid_through_it(pipeline: Pipeline) -> None:
    """The reserve was there for it from the beginning."""
    price = Price({"run": Decimal(7)}, date(2026, 1, 1), "for tests")
    fallback = ScriptedProvider(cards=[card(kind="text", price=price, aliases=(TEXT,), rank=900)])
    await bring(pipeline, OWN)
    async with OpenAIEmulator(key=OURS) as emulator, serving(pipeline, emulator, fallback):
        row = await pipeline.until(await pipeline.submit("text", model=TEXT))
    assert (row["state"], row["provider"], row["billed_to"]) == ("completed", "scripted", "platform")
    assert await payers(pipeline, row["id"]) == [
        ("reserve", "account", 7), ("settle", "account", 7), ("release", "account", -7),
    ]  # fmt: skip


class Brisk(ReplicateProvider):
    @property
    def cards(self) -> Sequence[ModelCard]:
        return [replace(one, expected_s=0.1) for one in super().cards]


@pytest.mark.parametrize("ends", ["completed", "canceled"])
async def test_a_deleted_key_ends_what_it_began_and_is_then_destroyed(pipeline: Pipeline, ends: str) -> None:
    key_id = await bring(pipeline, REPLICATE_OWN, "replicate")
    async with ReplicateDoorman(run_s=0.6) as emulator:
        changes = {**QUICK, "replicate_base_url": emulator.url}
        async with pipeline.engine(Brisk(REPLICATE_OURS, emulator.url), **changes):
            generation_id = await pipeline.submit("image", model=IMAGE)
            await pipeline.until(generation_id, "waiting")
            await let_go(pipeline, key_id)
            async with pipeline.worker.transaction() as tx:
                assert await provider_keys.destroy_unneeded(tx, 0) == 0
            if ends == "canceled":
                await pipeline.cancel(generation_id)
            row = await pipeline.until(generation_id, ends)

            async def is_settled() -> bool:
                return bool((await pipeline.row(generation_id))["cost_status"] in ("final", "released"))

            await until(is_settled)
            next_one = await pipeline.until(await pipeline.submit("image", model=IMAGE))
        assert row["billed_to"] == "byok"
        assert next_one["billed_to"] == "platform"
        assert all(payer == "byok" for _, payer, _ in await payers(pipeline, generation_id))
        remote = (await pipeline.submissions(generation_id))[0]["remote_id"]
        assert {key for key, path in emulator.asked if f"/predictions/{remote}" in path} == {REPLICATE_OWN}
        with_a_key = {key for key, path in emulator.asked if path.startswith("/v1/")}
        assert with_a_key == {REPLICATE_OWN, REPLICATE_OURS}
    async with pipeline.worker.transaction() as tx:
        assert await provider_keys.destroy_unneeded(tx, 3600) == 0
        assert await provider_keys.destroy_unneeded(tx, 0) == 1
        assert await tx.fetchval("SELECT count(*) FROM provider_health WHERE credential LIKE 'byok:%'") == 0
    assert await provider_keys.read(pipeline.worker, key_id) is None


async def test_so_many_are_kept_and_those_let_go_are_closed(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "MOST_KEPT", 1)
    closed: list[str] = []

    async def close(self: OpenAIProvider) -> None:
        closed.append(self.credential)

    monkeypatch.setattr(OpenAIProvider, "close", close)
    keys = [credential_of(await bring(pipeline, f"{OWN}-{n}", name=str(n))) for n in range(2)]
    executor = Executor()
    held = Credentials(pipeline.worker, {}, pipeline.settings, executor)
    routes = [{"provider": "openai", "credential": key} for key in keys]
    made = [await held.to_submit(route, pipeline.account_id) for route in (*routes, routes[1])]
    assert [one.credential for one in made if isinstance(one, Provider)] == [*keys, keys[1]]
    assert made[1] is made[2]
    assert closed == [], "a call by it may still be under way"
    await held.close()
    await executor.close()
    assert sorted(closed) == sorted(keys)


async def test_whose_key_it_is_not_and_who_cannot_read_it_use_none(pipeline: Pipeline) -> None:
    route = {"provider": "openai", "credential": credential_of(await bring(pipeline, OWN))}
    executor = Executor()
    held = Credentials(pipeline.worker, {}, pipeline.settings, executor)
    assert isinstance(await held.to_submit(route, new_id()), Unusable)
    assert isinstance(await held.to_submit(route, None), Unusable)
    assert isinstance(await held.to_submit({**route, "provider": "groq"}, pipeline.account_id), Unusable)
    assert isinstance(await held.to_submit(route, pipeline.account_id), Provider)
    keyless = pipeline.settings.model_copy(update={"encryption_master_key": None})
    blind = Credentials(pipeline.worker, {}, keyless, executor)
    found = await blind.to_submit(route, pipeline.account_id)
    assert isinstance(found, Unusable)
    assert found.why == "your own key for it cannot be read here"
    for one in (held, blind):
        await one.close()
    await executor.close()


def test_mubert_gets_both_parts_of_its_key(pipeline: Pipeline) -> None:
    made = registry.on_own_key("mubert", "customer:token:with-a-colon", pipeline.settings, Executor())
    assert made is not None
    assert made.unavailable_reason is None
    assert registry.on_own_key("mubert", "token-alone", pipeline.settings, Executor()) is None
    assert registry.on_own_key("compatible", "any", pipeline.settings, Executor()) is None
