"""Row-level security: each table × select, insert, update, delete × another account, no account."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.db import Database
from shared.ids import new_id
from tests.pipeline import Pipeline
from tests.rows import OWNED, insert, insert_everything, owner_of

NOBODYS = {
    "alembic_version", "audit_log", "discarded_failures", "login_attempts", "model_cards", "plans", "prices",
    "provider_audits", "provider_callbacks", "provider_calls", "provider_checks", "provider_limits", "queues",
    "run_times", "workers",
}  # fmt: skip
"""The tables of the installation. A new one is either somebody's, and isolated, or named here."""
MATRIX = list(product(OWNED, ["another account", "no account"]))

_CHANGEABLE = """
SELECT attname FROM pg_attribute
WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attidentity = ''
    AND has_column_privilege('penstock_app', attrelid, attnum, 'UPDATE')
ORDER BY attnum LIMIT 1
"""


@pytest.fixture
async def mine(pipeline: Pipeline) -> AsyncIterator[UUID]:
    """An account with one row in every table."""
    account_id = new_id()
    await insert_everything(pipeline.worker, account_id, new_id())
    yield account_id
    await pipeline.worker.execute("DELETE FROM accounts WHERE id = $1", account_id)


@pytest.mark.parametrize(("table", "stranger"), MATRIX)
async def test_a_stranger_sees_changes_and_deletes_nothing(
    pipeline: Pipeline, mine: UUID, table: str, stranger: str
) -> None:
    caller = pipeline.account_id if stranger == "another account" else None
    assert await _count(pipeline.app, mine, table, mine) == 1, "its owner sees it"
    assert await _count(pipeline.app, caller, table, mine) == 0
    column = await pipeline.worker.fetchval(_CHANGEABLE, table)
    for sql in (
        f"UPDATE {table} SET {column or owner_of(table)} = {column or owner_of(table)} WHERE {owner_of(table)} = $1",
        f"DELETE FROM {table} WHERE {owner_of(table)} = $1",
    ):
        try:
            async with pipeline.app.transaction(caller) as tx:
                assert (await tx.execute(sql, mine)).endswith(" 0")
        except asyncpg.InsufficientPrivilegeError:
            # The role may not do this to any row of the table.
            assert column is None or sql.startswith("DELETE")
    assert await _count(pipeline.worker, None, table, mine) == 1


@pytest.mark.parametrize(("table", "stranger"), MATRIX)
async def test_a_stranger_writes_nothing_in_my_name(
    pipeline: Pipeline, mine: UUID, table: str, stranger: str
) -> None:
    caller = pipeline.account_id if stranger == "another account" else None
    generation_id = await pipeline.worker.fetchval("SELECT id FROM generations WHERE account_id = $1", mine)
    account = new_id() if table == "accounts" else mine
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pipeline.app.transaction(caller) as tx:
            await insert(tx, table, new_id(), account, generation_id)


@pytest.mark.parametrize("table", [name for name in OWNED if owner_of(name) != "id"])
async def test_nothing_of_mine_is_made_anothers(pipeline: Pipeline, mine: UUID, table: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pipeline.app.transaction(mine) as tx:
            await tx.execute(f"UPDATE {table} SET {owner_of(table)} = $1", pipeline.account_id)


async def test_every_table_is_isolated_and_forced_or_the_installations(pipeline: Pipeline) -> None:
    rows = await pipeline.worker.fetch(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AND EXISTS ("
        "   SELECT FROM pg_policies p WHERE p.tablename = c.relname AND p.roles = '{penstock_app}'"
        "   HAVING count(DISTINCT p.cmd) = 4 OR bool_or(p.cmd = 'ALL')"
        " ) AS isolated"
        " FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
        " AND NOT c.relispartition"
    )
    assert {row["relname"] for row in rows if row["isolated"]} == set(OWNED)
    assert {row["relname"] for row in rows if not row["isolated"]} == NOBODYS


async def test_views_show_what_their_reader_may_see(pipeline: Pipeline, mine: UUID) -> None:
    views = await pipeline.worker.fetch(
        "SELECT relname, reloptions FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"
    )
    assert {row["relname"]: row["reloptions"] for row in views} == {
        "workbench_generations": ["security_invoker=true"]
    }
    for caller, seen in ((mine, 1), (pipeline.account_id, 0), (None, 0)):
        async with pipeline.app.transaction(caller) as tx:
            assert await tx.fetchval("SELECT count(*) FROM workbench_generations") == seen


async def test_the_ledger_only_grows(pipeline: Pipeline, mine: UUID) -> None:
    for sql in ("UPDATE ledger SET nanos = 0", "DELETE FROM ledger", "TRUNCATE ledger"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pipeline.worker.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE users SET role = 'admin'",
        "UPDATE users SET email = 'eve@people.example'",
        "INSERT INTO identities (issuer, subject, account_id) VALUES ('i', 's', auth.uid())",
        "UPDATE identities SET account_id = auth.uid()",
        "SELECT FROM login_attempts",
        "DELETE FROM login_attempts",
    ],
)
async def test_nobody_promotes_themselves_or_becomes_another(
    pipeline: Pipeline, mine: UUID, sql: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pipeline.app.transaction(mine) as tx:
            await tx.execute(sql)


async def _count(db: Database, caller: UUID | None, table: str, mine: UUID) -> Any:
    async with db.transaction(caller) as tx:
        return await tx.fetchval(f"SELECT count(*) FROM {table} WHERE {owner_of(table)} = $1", mine)
