"""Usage rolled up by day and month.

The app role reads the roll-up and never writes it. When a project is deleted, what was used for it stays, as what was
used without a project: the same happens to its generations.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

CENTS = (
    "GREATEST(LEAST(round((total_cost_nanos)::numeric / 10000000.0), '2147483647'::numeric),"
    " '-2147483647'::numeric)::integer"
)
AVERAGE = (
    "LEAST(round((duration_ms_total)::numeric / NULLIF(success_count, 0)), '2147483647'::numeric)::integer"
)

# The smallest UUIDv7 of an instant: ids are in the order of time, so that a range of it is a range of an index.
FLOOR = """
CREATE FUNCTION id_floor(moment timestamptz) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT rpad(lpad(to_hex(greatest(0, extract(epoch FROM moment) * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$
"""

# The definer is the worker role. An account that goes takes all of it along, so there is nothing to fold then.
FOLD = """
CREATE FUNCTION auth.fold_usage() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    WITH gone AS (
        DELETE FROM usage_analytics WHERE project_id = OLD.id RETURNING *
    )
    INSERT INTO usage_analytics AS u (user_id, period_type, period_start, provider, model, generation_type,
        request_count, success_count, failure_count, canceled_count, open_count, total_tokens, total_cost_nanos,
        own_cost_nanos, duration_ms_total)
    SELECT g.user_id, g.period_type, g.period_start, g.provider, g.model, g.generation_type, g.request_count,
        g.success_count, g.failure_count, g.canceled_count, g.open_count, g.total_tokens, g.total_cost_nanos,
        g.own_cost_nanos, g.duration_ms_total
    FROM gone g WHERE EXISTS (SELECT FROM accounts a WHERE a.id = g.user_id)
    ON CONFLICT ON CONSTRAINT usage_analytics_once DO UPDATE SET
        request_count = u.request_count + excluded.request_count,
        success_count = u.success_count + excluded.success_count,
        failure_count = u.failure_count + excluded.failure_count,
        canceled_count = u.canceled_count + excluded.canceled_count,
        open_count = u.open_count + excluded.open_count,
        total_tokens = u.total_tokens + excluded.total_tokens,
        total_cost_nanos = u.total_cost_nanos + excluded.total_cost_nanos,
        own_cost_nanos = u.own_cost_nanos + excluded.own_cost_nanos,
        duration_ms_total = u.duration_ms_total + excluded.duration_ms_total,
        updated_at = now();
    RETURN OLD;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "usage_analytics",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("period_type", sa.String(20), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("generation_type", sa.Text(), nullable=True),
        *(
            sa.Column(f"{name}_count", sa.Integer(), server_default="0", nullable=False)
            for name in ("request", "success", "failure", "canceled", "open")
        ),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in ("total_tokens", "total_cost_nanos", "own_cost_nanos", "duration_ms_total")
        ),
        sa.Column("total_cost_cents", sa.Integer(), sa.Computed(CENTS, persisted=True)),
        sa.Column("avg_duration_ms", sa.Integer(), sa.Computed(AVERAGE, persisted=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("period_type IN ('daily', 'monthly')", name="usage_analytics_period_type"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "user_id", "project_id", "period_type", "period_start", "provider", "model", "generation_type",
            name="usage_analytics_once", postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    op.create_index(
        "idx_usage_analytics_user_id", "usage_analytics", ["user_id", "period_type", "period_start"]
    )
    op.create_index("idx_usage_analytics_period", "usage_analytics", ["period_start"])
    _create_index("usage_analytics_project", ["project_id"], "project_id IS NOT NULL")
    _create_index("usage_analytics_open", ["user_id", "period_start"], "open_count > 0")
    op.create_table(
        "usage_rollups",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("rolled_to", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recounted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id"),
    )
    _isolate("usage_analytics", "user_id", "usage_analytics_user_isolation")
    _isolate("usage_rollups", "account_id", "usage_rollups_isolation")
    op.execute(FLOOR)
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    op.execute(FOLD)
    op.execute(
        "CREATE TRIGGER projects_fold_usage BEFORE DELETE ON projects"
        " FOR EACH ROW EXECUTE FUNCTION auth.fold_usage()"
    )
    op.execute("REVOKE ALL ON FUNCTION auth.fold_usage() FROM PUBLIC")
    op.execute("ALTER FUNCTION auth.fold_usage() OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def _create_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "usage_analytics", columns, postgresql_where=sa.text(where))


def _isolate(table: str, owner: str, policy: str) -> None:
    mine = f"{owner} = (SELECT auth.uid())"
    op.execute(f"GRANT SELECT ON {table} TO penstock_app")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penstock_worker")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {policy} ON {table} TO penstock_app USING ({mine}) WITH CHECK ({mine})")
    op.execute(f"CREATE POLICY {table}_workers ON {table} TO penstock_worker USING (true) WITH CHECK (true)")


def downgrade() -> None:
    op.execute("DROP TRIGGER projects_fold_usage ON projects")
    op.execute("DROP FUNCTION auth.fold_usage()")
    op.execute("DROP FUNCTION id_floor(timestamptz)")
    op.drop_table("usage_rollups")
    op.drop_table("usage_analytics")
