"""Health, cool-downs and limits of providers, per credential; each account's own order of providers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# How many of the wanted calls may go now, in their order, and if the minute's budget kept some back, in how many
# seconds the next may. One process at a time asks for a credential: its row is locked, and what others took is seen
# because each statement of a volatile function looks anew.
#
# Calls per minute are paced (GCRA): a tenth of the budget may go at once, the rest evenly, so that no sixty seconds
# see more than the budget. Calls at once are those whose submission is open; one that was taken by a process that
# died before it wrote its submission comes back after 15 seconds.
TAKE = """
CREATE FUNCTION take_provider_calls(
    wanted_provider text, wanted_credential text, wanted uuid[], per_minute int, at_once int,
    OUT granted int, OUT wait_s float8
) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz;
    next_call timestamptz;
    burst int;
    step float8;
    room int;
BEGIN
    INSERT INTO provider_limits (provider, credential, rpm, concurrent)
    VALUES (wanted_provider, wanted_credential, per_minute, at_once) ON CONFLICT DO NOTHING;
    SELECT l.next_at INTO next_call FROM provider_limits l
    WHERE l.provider = wanted_provider AND l.credential = wanted_credential FOR UPDATE;
    moment := clock_timestamp();
    granted := cardinality(wanted);
    IF at_once IS NOT NULL THEN
        -- LIMIT has each submission looked up by its key: a plan that reads the whole table would be a disaster.
        WITH calls AS MATERIALIZED (
            SELECT c.submission_id, coalesce(s.state IN ('intent', 'accepted', 'unknown'),
                c.taken_at > moment - interval '15 seconds') AS open
            FROM provider_calls c
            LEFT JOIN LATERAL (SELECT x.state FROM submissions x WHERE x.id = c.submission_id LIMIT 1) s ON true
            WHERE c.provider = wanted_provider AND c.credential = wanted_credential
        ), ended AS (
            DELETE FROM provider_calls c USING calls
            WHERE c.submission_id = calls.submission_id AND NOT calls.open
        )
        SELECT greatest(0, at_once - count(*) FILTER (WHERE calls.open))::int INTO room FROM calls;
        granted := least(granted, room);
    END IF;
    IF per_minute IS NOT NULL THEN
        burst := greatest(1, per_minute / 10);
        step := 60.0 / (per_minute - burst + 1);
        next_call := greatest(coalesce(next_call, moment), moment);
        room := greatest(0, floor(burst - extract(epoch FROM next_call - moment) / step))::int;
        IF room < granted THEN
            granted := room;
            wait_s := greatest(0, extract(epoch FROM next_call - moment) - (burst - 1 - granted) * step);
        END IF;
        UPDATE provider_limits l SET next_at = next_call + granted * step * interval '1 second'
        WHERE l.provider = wanted_provider AND l.credential = wanted_credential AND granted > 0;
    END IF;
    IF at_once IS NOT NULL THEN
        INSERT INTO provider_calls (submission_id, provider, credential, taken_at)
        SELECT w.id, wanted_provider, wanted_credential, moment FROM unnest(wanted[1:granted]) AS w (id);
    END IF;
END $$
"""

# An operator forgets what is held against the platform's credentials, an account what is held against its own.
RESET = """
CREATE FUNCTION auth.reset_provider(wanted text) RETURNS int
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH u AS (
        UPDATE provider_health SET status = 'unknown', error_rates = '{}', failure_count = 0, error_message = NULL,
            cooldown_s = 0, cooldown_until = NULL, probe = NULL, probe_until = NULL, checked_at = now()
        WHERE provider = wanted AND (user_id IS NULL OR user_id = auth.uid())
        RETURNING 1
    )
    SELECT count(*)::int FROM u
$$
"""


def upgrade() -> None:
    _widen_health()
    op.create_table(
        "provider_limits",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("rpm", sa.Integer(), nullable=True),
        sa.Column("concurrent", sa.Integer(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("provider", "credential"),
    )
    op.create_table(
        "provider_calls",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("submission_id"),
    )
    op.create_index("provider_calls_credential", "provider_calls", ["provider", "credential"])
    op.create_table(
        "account_providers",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "provider"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON provider_limits, provider_calls TO penstock_worker")
    op.execute("GRANT SELECT ON provider_limits TO penstock_app")
    _isolate_orders()
    op.execute(TAKE)
    take = "take_provider_calls(text, text, uuid[], int, int)"
    op.execute(f"REVOKE ALL ON FUNCTION {take} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {take} TO penstock_worker")
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    op.execute(RESET)
    op.execute("REVOKE ALL ON FUNCTION auth.reset_provider(text) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION auth.reset_provider(text) TO penstock_app, penstock_worker")
    op.execute("ALTER FUNCTION auth.reset_provider(text) OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def _widen_health() -> None:
    op.add_column(
        "provider_health",
        sa.Column("credential", sa.Text(), server_default="platform", nullable=False),
    )
    op.add_column(
        "provider_health",
        sa.Column(
            "error_rates",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
    )
    op.add_column(
        "provider_health", sa.Column("cooldown_s", sa.Float(), server_default=sa.text("0"), nullable=False)
    )
    op.add_column("provider_health", sa.Column("probe", sa.Uuid(), nullable=True))
    op.add_column("provider_health", sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint("provider_health_once", "provider_health")
    op.create_unique_constraint(
        "provider_health_once",
        "provider_health",
        ["provider", "user_id", "credential"],
        postgresql_nulls_not_distinct=True,
    )


def _isolate_orders() -> None:
    table, mine = "account_providers", "account_id = (SELECT auth.uid())"
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penstock_app, penstock_worker")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY {table}_isolation ON {table} TO penstock_app USING ({mine}) WITH CHECK ({mine})"
    )
    op.execute(f"CREATE POLICY {table}_workers ON {table} TO penstock_worker USING (true) WITH CHECK (true)")


def downgrade() -> None:
    op.execute("DROP FUNCTION auth.reset_provider(text)")
    op.execute("DROP FUNCTION take_provider_calls(text, text, uuid[], int, int)")
    op.drop_table("account_providers")
    op.drop_table("provider_calls")
    op.drop_table("provider_limits")
    op.execute("DELETE FROM provider_health WHERE credential <> 'platform'")
    op.drop_constraint("provider_health_once", "provider_health")
    op.create_unique_constraint(
        "provider_health_once", "provider_health", ["provider", "user_id"], postgresql_nulls_not_distinct=True
    )
    for column in ("probe_until", "probe", "cooldown_s", "error_rates", "credential"):
        op.drop_column("provider_health", column)
