"""Messages to receivers of webhooks: how an event becomes one for each receiver, who sends it, what came of it.

A message is a row, written in the transaction of what it tells of: told if and only if that is committed. It is
sent by whoever claims it, as often as the schedule says, always under the same id:

     pending ──► delivered                    answered with 2xx
       │  └────► abandoned                    its receiver said 410, is disabled, or is gone
       └───────► failed                       the schedule has come to its end
     any of them ──► pending                  redelivered on request, if nobody is at it
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.db import Database, Tx
from shared.errors import Conflict, NotFound
from shared.ids import new_id

STARTED: Final = "generation.started"
ENDED: Final = ("generation.completed", "generation.failed", "generation.canceled", "generation.expired")
BUDGET_ALERT: Final = "budget.alert"
GENERATION_TYPES: Final = (STARTED, *ENDED)
TYPES: Final = (*GENERATION_TYPES, BUDGET_ALERT)
"""What a receiver may ask for."""
TEST: Final = "webhook.test"
"""What every endpoint gets when somebody presses its test button."""

CANDIDATES: Final = 1000
"""How many due messages a claim looks at, to be fair to their accounts."""


def _moment(column: str) -> str:
    """A time as text in UTC, whatever zone the session is in."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


# `generation`, as receivers see it. Paths are those of this service's gateway, whose name only the gateway knows.
_GENERATION = f"""
jsonb_build_object(
    'id', g.id, 'object', 'generation', 'path', '/api/v1/generations/' || g.id, 'kind', g.kind, 'model', g.model,
    'status', CASE WHEN g.state IN ('submitting', 'waiting', 'storing') THEN 'running' ELSE g.state END,
    'seq', g.seq, 'project_id', g.project_id, 'parent_id', g.parent_id, 'group_id', g.group_id,
    'provider', g.provider, 'provider_model', g.provider_model, 'metadata', g.details,
    'error', CASE WHEN g.wake_at IS NULL THEN g.error END,
    'cost', jsonb_build_object('status', g.cost_status, 'nanos', g.cost_nanos, 'currency', 'USD'),
    'outputs', (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'n', o.n, 'kind', o.kind, 'path', '/api/v1/generations/' || g.id || '/outputs/' || o.n, 'mime', o.mime,
            'bytes', o.bytes, 'sha256', o.sha256, 'width', o.width, 'height', o.height, 'duration_s', o.duration_s
        ) ORDER BY o.n), '[]') FROM outputs o WHERE o.generation_id = g.id),
    'created_at', {_moment("g.created_at")}, 'started_at', {_moment("g.started_at")},
    'completed_at', {_moment("g.completed_at")}
)
"""  # noqa: S608  # constants only

_ANNOUNCE = f"""
INSERT INTO webhook_deliveries (id, account_id, endpoint_id, url, type, generation_id, data)
SELECT gen_random_uuid(), g.account_id, r.endpoint_id, r.url, n.type, g.id, {_GENERATION}
FROM unnest($1::uuid[], $2::text[]) AS n(id, type) JOIN generations g ON g.id = n.id
CROSS JOIN LATERAL (
    SELECT w.id AS endpoint_id, NULL AS url FROM webhook_endpoints w
    WHERE w.account_id = g.account_id AND w.enabled AND n.type = ANY (w.events)
    UNION ALL
    SELECT NULL, g.webhook ->> 'url' WHERE g.webhook -> 'events' ? n.type
) r
"""  # noqa: S608  # constants only

_ENQUEUE = """
INSERT INTO webhook_deliveries (id, account_id, endpoint_id, type, data)
SELECT gen_random_uuid(), w.account_id, w.id, $2, $3 FROM webhook_endpoints w
WHERE w.account_id = $1 AND w.enabled AND $2 = ANY (w.events)
"""

_TEST = """
INSERT INTO webhook_deliveries (id, account_id, endpoint_id, type, data) VALUES ($1, $2, $3, $4, $5) RETURNING *
"""

# A claim takes a few messages of each account, oldest first, so that one account's slow receiver or long backlog
# delays nobody else; `$3` are accounts that have enough under way. It holds them for `$5` seconds: what is not
# settled by then, because its process died, is due again.
_CLAIM = """
WITH waiting AS (
    SELECT id, next_at, row_number() OVER (PARTITION BY account_id ORDER BY next_at) AS nth
    FROM (SELECT id, account_id, next_at FROM webhook_deliveries
          WHERE next_at <= now() AND account_id <> ALL ($3::uuid[]) ORDER BY next_at LIMIT $2) d
), due AS (
    SELECT d.id FROM webhook_deliveries d JOIN waiting w ON w.id = d.id
    WHERE w.nth <= $4 AND d.next_at <= now() ORDER BY w.next_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED
), u AS (
    UPDATE webhook_deliveries d SET epoch = d.epoch + 1, claimed_at = now(),
        next_at = now() + $5::float8 * interval '1 second'
    FROM due WHERE d.id = due.id RETURNING d.*
)
SELECT u.id, u.account_id, u.endpoint_id, u.epoch, u.tries, u.type, u.data, u.created_at,
    CASE WHEN u.url IS NOT NULL THEN u.url WHEN w.enabled THEN w.url END AS url,
    ARRAY(SELECT s.id FROM webhook_secrets s WHERE s.account_id = u.account_id
        AND s.endpoint_id IS NOT DISTINCT FROM u.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > now())
        ORDER BY s.id DESC) AS secret_ids,
    ARRAY(SELECT s.sealed FROM webhook_secrets s WHERE s.account_id = u.account_id
        AND s.endpoint_id IS NOT DISTINCT FROM u.endpoint_id AND (s.expires_at IS NULL OR s.expires_at > now())
        ORDER BY s.id DESC) AS sealed
FROM u LEFT JOIN webhook_endpoints w ON w.id = u.endpoint_id
"""

_SETTLE = """
UPDATE webhook_deliveries SET state = $3, claimed_at = NULL,
    next_at = CASE WHEN $3 = 'pending' THEN now() + $4::float8 * interval '1 second' END,
    tries = tries + $5::int, attempts = attempts + $5::int,
    attempted_at = CASE WHEN $5 = 1 THEN now() ELSE attempted_at END,
    delivered_at = CASE WHEN $3 = 'delivered' THEN now() ELSE delivered_at END,
    status = $6, response = $7, error = $8
WHERE id = $1 AND epoch = $2 AND state = 'pending'
"""

# What is under way ends by its own answer.
_ABANDON = """
UPDATE webhook_deliveries SET state = 'abandoned', next_at = NULL, claimed_at = NULL, error = $2
WHERE endpoint_id = $1 AND state = 'pending' AND (claimed_at IS NULL OR next_at <= now())
"""

_SHOWN = """
id, endpoint_id, url, type, generation_id, data, state, next_at, claimed_at IS NOT NULL AND next_at > now() AS busy,
tries, attempts, status, response, error, created_at, attempted_at, delivered_at
"""

_GET = f"SELECT {_SHOWN} FROM webhook_deliveries WHERE id = $1"  # noqa: S608  # constants only

_LOCK = f"""
SELECT {_SHOWN}, url IS NOT NULL OR EXISTS (SELECT FROM webhook_endpoints w WHERE w.id = d.endpoint_id AND w.enabled)
    AS wanted
FROM webhook_deliveries d WHERE id = $1 FOR UPDATE
"""  # noqa: S608  # constants only

_REDELIVER = f"""
UPDATE webhook_deliveries SET state = 'pending', next_at = now(), claimed_at = NULL, epoch = epoch + 1, tries = 0
WHERE id = $1 RETURNING {_SHOWN}
"""  # noqa: S608  # constants only

_PRUNE = """
DELETE FROM webhook_deliveries WHERE state <> 'pending' AND created_at < now() - $1::int * interval '1 day'
"""


async def announce(tx: Tx, news: Sequence[tuple[UUID, str]]) -> None:
    """Writes the messages about changes of generations: their ids, and the type of each change."""
    if news:
        await tx.execute(
            _ANNOUNCE, [generation_id for generation_id, _ in news], [type_ for _, type_ in news]
        )


async def enqueue(tx: Tx, account_id: UUID, type_: str, data: Mapping[str, Any]) -> None:
    """Writes a message about anything else for each endpoint of the account that asks for its type."""
    await tx.execute(_ENQUEUE, account_id, type_, dict(data))


async def enqueue_test(tx: Tx, account_id: UUID, endpoint_id: UUID, data: Mapping[str, Any]) -> UUID:
    """Writes a test message for one endpoint and returns its id."""
    delivery_id = new_id()
    await tx.execute(_TEST, delivery_id, account_id, endpoint_id, TEST, dict(data))
    return delivery_id


# Sending.


@dataclass(frozen=True, slots=True)
class Message:
    """A claimed message. `url` None: nobody wants it any more. `sealed` are the encrypted secrets by their ids,
    the newest first."""

    id: UUID
    account_id: UUID
    endpoint_id: UUID | None
    epoch: int
    tries: int
    type: str
    data: Mapping[str, Any]
    created_at: datetime
    url: str | None
    sealed: Mapping[UUID, bytes]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What came of a message; `pending` is tried again after `delay_s`. `tried` is false when nothing was sent."""

    state: str
    delay_s: float = 0.0
    tried: bool = True
    status: int | None = None
    response: str | None = None
    error: str | None = None


async def claim(
    db: Database, *, limit: int, per_account: int, busy: Sequence[UUID], hold_s: float
) -> list[Message]:
    """Messages that are due, for `hold_s` nobody else's."""
    rows = await db.fetch(_CLAIM, limit, CANDIDATES, list(busy), per_account, hold_s)
    return [_message(row) for row in rows]


def _message(row: Mapping[str, Any]) -> Message:
    return Message(
        row["id"], row["account_id"], row["endpoint_id"], row["epoch"], row["tries"], row["type"], row["data"],
        row["created_at"], row["url"], dict(zip(row["secret_ids"], row["sealed"], strict=True)),
    )  # fmt: skip


async def settle(tx: Tx, message: Message, settlement: Settlement) -> bool:
    """False when the message is somebody else's by now, and nothing is written."""
    done = await tx.execute(
        _SETTLE, message.id, message.epoch, settlement.state, settlement.delay_s, int(settlement.tried),
        settlement.status, settlement.response, settlement.error,
    )  # fmt: skip
    return done == "UPDATE 1"


async def abandon(tx: Tx, endpoint_id: UUID, why: str) -> None:
    """Gives up what is still to be sent to an endpoint."""
    await tx.execute(_ABANDON, endpoint_id, why)


async def prune(tx: Tx, days: int) -> None:
    """Drops what ended and is older than this."""
    await tx.execute(_PRUNE, days)


# The log, as its account reads it.


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which messages a log shows; None leaves a condition out."""

    endpoint_id: UUID | None = None
    generation_id: UUID | None = None
    state: str | None = None


async def page(
    tx: Tx, where: LogFilter, after: tuple[datetime, UUID] | None, limit: int
) -> list[Mapping[str, Any]]:
    """Newest first, starting behind the time and id `after`."""
    given = [
        (template, value)
        for template, value in (
            ("endpoint_id = ${}", where.endpoint_id),
            ("generation_id = ${}", where.generation_id),
            ("state = ${}", where.state),
        )
        if value is not None
    ]
    conditions = [template.format(n) for n, (template, _) in enumerate(given, start=1)]
    args: list[Any] = [value for _, value in given]
    if after is not None:
        conditions.append(f"(created_at, id) < (${len(args) + 1}, ${len(args) + 2})")
        args += after
    args.append(limit)
    sql = f"SELECT {_SHOWN} FROM webhook_deliveries WHERE {' AND '.join(conditions) or 'true'}"  # noqa: S608  # parameters only
    return list(await tx.fetch(f"{sql} ORDER BY created_at DESC, id DESC LIMIT ${len(args)}", *args))


async def get(tx: Tx, delivery_id: UUID) -> Mapping[str, Any]:
    """Raises NotFound."""
    row: Mapping[str, Any] | None = await tx.fetchrow(_GET, delivery_id)
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return row


async def redeliver(tx: Tx, delivery_id: UUID) -> Mapping[str, Any]:
    """Makes a message due now, under its id, at the beginning of the schedule.

    Raises NotFound, and Conflict while it is being sent or when its endpoint takes nothing.
    """
    row = await tx.fetchrow(_LOCK, delivery_id)
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    if row["busy"]:
        raise Conflict("It is being sent just now.")
    if not row["wanted"]:
        raise Conflict("Its endpoint is disabled or deleted; enable it first.")
    renewed: Mapping[str, Any] | None = await tx.fetchrow(_REDELIVER, delivery_id)
    assert renewed is not None  # noqa: S101  # the row is locked by this transaction
    return renewed
