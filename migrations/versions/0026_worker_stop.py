"""Operators have a worker end."""

from collections.abc import Sequence

from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# From then on nobody counts on its slots; the worker hears of it as it beats.
STOP = """
CREATE FUNCTION auth.ops_stop(wanted uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM auth.require_operator();
    UPDATE workers w SET draining = true WHERE w.id = wanted;
    RETURN FOUND;
END $$
"""


def upgrade() -> None:
    # An earlier migration of the same transaction may have gone back to whoever connected.
    op.execute("SET LOCAL ROLE penstock_owner")
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    op.execute(STOP)
    op.execute("REVOKE ALL ON FUNCTION auth.ops_stop(uuid) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION auth.ops_stop(uuid) TO penstock_app, penstock_worker")
    op.execute("ALTER FUNCTION auth.ops_stop(uuid) OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    op.execute("DROP FUNCTION auth.ops_stop(uuid)")
