"""Accounts' own keys in the database: who reads what, and a new master key."""

import base64
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.domains import provider_keys
from shared.domains.master_keys import Rotation, rotate, rotate_all
from shared.domains.provider_keys import NewProviderKey, bound_to, last_four
from shared.errors import Conflict
from shared.ids import new_id
from shared.keychecks import KeyStatus
from shared.vault import NoMasterKey, NotOpened, Vault, master_key_id
from tests.pipeline import Pipeline

OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture(autouse=True)
async def empty(pipeline: Pipeline) -> AsyncIterator[None]:
    await pipeline.worker.execute("DELETE FROM user_api_keys")
    yield
    await pipeline.worker.execute("DELETE FROM user_api_keys")


async def keep(pipeline: Pipeline, plain: str, master: bytes = OLD) -> UUID:
    key_id, account_id = new_id(), pipeline.account_id
    sealed = await Vault(master).seal(plain, bound_to(account_id, "openai", key_id))
    new = NewProviderKey(key_id, account_id, "openai", plain, sealed, last_four(plain), KeyStatus.VALID)
    async with pipeline.app.transaction(account_id) as tx:
        await provider_keys.add(tx, new)
    return key_id


async def opened(pipeline: Pipeline, key_id: UUID, vault: Vault) -> str:
    key = await provider_keys.read(pipeline.worker, key_id)
    assert key is not None
    return await vault.open(key.sealed, key.bound_to)


async def test_every_key_opens_under_the_new_master_key_and_no_more_under_the_old(pipeline: Pipeline) -> None:
    ids = {f"key-{n}": await keep(pipeline, f"key-{n}") for n in range(3)}
    already = await keep(pipeline, "new", NEW)
    stranger = await keep(pipeline, "stranger", bytes(32))
    assert await rotate(pipeline.worker, Vault(NEW, [OLD])) == Rotation(3, 1)
    for plain, key_id in ids.items():
        assert await opened(pipeline, key_id, Vault(NEW)) == plain
        with pytest.raises(NoMasterKey):
            await opened(pipeline, key_id, Vault(OLD))
    assert await opened(pipeline, already, Vault(NEW)) == "new"
    assert await opened(pipeline, stranger, Vault(bytes(32))) == "stranger"


async def test_a_rotation_that_was_cut_off_goes_on_where_it_was(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [await keep(pipeline, f"key-{n}") for n in range(3)]
    seal, sealed = Vault.seal, 0

    async def seal_once(self: Vault, plain: str, bound_to: str) -> Any:
        nonlocal sealed
        if sealed == 1:
            raise OSError("the machine went down")
        sealed += 1
        return await seal(self, plain, bound_to)

    vault = Vault(NEW, [OLD])
    monkeypatch.setattr(Vault, "seal", seal_once)
    with pytest.raises(OSError, match="went down"):
        await rotate(pipeline.worker, vault)
    monkeypatch.setattr(Vault, "seal", seal)
    assert [await opened(pipeline, key_id, vault) for key_id in ids] == ["key-0", "key-1", "key-2"]
    assert await rotate(pipeline.worker, vault) == Rotation(2, 0)
    assert await rotate(pipeline.worker, vault) == Rotation(0, 0)


async def test_with_settings_alone(pipeline: Pipeline) -> None:
    await keep(pipeline, "key")
    new, old = (base64.b64encode(key).decode() for key in (NEW, OLD))
    settings = pipeline.settings.model_validate(
        pipeline.settings.model_dump(by_alias=True) | {"encryption_master_key": new}
    )
    assert await rotate_all(settings) == Rotation(0, 1)
    before = settings.model_validate(
        settings.model_dump(by_alias=True) | {"encryption_master_keys_before": (old,)}
    )
    assert await rotate_all(before) == Rotation(1, 0)
    keyless = settings.model_copy(update={"encryption_master_key": None})
    with pytest.raises(NoMasterKey):
        await rotate_all(keyless)


async def test_a_record_that_was_moved_to_another_account_does_not_open(pipeline: Pipeline) -> None:
    key_id, thief = await keep(pipeline, "key"), new_id()
    await pipeline.worker.execute("INSERT INTO accounts (id, name) VALUES ($1, 'thief')", thief)
    await pipeline.worker.execute("UPDATE user_api_keys SET user_id = $2 WHERE id = $1", key_id, thief)
    with pytest.raises(NotOpened):
        await opened(pipeline, key_id, Vault(OLD))


@pytest.mark.parametrize("column", ["encrypted_key", "encryption_iv", "encryption_salt", "*"])
async def test_the_gateways_role_never_reads_ciphertext(pipeline: Pipeline, column: str) -> None:
    await keep(pipeline, "key")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pipeline.app.transaction(pipeline.account_id) as tx:
            await tx.fetch(f"SELECT {column} FROM user_api_keys")


async def test_the_columns_and_indexes_are_those_of_the_seed(pipeline: Pipeline) -> None:
    rows = await pipeline.worker.fetch(
        "SELECT column_name, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_name = 'user_api_keys'"
    )
    columns = {row["column_name"]: row["is_nullable"] for row in rows}
    needed = {"id", "user_id", "provider", "encrypted_key", "encryption_iv", "encryption_salt"}
    assert {name for name in needed if columns[name] == "NO"} == needed
    assert columns.keys() >= {"key_name", "is_active", "last_used_at", "created_at", "updated_at"}
    assert next(row["column_default"] for row in rows if row["column_name"] == "is_active") == "true"
    indexes = await pipeline.worker.fetchval(
        "SELECT string_agg(indexdef, ' ') FROM pg_indexes WHERE tablename = 'user_api_keys'"
    )
    assert "idx_api_keys_user_id ON public.user_api_keys USING btree (user_id)" in indexes
    assert "(user_id, provider, key_name)" in indexes
    policies = await pipeline.worker.fetch(
        "SELECT policyname FROM pg_policies WHERE tablename = 'user_api_keys'"
    )
    assert "api_keys_user_isolation" in {row["policyname"] for row in policies}


async def test_an_account_keeps_so_many(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_keys, "MAX_KEYS", 1)
    await keep(pipeline, "first")
    with pytest.raises(Conflict, match="up to 1 keys"):
        await keep(pipeline, "second")


def test_a_short_key_shows_nothing_of_itself() -> None:
    assert (last_four("sixteen-letters-"), last_four("fifteen-letters")) == ("ers-", "")
    assert master_key_id(OLD) != master_key_id(NEW)
