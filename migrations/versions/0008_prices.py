"""Prices that an operator imported. They are only ever added: a frozen price id names one price for ever."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "prices",
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("units", postgresql.JSONB(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("revision > 0", name="prices_revision"),
        sa.PrimaryKeyConstraint("card", "effective_from", "revision"),
    )
    op.execute("GRANT SELECT, INSERT ON prices TO penstock_app, penstock_worker")


def downgrade() -> None:
    op.drop_table("prices")
