"""The schema's history runs both ways, and the tables in code are those in the database."""

import asyncio
from datetime import UTC, datetime

import asyncpg
from alembic import command
from alembic.script import ScriptDirectory

from gateway.routes.health import newest_revision
from shared.db import Database, Role
from shared.domains import archive
from shared.ids import new_id
from shared.migrate import alembic_config, ensure_roles
from tests.usage_history import make

BEFORE_THE_ARCHIVE = "0023"


async def _tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_up_and_down_and_nothing_left_to_say(empty_database: str) -> None:
    await ensure_roles(empty_database)
    config = alembic_config(empty_database)
    await asyncio.to_thread(command.upgrade, config, "head")
    assert {"generations", "submissions", "ledger", "outputs", "workers"} <= await _tables(empty_database)
    await asyncio.to_thread(command.check, config)
    await asyncio.to_thread(command.downgrade, config, "base")
    assert await _tables(empty_database) == {"alembic_version"}
    await asyncio.to_thread(command.upgrade, config, "head")


async def test_what_was_archived_comes_back(empty_database: str) -> None:
    """Down and up again over rows, some of them in a month that is detached."""
    await ensure_roles(empty_database)
    config = alembic_config(empty_database)
    await asyncio.to_thread(command.upgrade, config, "head")
    db = await Database.open(empty_database, Role.WORKER)
    account_id, old = new_id(), datetime(2024, 5, 3, tzinfo=UTC)
    try:
        await db.execute("INSERT INTO accounts (id, name) VALUES ($1, 'x')", account_id)
        for moment in (old, datetime(2024, 6, 3, tzinfo=UTC), datetime.now(UTC)):
            made = await make(db, account_id, moment)
            await db.execute(
                "INSERT INTO outputs (generation_id, n, account_id, kind, key, mime, bytes, sha256)"
                " VALUES ($1, 0, $2, 'image', 'k', 'image/png', 1, 'h')", made.id, account_id,
            )  # fmt: skip
        await db.execute("UPDATE generations SET cost_status = 'final'")
        before = await db.fetch(
            "SELECT * FROM generations g JOIN submissions s ON s.generation_id = g.id ORDER BY 1"
        )
        assert [await archive.move(db, 3) for _ in range(3)] == [1, 1, 0]
        async with db.transaction() as tx:
            await archive.detach(tx, old.date().replace(day=1))
        await asyncio.to_thread(command.downgrade, config, BEFORE_THE_ARCHIVE)
        after = await db.fetch(
            "SELECT * FROM generations g JOIN submissions s ON s.generation_id = g.id ORDER BY 1"
        )
        assert after == before
        assert await db.fetchval("SELECT count(*) FROM outputs") == 3
        await asyncio.to_thread(command.upgrade, config, "head")
        assert await archive.move(db, 3) == 1
        await db.execute("DELETE FROM generations WHERE id = ANY (SELECT generation_id FROM outputs)")
        assert await db.fetchval("SELECT count(*) FROM outputs") == 1, "that of what is archived"
    finally:
        await db.close()


def test_the_newest_file_is_the_newest_revision() -> None:
    assert newest_revision() == ScriptDirectory.from_config(alembic_config("")).get_current_head()
