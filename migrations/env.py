"""Runs the migrations as the schema's owner, over asyncpg."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import shared.tables
from shared.db import Role
from shared.settings import Settings

# Importing the tables registers them with the metadata.
metadata = SQLModel.metadata
assert shared.tables.__all__  # noqa: S101  # keeps the import meaningful to linters


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=False)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    url = context.config.get_main_option("sqlalchemy.url") or Settings().owner_url
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=pool.NullPool
    )
    async with engine.connect() as connection:
        await connection.execute(text(f"SET ROLE {Role.OWNER.value}"))
        await connection.commit()
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(main())
