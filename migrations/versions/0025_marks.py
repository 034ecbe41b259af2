"""What tells operators that something has changed, quiet slots, who has which plan, and audits as a share."""

from collections.abc import Sequence

from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# A mark changes when what its part shows has changed. Rates and totals go on changing for a while after the last
# event, so the clock is part of their marks until then. Marks name nothing and nobody, so whoever asks may have them.
MARKS = """
CREATE FUNCTION auth.ops_marks(lease_ttl_s float8) RETURNS TABLE (part text, mark text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH active AS MATERIALIZED (
        SELECT g.kind, count(*) FILTER (WHERE g.state = 'queued' AND g.owner IS NULL AND (g.wake_at <= now() OR g.rung))
                AS due,
            count(*) FILTER (WHERE g.state = 'queued' AND g.owner IS NULL AND g.wake_at > now() AND NOT g.rung) AS later,
            count(*) FILTER (WHERE g.state = 'waiting') AS waiting,
            count(*) FILTER (WHERE g.state = 'queued' AND g.run_now) AS asked,
            count(*) AS jobs, sum(g.seq) AS moves, count(g.waiting_for) AS waits, sum(g.progress) AS progress
        FROM generations g WHERE g.wake_at IS NOT NULL GROUP BY g.kind
    ), last AS MATERIALIZED (
        SELECT (SELECT max(g.completed_at) FROM generations g WHERE g.completed_at IS NOT NULL) AS ended,
            (SELECT g.created_at FROM generations g ORDER BY g.id DESC LIMIT 1) AS begun
    ), clock AS (
        SELECT extract(epoch FROM now())::bigint AS s, extract(epoch FROM now() - greatest(l.ended, l.begun)) AS idle_s
        FROM last l
    ), fleet AS MATERIALIZED (
        SELECT string_agg(concat_ws(' ', w.id, w.draining, w.quiet, w.beat_at > now() - lease_ttl_s * interval '1 second',
            w.stats ->> 'running', w.stats ->> 'polling'), ',' ORDER BY w.id) AS mark FROM workers w
    ), resting AS (
        SELECT string_agg(concat_ws(' ', q.kind, q.mode, q.paused_until, q.note, q.updated_at), ',' ORDER BY q.kind) AS mark
        FROM queues q WHERE q.paused AND (q.paused_until IS NULL OR q.paused_until > now())
    ), health AS (
        SELECT string_agg(concat_ws(' ', h.provider, h.credential, h.status, h.failure_count, h.cooldown_until,
            h.cooldown_until > now(), h.error_message), ',' ORDER BY h.provider, h.credential) AS mark
        FROM provider_health h WHERE h.user_id IS NULL
    ), loads AS (
        SELECT string_agg(concat_ws(' ', a.kind, a.due, a.later, a.waiting, a.asked, a.jobs), ',' ORDER BY a.kind) AS mark,
            string_agg(concat_ws(' ', a.kind, a.moves, a.waits, a.progress, a.later, a.jobs), ',' ORDER BY a.kind) AS moves
        FROM active a
    )
    SELECT p.part, md5(concat_ws('|', VARIADIC p.marks)) FROM last l, clock c, fleet f, resting r, health h, loads a,
    LATERAL (VALUES
        ('queues', ARRAY[a.mark, l.ended::text, l.begun::text, r.mark, f.mark,
            CASE WHEN c.idle_s < 330 THEN (c.s / 10)::text END]),
        ('throughput', ARRAY[(c.s / 60)::text, CASE WHEN c.idle_s < 15 THEN (c.s / 5)::text END]),
        ('workers', ARRAY[f.mark]),
        ('providers', ARRAY[h.mark, (SELECT concat(max(k.asked_at), max(k.done_at)) FROM provider_checks k),
            CASE WHEN c.idle_s < 45 THEN (c.s / 15)::text END]),
        ('jobs', ARRAY[a.moves, l.ended::text, l.begun::text]),
        ('audit', ARRAY[(SELECT e.id::text FROM audit_log e ORDER BY e.id DESC LIMIT 1)])
    ) AS p (part, marks)
$$
"""
# Null unless an admin asks.
PLAN = """
CREATE FUNCTION auth.plan_of(account uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.plan FROM accounts a WHERE auth.is_admin() AND a.id = account
$$
"""
FUNCTIONS = {"auth.ops_marks(float8)": MARKS, "auth.plan_of(uuid)": PLAN}

# A place is one that nothing runs in, by what its worker does; a quiet worker's and a draining one's are not filled.
OLD_SLOTS = """\
        SELECT k.kind, coalesce(sum(f.slots) FILTER (WHERE NOT f.draining), 0) AS serving,
               coalesce(sum(f.slots) FILTER (WHERE f.draining), 0) AS draining,
               (SELECT coalesce(sum(a.busy), 0) FROM active a WHERE a.kind = k.kind) AS busy
        FROM kinds k LEFT JOIN fleet f ON k.kind = ANY (f.types) AND f.up GROUP BY k.kind
"""
NEW_SLOTS = """\
        SELECT k.kind, coalesce(sum(p.free) FILTER (WHERE NOT f.draining AND NOT f.quiet), 0) AS idle,
               coalesce(sum(p.free) FILTER (WHERE f.quiet AND NOT f.draining), 0) AS quiet,
               coalesce(sum(p.free) FILTER (WHERE f.draining), 0) AS draining,
               (SELECT coalesce(sum(a.busy), 0) FROM active a WHERE a.kind = k.kind) AS busy
        FROM kinds k LEFT JOIN fleet f ON k.kind = ANY (f.types) AND f.up
        LEFT JOIN held h ON h.kind = k.kind AND h.owner = f.id
        CROSS JOIN LATERAL (SELECT greatest(0, f.slots - coalesce(h.jobs, 0)) AS free) p GROUP BY k.kind
"""
OLD_FLEET = "SELECT w.host || ':' || w.pid AS name, w.slots, w.draining,"
NEW_FLEET = "SELECT w.id, w.host || ':' || w.pid AS name, w.slots, w.draining, w.quiet,"
HELD = """\
    ), held AS MATERIALIZED (
        SELECT g.kind, g.owner, count(*) AS jobs FROM generations g
        WHERE g.owner IS NOT NULL AND g.state <> 'waiting' GROUP BY 1, 2
    ), slots AS ("""
OLD_STATES = """\
(VALUES ('busy', s.busy), ('idle', greatest(0, s.serving - s.busy)),
        ('draining', s.draining))"""
NEW_STATES = "(VALUES ('busy', s.busy), ('idle', s.idle), ('quiet', s.quiet), ('draining', s.draining))"

OLD_AGE = """\
        ('audit_age_seconds', extract(epoch FROM now() - a.finished_at)::float8)
"""
NEW_AGE = """\
        ('audit_age_seconds', extract(epoch FROM now() - a.finished_at)::float8),
        ('spend_capture_ratio', coalesce(a.known::float8 / nullif(a.known + a.orphans, 0), 1))
"""

GAUGES = (
    (OLD_FLEET, NEW_FLEET),
    ("    ), slots AS (", HELD),
    (OLD_SLOTS, NEW_SLOTS),
    (OLD_STATES, NEW_STATES),
)


def upgrade() -> None:
    # An earlier migration of the same transaction may have gone back to whoever connected.
    op.execute("SET LOCAL ROLE penstock_owner")
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for signature, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO penstock_app, penstock_worker")
        op.execute(f"ALTER FUNCTION {signature} OWNER TO penstock_worker")
    _redefine("auth.gauges(text[], float8)", GAUGES)
    _redefine("auth.audit_gauges()", [(OLD_AGE, NEW_AGE)])
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def downgrade() -> None:
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    _redefine("auth.audit_gauges()", [(NEW_AGE, OLD_AGE)])
    _redefine("auth.gauges(text[], float8)", [(new, old) for old, new in reversed(GAUGES)])
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature}")


def _redefine(function: str, changes: Sequence[tuple[str, str]]) -> None:
    """Leaves the rest of the function as earlier migrations have made it."""
    bind = op.get_bind()
    sql = bind.exec_driver_sql(f"SELECT pg_get_functiondef('{function}'::regprocedure)").scalar_one()
    for old, new in changes:
        if old not in sql:
            raise RuntimeError(f"{old!r} is not in {sql}")
        sql = sql.replace(old, new)
    op.execute("SET LOCAL ROLE penstock_worker")
    bind.exec_driver_sql(sql)
    op.execute("SET LOCAL ROLE penstock_owner")
