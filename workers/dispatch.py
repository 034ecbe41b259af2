"""Dispatch: which generations are looked at next, in fair order, within what the fleet can take.

Under an advisory lock per kind, due and unowned rows are picked: first those that are on their way already,
then queued ones, least recently served account first, within an account by priority and age. A higher plan counts
as served some seconds earlier than it was: it goes first without keeping others waiting for long. Their bell
number goes up and their clock is set a few seconds ahead, so that a lost bell rings again. The bells are rung
after the commit; when Redis refuses, the steps run in this process.

While a queue is paused nothing queued is announced, save what an operator wants run now; while it is drained, what
was begun before is, too. When all workers of a kind are quiet, what was paid for is carried on by one of them.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from shared.crashpoints import reach
from shared.db import Database, Tx
from shared.domains.generations import DISPATCH_GRACE_S
from shared.log import get_logger
from shared.queue import Bell, BellUnavailable

log = get_logger(__name__)

DISPATCH_LOCK = 0xD15
LIMITS_LOCK = 0x11417
PLAN_LEAD_S = 2.0
"""How much longer an account seems to have waited for each rank of its plan."""

# `room` is what may be announced at all, `open` what may be begun.
_ROOM = """
SELECT least($2::int, ceil(1.5 * f.slots)::int - under_way) AS room,
    least($2::int, ceil(1.5 * f.open)::int - under_way) AS open, f.open = 0 AS all_quiet
FROM (
    SELECT coalesce(sum(w.slots), 0) AS slots, coalesce(sum(w.slots) FILTER (WHERE NOT w.quiet), 0) AS open
    FROM workers w WHERE $1 = ANY (w.kinds) AND NOT w.draining
) f CROSS JOIN (
    SELECT count(*)::int AS under_way FROM generations g
    WHERE g.kind = $1 AND (g.owner IS NOT NULL OR g.rung) AND g.state <> 'waiting'
        AND (g.owner IS NOT NULL OR g.wake_at > now())
) u
"""

# An account's limit counts all kinds, so kinds whose queues have work of limited accounts take turns.
_TAKE_TURN = """
SELECT pg_advisory_xact_lock($2) WHERE EXISTS (
    SELECT FROM accounts a WHERE a.max_running IS NOT NULL
        AND EXISTS (SELECT FROM generations g WHERE g.kind = $1 AND g.state = 'queued' AND g.account_id = a.id)
)
"""

# `resting` is null while the queue runs.
_STANDING = """
SELECT (
    SELECT mode FROM queues WHERE kind = $1 AND paused AND (paused_until IS NULL OR paused_until > now())) AS resting,
    EXISTS (SELECT FROM generations WHERE kind = $1 AND state = 'queued' AND run_now
        AND owner IS NULL AND wake_at <= now()) AS asked
"""

_RING = """
UPDATE generations g SET dispatch_no = g.dispatch_no + 1, rung = true,
    wake_at = now() + $3::float8 * interval '1 second'
FROM (
    SELECT id FROM generations
    WHERE kind = $1 AND state IN ('submitting', 'storing') AND owner IS NULL AND wake_at <= now()
    ORDER BY wake_at LIMIT $2 FOR UPDATE SKIP LOCKED
) due
WHERE g.id = due.id
RETURNING g.id, g.dispatch_no
"""

# What an operator wants run, and under a drain what was begun before: neither waits its turn.
_RING_QUEUED = """
UPDATE generations g SET dispatch_no = g.dispatch_no + 1, rung = true,
    wake_at = now() + $3::float8 * interval '1 second'
FROM (
    SELECT id FROM generations
    WHERE kind = $1 AND state = 'queued' AND owner IS NULL AND wake_at <= now() AND {which}
    ORDER BY priority DESC, id LIMIT $2 FOR UPDATE SKIP LOCKED
) due
WHERE g.id = due.id
RETURNING g.id, g.dispatch_no
"""
_RING_ASKED = _RING_QUEUED.format(which="run_now")
_RING_BEGUN = _RING_QUEUED.format(which="started_at IS NOT NULL")
# So that a cancel that came between two attempts is not kept waiting by the pause.
_RING_CANCELED = _RING_QUEUED.format(which="cancel_requested_at IS NOT NULL")

# Accounts are locked in the order of their ids, as everywhere, so that nobody waits for another in a circle.
# The recursive part hops from account to account through the index, whatever the backlog's length.
_RING_FAIRLY = """
WITH RECURSIVE tenants AS (
    (SELECT account_id FROM generations WHERE kind = $1 AND state = 'queued' ORDER BY account_id LIMIT 1)
    UNION ALL
    SELECT (SELECT g.account_id FROM generations g
            WHERE g.kind = $1 AND g.state = 'queued' AND g.account_id > t.account_id
            ORDER BY g.account_id LIMIT 1)
    FROM tenants t WHERE t.account_id IS NOT NULL
), served AS (
    SELECT a.id AS account_id, a.last_served_at - p.rank * $4::float8 * interval '1 second' AS last_served_at,
        CASE WHEN a.max_running IS NULL THEN $2::int
        ELSE least($2::int, a.max_running - (
            SELECT count(*) FROM generations r
            WHERE r.account_id = a.id AND (r.state IN ('submitting', 'waiting', 'storing')
                OR (r.state = 'queued' AND (r.owner IS NOT NULL OR (r.rung AND r.wake_at > now()))))
        )::int) END AS room
    FROM tenants t JOIN accounts a ON a.id = t.account_id AND a.status = 'active' JOIN plans p ON p.name = a.plan
), picked AS (
    SELECT due.id, due.account_id, due.turn, served.last_served_at
    FROM served CROSS JOIN LATERAL (
        SELECT g.id, g.account_id, row_number() OVER (ORDER BY g.priority DESC, g.id) AS turn
        FROM (
            SELECT id, account_id, priority FROM generations
            WHERE kind = $1 AND state = 'queued' AND account_id = served.account_id
                AND owner IS NULL AND wake_at <= now()
            ORDER BY priority DESC, id LIMIT greatest(served.room, 0)
        ) g
    ) due
    ORDER BY due.turn, served.last_served_at NULLS FIRST, due.account_id
    LIMIT $2
), rung AS (
    UPDATE generations g SET dispatch_no = g.dispatch_no + 1, rung = true,
        wake_at = now() + $3::float8 * interval '1 second'
    FROM picked WHERE g.id = picked.id AND g.owner IS NULL AND g.state = 'queued'
    RETURNING g.id, g.dispatch_no, g.account_id, picked.turn, picked.last_served_at
), locked AS (
    SELECT id FROM accounts WHERE id IN (SELECT account_id FROM rung) AND (SELECT count(*) FROM served) > 1
    ORDER BY id FOR NO KEY UPDATE
), marked AS (
    UPDATE accounts a SET last_served_at = clock_timestamp() FROM locked WHERE a.id = locked.id
)
SELECT id, dispatch_no FROM rung ORDER BY turn, last_served_at NULLS FIRST, account_id
"""


class Dispatcher:
    """Rings for one process' kinds. `run_here` runs a step in this process when Redis is away."""

    def __init__(
        self, db: Database, bell: Bell, run_here: Callable[[str, UUID, int], Awaitable[None]]
    ) -> None:
        self._db = db
        self._bell = bell
        self._run_here = run_here

    async def dispatch(self, kind: str, most: int) -> int:
        """Announces up to `most` due generations of the kind; returns how many. Raises CONNECTION_ERRORS."""
        async with self._db.transaction() as tx:
            bells, all_quiet = await self._pick(tx, kind, most)
            if bells:
                reach("before_dispatch_commit")
        if bells:
            reach("after_dispatch_commit")
            await self._ring(kind, bells, all_quiet=all_quiet)
        return len(bells)

    async def _pick(self, tx: Tx, kind: str, most: int) -> tuple[list[tuple[UUID, int]], bool]:
        """The bells, and whether nobody but this process would hear them."""
        if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1, hashtext($2))", DISPATCH_LOCK, kind):
            return [], False
        found = await tx.fetchrow(_ROOM, kind, most)
        assert found is not None  # noqa: S101  # it joins to one row
        if found["room"] <= 0:
            return [], False
        rows = await tx.fetch(_RING, kind, found["room"], DISPATCH_GRACE_S)
        if len(rows) < min(found["room"], found["open"]):
            rows += await self._begin(tx, kind, found["open"] - len(rows))
        return [(row["id"], row["dispatch_no"]) for row in rows], found["all_quiet"]

    async def _begin(self, tx: Tx, kind: str, room: int) -> list[Any]:
        """What is picked of those that queue."""
        standing = await tx.fetchrow(_STANDING, kind)
        assert standing is not None  # noqa: S101  # a SELECT without FROM has one row
        rows: list[Any] = []
        if standing["asked"]:
            rows += await tx.fetch(_RING_ASKED, kind, room, DISPATCH_GRACE_S)
        if len(rows) >= room:
            return rows
        if standing["resting"] is None:
            await tx.execute(_TAKE_TURN, kind, LIMITS_LOCK)
            return rows + await tx.fetch(_RING_FAIRLY, kind, room - len(rows), DISPATCH_GRACE_S, PLAN_LEAD_S)
        which = _RING_BEGUN if standing["resting"] == "drain" else _RING_CANCELED
        return rows + await tx.fetch(which, kind, room - len(rows), DISPATCH_GRACE_S)

    async def _ring(self, kind: str, bells: list[tuple[UUID, int]], *, all_quiet: bool) -> None:
        reach("before_ring")
        try:
            if all_quiet:
                raise BellUnavailable("all workers of the kind are quiet")
            await self._bell.ring(kind, bells)
        except BellUnavailable as error:
            log.warning("running_here", kind=kind, steps=len(bells), reason=str(error))
            for generation_id, dispatch_no in bells:
                await self._run_here(kind, generation_id, dispatch_no)
        reach("after_ring")
