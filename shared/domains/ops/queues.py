"""Queues as operators see and steer them.

A pause is a row that dispatch and every claim read, so it holds across restarts and without Redis. Under `pause` no
paid call is begun; under `drain` what was begun before goes on, with all its further attempts, until nothing is left.
What waits at a provider is polled, stored and settled under both.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.db import Database
from shared.domains.ops.audit import Actor, deed
from shared.kinds import KINDS
from shared.queue import Bell

_READ = "SELECT * FROM auth.ops_queues($1, $2)"
_THROUGHPUT = "SELECT * FROM auth.ops_throughput($1, $2)"
_SET = "SELECT auth.ops_set_queue($1, $2, $3, $4, $5)"

OUTCOMES = ("accepted", "completed", "failed", "canceled", "expired")

LONG_ALONE_S = 15
"""A worker that starts again, or is told to start, is there sooner."""


class Rest(StrEnum):
    """How a queue rests."""

    PAUSE = "pause"
    DRAIN = "drain"


async def read(db: Database, caller: UUID, lease_ttl_s: float) -> list[Mapping[str, Any]]:
    """Every kind's queue; nothing for who may not look at the installation."""
    async with db.transaction(caller) as tx:
        rows = await tx.fetch(_READ, list(KINDS), lease_ttl_s)
    return sorted(rows, key=lambda row: list(KINDS).index(row["kind"]))


async def throughput(db: Database, caller: UUID, minutes: int) -> dict[str, Any]:
    """What was accepted and what ended, by kind, as lists of equal length: a number for each minute, the last for the
    one that has begun."""
    async with db.transaction(caller) as tx:
        last = await tx.fetchval("SELECT date_trunc('minute', now())")
        rows = await tx.fetch(_THROUGHPUT, list(KINDS), minutes)
    return _series(rows, last - timedelta(minutes=minutes - 1), minutes)


def _series(rows: Sequence[Mapping[str, Any]], start: datetime, minutes: int) -> dict[str, Any]:
    kinds = list(KINDS)
    counts = {kind: {name: [0] * minutes for name in OUTCOMES} for kind in kinds}
    for row in rows:
        place = round((row["minute"] - start).total_seconds() / 60)
        if 0 <= place < minutes:
            for name in OUTCOMES:
                counts[row["kind"]][name][place] = row[name]
    return {
        "start": start,
        "step_s": 60,
        "minutes": minutes,
        "data": [{"kind": kind, **counts[kind]} for kind in kinds],
    }


async def rest(
    db: Database,
    actor: Actor,
    kind: str,
    mode: Rest,
    until: datetime | None = None,
    reason: str | None = None,
) -> None:
    """Begins nothing new of the kind, until `until` or until somebody resumes it."""
    details = {"until": until, "reason": reason}
    given = {name: value for name, value in details.items() if value is not None}
    async with deed(db, actor, f"queue.{mode}", f"queue:{kind}", **given) as done:
        await done.tx.execute(_SET, kind, True, mode, until, reason)


async def resume(db: Database, actor: Actor, kind: str, bell: Bell) -> None:
    async with deed(db, actor, "queue.resume", f"queue:{kind}") as done:
        await done.tx.execute(_SET, kind, False, Rest.PAUSE, None, None)
        done.tx.after_commit(lambda: bell.poke(kind))


def state_of(row: Mapping[str, Any]) -> str:
    """running, paused, draining, or drained when nothing that was begun is left."""
    if not row["paused"]:
        return "running"
    if row["mode"] == Rest.PAUSE:
        return "paused"
    return "draining" if row["running"] or row["waiting"] else "drained"


def nobody_works(row: Mapping[str, Any]) -> bool:
    """Whether something queues though no worker process takes the kind, which nothing but a new process ends."""
    return not row["paused"] and row["workers"] == 0 and row["oldest_s"] > LONG_ALONE_S


def desired_workers(row: Mapping[str, Any], slots_each: int) -> int:
    """How many processes would take on at once all that is due, as things are; what waits at a provider needs none."""
    due = row["asked"] if row["paused"] else row["due"]
    return math.ceil(int(due + row["running"]) / slots_each)
