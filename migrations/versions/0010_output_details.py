"""What an output says of how it was made; and the check of the ledger, for one account and for all.

The check is one function that sees what its caller may see. Across accounts it is called by a definer, the worker
role, which adds what the audits of the providers found.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Reads one snapshot of what was made since then: ids are UUIDv7, so their order bounds the scan, with an hour for
# clocks that differ. A generation's entries are never older than itself. Held sums have no bound: they are sums over
# the whole ledger of an account that has a budget. Both sides of each join are as small as the account and the time
# make them, so they are hashed whatever the statistics say.
VERIFY = """
CREATE FUNCTION verify_ledger(since timestamptz, most int) RETURNS jsonb
LANGUAGE sql STABLE SET work_mem = '128MB' SET enable_nestloop = off AS $$
    WITH bound AS (
        SELECT rpad(lpad(to_hex((extract(epoch FROM since - interval '1 hour') * 1000)::bigint), 12, '0'), 32, '0')::uuid
            AS id
    ), sums AS (
        SELECT l.generation_id,
            coalesce(sum(l.nanos) FILTER (WHERE l.kind = 'reserve'), 0)::bigint AS reserved,
            coalesce(sum(l.nanos) FILTER (WHERE l.kind = 'release'), 0)::bigint AS released,
            coalesce(sum(l.nanos) FILTER (WHERE l.kind = 'settle' AND l.payer = 'account'), 0)::bigint AS settled
        FROM ledger l WHERE l.created_at >= since AND l.generation_id IS NOT NULL GROUP BY l.generation_id
    ), made AS (
        SELECT g.id, g.account_id, g.created_at, coalesce(s.reserved, 0) AS reserved, g.reserved_nanos AS to_reserve,
            coalesce(s.settled, 0) AS settled, coalesce(g.cost_nanos, 0) AS cost, coalesce(s.released, 0) AS released,
            CASE WHEN g.wake_at IS NULL AND g.cost_status IN ('final', 'released') THEN -g.reserved_nanos ELSE 0 END
                AS to_release,
            CASE WHEN g.wake_at IS NULL AND g.cost_status = 'reserved' THEN s.reserved + s.released ELSE 0 END AS left_over
        FROM generations g LEFT JOIN sums s ON s.generation_id = g.id
        WHERE g.created_at >= since AND g.id >= (SELECT b.id FROM bound b)
    ), wrong AS (
        SELECT * FROM made m
        WHERE m.cost <> m.settled OR m.to_reserve <> m.reserved OR m.to_release <> m.released OR m.left_over <> 0
    ), unsettled AS MATERIALIZED (
        SELECT g.id, g.account_id, g.cost_status, g.completed_at, g.reserved_nanos FROM generations g
        WHERE g.cost_status IN ('reconciling', 'unpriced') AND g.wake_at IS NULL
    ), budgets AS MATERIALIZED (
        SELECT a.id, a.held_nanos, coalesce(sum(l.nanos), 0)::bigint AS held
        FROM accounts a LEFT JOIN ledger l ON l.account_id = a.id AND l.payer = 'account'
        WHERE a.budget_nanos IS NOT NULL GROUP BY a.id
    ), calls AS (
        SELECT s.id, s.account_id, s.generation_id, coalesce(s.cost_nanos, 0) AS cost, s.intent_at FROM submissions s
        WHERE s.intent_at >= since AND s.id >= (SELECT b.id FROM bound b)
    ), settles AS (
        SELECT l.submission_id, l.account_id, l.generation_id, l.nanos, l.created_at FROM ledger l
        WHERE l.kind = 'settle' AND l.created_at >= since
    ), differences AS MATERIALIZED (
        SELECT v.what, w.account_id, w.id AS generation_id, NULL::uuid AS submission_id, v.expected, v.found,
            w.created_at AS at
        FROM wrong w CROSS JOIN LATERAL (VALUES ('cost', w.cost, w.settled), ('reserve', w.to_reserve, w.reserved),
            ('release', w.to_release, w.released), ('held_after_end', 0, w.left_over)) AS v (what, expected, found)
        WHERE v.expected <> v.found
        UNION ALL
        SELECT CASE WHEN c.id IS NULL THEN 'stray' ELSE 'bill' END, coalesce(c.account_id, s.account_id),
            coalesce(c.generation_id, s.generation_id), coalesce(c.id, s.submission_id), coalesce(c.cost, 0),
            coalesce(s.nanos, 0), coalesce(c.intent_at, s.created_at)
        FROM calls c FULL JOIN settles s ON s.submission_id = c.id
        WHERE coalesce(c.cost, 0) <> coalesce(s.nanos, 0) AND (c.id IS NOT NULL OR (
            (SELECT x.id FROM submissions x WHERE x.id = s.submission_id) IS NULL
            AND (SELECT x.id FROM generations x WHERE x.id = s.generation_id) IS NOT NULL))
        UNION ALL
        SELECT 'held_sum', b.id, NULL, NULL, b.held, b.held_nanos, NULL FROM budgets b WHERE b.held <> b.held_nanos
        UNION ALL
        SELECT 'reconciling_long', u.account_id, u.id, NULL, NULL, u.reserved_nanos, u.completed_at
        FROM unsettled u WHERE u.cost_status = 'reconciling' AND u.completed_at < now() - interval '1 day'
    )
    SELECT jsonb_build_object(
        'generations', (SELECT count(*) FROM generations g
            WHERE g.created_at >= since AND g.id >= (SELECT b.id FROM bound b)),
        'entries', (SELECT count(*) FROM ledger l WHERE l.created_at >= since),
        'budgets', (SELECT count(*) FROM budgets),
        'total', (SELECT count(*) FROM differences),
        'differences', (SELECT coalesce(jsonb_agg(to_jsonb(d) ORDER BY d.at, d.what), '[]')
            FROM (SELECT * FROM differences ORDER BY at, what LIMIT most) d),
        'unsettled', (SELECT coalesce(jsonb_object_agg(u.cost_status, to_jsonb(u) - 'cost_status'), '{}') FROM (
            SELECT u.cost_status, count(*) AS generations, sum(u.reserved_nanos)::bigint AS reserved,
                min(u.completed_at) AS since, extract(epoch FROM now() - min(u.completed_at))::float8 AS age_s,
                (array_agg(u.id ORDER BY u.completed_at))[1] AS oldest
            FROM unsettled u GROUP BY u.cost_status) u)
    )
$$
"""
EVERYWHERE = """
CREATE FUNCTION auth.verify_ledger(since timestamptz, most int) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT verify_ledger(since, most) || jsonb_build_object('audits', (
        SELECT coalesce(jsonb_agg(to_jsonb(a) ORDER BY a.provider), '[]') FROM (
            SELECT DISTINCT ON (provider) provider, p.since, until, finished_at, listed, known, foreign_jobs, orphans,
                missing, jsonb_path_query_array(findings, '$[0 to $last]', jsonb_build_object('last', most - 1)) AS findings,
                error
            FROM provider_audits p WHERE finished_at IS NOT NULL OR error IS NOT NULL
            ORDER BY provider, started_at DESC) a))
$$
"""
ARGUMENTS = "(timestamptz, int)"


def upgrade() -> None:
    op.add_column(
        "outputs", sa.Column("details", JSONB, nullable=False, server_default=sa.text("'{}'::jsonb"))
    )
    op.execute(VERIFY)
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    op.execute(EVERYWHERE)
    for function in (f"verify_ledger{ARGUMENTS}", f"auth.verify_ledger{ARGUMENTS}"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO penstock_app, penstock_worker")
    op.execute(f"ALTER FUNCTION auth.verify_ledger{ARGUMENTS} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION auth.verify_ledger{ARGUMENTS}")
    op.execute(f"DROP FUNCTION verify_ledger{ARGUMENTS}")
    op.drop_column("outputs", "details")
