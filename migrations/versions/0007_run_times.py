"""How long models take, learned from what was seen; and how busy the queues are, for those who wait in them.

The app role sees one account's queue at a time. How long the whole queue is, and how many slots serve it, are
totals that name no account; the definer is the worker role.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# A queue is counted up to 20,000: beyond that nobody needs to know the hour of his turn exactly.
LOADS = """
CREATE FUNCTION auth.queue_loads(wanted text[], lease_ttl_s float8)
RETURNS TABLE (kind text, queued int, accounts int, slots int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.kind, q.queued, q.accounts, (
        SELECT coalesce(sum(w.slots), 0)::int FROM workers w
        WHERE k.kind = ANY (w.kinds) AND NOT w.draining AND w.beat_at > now() - lease_ttl_s * interval '1 second')
    FROM unnest(wanted) AS k(kind) CROSS JOIN LATERAL (
        SELECT count(*)::int AS queued, count(DISTINCT c.account_id)::int AS accounts
        FROM (SELECT g.account_id FROM generations g WHERE g.kind = k.kind AND g.state = 'queued' LIMIT 20000) c
    ) q
$$
"""
FUNCTION = "auth.queue_loads(text[], float8)"


def upgrade() -> None:
    op.create_table(
        "run_times",
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("samples", sa.BigInteger(), nullable=False),
        sa.Column("recent", postgresql.ARRAY(sa.Float()), nullable=False),
        sa.Column("early_s", sa.Float(), nullable=False),
        sa.Column("median_s", sa.Float(), nullable=False),
        sa.Column("late_s", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("card", "size"),
    )
    op.execute("GRANT SELECT ON run_times TO penstock_app")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON run_times TO penstock_worker")
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    op.execute(LOADS)
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO penstock_app, penstock_worker")
    op.execute(f"ALTER FUNCTION {FUNCTION} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {FUNCTION}")
    op.drop_table("run_times")
