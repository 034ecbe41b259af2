"""Row-level security: each table × select, insert, update, delete × another account, no account."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.db import Database
from shared.domains import archive
from shared.ids import new_id
from tests.pipeline import Pipeline
from tests.rows import INSERTS, OWNED, insert, insert_everything, owner_of
from tests.usage_history import make

NOBODYS = {
    "alembic_version", "audit_log", "discarded_failures", "login_attempts", "model_cards", "plans", "prices",
    "provider_audits", "provider_callbacks", "provider_calls", "provider_checks", "provider_limits", "purges", "queues",
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


_ARCHIVES = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced, ARRAY(
    SELECT roles::text || cmd || qual || coalesce(with_check, '') FROM pg_policies p
    WHERE p.schemaname = 'archive' AND p.tablename = c.relname ORDER BY 1) AS policies
FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'archive'::regnamespace
"""
_MINE = "(account_id = ( SELECT auth.uid() AS uid))"


@pytest.fixture
async def archived(pipeline: Pipeline) -> AsyncIterator[UUID]:
    """An account with one archived generation, of a month that is attached and of one that is not."""
    account_id, moments = new_id(), (datetime(2024, 5, 3, tzinfo=UTC), datetime(2024, 6, 3, tzinfo=UTC))
    await pipeline.worker.execute("INSERT INTO accounts (id, name) VALUES ($1, 'x')", account_id)
    for moment in moments:
        made = await make(pipeline.worker, account_id, moment)
        await pipeline.worker.execute("UPDATE generations SET cost_status = 'final' WHERE id = $1", made.id)
        await pipeline.worker.execute(INSERTS["generation_events"].replace("$3", "$1"), made.id, account_id)
        assert await archive.move(pipeline.worker, 3) == 1
    async with pipeline.worker.transaction() as tx:
        await archive.detach(tx, moments[0].date().replace(day=1))
    yield account_id
    await pipeline.worker.execute("SELECT archive.attach_month(m) FROM unnest(archive.detached()) AS m")
    await pipeline.worker.execute("DELETE FROM accounts WHERE id = $1", account_id)


async def test_every_table_of_the_archive_is_isolated_by_itself(pipeline: Pipeline, archived: UUID) -> None:
    """Also partitions, which do not have their parent's policies when they are asked directly."""
    rows = await pipeline.worker.fetch(_ARCHIVES)
    assert len(rows) >= 4 + 3 * 2
    for row in rows:
        policies = [f"{{penstock_app}}ALL{_MINE}{_MINE}", "{penstock_worker}ALLtruetrue"]
        assert (row["forced"], row["policies"]) == (True, policies), row["relname"]


async def test_a_stranger_has_no_archive(pipeline: Pipeline, archived: UUID) -> None:
    tables = [row["relname"] for row in await pipeline.worker.fetch(_ARCHIVES)]
    views = ["all_generations", "all_submissions", "all_generation_events"]
    reached = 0
    for table in (f"archive.{name}" for name in (*tables, *views)):
        for caller in (pipeline.account_id, None):
            async with pipeline.app.transaction(caller) as tx:
                assert await tx.fetchval(f"SELECT count(*) FROM {table}") == 0
        async with pipeline.app.transaction(archived) as tx:
            reached += await tx.fetchval(f"SELECT count(*) FROM {table}")
        for sql in (
            f"UPDATE {table} SET deleted_at = now()",
            f"UPDATE {table} SET account_id = auth.uid()",
            f"DELETE FROM {table}",
        ):
            try:
                async with pipeline.app.transaction(pipeline.account_id) as tx:
                    assert (await tx.execute(sql)).endswith(" 0")
            except (
                asyncpg.InsufficientPrivilegeError,
                asyncpg.UndefinedColumnError,
                asyncpg.ObjectNotInPrerequisiteStateError,
            ):
                pass  # not this table, or not by this role
    # Each row by its partition and by its view; the attached ones by their parent too; and the account's own line.
    assert reached == 3 * (2 + 2 + 1) + 1
    left = "SELECT count(*) FROM archive.all_generations WHERE account_id = $1 AND deleted_at IS NULL"
    assert await pipeline.worker.fetchval(left, archived) == 2
    for function in ("make_month(now()::date)", "detach_month('2024-06-01')", "move(now(), 1)"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with pipeline.app.transaction(archived) as tx:
                await tx.execute(f"SELECT archive.{function}")


async def test_the_archive_keeps_every_column_and_nothing_else_refers_to_what_moves(
    pipeline: Pipeline,
) -> None:
    """A new column of a table that is archived belongs into its archive and all months of it, and then into the views
    (`archive.make_views`); what refers to it by a foreign key would be lost, and must move along or wait."""
    columns = """
        SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
        WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname
    """
    for table in ("generations", "submissions", "generation_events"):
        hot = await pipeline.worker.fetch(columns, table)
        assert await pipeline.worker.fetch(columns, f"archive.{table}") == hot
        view = await pipeline.worker.fetch(columns, f"archive.all_{table}")
        assert [row[:2] for row in view] == [row[:2] for row in hot]
    referring = await pipeline.worker.fetch(
        "SELECT conrelid::regclass::text AS name FROM pg_constraint WHERE contype = 'f'"
        " AND confrelid IN ('generations'::regclass, 'submissions'::regclass, 'generation_events'::regclass)"
    )
    assert {row["name"] for row in referring} == {"submissions", "generation_events", "provider_callbacks"}


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
