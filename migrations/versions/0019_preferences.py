"""What people like their pages to be, and the seeds that makers drew in the library."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_SEEDS = """
UPDATE assets a SET seed = (o.details ->> 'seed')::bigint FROM outputs o
WHERE a.seed IS NULL AND o.generation_id = a.generation_id AND o.n = a.output_n
    AND jsonb_typeof(o.details -> 'seed') = 'number'
"""


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("preferences", JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    op.execute(_SEEDS)


def downgrade() -> None:
    op.drop_column("accounts", "preferences")
