"""Rules that the database itself keeps: isolation of accounts, final states, an append-only ledger.

The app role sees an account's rows only while `app.user_id` names that account; the worker role serves all
accounts. Row-level security is forced, so the owner of the tables is bound by it too.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# What the app role may do with the rows of its own account.
ACCOUNT_TABLES = {
    "api_keys": "SELECT, INSERT, UPDATE, DELETE",
    "generations": "SELECT, INSERT, UPDATE",
    "generation_events": "SELECT, INSERT",
    "idempotency_keys": "SELECT, INSERT, UPDATE, DELETE",
    "ledger": "SELECT, INSERT",
    "outputs": "SELECT",
    "submissions": "SELECT",
    "uploads": "SELECT, INSERT, UPDATE, DELETE",
}
OPEN_TABLES = ("alembic_version", "model_cards", "queues", "workers")
DEFINER_FUNCTIONS = (
    "auth.find_api_key(text)",
    "auth.queue_room(text[])",
)
ISOLATED = ("accounts", *ACCOUNT_TABLES, "provider_health")

AUTH = """
CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO penstock_app, penstock_worker;

CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('app.user_id', true), '')::uuid $$;

-- Before a key is checked its account is unknown, so row-level security would hide it.
CREATE FUNCTION auth.find_api_key(wanted text)
RETURNS TABLE (
    id uuid, account_id uuid, key_id text, secret_hmac bytea, scopes text[], expires_at timestamptz,
    revoked_at timestamptz, last_used_at timestamptz, account_status text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.account_id, k.key_id, k.secret_hmac, k.scopes, k.expires_at, k.revoked_at, k.last_used_at,
           a.status
    FROM api_keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.key_id = wanted
$$;

-- How many more steps of each kind may be announced now: half as many again as there are slots, less what is
-- owned or announced already; none while the queue is paused, or while older work is due.
CREATE FUNCTION auth.queue_room(wanted text[])
RETURNS TABLE (kind text, room int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.kind, CASE
        WHEN EXISTS (SELECT FROM queues q WHERE q.kind = k.kind AND q.paused
            AND (q.paused_until IS NULL OR q.paused_until > now())) THEN 0
        WHEN EXISTS (SELECT FROM generations g WHERE g.kind = k.kind AND g.state = 'queued'
            AND g.wake_at <= now() AND g.owner IS NULL) THEN 0
        ELSE greatest(0, (
            SELECT ceil(1.5 * coalesce(sum(w.slots), 0)) FROM workers w
            WHERE k.kind = ANY (w.kinds) AND NOT w.draining AND w.beat_at > now() - interval '8 seconds'
        )::int - (
            SELECT count(*) FROM generations g
            WHERE g.kind = k.kind AND (g.owner IS NOT NULL OR g.rung) AND g.state <> 'waiting'
        )::int)
        END
    FROM unnest(wanted) AS k(kind)
$$;
"""

GUARDS = """
CREATE FUNCTION generations_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    IF (OLD.state, NEW.state) IN (
        ('queued', 'submitting'), ('queued', 'canceled'), ('queued', 'failed'), ('queued', 'expired'),
        ('submitting', 'waiting'), ('submitting', 'storing'), ('submitting', 'completed'),
        ('submitting', 'queued'), ('submitting', 'failed'), ('submitting', 'canceled'),
        ('waiting', 'storing'), ('waiting', 'queued'), ('waiting', 'failed'), ('waiting', 'canceled'),
        ('storing', 'completed'), ('storing', 'queued'), ('storing', 'failed'), ('storing', 'canceled')
    ) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'generation %: % cannot become %', OLD.id, OLD.state, NEW.state
        USING ERRCODE = 'check_violation', CONSTRAINT = 'generations_transition';
END $$;
CREATE TRIGGER generations_guard BEFORE UPDATE OF state ON generations
    FOR EACH ROW EXECUTE FUNCTION generations_guard();

CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER ledger_never_truncated BEFORE TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
"""


def upgrade() -> None:
    _run(AUTH)
    _run(GUARDS)
    op.execute("GRANT USAGE ON SCHEMA public TO penstock_app, penstock_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO penstock_worker")
    op.execute("GRANT SELECT, INSERT, UPDATE ON accounts TO penstock_app")
    op.execute("GRANT SELECT ON provider_health TO penstock_app")
    for table, rights in ACCOUNT_TABLES.items():
        op.execute(f"GRANT {rights} ON {table} TO penstock_app")
    for table in OPEN_TABLES:
        op.execute(f"GRANT SELECT ON {table} TO penstock_app")
    for table in ISOLATED:
        mine = {"accounts": "id = (SELECT auth.uid())"}.get(table, "account_id = (SELECT auth.uid())")
        if table == "provider_health":
            mine = "user_id IS NULL OR user_id = (SELECT auth.uid())"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_isolation ON {table} TO penstock_app USING ({mine}) WITH CHECK ({mine})"
        )
        op.execute(
            f"CREATE POLICY {table}_workers ON {table} TO penstock_worker USING (true) WITH CHECK (true)"
        )
    # The definer is the worker role: it sees all accounts, and owns no table.
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for function in DEFINER_FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO penstock_app, penstock_worker")
        op.execute(f"ALTER FUNCTION {function} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    for table in ISOLATED:
        op.execute(f"DROP POLICY {table}_isolation ON {table}")
        op.execute(f"DROP POLICY {table}_workers ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP TRIGGER ledger_never_truncated ON ledger")
    op.execute("DROP TRIGGER ledger_append_only ON ledger")
    op.execute("DROP TRIGGER generations_guard ON generations")
    op.execute("DROP FUNCTION append_only()")
    op.execute("DROP FUNCTION generations_guard()")
    op.execute("DROP SCHEMA auth CASCADE")
    op.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM penstock_app, penstock_worker")
    op.execute("REVOKE USAGE ON SCHEMA public FROM penstock_app, penstock_worker")


def _run(script: str) -> None:
    """asyncpg prepares one statement at a time, so a script is sent in parts, dollar quotes kept whole."""
    part: list[str] = []
    quoted = False
    for line in script.strip().splitlines():
        part.append(line)
        quoted ^= line.count("$$") % 2 == 1
        if line.rstrip().endswith(";") and not quoted:
            op.execute("\n".join(part))
            part = []
