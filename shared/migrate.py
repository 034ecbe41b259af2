"""`python -m shared.migrate`: makes the three roles if need be, then migrates to the newest schema.
Then it makes the buckets, so that no process has to when it starts.

Roles belong to the database cluster, not to the schema, so they are made here and not in a migration. The
user of DATABASE_OWNER_URL (or DATABASE_URL) must be allowed to make them, or they must be there already.
"""

import asyncio
import sys
from importlib.resources import files

import asyncpg
from alembic import command
from alembic.config import Config

from shared.buckets import Bucket
from shared.db import Role
from shared.settings import Settings
from shared.storage import ObjectStore, StorageError, place_of


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.set_main_option("path_separator", "os")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


async def ensure_roles(url: str) -> None:
    """Makes the roles and lets the connecting user act as each. Raises PostgresError if it may not."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        user, database = await connection.fetchrow("SELECT current_user, current_database()")
        known = {row["rolname"] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
        for role in Role:
            if role not in known:
                # NOINHERIT: whoever may become the worker role does not see all accounts before it does.
                await connection.execute(f'CREATE ROLE "{role}" NOLOGIN NOINHERIT')
            if not await connection.fetchval("SELECT pg_has_role($1, $2, 'MEMBER')", user, role.value):
                await connection.execute(f'GRANT "{role}" TO "{user}"')
        if user != Role.OWNER:
            # The owner hands its definer functions to the worker role, so it must be able to become it.
            await connection.execute(f'GRANT "{Role.WORKER}" TO "{Role.OWNER}"')
            await connection.execute(f'GRANT CREATE ON DATABASE "{database}" TO "{Role.OWNER}"')
            await connection.execute(f'GRANT CREATE ON SCHEMA public TO "{Role.OWNER}"')
    finally:
        await connection.close()


def migrate(url: str) -> None:
    """Brings the database at `url` to the newest schema; does nothing when it is there already."""
    asyncio.run(ensure_roles(url))
    command.upgrade(alembic_config(url), "head")


async def make_buckets(settings: Settings) -> None:
    """Raises StorageError when the object store is away or refuses."""
    store = ObjectStore.open(settings)
    try:
        places = {place_of(settings, bucket).bucket: bucket for bucket in Bucket}
        for bucket in places.values():
            await store.within(bucket).ensure_bucket()
    finally:
        await store.close()


def main() -> int:
    settings = Settings()
    migrate(settings.owner_url)
    try:
        asyncio.run(make_buckets(settings))
    except StorageError as error:
        sys.stderr.write(f"The schema is ready, but its buckets are not: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
