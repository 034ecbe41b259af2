"""Requests that may be repeated: the unique insert in Postgres decides who is first.

Admissions write their row in their own transaction (`shared.domains.admission`); this is for the other
writing requests, whose work is not one transaction. A row without a status is a request still under way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.db import Database
from shared.errors import IdempotencyInProgress, IdempotencyMismatch

TAKE_OVER_S = 60.0
"""After so long a request without an answer counts as crashed, and the next one with its key takes over."""

_CLAIM = """
INSERT INTO idempotency_keys AS k (account_id, route, key, fingerprint) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, route, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, status = NULL, headers = NULL, body = NULL, generation_id = NULL,
        created_at = clock_timestamp(), expires_at = now() + interval '24 hours'
    WHERE k.expires_at <= now()
        OR (k.status IS NULL AND k.created_at < now() - $5::float8 * interval '1 second')
RETURNING created_at
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the work of a key; `at` tells it from the claim of whoever took over."""

    account_id: UUID
    route: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredReply:
    """The first answer, to be given again."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None


async def claim(
    db: Database, account_id: UUID, route: str, key: str, fingerprint: bytes
) -> Claim | StoredReply:
    """Raises IdempotencyInProgress while the first request runs, IdempotencyMismatch for another request."""
    async with db.transaction(account_id) as tx:
        at = await tx.fetchval(_CLAIM, account_id, route, key, fingerprint, TAKE_OVER_S)
        if at is not None:
            return Claim(account_id, route, key, at)
        row = await tx.fetchrow(
            "SELECT fingerprint, status, headers, body FROM idempotency_keys"
            " WHERE account_id = $1 AND route = $2 AND key = $3",
            account_id,
            route,
            key,
        )
    if row is None:
        raise IdempotencyInProgress("The first request with this key has just been undone.", retry_after_s=1)
    if row["fingerprint"] != fingerprint:
        raise IdempotencyMismatch("This Idempotency-Key was used with another body.", field="Idempotency-Key")
    if row["status"] is None:
        raise IdempotencyInProgress(
            "The first request with this Idempotency-Key is still running.", retry_after_s=1
        )
    return StoredReply(row["status"], row["headers"] or {}, row["body"])


async def finish(db: Database, won: Claim, answer: StoredReply) -> None:
    """Keeps the answer for a day, unless somebody took over meanwhile."""
    async with db.transaction(won.account_id) as tx:
        await tx.execute(
            "UPDATE idempotency_keys SET status = $5, headers = $6, body = $7"
            " WHERE account_id = $1 AND route = $2 AND key = $3 AND created_at = $4 AND status IS NULL",
            won.account_id,
            won.route,
            won.key,
            won.at,
            answer.status,
            dict(answer.headers),
            answer.body,
        )


async def release(db: Database, won: Claim) -> None:
    """The request failed: the same key may be tried again at once."""
    async with db.transaction(won.account_id) as tx:
        await tx.execute(
            "DELETE FROM idempotency_keys"
            " WHERE account_id = $1 AND route = $2 AND key = $3 AND created_at = $4 AND status IS NULL",
            won.account_id,
            won.route,
            won.key,
            won.at,
        )


async def use_once(db: Database, account_id: UUID, route: str, nonce: str, lifetime_s: float) -> bool:
    """True the first time that this nonce is used within its lifetime."""
    async with db.transaction(account_id) as tx:
        done = await tx.execute(
            "INSERT INTO idempotency_keys (account_id, route, key, fingerprint, status, expires_at)"
            " VALUES ($1, $2, $3, '', 204, now() + $4::float8 * interval '1 second') ON CONFLICT DO NOTHING",
            account_id,
            route,
            nonce,
            lifetime_s,
        )
    return done == "INSERT 0 1"
