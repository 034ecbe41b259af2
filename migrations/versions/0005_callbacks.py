"""What providers told about submissions by incoming callbacks, and what their own lists of jobs showed.

The app role has no right to either table: a callback is taken by a function whose definer is the worker role,
and a scrape reads sums that name no account.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Keeps a callback once and has its generation looked at: at once if nobody holds it, else right after. A row
# comes back if there is such a submission of that provider; `fresh` is false for a callback that is known.
TAKE = """
CREATE FUNCTION auth.take_callback(callback uuid, to_submission uuid, from_provider text, event text, head jsonb,
                                   content bytea, signed boolean)
RETURNS TABLE (kind text, fresh boolean)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH target AS (
        SELECT s.id, s.generation_id, g.kind, s.state IN ('intent', 'accepted', 'unknown') AS open
        FROM submissions s JOIN generations g ON g.id = s.generation_id
        WHERE s.id = to_submission AND s.provider = from_provider
    ), kept AS (
        INSERT INTO provider_callbacks (id, submission_id, provider, event_id, headers, body, verified)
        SELECT callback, t.id, from_provider, event, head, content, signed FROM target t
        ON CONFLICT (submission_id, event_id) DO NOTHING
        RETURNING submission_id
    ), poked AS (
        UPDATE generations g SET pokes = g.pokes + 1, wake_at = CASE
            WHEN g.state IN ('submitting', 'waiting') AND g.owner IS NULL AND NOT g.rung
            THEN least(g.wake_at, now()) ELSE g.wake_at END
        FROM kept k JOIN target t ON t.id = k.submission_id
        WHERE g.id = t.generation_id AND t.open AND g.wake_at IS NOT NULL
    ), hurried AS (
        UPDATE submissions s SET check_at = least(s.check_at, now())
        FROM kept k WHERE s.id = k.submission_id AND s.check_at IS NOT NULL
    )
    SELECT t.kind, EXISTS (SELECT FROM kept) FROM target t
$$
"""

# Of each provider's last audit that came to an end.
GAUGES = """
CREATE FUNCTION auth.audit_gauges()
RETURNS TABLE (gauge text, labels text[], value float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT v.gauge, ARRAY[a.provider], v.value
    FROM (SELECT DISTINCT ON (provider) * FROM provider_audits WHERE finished_at IS NOT NULL
          ORDER BY provider, finished_at DESC) a
    CROSS JOIN LATERAL (VALUES
        ('audit_orphans', a.orphans::float8),
        ('audit_missing', a.missing::float8),
        ('audit_foreign', a.foreign_jobs::float8),
        ('audit_age_seconds', extract(epoch FROM now() - a.finished_at)::float8)
    ) AS v (gauge, value)
$$
"""

FUNCTIONS = (
    ("auth.take_callback(uuid, uuid, text, text, jsonb, bytea, boolean)", TAKE),
    ("auth.audit_gauges()", GAUGES),
)


def upgrade() -> None:
    op.create_table(
        "provider_callbacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "headers",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("submission_id", "event_id", name="provider_callbacks_once"),
    )
    op.create_index("provider_callbacks_received", "provider_callbacks", ["received_at"], unique=False)
    op.create_table(
        "provider_audits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("known", sa.Integer(), server_default="0", nullable=False),
        sa.Column("foreign_jobs", sa.Integer(), server_default="0", nullable=False),
        sa.Column("orphans", sa.Integer(), server_default="0", nullable=False),
        sa.Column("missing", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "findings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("provider_audits_latest", "provider_audits", ["provider", "finished_at"], unique=False)
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON provider_callbacks, provider_audits TO penstock_worker"
    )
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for function, definition in FUNCTIONS:
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO penstock_app, penstock_worker")
        op.execute(f"ALTER FUNCTION {function} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    for function, _ in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("provider_audits")
    op.drop_table("provider_callbacks")
