"""Row-level security: each table × select, insert, update, delete × another account, no account."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from shared.db import Database
from shared.ids import new_id
from tests.pipeline import Pipeline

ISOLATED = (
    "accounts", "api_keys", "generations", "generation_events", "idempotency_keys", "ledger", "outputs", "submissions",
    "uploads", "account_providers", "users", "identities", "sessions", "webhook_endpoints", "webhook_secrets",
    "webhook_deliveries", "quota_counters", "quota_uses", "budgets", "budget_alerts", "emails",
    "projects", "assets", "retention_rules", "user_api_keys", "account_routing",
    "usage_analytics", "usage_rollups",
)  # fmt: skip
# The smallest row of each table, given (its id, its account, a generation of that account).
INSERTS = {
    "quota_counters": "INSERT INTO quota_counters (account_id, feature, period, period_start)"
    " VALUES ($2, 'image', 'day', current_date)",
    "quota_uses": "INSERT INTO quota_uses (generation_id, account_id, feature, period, period_start, units)"
    " VALUES ($3, $2, 'image', 'day', current_date, 1)",
    "budgets": "INSERT INTO budgets (id, account_id, scope, period, mode, limit_nanos)"
    " VALUES ($1, $2, 'account', 'total', 'soft', 1)",
    "budget_alerts": "INSERT INTO budget_alerts (user_id, alert_type, threshold_percent, threshold_nanos,"
    " current_spend_nanos) VALUES ($2, 'threshold_reached', 50, 1, 1)",
    "emails": "INSERT INTO emails (account_id, subject, body) VALUES ($2, 's', 'b')",
    "accounts": "INSERT INTO accounts (id, name) VALUES ($2, 'x')",
    "api_keys": "INSERT INTO api_keys (id, account_id, key_id, secret_hmac, name)"
    " VALUES ($1, $2, gen_random_uuid()::text, 'h', 'k')",
    "generations": "INSERT INTO generations (id, account_id, kind, model, wake_at, deadline_at)"
    " VALUES ($1, $2, 'image', 'm', now(), now())",
    "generation_events": "INSERT INTO generation_events (generation_id, seq, account_id, type)"
    " VALUES ($3, 1, $2, 't')",
    "idempotency_keys": "INSERT INTO idempotency_keys (account_id, route, key, fingerprint)"
    " VALUES ($2, 'r', 'k', 'f')",
    "ledger": "INSERT INTO ledger (id, account_id, generation_id, kind, nanos) VALUES ($1, $2, $3, 'reserve', 1)",
    "outputs": "INSERT INTO outputs (generation_id, n, account_id, kind, key, mime, bytes, sha256)"
    " VALUES ($3, 0, $2, 'image', 'k', 'image/png', 1, 'h')",
    "submissions": "INSERT INTO submissions (id, generation_id, account_id, n, provider, model, request_hash)"
    " VALUES ($1, $3, $2, 1, 'p', 'm', 'h')",
    "uploads": "INSERT INTO uploads (id, account_id, filename, key, mime, bytes)"
    " VALUES ($1, $2, 'f', 'k', 'image/png', 1)",
    "account_providers": "INSERT INTO account_providers (account_id, provider, priority) VALUES ($2, 'p', 1)",
    "account_routing": "INSERT INTO account_routing (account_id) VALUES ($2)",
    "user_api_keys": "INSERT INTO user_api_keys (id, user_id, provider, key_name, encrypted_key, encryption_iv,"
    " encryption_salt, master_key_id, last_four) VALUES ($1, $2, 'p', 'k', 'c', 'i', 's', 'm', 'last')",
    "users": "INSERT INTO users (id, email) VALUES ($2, $2::uuid || '@people.example')",
    "identities": "INSERT INTO identities (issuer, subject, account_id) VALUES ('i', gen_random_uuid(), $2)",
    "sessions": "INSERT INTO sessions (id, account_id, expires_at) VALUES ($1, $2, now() + interval '1 day')",
    "webhook_endpoints": "INSERT INTO webhook_endpoints (id, account_id, url) VALUES ($1, $2, 'u')",
    "webhook_secrets": "INSERT INTO webhook_secrets (id, account_id, sealed) VALUES ($1, $2, 's')",
    "projects": "INSERT INTO projects (id, user_id, name) VALUES ($1, $2, 'p')",
    "assets": "INSERT INTO assets (id, user_id, type, kind, file_url, file_size_bytes, mime)"
    " VALUES ($1, $2, 'image', 'image', 'k', 1, 'image/png')",
    "retention_rules": "INSERT INTO retention_rules (id, user_id, type, older_than_days) VALUES ($1, $2, 'text', 1)",
    "usage_analytics": "INSERT INTO usage_analytics (user_id, period_type, period_start) VALUES ($2, 'daily', now())",
    "usage_rollups": "INSERT INTO usage_rollups (account_id, timezone, rolled_to, recounted_at)"
    " VALUES ($2, 'UTC', now(), now())",
    "webhook_deliveries": "INSERT INTO webhook_deliveries (id, account_id, url, type) VALUES ($1, $2, 'u', 't')",
}
OWNER = {"budget_alerts": "user_id",
         "accounts": "id", "users": "id", "projects": "user_id", "assets": "user_id", "retention_rules": "user_id",
         "user_api_keys": "user_id", "usage_analytics": "user_id"}  # fmt: skip
STOLEN = {"account_routing": "false"}
TOUCHED = {"quota_counters": "feature", "quota_uses": "feature", "budgets": "name", "budget_alerts": "alert_type",
           "emails": "subject",
           "usage_analytics": "model", "usage_rollups": "timezone", "user_api_keys": "key_name",
           "account_routing": "fallbacks", "generation_events": "type", "idempotency_keys": "route",
           "accounts": "name", "ledger": "note",
           "api_keys": "name", "uploads": "filename", "outputs": "key", "submissions": "model",
           "generations": "model", "account_providers": "provider", "users": "name", "identities": "email",
           "sessions": "address", "webhook_endpoints": "url",
           "webhook_secrets": "sealed", "webhook_deliveries": "type", "projects": "name", "assets": "name",
           "retention_rules": "type"}  # fmt: skip


@pytest.fixture
async def mine(pipeline: Pipeline) -> AsyncIterator[UUID]:
    """An account with one row in every table."""
    account_id, generation_id = new_id(), new_id()
    for table in (
        "accounts",
        "generations",
        *(name for name in ISOLATED if name not in {"accounts", "generations"}),
    ):
        row_id = generation_id if table == "generations" else new_id()
        await _insert(pipeline.worker, None, table, row_id, account_id, generation_id)
    yield account_id
    await pipeline.worker.execute("DELETE FROM accounts WHERE id = $1", account_id)


@pytest.mark.parametrize(("table", "stranger"), list(product(ISOLATED, ["another account", "no account"])))
async def test_a_stranger_sees_changes_and_deletes_nothing(
    pipeline: Pipeline, mine: UUID, table: str, stranger: str
) -> None:
    caller = pipeline.account_id if stranger == "another account" else None
    owner = OWNER.get(table, "account_id")
    assert await _count(pipeline.app, mine, table, owner, mine) == 1, "its owner sees it"
    assert await _count(pipeline.app, caller, table, owner, mine) == 0
    for sql in (
        f"UPDATE {table} SET {TOUCHED[table]} = '{STOLEN.get(table, 'stolen')}' WHERE {owner} = $1",
        f"DELETE FROM {table} WHERE {owner} = $1",
    ):
        try:
            async with pipeline.app.transaction(caller) as tx:
                assert (await tx.execute(sql, mine)).endswith(" 0")
        except asyncpg.InsufficientPrivilegeError:
            pass  # the role may not do this to any row of the table
    assert await _count(pipeline.worker, None, table, owner, mine) == 1


@pytest.mark.parametrize(("table", "stranger"), list(product(ISOLATED, ["another account", "no account"])))
async def test_a_stranger_writes_nothing_in_my_name(
    pipeline: Pipeline, mine: UUID, table: str, stranger: str
) -> None:
    caller = pipeline.account_id if stranger == "another account" else None
    generation_id = await pipeline.worker.fetchval("SELECT id FROM generations WHERE account_id = $1", mine)
    account = new_id() if table == "accounts" else mine
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _insert(pipeline.app, caller, table, new_id(), account, generation_id)


async def test_every_table_with_an_account_is_isolated_and_forced(pipeline: Pipeline) -> None:
    rows = await pipeline.worker.fetch(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('account_id', 'user_id')"
        " WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
    )
    assert {row["relname"] for row in rows} >= set(ISOLATED) - set(OWNER)
    assert all(row["relrowsecurity"] and row["relforcerowsecurity"] for row in rows)


async def test_the_ledger_only_grows(pipeline: Pipeline, mine: UUID) -> None:
    for sql in ("UPDATE ledger SET nanos = 0", "DELETE FROM ledger", "TRUNCATE ledger"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pipeline.worker.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE users SET role = 'admin'",
        "UPDATE users SET email = 'eve@people.example'",
        "INSERT INTO identities (issuer, subject, account_id) VALUES ('i', 's', auth.uid())",
        "UPDATE identities SET account_id = auth.uid()",
        "SELECT FROM login_attempts",
        "DELETE FROM login_attempts",
    ],
)
async def test_nobody_promotes_themselves_or_becomes_another(
    pipeline: Pipeline, mine: UUID, sql: str
) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with pipeline.app.transaction(mine) as tx:
            await tx.execute(sql)


async def _insert(db: Database, caller: UUID | None, table: str, *args: UUID) -> None:
    used = [arg for n, arg in enumerate(args, start=1) if f"${n}" in INSERTS[table]]
    sql = INSERTS[table]
    for position, n in enumerate(sorted(n for n in (1, 2, 3) if f"${n}" in sql), start=1):
        sql = sql.replace(f"${n}", f"${position}")
    async with db.transaction(caller) as tx:
        await tx.execute(sql, *used)


async def _count(db: Database, caller: UUID | None, table: str, owner: str, mine: UUID) -> Any:
    async with db.transaction(caller) as tx:
        return await tx.fetchval(f"SELECT count(*) FROM {table} WHERE {owner} = $1", mine)
