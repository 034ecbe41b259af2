"""Why a generation waits, and what is made from an upload to show it: thumbnail, poster, peaks."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

PREVIEWS = ("thumbnail_key", "poster_key", "peaks_key")


def upgrade() -> None:
    op.add_column("generations", sa.Column("waiting_for", sa.Text(), nullable=True))
    for name in PREVIEWS:
        op.add_column("uploads", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    for name in reversed(PREVIEWS):
        op.drop_column("uploads", name)
    op.drop_column("generations", "waiting_for")
