"""Who did what to the installation: written with the deed, in one transaction, and kept for seven years."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.ids import new_id

YEARS_KEPT = 7

_WRITE = "SELECT auth.audit($1, $2, $3, $4, $5, $6)"
_READ = "SELECT * FROM auth.read_audit($1, $2, $3, $4, $5, $6, $7)"
_PRUNE = "DELETE FROM audit_log WHERE at < now() - $1::int * interval '1 year' - interval '1 day'"


@dataclass(frozen=True, slots=True)
class Actor:
    """An operator at work. `credential` tells what proved it, and is no secret."""

    account_id: UUID
    credential: str
    address: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries; None leaves a condition out. `action` may be the first word of several, such as `queue`."""

    action: str | None = None
    target: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """A transaction in the operator's name, and what is to be kept of what is done in it."""

    tx: Tx
    details: dict[str, Any]


@asynccontextmanager
async def deed(db: Database, actor: Actor, action: str, target: str, **details: Any) -> AsyncIterator[Deed]:
    """Does something and writes down that it was done, or neither when it raises.

    Raises InsufficientPrivilegeError for whoever is no operator.
    """
    async with db.transaction(actor.account_id) as tx:
        done = Deed(tx, details)
        yield done
        await act_for(tx, actor.account_id)
        await tx.execute(_WRITE, new_id(), action, target, done.details, actor.credential, actor.address)


async def act_for(tx: Tx, account_id: UUID) -> None:
    """From here on the transaction sees and changes this account's rows."""
    await tx.execute("SELECT set_config('app.user_id', $1, true)", str(account_id))


async def read(tx: Tx, where: AuditFilter, after: UUID | None, limit: int) -> list[Mapping[str, Any]]:
    """Newest first, for whoever may look at the installation; nothing for others."""
    return list(
        await tx.fetch(_READ, where.action, where.target, where.actor, where.since, where.until, after, limit)
    )


async def prune(tx: Tx) -> None:
    """Drops what has been kept for long enough."""
    await tx.execute(_PRUNE, YEARS_KEPT)
