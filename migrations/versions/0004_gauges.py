"""What a scrape reads across accounts: sums over the record that name no account.

A gateway reports the state of the whole service, and its own role sees one account at a time. The definer is
the worker role; the answers are totals by queue, worker, provider and model.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Everything that has not ended is read once: what queues, since when, what runs, and what is reserved for it.
# A kind without work, and a provider without trouble, still has its zero.
GAUGES = """
CREATE FUNCTION auth.gauges(wanted text[], lease_ttl_s float8)
RETURNS TABLE (gauge text, labels text[], value float8)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH active AS MATERIALIZED (
        SELECT g.kind, g.state = 'queued' AS queued, sign(g.priority)::int AS rank, count(*) AS jobs,
               min(g.updated_at) AS since, sum(g.reserved_nanos) AS reserved,
               count(*) FILTER (WHERE g.owner IS NOT NULL AND g.state <> 'waiting') AS busy
        FROM generations g WHERE g.wake_at IS NOT NULL GROUP BY 1, 2, 3
    ), unsettled AS MATERIALIZED (
        SELECT g.provider, g.cost_status, count(*) AS jobs, sum(g.reserved_nanos) AS reserved
        FROM generations g WHERE g.cost_status IN ('reconciling', 'unpriced') AND g.wake_at IS NULL GROUP BY 1, 2
    ), kinds AS (
        SELECT kind FROM unnest(wanted) AS k (kind)
    ), fleet AS MATERIALIZED (
        SELECT w.host || ':' || w.pid AS name, w.slots, w.draining,
               CASE WHEN cardinality(w.kinds) = 0 THEN ARRAY['maintenance'] ELSE w.kinds END AS types,
               w.beat_at > now() - lease_ttl_s * interval '1 second' AS up
        FROM workers w
    ), slots AS (
        SELECT k.kind, coalesce(sum(f.slots) FILTER (WHERE NOT f.draining), 0) AS serving,
               coalesce(sum(f.slots) FILTER (WHERE f.draining), 0) AS draining,
               (SELECT coalesce(sum(a.busy), 0) FROM active a WHERE a.kind = k.kind) AS busy
        FROM kinds k LEFT JOIN fleet f ON k.kind = ANY (f.types) AND f.up GROUP BY k.kind
    ), providers AS (
        SELECT DISTINCT m.provider FROM model_cards m WHERE m.available
    )
    SELECT 'queue_depth', ARRAY[k.kind, p.name], coalesce(a.jobs, 0)::float8
    FROM kinds k CROSS JOIN (VALUES (-1, 'low'), (0, 'normal'), (1, 'high')) AS p (rank, name)
    LEFT JOIN active a ON a.kind = k.kind AND a.queued AND a.rank = p.rank
    UNION ALL
    SELECT 'queue_oldest_seconds', ARRAY[k.kind],
        coalesce((SELECT greatest(0, extract(epoch FROM now() - min(a.since))) FROM active a
                  WHERE a.kind = k.kind AND a.queued), 0)::float8
    FROM kinds k
    UNION ALL
    SELECT 'queue_paused', ARRAY[k.kind], EXISTS (SELECT FROM queues q WHERE q.kind = k.kind AND q.paused
        AND (q.paused_until IS NULL OR q.paused_until > now()))::int::float8
    FROM kinds k
    UNION ALL
    SELECT 'worker_slots', ARRAY[s.kind, v.state], v.slots::float8
    FROM slots s CROSS JOIN LATERAL (VALUES ('busy', s.busy), ('idle', greatest(0, s.serving - s.busy)),
        ('draining', s.draining)) AS v (state, slots)
    UNION ALL
    SELECT 'worker_up', ARRAY[f.name, t.type], max(f.up::int)::float8
    FROM fleet f CROSS JOIN LATERAL unnest(f.types) AS t (type) GROUP BY f.name, t.type
    UNION ALL
    SELECT 'reserved_nanousd', ARRAY[]::text[],
        (coalesce((SELECT sum(reserved) FROM active), 0) + coalesce((SELECT sum(reserved) FROM unsettled), 0))::float8
    UNION ALL
    SELECT 'unpriced_total', ARRAY[coalesce(p.provider, u.provider)], coalesce(u.jobs, 0)::float8
    FROM providers p FULL JOIN (SELECT coalesce(provider, 'none') AS provider, jobs FROM unsettled
        WHERE cost_status = 'unpriced') u ON u.provider = p.provider
    UNION ALL
    SELECT 'provider_state', ARRAY[p.provider], (CASE
        WHEN h.status = 'down' THEN 2
        WHEN h.status = 'degraded' AND (h.cooldown_until IS NULL OR h.cooldown_until > now()) THEN 1
        ELSE 0 END)::float8
    FROM providers p LEFT JOIN provider_health h ON h.provider = p.provider AND h.user_id IS NULL
    UNION ALL
    SELECT 'provider_cooldown_seconds', ARRAY[p.provider],
        greatest(0, coalesce(extract(epoch FROM h.cooldown_until - now()), 0))::float8
    FROM providers p LEFT JOIN provider_health h ON h.provider = p.provider AND h.user_id IS NULL
    UNION ALL
    SELECT 'model_days_to_shutdown', ARRAY[m.provider, m.model],
        (min(m.shutdown_on) - (now() AT TIME ZONE 'UTC')::date)::float8
    FROM model_cards m WHERE m.available AND m.shutdown_on IS NOT NULL GROUP BY m.provider, m.model
$$
"""
FUNCTION = "auth.gauges(text[], float8)"


def upgrade() -> None:
    op.create_index(
        "generations_unsettled",
        "generations",
        ["cost_status", "provider"],
        postgresql_where=sa.text("cost_status IN ('reconciling', 'unpriced')"),
    )
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    op.execute(GAUGES)
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO penstock_app, penstock_worker")
    op.execute(f"ALTER FUNCTION {FUNCTION} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {FUNCTION}")
    op.drop_index("generations_unsettled", "generations")
