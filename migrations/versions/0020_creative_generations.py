"""The history of the Creative Studio, written as a projection of the library.

Its policies are those of seed 002, by their names; a row follows its asset when that is removed.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLE = "creative_generations"
MINE = "(SELECT auth.uid()) = user_id"
POLICIES = {
    "view": f"FOR SELECT TO penstock_app USING ({MINE})",
    "insert": f"FOR INSERT TO penstock_app WITH CHECK ({MINE})",
    "update": f"FOR UPDATE TO penstock_app USING ({MINE}) WITH CHECK ({MINE})",
    "delete": f"FOR DELETE TO penstock_app USING ({MINE})",
}

TOUCH = """
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        _document("settings"),
        sa.Column("result_url", sa.Text(), nullable=False),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        _document("metadata"),
        _moment("created_at"),
        _moment("updated_at"),
        sa.CheckConstraint(
            "type IN ('image', 'audio', 'music', 'video', 'upscale', 'text', 'ebook')",
            name="creative_generations_type",
        ),
        sa.ForeignKeyConstraint(["id"], ["assets.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_creative_user_type", TABLE, ["user_id", "type"])
    op.create_index("idx_creative_created", TABLE, [sa.text("created_at DESC")])
    op.execute(TOUCH)
    op.execute(
        f"CREATE TRIGGER {TABLE}_updated BEFORE UPDATE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION touch_updated_at()"
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLE} TO penstock_app, penstock_worker")
    op.execute(f"ALTER TABLE {TABLE} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {TABLE} FORCE ROW LEVEL SECURITY")
    for action, rule in POLICIES.items():
        op.execute(f'CREATE POLICY "Users can {action} own generations" ON {TABLE} {rule}')
    op.execute(f"CREATE POLICY {TABLE}_workers ON {TABLE} TO penstock_worker USING (true) WITH CHECK (true)")


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _document(name: str) -> sa.Column[object]:
    kind = postgresql.JSONB(astext_type=sa.Text())
    return sa.Column(name, kind, server_default=sa.text("'{}'::jsonb"), nullable=False)


def downgrade() -> None:
    op.drop_table(TABLE)
    op.execute("DROP FUNCTION touch_updated_at")
