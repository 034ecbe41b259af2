"""The schema's history runs both ways, and the tables in code are those in the database."""

import asyncio

import asyncpg
from alembic import command

from shared.migrate import alembic_config, ensure_roles


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
