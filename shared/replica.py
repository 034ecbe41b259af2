"""Reads that may be a moment old: from a replica of the database while one answers, else from the primary."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from shared.db import CONNECTION_ERRORS, Database, Tx
from shared.log import get_logger

log = get_logger(__name__)

RETRY_S = 30.0
"""So long a replica that could not be reached is left alone."""


class ReadReplica:
    """Transactions that only read. `replica` None is the primary, always."""

    def __init__(self, primary: Database, replica: Database | None) -> None:
        self._primary = primary
        self._replica = replica
        self._again_at = 0.0

    @asynccontextmanager
    async def transaction(self, account_id: UUID | None = None) -> AsyncIterator[Tx]:
        """As `Database.transaction`. A replica that goes away meanwhile fails it; the next one finds the primary."""
        async with AsyncExitStack() as stack:
            yield await self._begin(stack, account_id)

    async def _begin(self, stack: AsyncExitStack, account_id: UUID | None) -> Tx:
        if self._replica is not None and time.monotonic() >= self._again_at:
            try:
                return await stack.enter_async_context(self._replica.transaction(account_id))
            except CONNECTION_ERRORS as error:
                self._again_at = time.monotonic() + RETRY_S
                log.warning("replica_away", error=type(error).__name__)
        return await stack.enter_async_context(self._primary.transaction(account_id))
