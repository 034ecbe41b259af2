"""Worker processes as operators see and steer them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared.db import Database
from shared.domains.ops.audit import Actor, deed
from shared.errors import NotFound

_READ = """
SELECT w.id, w.kinds, w.slots, w.host, w.pid, w.version, w.draining, w.quiet, w.started_at, w.beat_at, w.stats,
    greatest(0, extract(epoch FROM now() - w.beat_at))::float8 AS beat_age_s,
    w.beat_at > now() - $1::float8 * interval '1 second' AS up
FROM workers w ORDER BY w.host, w.started_at, w.id
"""
_QUIET = "SELECT auth.ops_quiet($1, $2)"
_STOP = "SELECT auth.ops_stop($1)"


async def read(db: Database, lease_ttl_s: float) -> list[Mapping[str, Any]]:
    """All that registered and were not buried yet."""
    return list(await db.fetch(_READ, lease_ttl_s))


async def quiet(db: Database, actor: Actor, worker_id: UUID, *, on: bool) -> None:
    """Has a worker begin nothing new, or begin again. What it has begun, and what waits at providers, it carries on.

    Raises NotFound.
    """
    async with deed(db, actor, "worker.quiet" if on else "worker.unquiet", f"worker:{worker_id}") as done:
        if not await done.tx.fetchval(_QUIET, worker_id, on):
            raise NotFound(f"There is no worker {worker_id}.")


async def stop(db: Database, actor: Actor, worker_id: UUID) -> None:
    """Has a worker end: it lets paid calls finish and gives the rest back. Whoever keeps it running starts another.

    Raises NotFound.
    """
    async with deed(db, actor, "worker.stop", f"worker:{worker_id}") as done:
        if not await done.tx.fetchval(_STOP, worker_id):
            raise NotFound(f"There is no worker {worker_id}.")
