"""What operators see and do: queues that rest, quiet workers, failures by their cause, and who did what.

Operators look across accounts through definer functions that ask first who is looking; the definer is the worker role.
What they change in an account is done in that account's name.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"

# Who may look at the whole installation, and who may act on it. An account without a user was made by whoever runs it.
WATCHES = f"""
CREATE FUNCTION auth.watches() RETURNS boolean LANGUAGE sql STABLE {DEFINER} AS $$
    SELECT coalesce(bool_and(u.role IS NULL OR u.role IN ('viewer', 'operator', 'admin')), false)
    FROM accounts a LEFT JOIN users u ON u.id = a.id WHERE a.id = auth.uid()
$$
"""
OPERATES = f"""
CREATE FUNCTION auth.operates() RETURNS boolean LANGUAGE sql STABLE {DEFINER} AS $$
    SELECT coalesce(bool_and(u.role IS NULL OR u.role IN ('operator', 'admin')), false)
    FROM accounts a LEFT JOIN users u ON u.id = a.id WHERE a.id = auth.uid()
$$
"""
REQUIRE_OPERATOR = f"""
CREATE FUNCTION auth.require_operator() RETURNS void LANGUAGE plpgsql STABLE {DEFINER} AS $$
BEGIN
    IF NOT auth.operates() THEN
        RAISE EXCEPTION 'only operators may do that' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$
"""

# Failures of one cause have one fingerprint, whatever numbers, names and addresses their words mention.
FINGERPRINT = """
CREATE FUNCTION error_fingerprint(error jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT left(md5(coalesce(error ->> 'code', '') || ' ' || regexp_replace(regexp_replace(
        lower(left(coalesce(error ->> 'message', ''), 500)),
        '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|https?://[^[:space:]]+|"[^"]*"|''[^'']*''', '?', 'g'),
        '[0-9a-f]{12,}|[0-9]+', '#', 'g')), 12)
$$
"""

# An audit entry is never changed, and goes only when it has been kept for seven years.
AUDIT_GUARD = """
CREATE FUNCTION audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '7 years' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$
"""
AUDIT = f"""
CREATE FUNCTION auth.audit(
    new_id uuid, did text, what text, new_details jsonb, by_credential text, from_address text
) RETURNS void LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    INSERT INTO audit_log (id, actor_id, actor, role, credential, address, action, target, details)
    SELECT new_id, a.id, coalesce(u.email, a.name), coalesce(u.role, 'admin'), by_credential, from_address, did, what,
        new_details
    FROM accounts a LEFT JOIN users u ON u.id = a.id WHERE a.id = auth.uid();
END $$
"""
READ_AUDIT = f"""
CREATE FUNCTION auth.read_audit(
    did text, what text, by_actor text, since timestamptz, until timestamptz, below uuid, most int
) RETURNS SETOF audit_log LANGUAGE sql STABLE {DEFINER} AS $$
    SELECT l.* FROM audit_log l
    WHERE auth.watches() AND (below IS NULL OR l.id < below)
        AND (did IS NULL OR l.action = did OR l.action LIKE did || '.%') AND (what IS NULL OR l.target = what)
        AND (by_actor IS NULL OR l.actor = by_actor OR l.actor_id::text = by_actor)
        AND (since IS NULL OR l.at >= since) AND (until IS NULL OR l.at < until)
    ORDER BY l.id DESC LIMIT most
$$
"""

QUEUES = f"""
CREATE FUNCTION auth.ops_queues(wanted text[], lease_ttl_s float8)
RETURNS TABLE (
    kind text, due bigint, later bigint, running bigint, waiting bigint, asked bigint, oldest_s float8,
    wait_p50_s float8, wait_p95_s float8, run_p50_s float8, run_p95_s float8,
    accepted_per_min float8, finished_per_min float8,
    paused boolean, mode text, paused_until timestamptz, reason text, changed_by text, changed_at timestamptz,
    workers bigint, slots bigint, quiet_slots bigint, busy bigint
) LANGUAGE sql STABLE {DEFINER} AS $$
    WITH active AS MATERIALIZED (
        SELECT g.kind,
            count(*) FILTER (WHERE g.state = 'queued' AND g.owner IS NULL AND (g.wake_at <= now() OR g.rung)) AS due,
            count(*) FILTER (WHERE g.state = 'queued' AND g.owner IS NULL AND g.wake_at > now() AND NOT g.rung) AS later,
            count(*) FILTER (WHERE g.state IN ('submitting', 'storing')
                OR g.state = 'queued' AND g.owner IS NOT NULL) AS running,
            count(*) FILTER (WHERE g.state = 'waiting') AS waiting,
            count(*) FILTER (WHERE g.state = 'queued' AND g.run_now) AS asked,
            min(g.updated_at) FILTER (WHERE g.state = 'queued') AS since,
            count(*) FILTER (WHERE g.owner IS NOT NULL AND g.state <> 'waiting') AS busy
        FROM generations g WHERE g.wake_at IS NOT NULL GROUP BY g.kind
    ), begun AS MATERIALIZED (
        SELECT g.kind, count(*) FILTER (WHERE g.created_at > now() - interval '5 minutes') / 5.0 AS accepted,
            percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM g.started_at - g.created_at))
                FILTER (WHERE g.started_at IS NOT NULL) AS wait
        FROM generations g WHERE g.created_at > now() - interval '1 hour' GROUP BY g.kind
    ), ended AS MATERIALIZED (
        SELECT g.kind, count(*) FILTER (WHERE g.completed_at > now() - interval '5 minutes') / 5.0 AS finished,
            percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM g.completed_at - g.started_at))
                FILTER (WHERE g.state = 'completed' AND g.started_at IS NOT NULL) AS run
        FROM generations g WHERE g.completed_at > now() - interval '1 hour' GROUP BY g.kind
    )
    SELECT k.kind, coalesce(a.due, 0), coalesce(a.later, 0), coalesce(a.running, 0), coalesce(a.waiting, 0),
        coalesce(a.asked, 0), coalesce(greatest(0, extract(epoch FROM now() - a.since)), 0)::float8,
        b.wait[1]::float8, b.wait[2]::float8, e.run[1]::float8, e.run[2]::float8,
        coalesce(b.accepted, 0)::float8, coalesce(e.finished, 0)::float8,
        coalesce(q.paused AND (q.paused_until IS NULL OR q.paused_until > now()), false), q.mode, q.paused_until, q.note,
        q.changed_by, q.updated_at,
        f.workers, f.slots, f.quiet_slots, coalesce(a.busy, 0)
    FROM unnest(wanted) AS k (kind) LEFT JOIN active a ON a.kind = k.kind LEFT JOIN begun b ON b.kind = k.kind
    LEFT JOIN ended e ON e.kind = k.kind LEFT JOIN queues q ON q.kind = k.kind
    CROSS JOIN LATERAL (
        SELECT count(*) AS workers, coalesce(sum(w.slots) FILTER (WHERE NOT w.quiet), 0)::bigint AS slots,
            coalesce(sum(w.slots) FILTER (WHERE w.quiet), 0)::bigint AS quiet_slots
        FROM workers w WHERE k.kind = ANY (w.kinds) AND NOT w.draining
            AND w.beat_at > now() - lease_ttl_s * interval '1 second'
    ) f
    WHERE auth.watches()
$$
"""
THROUGHPUT = f"""
CREATE FUNCTION auth.ops_throughput(wanted text[], minutes int)
RETURNS TABLE (
    kind text, minute timestamptz, accepted bigint, completed bigint, failed bigint, canceled bigint, expired bigint
) LANGUAGE sql STABLE {DEFINER} AS $$
    SELECT x.kind, x.minute, sum(x.accepted)::bigint, count(*) FILTER (WHERE x.state = 'completed'),
        count(*) FILTER (WHERE x.state = 'failed'), count(*) FILTER (WHERE x.state = 'canceled'),
        count(*) FILTER (WHERE x.state = 'expired')
    FROM (
        SELECT g.kind, date_trunc('minute', g.created_at) AS minute, 1 AS accepted, NULL AS state
        FROM generations g WHERE g.created_at >= date_trunc('minute', now()) - (minutes - 1) * interval '1 minute'
        UNION ALL
        SELECT g.kind, date_trunc('minute', g.completed_at), 0, g.state
        FROM generations g WHERE g.completed_at >= date_trunc('minute', now()) - (minutes - 1) * interval '1 minute'
    ) x
    WHERE auth.watches() AND x.kind = ANY (wanted) GROUP BY x.kind, x.minute
$$
"""
SET_QUEUE = f"""
CREATE FUNCTION auth.ops_set_queue(
    wanted text, now_paused boolean, new_mode text, until timestamptz, why text
) RETURNS void LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    INSERT INTO queues AS q (kind, paused, mode, paused_until, note, changed_by, updated_at)
    SELECT wanted, now_paused, new_mode, until, why, coalesce(u.email, a.name), now()
    FROM accounts a LEFT JOIN users u ON u.id = a.id WHERE a.id = auth.uid()
    ON CONFLICT (kind) DO UPDATE SET paused = excluded.paused, mode = excluded.mode,
        paused_until = excluded.paused_until, note = excluded.note, changed_by = excluded.changed_by, updated_at = now();
END $$
"""

# The conditions of a filter as text, every value quoted, so that each filter gets the plan that it deserves.
WHERE = """
CREATE FUNCTION ops_where(f jsonb) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    w text := 'g.deleted_at IS NULL';
    pattern text;
BEGIN
    IF f ? 'ids' THEN
        w := w || format(' AND g.id = ANY (%L::uuid[])', ARRAY(SELECT jsonb_array_elements_text(f -> 'ids')));
    END IF;
    IF f ? 'kinds' THEN
        w := w || format(' AND g.kind = ANY (%L::text[])', ARRAY(SELECT jsonb_array_elements_text(f -> 'kinds')));
    END IF;
    IF f ? 'states' THEN
        w := w || format(' AND g.state = ANY (%L::text[])', ARRAY(SELECT jsonb_array_elements_text(f -> 'states')));
    END IF;
    IF f ? 'stage' THEN w := w || format(' AND g.stage = %L', f ->> 'stage'); END IF;
    IF f ? 'provider' THEN w := w || format(' AND g.provider = %L', f ->> 'provider'); END IF;
    IF f ? 'model' THEN w := w || format(' AND %L IN (g.model, g.provider_model)', f ->> 'model'); END IF;
    IF f ? 'account' THEN w := w || format(' AND g.account_id = %L::uuid', f ->> 'account'); END IF;
    IF f ? 'code' THEN w := w || format(' AND g.error ->> ''code'' = %L', f ->> 'code'); END IF;
    IF f ? 'fingerprint' THEN
        w := w || format(' AND g.state = ''failed'' AND error_fingerprint(g.error) = %L', f ->> 'fingerprint');
    END IF;
    IF f ? 'created_after' THEN w := w || format(' AND g.created_at >= %L::timestamptz', f ->> 'created_after'); END IF;
    IF f ? 'created_before' THEN w := w || format(' AND g.created_at < %L::timestamptz', f ->> 'created_before'); END IF;
    IF f ? 'q' THEN
        pattern := '%' || replace(replace(replace(f ->> 'q', '\\', '\\\\'), '%', '\\%'), '_', '\\_') || '%';
        w := w || format(' AND (g.id::text LIKE %L OR coalesce(g.input ->> ''prompt'', g.input ->> ''text'') ILIKE %L'
            ' OR g.error ->> ''message'' ILIKE %L)', ltrim(lower(pattern), '%'), pattern, pattern);
    END IF;
    -- What an operator has neither tried again nor set aside.
    IF f ? 'untried' OR f ? 'unsettled' THEN
        w := w || ' AND NOT EXISTS (SELECT FROM generations c WHERE c.parent_id = g.id)';
    END IF;
    IF f ? 'unsettled' THEN
        w := w || ' AND g.state = ''failed'' AND NOT EXISTS (SELECT FROM discarded_failures d WHERE d.fingerprint = error_fingerprint(g.error)'
            ' AND d.discarded_at >= g.completed_at)';
    END IF;
    -- What nobody works on, and nobody was ever paid for.
    IF f ? 'purgeable' THEN
        w := w || ' AND g.state = ''queued'' AND g.owner IS NULL AND coalesce(g.cost_nanos, 0) = 0 AND NOT EXISTS ('
            'SELECT FROM submissions s WHERE s.generation_id = g.id AND s.state <> ''rejected'')';
    END IF;
    RETURN w;
END $$
"""
JOB_COLUMNS = """
    id uuid, account_id uuid, account text, kind text, model text, state text, stage text, provider text,
    provider_model text, priority smallint, prompt text, error jsonb, fingerprint text, attempts int, crashes int,
    progress float8, owner uuid, run_now boolean, cancel_requested_at timestamptz, reserved_nanos bigint,
    cost_nanos bigint, cost_status text, parent_id uuid, created_at timestamptz, updated_at timestamptz,
    started_at timestamptz, completed_at timestamptz, wake_at timestamptz
"""
JOBS = f"""
CREATE FUNCTION auth.ops_jobs(f jsonb, below uuid, most int)
RETURNS TABLE ({JOB_COLUMNS}) LANGUAGE plpgsql STABLE {DEFINER} AS $$
BEGIN
    IF NOT auth.watches() THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE
        'SELECT g.id, g.account_id, coalesce(u.email, a.name)::text, g.kind, g.model, g.state, g.stage, g.provider,'
        ' g.provider_model, g.priority, left(coalesce(g.input ->> ''prompt'', g.input ->> ''text''), 300), g.error,'
        ' CASE WHEN g.state = ''failed'' THEN error_fingerprint(g.error) END, g.attempts, g.crashes, g.progress, g.owner,'
        ' g.run_now, g.cancel_requested_at, g.reserved_nanos, g.cost_nanos, g.cost_status, g.parent_id, g.created_at,'
        ' g.updated_at, g.started_at, g.completed_at, g.wake_at'
        ' FROM generations g JOIN accounts a ON a.id = g.account_id LEFT JOIN users u ON u.id = a.id WHERE '
        || ops_where(f) || ' AND ($1 IS NULL OR g.id < $1) ORDER BY g.id DESC LIMIT $2' USING below, most;
END $$
"""
COUNT = f"""
CREATE FUNCTION auth.ops_count(f jsonb) RETURNS bigint LANGUAGE plpgsql STABLE {DEFINER} AS $$
DECLARE
    found bigint;
BEGIN
    IF NOT auth.watches() THEN
        RETURN 0;
    END IF;
    EXECUTE 'SELECT count(*) FROM generations g WHERE ' || ops_where(f) INTO found;
    RETURN found;
END $$
"""
# Rows that somebody else is changing right now are left out: they are no longer what the filter meant.
LOCK = f"""
CREATE FUNCTION auth.ops_lock(f jsonb, most int)
RETURNS TABLE (id uuid, account_id uuid, kind text, state text, held boolean) LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    RETURN QUERY EXECUTE 'SELECT g.id, g.account_id, g.kind, g.state, g.owner IS NOT NULL FROM generations g WHERE ' || ops_where(f)
        || ' ORDER BY g.id LIMIT $1 FOR UPDATE OF g SKIP LOCKED' USING most;
END $$
"""
RUN_NOW = f"""
CREATE FUNCTION auth.ops_run_now(wanted uuid[]) RETURNS TABLE (id uuid, kind text)
LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    RETURN QUERY UPDATE generations g SET run_now = true, rung = false, wake_at = now()
        WHERE g.id = ANY (wanted) AND g.state = 'queued' AND g.owner IS NULL AND g.deleted_at IS NULL
        RETURNING g.id, g.kind;
END $$
"""

FAILURES = f"""
CREATE FUNCTION auth.ops_failures(since timestamptz, most int)
RETURNS TABLE (
    fingerprint text, code text, message text, sample_id uuid, count bigint, first_at timestamptz, last_at timestamptz,
    kinds text[], providers text[], models text[], accounts bigint, retryable boolean
) LANGUAGE sql STABLE {DEFINER} AS $$
    SELECT g.fingerprint, (array_agg(g.error ->> 'code' ORDER BY g.completed_at DESC))[1],
        (array_agg(g.error ->> 'message' ORDER BY g.completed_at DESC))[1],
        (array_agg(g.id ORDER BY g.completed_at DESC))[1], count(*), min(g.completed_at), max(g.completed_at),
        array_agg(DISTINCT g.kind), array_remove(array_agg(DISTINCT g.provider), NULL), array_agg(DISTINCT g.model),
        count(DISTINCT g.account_id), bool_or(coalesce((g.error ->> 'retryable')::boolean, false))
    FROM (
        SELECT f.*, error_fingerprint(f.error) AS fingerprint FROM generations f
        WHERE f.state = 'failed' AND f.completed_at >= since AND f.deleted_at IS NULL
            AND NOT EXISTS (SELECT FROM generations c WHERE c.parent_id = f.id)
    ) g
    WHERE auth.watches() AND NOT EXISTS (SELECT FROM discarded_failures d
        WHERE d.fingerprint = g.fingerprint AND d.discarded_at >= g.completed_at)
    GROUP BY g.fingerprint ORDER BY max(g.completed_at) DESC LIMIT most
$$
"""
DISCARD = f"""
CREATE FUNCTION auth.ops_discard(wanted text) RETURNS void LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    INSERT INTO discarded_failures (fingerprint) VALUES (wanted)
    ON CONFLICT (fingerprint) DO UPDATE SET discarded_at = now();
END $$
"""

QUIET = f"""
CREATE FUNCTION auth.ops_quiet(wanted uuid, now_quiet boolean) RETURNS boolean
LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    UPDATE workers w SET quiet = now_quiet WHERE w.id = wanted;
    RETURN FOUND;
END $$
"""

PROVIDERS = f"""
CREATE FUNCTION auth.ops_providers()
RETURNS TABLE (provider text, open_submissions bigint, today_nanos bigint, month_nanos bigint)
LANGUAGE sql STABLE {DEFINER} AS $$
    WITH open AS (
        SELECT s.provider, count(*) AS submissions FROM submissions s
        WHERE s.state IN ('intent', 'accepted', 'unknown') GROUP BY s.provider
    ), spent AS (
        SELECT l.provider, sum(l.nanos) FILTER (WHERE l.created_at >= date_trunc('day', now(), 'UTC')) AS today,
            sum(l.nanos) AS month
        FROM ledger l WHERE l.kind IN ('settle', 'adjust') AND l.payer <> 'byok' AND l.provider IS NOT NULL
            AND l.created_at >= date_trunc('month', now(), 'UTC') GROUP BY l.provider
    )
    SELECT coalesce(o.provider, s.provider), coalesce(o.submissions, 0), coalesce(s.today, 0)::bigint,
        coalesce(s.month, 0)::bigint
    FROM open o FULL JOIN spent s ON s.provider = o.provider WHERE auth.watches()
$$
"""
COOL_DOWN = f"""
CREATE FUNCTION auth.ops_cool_down(wanted text, until timestamptz, why text) RETURNS void
LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    INSERT INTO provider_health (provider, credential, cooldown_until, error_message, checked_at)
    VALUES (wanted, 'platform', until, why, now())
    ON CONFLICT ON CONSTRAINT provider_health_once DO UPDATE SET
        cooldown_until = excluded.cooldown_until, error_message = excluded.error_message, checked_at = now();
END $$
"""
ASK_CHECK = f"""
CREATE FUNCTION auth.ops_ask_check(new_id uuid, wanted text) RETURNS void LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    INSERT INTO provider_checks (id, provider) VALUES (new_id, wanted);
END $$
"""

FUNCTIONS = {
    "auth.watches()": WATCHES,
    "auth.operates()": OPERATES,
    "auth.require_operator()": REQUIRE_OPERATOR,
    "auth.audit(uuid, text, text, jsonb, text, text)": AUDIT,
    "auth.read_audit(text, text, text, timestamptz, timestamptz, uuid, int)": READ_AUDIT,
    "auth.ops_queues(text[], float8)": QUEUES,
    "auth.ops_throughput(text[], int)": THROUGHPUT,
    "auth.ops_set_queue(text, boolean, text, timestamptz, text)": SET_QUEUE,
    "auth.ops_jobs(jsonb, uuid, int)": JOBS,
    "auth.ops_count(jsonb)": COUNT,
    "auth.ops_lock(jsonb, int)": LOCK,
    "auth.ops_run_now(uuid[])": RUN_NOW,
    "auth.ops_failures(timestamptz, int)": FAILURES,
    "auth.ops_discard(text)": DISCARD,
    "auth.ops_quiet(uuid, boolean)": QUIET,
    "auth.ops_providers()": PROVIDERS,
    "auth.ops_cool_down(text, timestamptz, text)": COOL_DOWN,
    "auth.ops_ask_check(uuid, text)": ASK_CHECK,
}

# A quiet worker's slots are not counted on, and a queue that is drained has room for nothing new.
ROOM = """
CREATE FUNCTION auth.queue_room(wanted text[])
RETURNS TABLE (kind text, room int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.kind, CASE
        WHEN EXISTS (SELECT FROM queues q WHERE q.kind = k.kind AND q.paused
            AND (q.paused_until IS NULL OR q.paused_until > now())) THEN 0
        WHEN EXISTS (SELECT FROM generations g WHERE g.kind = k.kind AND g.state = 'queued'
            AND g.wake_at <= now() AND g.owner IS NULL) THEN 0
        ELSE greatest(0, (
            SELECT ceil(1.5 * coalesce(sum(w.slots), 0)) FROM workers w
            WHERE k.kind = ANY (w.kinds) AND NOT w.draining {quiet} AND w.beat_at > now() - interval '8 seconds'
        )::int - (
            SELECT count(*) FROM generations g
            WHERE g.kind = k.kind AND (g.owner IS NOT NULL OR g.rung) AND g.state <> 'waiting'
        )::int)
        END
    FROM unnest(wanted) AS k(kind)
$$
"""
LOADS = """
CREATE FUNCTION auth.queue_loads(wanted text[], lease_ttl_s float8)
RETURNS TABLE (kind text, queued int, accounts int, slots int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.kind, q.queued, q.accounts, (
        SELECT coalesce(sum(w.slots), 0)::int FROM workers w
        WHERE k.kind = ANY (w.kinds) AND NOT w.draining {quiet} AND w.beat_at > now() - lease_ttl_s * interval '1 second')
    FROM unnest(wanted) AS k(kind) CROSS JOIN LATERAL (
        SELECT count(*)::int AS queued, count(DISTINCT c.account_id)::int AS accounts
        FROM (SELECT g.account_id FROM generations g WHERE g.kind = k.kind AND g.state = 'queued' LIMIT 20000) c
    ) q
$$
"""
SLOTS = {"auth.queue_room(text[])": ROOM, "auth.queue_loads(text[], float8)": LOADS}


def upgrade() -> None:
    op.execute(FINGERPRINT)
    op.add_column("queues", sa.Column("mode", sa.Text(), server_default="pause", nullable=False))
    op.add_column("queues", sa.Column("changed_by", sa.Text(), nullable=True))
    op.create_check_constraint("queues_mode", "queues", "mode IN ('pause', 'drain')")
    op.add_column(
        "workers", sa.Column("quiet", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column(
        "generations", sa.Column("run_now", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    _index_generations()
    op.create_index("ledger_created", "ledger", ["created_at"], postgresql_using="brin")
    _create_tables()
    op.execute(AUDIT_GUARD)
    op.execute(
        "CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log"
        " FOR EACH ROW EXECUTE FUNCTION audit_guard()"
    )
    op.execute(
        "CREATE TRIGGER audit_log_never_truncated BEFORE TRUNCATE ON audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
    )
    op.execute("GRANT SELECT, INSERT, DELETE ON audit_log TO penstock_worker")
    op.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON discarded_failures, provider_checks TO penstock_worker"
    )
    op.execute("GRANT SELECT ON provider_checks TO penstock_app")
    op.execute(WHERE)
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for signature, function in FUNCTIONS.items():
        _define(signature, function)
    _count_slots("AND NOT w.quiet")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def _define(signature: str, function: str) -> None:
    op.execute(function)
    op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO penstock_app, penstock_worker")
    op.execute(f"ALTER FUNCTION {signature} OWNER TO penstock_worker")


def _count_slots(quiet: str) -> None:
    for signature, function in SLOTS.items():
        op.execute(f"DROP FUNCTION {signature}")
        _define(signature, function.format(quiet=quiet))


def _index_generations() -> None:
    op.create_index(
        "generations_asked", "generations", ["kind"], postgresql_where=sa.text("run_now AND state = 'queued'")
    )
    op.create_index(
        "generations_ended",
        "generations",
        ["completed_at"],
        postgresql_where=sa.text("completed_at IS NOT NULL"),
    )
    op.create_index(
        "generations_failed",
        "generations",
        [sa.text("error_fingerprint(error)"), "completed_at"],
        postgresql_where=sa.text("state = 'failed'"),
    )


def _create_tables() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("audit_log_target", "audit_log", ["target", "id"])
    op.create_table(
        "discarded_failures",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column(
            "discarded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("fingerprint"),
    )
    op.create_table(
        "provider_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("took_ms", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('valid', 'refused', 'unreachable', 'unset')", name="provider_checks_outcome"
        ),
        sa.CheckConstraint("(done_at IS NULL) = (outcome IS NULL)", name="provider_checks_done"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "provider_checks_open", "provider_checks", ["asked_at"], postgresql_where=sa.text("done_at IS NULL")
    )


def downgrade() -> None:
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    _count_slots("")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
    op.execute("DROP FUNCTION ops_where(jsonb)")
    op.drop_table("provider_checks")
    op.drop_table("discarded_failures")
    op.drop_table("audit_log")
    op.execute("DROP FUNCTION audit_guard()")
    op.drop_index("ledger_created", "ledger")
    for index in ("generations_failed", "generations_ended", "generations_asked"):
        op.drop_index(index, "generations")
    op.drop_column("generations", "run_now")
    op.drop_column("workers", "quiet")
    op.drop_constraint("queues_mode", "queues")
    op.drop_column("queues", "changed_by")
    op.drop_column("queues", "mode")
    op.execute("DROP FUNCTION error_fingerprint(jsonb)")
