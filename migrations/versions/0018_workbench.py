"""Generations in the workbench's columns, and requests that are their own idempotency key."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# The rights and policies of `generations` hold for who reads it.
VIEW = """
CREATE VIEW workbench_generations WITH (security_invoker = true) AS
SELECT
    g.id,
    g.project_id,
    g.account_id AS user_id,
    g.provider,
    coalesce(g.provider_model, g.model) AS model,
    CASE g.kind WHEN 'music' THEN 'audio' WHEN 'upscale' THEN 'image' WHEN 'ebook' THEN 'text' ELSE g.kind END
        AS generation_type,
    coalesce(g.input ->> 'prompt', g.input ->> 'text') AS prompt,
    g.input - 'prompt' - 'text' AS parameters,
    CASE
        WHEN g.state = 'queued' THEN 'pending'
        WHEN g.state IN ('submitting', 'waiting', 'storing') THEN 'processing'
        WHEN g.state = 'completed' THEN 'completed'
        ELSE 'failed'
    END AS status,
    o.result,
    CASE WHEN g.completed_at IS NOT NULL THEN g.error ->> 'message' END AS error_message,
    t.tokens_input,
    t.tokens_output,
    t.tokens_input + t.tokens_output AS tokens_total,
    LEAST((g.cost_nanos + 5000000) / 10000000, 2147483647)::integer AS cost_cents,
    g.started_at,
    g.completed_at,
    (extract(epoch FROM g.completed_at - g.started_at) * 1000)::integer AS duration_ms,
    g.created_at,
    g.updated_at
FROM generations g
LEFT JOIN LATERAL (
    SELECT jsonb_build_object('outputs', jsonb_agg(
        jsonb_build_object('n', n, 'mime', mime, 'bytes', bytes, 'sha256', sha256, 'text', text) ORDER BY n)) AS result
    FROM outputs WHERE generation_id = g.id AND g.state = 'completed'
    HAVING count(*) > 0
) o ON true
LEFT JOIN LATERAL (
    SELECT coalesce(sum(u.value::numeric) FILTER (WHERE u.key NOT LIKE '%output%'), 0)::integer AS tokens_input,
        coalesce(sum(u.value::numeric) FILTER (WHERE u.key LIKE '%output%'), 0)::integer AS tokens_output
    FROM submissions s CROSS JOIN LATERAL jsonb_each_text(s.usage) u
    WHERE s.generation_id = g.id AND s.usage IS NOT NULL AND u.key LIKE '%token%'
    HAVING count(*) > 0
) t ON true
WHERE g.deleted_at IS NULL
"""


def upgrade() -> None:
    op.add_column(
        "idempotency_keys",
        sa.Column("implicit", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "idx_generations_provider",
        "generations",
        ["provider", "completed_at"],
        postgresql_where=sa.text("completed_at IS NOT NULL"),
    )
    op.execute(VIEW)
    op.execute("GRANT SELECT ON workbench_generations TO penstock_app, penstock_worker")


def downgrade() -> None:
    op.execute("DROP VIEW workbench_generations")
    op.drop_index("idx_generations_provider", "generations")
    op.drop_column("idempotency_keys", "implicit")
