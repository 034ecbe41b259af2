"""SQLAlchemy for the ordinary routes: sessions on an engine of the same role as the pool.

It lives apart from `shared.db` because workers do without it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from shared.db import Role, to_json


def orm_engine(url: str, role: Role, *, pool_size: int = 5) -> AsyncEngine:
    """An engine for the ordinary routes, in the same role as the pool."""
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool_size,
        pool_pre_ping=True,
        json_serializer=to_json,
        json_deserializer=orjson.loads,
        connect_args={"timeout": 5, "server_settings": {"role": role.value, "jit": "off"}},
    )


@asynccontextmanager
async def orm_session(engine: AsyncEngine, account_id: UUID | None) -> AsyncIterator[AsyncSession]:
    """A session in one transaction, scoped to the account; commits at the end of the block."""
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        if account_id is not None:
            await session.execute(
                text("SELECT set_config('app.user_id', :account, true)"), {"account": str(account_id)}
            )
        yield session
