"""Postgres: one pool per role, transactions that carry their account, and work that waits for the commit.

The hot path is hand-written SQL on asyncpg; ordinary routes use `shared.orm`. Every connection takes its role
when it opens, so row-level security holds whatever user the URL names.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import asyncpg
import orjson

from shared.log import get_logger

log = get_logger(__name__)

AfterCommit = Callable[[], Awaitable[None]]

# What a lost or refused connection raises: the work may be done again elsewhere or later. asyncpg's internal error
# is that of a connection whose server has said goodbye but not yet hung up.
CONNECTION_ERRORS: tuple[type[BaseException], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)


class Role(StrEnum):
    OWNER = "penstock_owner"
    APP = "penstock_app"
    WORKER = "penstock_worker"


class Tx:
    """A transaction under way. `after_commit` runs only if it commits, in order, errors logged."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.callbacks: list[AfterCommit] = []

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        return await self._connection.fetch(sql, *args)  # type: ignore[no-any-return]  # asyncpg is untyped

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        return await self._connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        return await self._connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        return str(await self._connection.execute(sql, *args))

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.executemany(sql, rows)

    def after_commit(self, callback: AfterCommit) -> None:
        self.callbacks.append(callback)


class Database:
    """A pool of connections in one role."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(
        cls, url: str, role: Role, *, min_size: int = 1, max_size: int = 10, statement_timeout_s: float = 30.0
    ) -> Self:
        """Raises CONNECTION_ERRORS when Postgres cannot be reached, PostgresError when it refuses."""
        pool = await asyncpg.create_pool(
            url,
            min_size=min_size,
            max_size=max_size,
            max_inactive_connection_lifetime=60,
            timeout=5,
            command_timeout=statement_timeout_s,
            init=_prepare_connection,
            reset=_no_reset,
            server_settings={"role": role.value, "application_name": role.value, "jit": "off"},
        )
        return cls(pool)

    async def close(self, timeout_s: float = 3.0) -> None:
        """Waits for connections in use up to `timeout_s`, then drops them."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self, account_id: UUID | None = None) -> AsyncIterator[Tx]:
        """Commits when the block ends, rolls back when it raises.

        With an account, the app role sees and writes only that account's rows. Without one, the app role
        sees no account's rows at all.
        """
        async with self._pool.acquire() as connection:
            # One round trip, and nothing to plan: the setting lives and dies with the transaction.
            scope = f"; SET LOCAL app.user_id = '{account_id}'" if account_id else ""
            await connection.execute(f"BEGIN{scope}")
            tx = Tx(connection)
            try:
                yield tx
            except BaseException:
                # A connection that is gone has rolled back by itself; what was raised first says why.
                with suppress(*CONNECTION_ERRORS):
                    if connection.is_in_transaction():
                        await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
        await run_callbacks(tx.callbacks)

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        return await self._pool.fetch(sql, *args)  # type: ignore[no-any-return]  # asyncpg is untyped

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        return await self._pool.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        return await self._pool.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        return str(await self._pool.execute(sql, *args))


async def run_callbacks(callbacks: Sequence[AfterCommit]) -> None:
    """What follows a commit is best effort: the clock in Postgres sees to whatever fails here."""
    for callback in callbacks:
        try:
            await callback()
        except Exception:
            log.exception("after_commit_failed")


def to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _prepare_connection(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=to_json, decoder=orjson.loads, schema="pg_catalog")


async def _no_reset(connection: asyncpg.Connection) -> None:
    """Transactions leave no session state, so the pool's reset query would be a wasted round trip.

    A COMMIT that was interrupted is the exception: what is still open is rolled back here.
    """
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")
