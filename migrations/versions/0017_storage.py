"""Room for files: how much an account may keep, what it keeps, and uploads in parts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("storage_limit_bytes", sa.BigInteger(), nullable=True))
    op.create_check_constraint("accounts_storage_limit", "accounts", "storage_limit_bytes >= 0")
    op.add_column("uploads", sa.Column("multipart_id", sa.Text(), nullable=True))
    # What an account keeps is summed from the index alone.
    op.drop_index("outputs_account", "outputs")
    op.create_index("outputs_account", "outputs", ["account_id"], postgresql_include=["bytes"])
    op.create_index(
        "uploads_stale", "uploads", ["created_at"], postgresql_where=sa.text("state <> 'ready'")
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("uploads_stale", "uploads")
    op.drop_index("outputs_account", "outputs")
    op.create_index("outputs_account", "outputs", ["account_id"])
    op.drop_column("uploads", "multipart_id")
    op.drop_constraint("accounts_storage_limit", "accounts")
    op.drop_column("accounts", "storage_limit_bytes")
