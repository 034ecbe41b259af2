"""Keys for providers that accounts bring along, and what else an account says about its routes.

The app role writes ciphertext and never reads it back: only workers open a key.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SHOWN = (
    "id, user_id, provider, key_name, master_key_id, last_four, is_active, status, checked_at, last_used_at, created_at,"
    " updated_at, deleted_at"
)
CHANGED = "key_name, is_active, updated_at, deleted_at"

# The account behind a credential such as `byok:<key id>`; null for the platform's. Its health is shown to it alone.
OWNER = """
CREATE FUNCTION credential_owner(credential text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT k.user_id FROM user_api_keys k
    WHERE credential LIKE 'byok:%' AND k.id = nullif(substring(credential FROM '^byok:([0-9a-f-]{36})$'), '')::uuid
$$
"""

# What an account pays its provider directly is part of what its generation cost, but of no budget.
SETTLED, SETTLED_BEFORE = (
    f"FILTER (WHERE l.kind = 'settle' AND l.payer {payers})" for payers in ("<> 'platform'", "= 'account'")
)
REDEFINE = """
DO $do$
DECLARE
    before text := pg_get_functiondef('verify_ledger(timestamptz, int)'::regprocedure);
    after text := replace(before, $old${old}$old$, $new${new}$new$);
BEGIN
    IF before = after THEN
        RAISE EXCEPTION 'verify_ledger does not sum what was settled as expected';
    END IF;
    EXECUTE after;
END $do$
"""


def upgrade() -> None:
    op.create_table(
        "user_api_keys",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(50), nullable=False),
        sa.Column("key_name", sa.String(255), nullable=True),
        sa.Column("encrypted_key", sa.Text(), nullable=False),
        sa.Column("encryption_iv", sa.Text(), nullable=False),
        sa.Column("encryption_salt", sa.Text(), nullable=False),
        sa.Column("master_key_id", sa.Text(), nullable=False),
        sa.Column("last_four", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("status", sa.Text(), server_default="unreachable", nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('valid', 'refused', 'unreachable')", name="user_api_keys_status"),
        sa.CheckConstraint("NOT (is_active AND deleted_at IS NOT NULL)", name="user_api_keys_deleted"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "provider", "key_name", name="user_api_keys_once"),
    )
    op.create_index("idx_api_keys_user_id", "user_api_keys", ["user_id"])
    op.create_index("user_api_keys_master", "user_api_keys", ["master_key_id"])
    op.create_index(
        "user_api_keys_deleted_at",
        "user_api_keys",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_table(
        "account_routing",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("defaults", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("fallbacks", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.alter_column("account_providers", "priority", nullable=True)
    op.add_column("account_providers", sa.Column("monthly_cap_nanos", sa.BigInteger(), nullable=True))
    op.create_index("provider_health_credential", "provider_health", ["credential"])
    _pay_by(("account", "platform", "byok"))
    op.execute(REDEFINE.format(old=SETTLED_BEFORE, new=SETTLED))
    op.execute(OWNER)
    _isolate("user_api_keys", "user_id", "api_keys_user_isolation")
    op.execute(f"GRANT SELECT ({SHOWN}), INSERT, UPDATE ({CHANGED}) ON user_api_keys TO penstock_app")
    _isolate("account_routing", "account_id", "account_routing_isolation")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON account_routing TO penstock_app")


def _isolate(table: str, owner: str, policy: str) -> None:
    mine = f"{owner} = (SELECT auth.uid())"
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penstock_worker")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {policy} ON {table} TO penstock_app USING ({mine}) WITH CHECK ({mine})")
    op.execute(f"CREATE POLICY {table}_workers ON {table} TO penstock_worker USING (true) WITH CHECK (true)")


def _pay_by(payers: Sequence[str]) -> None:
    op.drop_constraint("ledger_payer", "ledger")
    words = ", ".join(f"'{payer}'" for payer in payers)
    op.create_check_constraint("ledger_payer", "ledger", f"payer IN ({words})")


def downgrade() -> None:
    op.execute("DROP FUNCTION credential_owner(text)")
    op.execute(REDEFINE.format(old=SETTLED, new=SETTLED_BEFORE))
    # This fails while there are entries that the schema before has no word for: the ledger only grows.
    _pay_by(("account", "platform"))
    op.drop_index("provider_health_credential", "provider_health")
    op.drop_column("account_providers", "monthly_cap_nanos")
    op.execute("ALTER TABLE account_providers NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM account_providers WHERE priority IS NULL")
    op.execute("ALTER TABLE account_providers FORCE ROW LEVEL SECURITY")
    op.alter_column("account_providers", "priority", nullable=False)
    op.drop_table("account_routing")
    op.drop_table("user_api_keys")
