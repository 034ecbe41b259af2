"""What projects have spent, kept with the ledger; and keys that succeed each other share their budgets.

`projects.spent_nanos` moves in the statement that writes the ledger's entries (`shared.domains.ledger`). A key that
was rotated and its successors are one family: a budget of one of them counts what is made with any.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Whether an entry of a generation counts in a budget, its window apart. A reserve is held at every provider that may
# serve, a bill belongs to the one that did.
COUNTS = """
CREATE OR REPLACE FUNCTION counts_in_budget(b budgets, g generations, entry text, at_provider text) RETURNS boolean
LANGUAGE sql {volatility} AS $$
    SELECT CASE b.scope
        WHEN 'account' THEN true
        WHEN 'project' THEN coalesce(g.project_id = b.project_id, false)
        WHEN 'key' THEN {key}
        ELSE CASE WHEN entry IN ('settle', 'adjust') THEN coalesce(at_provider = b.provider, false)
            ELSE coalesce(g.routes @> jsonb_build_array(
                jsonb_build_object('provider', b.provider, 'credential', 'platform')), false) END
    END
$$
"""
ONE_KEY = "coalesce(g.api_key_id = b.api_key_id, false)"
ONE_FAMILY = """coalesce(g.api_key_id = b.api_key_id OR EXISTS (
            SELECT FROM api_keys theirs JOIN api_keys ours
                ON coalesce(ours.family_id, ours.id) = coalesce(theirs.family_id, theirs.id)
            WHERE theirs.id = g.api_key_id AND ours.id = b.api_key_id), false)"""

MIRROR_KEY = """
CREATE OR REPLACE FUNCTION mirror_key_budget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mirror_budget(NEW.account_id, 'key', NULL, NEW.id, NULL, {period}, NEW.budget_nanos, 'hard');
    RETURN NULL;
END $$
"""

RECKON = """
CREATE FUNCTION reckon_project(project uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.nanos), 0)::bigint FROM generations g JOIN ledger l ON l.generation_id = g.id
    WHERE g.project_id = project AND l.payer = 'account' AND l.kind IN ('settle', 'adjust')
$$
"""


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("family_id", sa.Uuid(), nullable=True))
    op.add_column(
        "api_keys", sa.Column("budget_period", sa.Text(), server_default=sa.text("'total'"), nullable=False)
    )
    op.create_check_constraint(
        "api_keys_budget_period", "api_keys", "budget_period IN ('day', 'week', 'month', 'total')"
    )
    op.execute(COUNTS.format(volatility="STABLE", key=ONE_FAMILY))
    op.execute(MIRROR_KEY.format(period="NEW.budget_period"))
    op.execute(RECKON)
    # The owner of the tables is under row-level security as well; the worker role sees all accounts.
    op.execute("SET LOCAL ROLE penstock_worker")
    op.execute("UPDATE projects SET spent_nanos = reckon_project(id)")
    op.execute("SET LOCAL ROLE penstock_owner")


def downgrade() -> None:
    op.execute("DROP FUNCTION reckon_project(uuid)")
    op.execute(MIRROR_KEY.format(period="'total'"))
    op.execute(COUNTS.format(volatility="IMMUTABLE", key=ONE_KEY))
    op.drop_constraint("api_keys_budget_period", "api_keys")
    op.drop_column("api_keys", "budget_period")
    op.drop_column("api_keys", "family_id")
