"""Providers as operators see and steer them: the platform's credentials only."""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.db import Database, Tx
from shared.domains import providers
from shared.domains.ops.audit import Actor, deed
from shared.ids import new_id

_TOTALS = "SELECT * FROM auth.ops_providers()"
_COOL_DOWN = "SELECT auth.ops_cool_down($1, $2, $3)"
_ASK_CHECK = "SELECT auth.ops_ask_check($1, $2)"
_CHECK = "SELECT id, provider, asked_at, done_at, outcome, took_ms FROM provider_checks WHERE id = $1"
_LAST_CHECKS = """
SELECT DISTINCT ON (provider) id, provider, asked_at, done_at, outcome, took_ms FROM provider_checks
ORDER BY provider, asked_at DESC
"""
# A worker asks while it holds the row, so a question that it takes to its grave is asked by another.
_OPEN_CHECK = """
SELECT id, provider FROM provider_checks WHERE done_at IS NULL ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_DONE = "UPDATE provider_checks SET done_at = now(), outcome = $2, took_ms = $3 WHERE id = $1"
_PRUNE = "DELETE FROM provider_checks WHERE asked_at < now() - interval '7 days'"

type Ask = Callable[[str], Awaitable[str]]
"""Asks a provider and says `valid`, `refused`, `unreachable` or `unset`, within seconds."""


async def totals(db: Database, caller: UUID) -> dict[str, Mapping[str, Any]]:
    """By provider: open submissions, and what the platform paid today and this month, in UTC."""
    async with db.transaction(caller) as tx:
        return {row["provider"]: row for row in await tx.fetch(_TOTALS)}


async def states(db: Database) -> list[Mapping[str, Any]]:
    """How each of the platform's credentials does."""
    async with db.transaction() as tx:
        return await providers.states(tx)


async def last_checks(db: Database) -> dict[str, Mapping[str, Any]]:
    return {row["provider"]: row for row in await db.fetch(_LAST_CHECKS)}


async def cool_down(db: Database, actor: Actor, provider: str, until: datetime, reason: str | None) -> None:
    """Sends the provider nothing by the platform's credential before `until`."""
    async with deed(
        db, actor, "provider.cooldown", f"provider:{provider}", until=until, reason=reason
    ) as done:
        await done.tx.execute(_COOL_DOWN, provider, until, reason or "an operator lets it rest")


async def reset(db: Database, actor: Actor, provider: str) -> int:
    """Forgets failures and cool-downs of the platform's credentials; returns how many had a state to forget."""
    async with deed(db, actor, "provider.reset", f"provider:{provider}") as done:
        return await providers.reset(done.tx, provider)


async def ask_check(db: Database, actor: Actor, provider: str) -> UUID:
    """Has a maintenance worker ask whether the provider answers and takes the platform's key."""
    check_id = new_id()
    async with deed(db, actor, "provider.check", f"provider:{provider}") as done:
        await done.tx.execute(_ASK_CHECK, check_id, provider)
    return check_id


async def check(db: Database, check_id: UUID) -> Mapping[str, Any] | None:
    row: Mapping[str, Any] | None = await db.fetchrow(_CHECK, check_id)
    return row


async def answer_check(db: Database, ask: Ask) -> bool:
    """Asks for the oldest open question and writes the answer down; False when there is none. For workers."""
    async with db.transaction() as tx:
        row = await tx.fetchrow(_OPEN_CHECK)
        if row is None:
            return False
        started = time.perf_counter()
        outcome = await ask(row["provider"])
        await tx.execute(_DONE, row["id"], outcome, round((time.perf_counter() - started) * 1000, 1))
    return True


async def prune(tx: Tx) -> None:
    await tx.execute(_PRUNE)
