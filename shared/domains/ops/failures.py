"""Failed generations by their cause: what has the same fingerprint has most likely the same cure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.domains.ops.audit import Actor, deed
from shared.domains.ops.jobs import JobFilter, count
from shared.errors import Conflict, NotFound

_READ = "SELECT * FROM auth.ops_failures($1, $2)"
_DISCARD = "SELECT auth.ops_discard($1)"


async def read(db: Database, caller: UUID, since: datetime, most: int) -> list[Mapping[str, Any]]:
    """The causes of what failed since then and was neither tried again nor set aside, the newest first."""
    async with db.transaction(caller) as tx:
        return list(await tx.fetch(_READ, since, most))


def of_cause(fingerprint: str) -> JobFilter:
    return JobFilter(fingerprint=fingerprint, unsettled=True)


async def discard(db: Database, actor: Actor, fingerprint: str, confirmed: int) -> None:
    """Sets a cause aside until it fails anew. Raises NotFound, Conflict when there are not as many as was confirmed."""
    async with deed(db, actor, "failure.discard", f"failure:{fingerprint}", count=confirmed) as done:
        await check(done.tx, fingerprint, confirmed)
        await done.tx.execute(_DISCARD, fingerprint)


async def check(tx: Tx, fingerprint: str, confirmed: int) -> None:
    """Raises NotFound when nothing has failed so, Conflict when there are not as many as was confirmed."""
    now = await count(tx, of_cause(fingerprint))
    if not now:
        raise NotFound(f"Nothing has failed with the fingerprint {fingerprint[:64]!r}.")
    if now != confirmed:
        raise Conflict(
            f"There are {now} such failures, not {confirmed}. Look again, and confirm that number.", count=now
        )
