"""Keeps the roll-up of usage near the record, and compares both every night."""

import asyncio

import asyncpg

from shared.db import CONNECTION_ERRORS, Database
from shared.domains.analytics import rollup
from shared.domains.analytics.record import KEYS, SUMS
from shared.log import get_logger

log = get_logger(__name__)

TICK_S = 30.0


class Rollup:
    """A duty of maintenance. Accounts are taken by one process at a time."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def run(self) -> None:
        """Rolls up until it is cancelled."""
        while True:
            try:
                await self.roll_up()
                await self.recount()
            except CONNECTION_ERRORS as error:
                log.warning("rollup_put_off", error=type(error).__name__)
            except Exception:
                log.exception("rollup_failed")
            await asyncio.sleep(TICK_S)

    async def roll_up(self) -> None:
        """Every account in whose record something may have happened. One that fails does not hold up the others."""
        for account_id in await rollup.due(self._db):
            try:
                await rollup.roll_up(self._db, account_id)
            except (asyncpg.PostgresError, TimeoutError) as error:
                log.warning("rollup_of_account_put_off", account=str(account_id), error=repr(error))

    async def recount(self) -> int:
        """Every account whose night has come; how many rows differed. Each difference is a fault worth a look."""
        total = 0
        for account_id in await rollup.due_for_recount(self._db):
            try:
                found = await rollup.recount(self._db, account_id)
            except asyncpg.SerializationError:
                continue  # something was deleted meanwhile: the next round looks again
            except (asyncpg.PostgresError, TimeoutError) as error:
                log.warning("recount_put_off", account=str(account_id), error=repr(error))
                continue
            if found is None:
                continue
            total += found.total
            for row in found.differences:
                log.warning("rollup_differed", account=str(account_id), **_readable(row))
            if found.total:
                log.error("rollup_repaired", account=str(account_id), rows=found.total)
        return total


def _readable(row: rollup.Difference) -> dict[str, object]:
    """What was found and what the record says, of the sums that differ."""
    keys: dict[str, object] = {name: str(row[name]) for name in ("day", *KEYS)}
    return keys | {
        name: f"{row[f'found_{name}']} is {row[name]}" for name in SUMS if row[f"found_{name}"] != row[name]
    }
