"""What live connections read across accounts: where generations are, and the events that were missed.

A gateway watches generations of many accounts at once, and asks for all of them in one statement. The
definer is the worker role, which sees all accounts; the answers name the account, and missed events are given
only for pairs of generation and account that belong together.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Generations that moved past the position that is known, or will move no more; and, for the accounts whose
# every generation is followed, those made since `newer_than` (a UUIDv7 of a moment).
POSITIONS = """
CREATE FUNCTION auth.generation_positions(watched uuid[], known bigint[], feeds uuid[], newer_than uuid)
RETURNS TABLE (id uuid, account_id uuid, project_id uuid, seq bigint, settled boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.id, g.account_id, g.project_id, g.seq,
           g.wake_at IS NULL AND g.cost_status NOT IN ('reserved', 'reconciling')
    FROM unnest(watched, known) AS w (id, seq) JOIN generations g ON g.id = w.id
    WHERE g.seq > w.seq OR (g.wake_at IS NULL AND g.cost_status NOT IN ('reserved', 'reconciling'))
    UNION ALL
    SELECT g.id, g.account_id, g.project_id, g.seq, false
    FROM unnest(feeds) AS f (account_id)
    CROSS JOIN LATERAL (
        SELECT n.* FROM generations n
        WHERE n.account_id = f.account_id AND n.id > newer_than
        ORDER BY n.id LIMIT 20000
    ) g
$$
"""

# `head` is the generation's position; a generation without missed events comes as one row of nulls.
MISSED = """
CREATE FUNCTION auth.missed_events(accounts uuid[], ids uuid[], seqs bigint[], at_most int)
RETURNS TABLE (generation_id uuid, account_id uuid, head bigint, seq bigint, type text, data jsonb,
               created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT g.id, g.account_id, g.seq, e.seq, e.type, e.data, e.created_at
    FROM unnest(accounts, ids, seqs) AS w (account_id, id, seq)
    JOIN generations g ON g.id = w.id AND g.account_id = w.account_id
    LEFT JOIN LATERAL (
        SELECT * FROM generation_events n
        WHERE n.generation_id = w.id AND n.seq > w.seq ORDER BY n.seq LIMIT at_most
    ) e ON true
    ORDER BY g.id, e.seq
$$
"""

FUNCTIONS = (
    "auth.generation_positions(uuid[], bigint[], uuid[], uuid)",
    "auth.missed_events(uuid[], uuid[], bigint[], int)",
)


def upgrade() -> None:
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for definition, function in zip((POSITIONS, MISSED), FUNCTIONS, strict=True):
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO penstock_app, penstock_worker")
        op.execute(f"ALTER FUNCTION {function} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
