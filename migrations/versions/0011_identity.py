"""People, how they prove who they are, and their sessions.

Before somebody is known there is no account whose rows they might see. What must be read or written then goes
through functions whose definer is the worker role; each gives and changes no more than its name says.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_KEY_COLUMNS = """id uuid, account_id uuid, key_id text, secret_hmac bytea, scopes text[], expires_at timestamptz,
    revoked_at timestamptz, last_used_at timestamptz, account_status text"""

FIND_KEY_BEFORE = f"""
CREATE FUNCTION auth.find_api_key(wanted text)
RETURNS TABLE ({_KEY_COLUMNS}) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.account_id, k.key_id, k.secret_hmac, k.scopes, k.expires_at, k.revoked_at, k.last_used_at,
           a.status
    FROM api_keys k JOIN accounts a ON a.id = k.account_id
    WHERE k.key_id = wanted
$$
"""

# `user_role` is null for an account without a user.
FIND_KEY = f"""
CREATE FUNCTION auth.find_api_key(wanted text)
RETURNS TABLE ({_KEY_COLUMNS}, user_role text, kinds text[], project_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.id, k.account_id, k.key_id, k.secret_hmac, k.scopes, k.expires_at, k.revoked_at, k.last_used_at,
           a.status, u.role, k.kinds, k.project_id
    FROM api_keys k JOIN accounts a ON a.id = k.account_id LEFT JOIN users u ON u.id = k.account_id
    WHERE k.key_id = wanted
$$
"""

# The account is made with its user. Null when the address is taken. One at a time, for exactly one is the first.
SIGN_UP = """
CREATE FUNCTION auth.sign_up(new_id uuid, new_email text, new_name text, new_avatar text, new_hash text)
RETURNS text LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    given text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('penstock.sign_up', 0));
    IF EXISTS (SELECT FROM users u WHERE lower(u.email) = lower(new_email)) THEN
        RETURN NULL;
    END IF;
    given := CASE WHEN EXISTS (SELECT FROM users) THEN 'user' ELSE 'admin' END;
    INSERT INTO accounts (id, name) VALUES (new_id, coalesce(new_name, new_email));
    INSERT INTO users (id, email, name, avatar_url, role, password_hash)
    VALUES (new_id, new_email, new_name, new_avatar, given, new_hash);
    RETURN given;
END $$
"""

FIND_LOGIN = """
CREATE FUNCTION auth.find_login(wanted text)
RETURNS TABLE (account_id uuid, password_hash text, account_status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT u.id, u.password_hash, a.status FROM users u JOIN accounts a ON a.id = u.id
    WHERE lower(u.email) = lower(wanted)
$$
"""

FIND_SESSION = """
CREATE FUNCTION auth.find_session(wanted uuid)
RETURNS TABLE (account_id uuid, user_role text, account_status text, live boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.account_id, u.role, a.status, s.revoked_at IS NULL AND s.expires_at > now()
    FROM sessions s JOIN accounts a ON a.id = s.account_id LEFT JOIN users u ON u.id = s.account_id
    WHERE s.id = wanted
$$
"""

# Without an id: the oldest account, whom requests without credentials act as where AUTH_MODE is open.
FIND_ACCOUNT = """
CREATE FUNCTION auth.find_account(wanted uuid)
RETURNS TABLE (account_id uuid, user_role text, account_status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.id, u.role, a.status FROM accounts a LEFT JOIN users u ON u.id = a.id
    WHERE wanted IS NULL OR a.id = wanted
    ORDER BY a.created_at, a.id LIMIT 1
$$
"""

# Somebody whom a trusted issuer vouches for. At first sight their account is made; an e-mail address that is taken
# stays with whoever has it, for nobody has proved here that both are one person.
IDENTIFY = """
CREATE FUNCTION auth.identify(by_issuer text, who text, new_id uuid, new_email text, new_name text, new_avatar text)
RETURNS TABLE (account_id uuid, user_role text, account_status text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM identities i WHERE i.issuer = by_issuer AND i.subject = who) THEN
        PERFORM pg_advisory_xact_lock(hashtextextended('penstock.sign_up', 0));
        IF NOT EXISTS (SELECT FROM identities i WHERE i.issuer = by_issuer AND i.subject = who) THEN
            IF new_email IS NULL OR auth.sign_up(new_id, new_email, new_name, new_avatar, NULL) IS NULL THEN
                PERFORM auth.sign_up(new_id, new_id || '@identity.invalid', new_name, new_avatar, NULL);
            END IF;
            INSERT INTO identities (issuer, subject, account_id, email) VALUES (by_issuer, who, new_id, new_email);
        END IF;
    END IF;
    RETURN QUERY SELECT i.account_id, u.role, a.status
    FROM identities i JOIN accounts a ON a.id = i.account_id LEFT JOIN users u ON u.id = i.account_id
    WHERE i.issuer = by_issuer AND i.subject = who;
END $$
"""

# Counts a login before its password is looked at, so that many at once gain nothing. Each subject has its limit;
# the seconds until the last one that is over its limit may try again, or null when none is.
TAKE_ATTEMPT = """
CREATE FUNCTION auth.take_login_attempt(subjects bytea[], limits int[], window_s float8) RETURNS float8
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH stale AS (
        SELECT l.subject FROM login_attempts l WHERE l.ends_at <= now() AND l.subject <> ALL (subjects)
        LIMIT 20 FOR UPDATE SKIP LOCKED
    ), forgotten AS (
        DELETE FROM login_attempts l USING stale WHERE l.subject = stale.subject
    ), counted AS (
        INSERT INTO login_attempts AS l (subject, tries, ends_at)
        SELECT s.subject, 1, now() + window_s * interval '1 second'
        FROM unnest(subjects) AS s(subject) ORDER BY s.subject
        ON CONFLICT (subject) DO UPDATE SET
            tries = CASE WHEN l.ends_at <= now() THEN 1 ELSE least(l.tries, 1000000) + 1 END,
            ends_at = CASE WHEN l.ends_at <= now() THEN excluded.ends_at ELSE l.ends_at END
        RETURNING l.subject, l.tries, l.ends_at
    )
    SELECT max(extract(epoch FROM c.ends_at - now()))::float8
    FROM counted c JOIN unnest(subjects, limits) AS w(subject, most) ON w.subject = c.subject
    WHERE c.tries > w.most
$$
"""

# The password was right: the account starts afresh, the network address gets its try back.
FORGIVE_ATTEMPT = """
CREATE FUNCTION auth.forgive_login_attempt(account bytea, address bytea) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM login_attempts l WHERE l.subject = account;
    UPDATE login_attempts l SET tries = greatest(l.tries - 1, 0) WHERE l.subject = address;
$$
"""

# Whether the transaction's account may look after the others: an admin's, or one without a user, which whoever runs
# the installation has made.
IS_ADMIN = """
CREATE FUNCTION auth.is_admin() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(bool_and(u.role IS NULL OR u.role = 'admin'), false)
    FROM accounts a LEFT JOIN users u ON u.id = a.id WHERE a.id = auth.uid()
$$
"""

LIST_USERS = """
CREATE FUNCTION auth.list_users(below uuid, most int)
RETURNS TABLE (id uuid, email varchar, name text, role text, status text, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT u.id, u.email, u.name, u.role, a.status, u.created_at FROM users u JOIN accounts a ON a.id = u.id
    WHERE auth.is_admin() AND (below IS NULL OR u.id < below)
    ORDER BY u.id DESC LIMIT most
$$
"""

# Nobody changes themselves, so an admin always remains. No row for a user who is not there.
CHANGE_USER = """
CREATE FUNCTION auth.change_user(wanted uuid, new_role text, new_status text)
RETURNS TABLE (id uuid, email varchar, name text, role text, status text, created_at timestamptz)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH changed AS (
        UPDATE users u SET role = coalesce(new_role, u.role), updated_at = now()
        WHERE auth.is_admin() AND u.id = wanted AND u.id <> auth.uid()
        RETURNING u.id, u.email, u.name, u.role, u.created_at
    ), standing AS (
        UPDATE accounts a SET status = coalesce(new_status, a.status) FROM changed c WHERE a.id = c.id
        RETURNING a.id, a.status
    )
    SELECT c.id, c.email, c.name, c.role, s.status, c.created_at FROM changed c JOIN standing s ON s.id = c.id
$$
"""

FUNCTIONS = {
    "auth.find_api_key(text)": FIND_KEY,
    "auth.sign_up(uuid, text, text, text, text)": SIGN_UP,
    "auth.find_login(text)": FIND_LOGIN,
    "auth.find_session(uuid)": FIND_SESSION,
    "auth.find_account(uuid)": FIND_ACCOUNT,
    "auth.identify(text, text, uuid, text, text, text)": IDENTIFY,
    "auth.take_login_attempt(bytea[], int[], float8)": TAKE_ATTEMPT,
    "auth.forgive_login_attempt(bytea, bytea)": FORGIVE_ATTEMPT,
    "auth.is_admin()": IS_ADMIN,
    "auth.list_users(uuid, int)": LIST_USERS,
    "auth.change_user(uuid, text, text)": CHANGE_USER,
}
RIGHTS = {
    "users": "SELECT, UPDATE (name, avatar_url, password_hash, updated_at)",
    "identities": "SELECT",
    "sessions": "SELECT, INSERT, UPDATE, DELETE",
}


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("avatar_url", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), server_default="user", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'user', 'operator', 'admin')", name="users_role"),
        sa.ForeignKeyConstraint(["id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    op.create_index("users_email_once", "users", [sa.text("lower(email)")], unique=True)
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject"),
    )
    op.create_index("identities_account", "identities", ["account_id"])
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("rotation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_account", "sessions", ["account_id", "created_at"])
    op.create_table(
        "login_attempts",
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("login_attempts_ends", "login_attempts", ["ends_at"])
    op.add_column("accounts", sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False))
    op.add_column("api_keys", sa.Column("project_id", sa.Uuid(), nullable=True))
    op.add_column(
        "api_keys",
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.add_column("api_keys", sa.Column("budget_nanos", sa.BigInteger(), nullable=True))
    op.create_check_constraint("api_keys_budget", "api_keys", "budget_nanos >= 0")
    _isolate()
    op.execute("DROP FUNCTION auth.find_api_key(text)")
    _make(FUNCTIONS)


def _isolate() -> None:
    for table, rights in RIGHTS.items():
        mine = "id = (SELECT auth.uid())" if table == "users" else "account_id = (SELECT auth.uid())"
        op.execute(f"GRANT {rights} ON {table} TO penstock_app")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_isolation ON {table} TO penstock_app USING ({mine}) WITH CHECK ({mine})"
        )
        op.execute(
            f"CREATE POLICY {table}_workers ON {table} TO penstock_worker USING (true) WITH CHECK (true)"
        )
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON users, identities, sessions, login_attempts TO penstock_worker"
    )


def _make(functions: dict[str, str]) -> None:
    """The definer is the worker role: it sees all accounts, and owns no table."""
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for function, definition in functions.items():
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO penstock_app, penstock_worker")
        op.execute(f"ALTER FUNCTION {function} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    _make({"auth.find_api_key(text)": FIND_KEY_BEFORE})
    op.drop_constraint("api_keys_budget", "api_keys", type_="check")
    for column in ("project_id", "kinds", "budget_nanos"):
        op.drop_column("api_keys", column)
    op.drop_column("accounts", "timezone")
    for table in ("login_attempts", "sessions", "identities", "users"):
        op.drop_table(table)
