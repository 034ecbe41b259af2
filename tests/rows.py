"""The smallest row of each table that belongs to an account."""

from uuid import UUID

from sqlmodel import SQLModel

import shared.tables  # noqa: F401  # fills the metadata
from shared.db import Database, Tx
from shared.ids import new_id

INSERTS = {
    "provider_health": "INSERT INTO provider_health (id, provider, user_id) VALUES ($1, 'p', $2)",
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
    # It follows its asset.
    "creative_generations": "INSERT INTO creative_generations (id, user_id, generation_id, type, prompt, model,"
    " result_url) VALUES (coalesce((SELECT id FROM assets WHERE user_id = $2 LIMIT 1), $1), $2, $3, 'image', 'p',"
    " 'm', 'k')",
    "retention_rules": "INSERT INTO retention_rules (id, user_id, type, older_than_days) VALUES ($1, $2, 'text', 1)",
    "usage_analytics": "INSERT INTO usage_analytics (user_id, period_type, period_start) VALUES ($2, 'daily', now())",
    "usage_rollups": "INSERT INTO usage_rollups (account_id, timezone, rolled_to, recounted_at)"
    " VALUES ($2, 'UTC', now(), now())",
    "webhook_deliveries": "INSERT INTO webhook_deliveries (id, account_id, url, type) VALUES ($1, $2, 'u', 't')",
}
"""Given its id, its account, and a generation of that account."""


def owner_of(table: str) -> str | None:
    """The column that says whose a row is; None for a table that belongs to nobody."""
    if table in ("accounts", "users"):
        return "id"
    return next(
        (name for name in ("account_id", "user_id") if name in SQLModel.metadata.tables[table].columns), None
    )


OWNED = tuple(sorted(name for name in SQLModel.metadata.tables if owner_of(name) is not None))


async def insert(tx: Tx, table: str, *args: UUID) -> None:
    """The row of `INSERTS`; `args` are what it is given."""
    sql = INSERTS[table]
    used = [n for n in range(1, len(args) + 1) if f"${n}" in sql]
    for position, n in enumerate(used, start=1):
        sql = sql.replace(f"${n}", f"${position}")
    await tx.execute(sql, *(args[n - 1] for n in used))


async def insert_everything(db: Database, account_id: UUID, generation_id: UUID) -> None:
    """An account with one row in every table."""
    first = ("accounts", "generations")
    async with db.transaction() as tx:
        for table in (*first, *(name for name in OWNED if name not in first)):
            row_id = generation_id if table == "generations" else new_id()
            await insert(tx, table, row_id, account_id, generation_id)
