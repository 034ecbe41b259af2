"""Accounts and their API keys."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.crypto import new_api_key
from shared.db import Database, Role
from shared.domains import accounts
from shared.domains.accounts import MAX_KEYS, Scope, expand
from shared.errors import Conflict, NotFound
from shared.ids import new_id
from shared.orm import orm_engine, orm_session
from shared.settings import Settings

SERVER_KEY = "a-secret-for-tests-that-is-long-enough"


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    opened = await Database.open(settings.database_url, Role.APP, max_size=2)
    yield opened
    await opened.close()


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    made = orm_engine(settings.database_url, Role.APP, pool_size=1)
    yield made
    await made.dispose()


@pytest.fixture
async def account_id(db: Database) -> UUID:
    account_id = new_id()
    async with db.transaction(account_id) as tx:
        await accounts.create_account(tx, account_id, "test")
    return account_id


def test_scopes_include_those_below() -> None:
    assert expand(["read"]) == {Scope.READ}
    assert expand(["write"]) == {Scope.READ, Scope.WRITE}
    assert expand(["admin"]) == set(Scope)
    assert expand(["root", ""]) == frozenset()


async def test_a_key_is_found_by_its_text_alone(db: Database, engine: AsyncEngine, account_id: UUID) -> None:
    async with orm_session(engine, account_id) as session:
        made = await accounts.create_key(
            session, account_id, SERVER_KEY, name="a", scopes=[Scope.WRITE], expires_at=None
        )
    found = await accounts.authenticate(db, SERVER_KEY, made.text)
    assert found is not None
    assert (found.account_id, found.id) == (account_id, made.row.id)
    assert found.scopes == {Scope.READ, Scope.WRITE}
    assert await accounts.authenticate(db, "another-server-key", made.text) is None
    assert await accounts.authenticate(db, SERVER_KEY, new_api_key().text) is None
    assert await accounts.authenticate(db, SERVER_KEY, "") is None


async def test_a_key_ends_at_its_expiry(db: Database, engine: AsyncEngine, account_id: UUID) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    async with orm_session(engine, account_id) as session:
        made = await accounts.create_key(
            session, account_id, SERVER_KEY, name="a", scopes=[Scope.READ], expires_at=soon
        )
    assert await accounts.authenticate(db, SERVER_KEY, made.text) is not None
    async with orm_session(engine, account_id) as session:
        (await accounts.get_key(session, made.row.id)).expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert await accounts.authenticate(db, SERVER_KEY, made.text) is None


async def test_keys_of_others_are_not_there(engine: AsyncEngine, account_id: UUID) -> None:
    async with orm_session(engine, account_id) as session:
        made = await accounts.create_key(
            session, account_id, SERVER_KEY, name="a", scopes=[Scope.READ], expires_at=None
        )
    async with orm_session(engine, new_id()) as session:
        assert await accounts.list_keys(session) == []
        with pytest.raises(NotFound):
            await accounts.revoke_key(session, made.row.id)


async def test_an_account_has_so_many_keys_at_most(
    db: Database, engine: AsyncEngine, account_id: UUID
) -> None:
    async with db.transaction(account_id) as tx:
        for n in range(MAX_KEYS):
            await accounts.insert_key(tx, account_id, SERVER_KEY, name=str(n), scopes=[Scope.READ])
    async with orm_session(engine, account_id) as session:
        with pytest.raises(Conflict):
            await accounts.create_key(
                session, account_id, SERVER_KEY, name="one more", scopes=[Scope.READ], expires_at=None
            )


async def test_use_is_recorded_once_a_minute(db: Database, account_id: UUID) -> None:
    async with db.transaction(account_id) as tx:
        text = await accounts.insert_key(tx, account_id, SERVER_KEY, name="a", scopes=[Scope.READ])
    first = await accounts.authenticate(db, SERVER_KEY, text)
    assert first is not None
    assert not first.used_recently
    await accounts.record_use(db, first)
    again = await accounts.authenticate(db, SERVER_KEY, text)
    assert again is not None
    assert again.used_recently
