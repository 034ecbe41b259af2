"""The archive: generations that ended long ago, with their submissions and events, partitioned by month.

A partition is a plain table of the month that the ids of its generations name, attached to its parent or not. The views
`archive.all_…` read the hot table, the parent, and what is detached; they are made anew whenever that changes, in the
transaction that changes it. A partition that is asked directly does not have its parent's policies, so each has its
own. Nothing here has a foreign key: to add one would lock `accounts`, which every bill writes. Triggers do their work.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TABLES = {"generations": "id", "submissions": "generation_id", "generation_events": "generation_id"}

MONTHS = """
CREATE FUNCTION archive.month_of(generation uuid) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT date_trunc('month', to_timestamp(
        ('x' || left(replace(generation::text, '-', ''), 12))::bit(48)::bigint / 1000.0) AT TIME ZONE 'UTC')::date
$$;
CREATE FUNCTION archive.floor_of(month date) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT id_floor(month::timestamp AT TIME ZONE 'UTC')
$$;
CREATE FUNCTION archive.suffix(month date) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '_y' || to_char(month, 'YYYY') || 'm' || to_char(month, 'MM')
$$;
"""

# What of a table's columns there is, and which months of the archive are not attached.
LISTS = """
CREATE FUNCTION archive.columns(of_table text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = format('public.%I', of_table)::regclass AND attnum > 0 AND NOT attisdropped
$$;
CREATE FUNCTION archive.detached() RETURNS date[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(to_date(right(relname, 7), 'YYYY"m"MM') ORDER BY relname), '{}') FROM pg_class
    WHERE relnamespace = 'archive'::regnamespace AND relkind = 'r' AND NOT relispartition
        AND relname ~ '^generations_y[0-9]{4}m[0-9]{2}$'
$$;
"""

PROTECT = """
CREATE FUNCTION archive.protect(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE archive.%I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE archive.%I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY %I ON archive.%I TO penstock_app USING (account_id = (SELECT auth.uid()))'
        ' WITH CHECK (account_id = (SELECT auth.uid()))', name || '_isolation', name);
    EXECUTE format('CREATE POLICY %I ON archive.%I TO penstock_worker USING (true) WITH CHECK (true)',
        name || '_workers', name);
    EXECUTE format('GRANT SELECT ON archive.%I TO penstock_app', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON archive.%I TO penstock_worker', name);
    IF name LIKE 'generations%' THEN
        EXECUTE format('GRANT UPDATE (deleted_at, updated_at, project_id, project_name) ON archive.%I TO penstock_app',
            name);
    END IF;
END $$
"""

# The view is replaced before a partition is moved: readers wait for the view first, and then find all of it.
VIEWS = """
CREATE FUNCTION archive.make_views(detached date[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['generations', 'submissions', 'generation_events'] LOOP
        EXECUTE format('CREATE OR REPLACE VIEW archive.%I WITH (security_invoker = true) AS ', 'all_' || one) || (
            SELECT string_agg(format('SELECT %s FROM %I.%I', archive.columns(one), s.nsp, s.rel), ' UNION ALL ')
            FROM (SELECT 'public' AS nsp, one AS rel UNION ALL SELECT 'archive', one
                UNION ALL SELECT 'archive', one || archive.suffix(m) FROM unnest(detached) AS m) s);
    END LOOP;
END $$
"""

MAKE = """
CREATE FUNCTION archive.make_month(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    lower uuid := archive.floor_of(month);
    upper uuid := archive.floor_of((month + interval '1 month')::date);
    one text;
    key text;
    name text;
BEGIN
    IF to_regclass('archive.generations' || archive.suffix(month)) IS NOT NULL THEN
        RETURN false;
    END IF;
    FOREACH one IN ARRAY ARRAY['generations', 'submissions', 'generation_events'] LOOP
        key := CASE one WHEN 'generations' THEN 'id' ELSE 'generation_id' END;
        name := one || archive.suffix(month);
        EXECUTE format('CREATE TABLE archive.%I (LIKE archive.%I INCLUDING ALL, CONSTRAINT %I CHECK (%4$I >= %5$L AND %4$I < %6$L))',
            name, one, name || '_month', key, lower, upper);
        PERFORM archive.protect(name);
        EXECUTE format('ALTER TABLE archive.%I ATTACH PARTITION archive.%I FOR VALUES FROM (%L) TO (%L)',
            one, name, lower, upper);
    END LOOP;
    RETURN true;
END $$
"""

DETACH = """
CREATE FUNCTION archive.detach_month(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    one text;
BEGIN
    PERFORM archive.make_views(array_append(archive.detached(), month));
    FOREACH one IN ARRAY ARRAY['generations', 'submissions', 'generation_events'] LOOP
        EXECUTE format('ALTER TABLE archive.%I DETACH PARTITION archive.%I', one, one || archive.suffix(month));
    END LOOP;
END $$
"""

ATTACH = """
CREATE FUNCTION archive.attach_month(month date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    one text;
BEGIN
    PERFORM archive.make_views(array_remove(archive.detached(), month));
    FOREACH one IN ARRAY ARRAY['generations', 'submissions', 'generation_events'] LOOP
        EXECUTE format('ALTER TABLE archive.%I ATTACH PARTITION archive.%I FOR VALUES FROM (%L) TO (%L)', one,
            one || archive.suffix(month), archive.floor_of(month), archive.floor_of((month + interval '1 month')::date));
    END LOOP;
END $$
"""

# How far each account's archive reaches: what is newer than both is read from the hot tables alone.
ACCOUNTS = """
CREATE TABLE archive.accounts (
    account_id uuid PRIMARY KEY,
    newest_id uuid NOT NULL,
    touched_at timestamptz NOT NULL
)
"""

# Settled to the last: nothing reserved, awaited, or about to be sent refers to it. Callbacks go with their submission,
# so a generation waits until they have had their time.
SETTLED = """
CREATE VIEW archive.movable WITH (security_invoker = true) AS
SELECT g.id, g.completed_at FROM public.generations g
WHERE g.wake_at IS NULL AND g.cost_status IN ('final', 'released')
    AND NOT EXISTS (SELECT FROM public.submissions s WHERE s.generation_id = g.id
        AND (s.state IN ('intent', 'accepted', 'unknown') OR s.check_at IS NOT NULL
            OR EXISTS (SELECT FROM public.provider_callbacks c WHERE c.submission_id = s.id)))
    AND NOT EXISTS (SELECT FROM public.webhook_deliveries d WHERE d.generation_id = g.id AND d.state = 'pending')
"""

# A batch of one month, oldest first; how many were moved. What is locked is looked at once more, because a callback
# may have come meanwhile: it holds its submission, and waits for whoever holds it.
MOVE = """
CREATE FUNCTION archive.move(before timestamptz, most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    first uuid;
    ids uuid[];
    upper uuid;
    one text;
BEGIN
    SELECT m.id INTO first FROM archive.movable m
    WHERE m.id < id_floor(before) AND m.completed_at < before ORDER BY m.id LIMIT 1;
    IF first IS NULL THEN
        RETURN 0;
    END IF;
    upper := least(archive.floor_of((archive.month_of(first) + interval '1 month')::date), id_floor(before));
    PERFORM archive.make_month(archive.month_of(first));
    ids := ARRAY(SELECT g.id FROM generations g WHERE g.id IN (
        SELECT m.id FROM archive.movable m WHERE m.id >= first AND m.id < upper AND m.completed_at < before
        ORDER BY m.id LIMIT most) ORDER BY g.id FOR UPDATE SKIP LOCKED);
    PERFORM FROM submissions s WHERE s.generation_id = ANY (ids) ORDER BY s.id FOR UPDATE;
    ids := ARRAY(SELECT m.id FROM archive.movable m WHERE m.id = ANY (ids));
    FOREACH one IN ARRAY ARRAY['generations', 'submissions', 'generation_events'] LOOP
        EXECUTE format('INSERT INTO archive.%I (%s) SELECT %2$s FROM public.%I WHERE %I = ANY ($1)',
            one || archive.suffix(archive.month_of(first)), archive.columns(one), one,
            CASE one WHEN 'generations' THEN 'id' ELSE 'generation_id' END) USING ids;
    END LOOP;
    INSERT INTO archive.accounts AS a (account_id, newest_id, touched_at)
    SELECT g.account_id, (array_agg(g.id ORDER BY g.id DESC))[1], max(g.updated_at)
    FROM generations g WHERE g.id = ANY (ids) GROUP BY g.account_id ORDER BY g.account_id
    ON CONFLICT (account_id) DO UPDATE SET newest_id = greatest(a.newest_id, excluded.newest_id),
        touched_at = greatest(a.touched_at, excluded.touched_at);
    DELETE FROM generations WHERE id = ANY (ids);
    RETURN cardinality(ids);
END $$
"""

# What an account still does with its archived generations. A month's table is named by the id.
HIDE = """
CREATE FUNCTION archive.hide(generation uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := 'generations' || archive.suffix(archive.month_of(generation));
    hidden int := 0;
BEGIN
    IF to_regclass('archive.' || name) IS NOT NULL THEN
        EXECUTE format('UPDATE archive.%I SET deleted_at = now(), updated_at = now()'
            ' WHERE id = $1 AND deleted_at IS NULL', name) USING generation;
        GET DIAGNOSTICS hidden = ROW_COUNT;
    END IF;
    RETURN hidden > 0;
END $$
"""
RESTORE = """
CREATE FUNCTION archive.restore(generation uuid, days int) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    name text := 'generations' || archive.suffix(archive.month_of(generation));
    hidden_at timestamptz;
BEGIN
    IF to_regclass('archive.' || name) IS NOT NULL THEN
        EXECUTE format('UPDATE archive.%I g SET deleted_at = NULL, updated_at = now() FROM (SELECT id, deleted_at'
            ' FROM archive.%1$I WHERE id = $1 AND deleted_at > now() - $2 * interval ''1 day'' FOR UPDATE) o'
            ' WHERE g.id = o.id RETURNING o.deleted_at', name) INTO hidden_at USING generation, days;
    END IF;
    RETURN hidden_at;
END $$
"""
LET_GO = """
CREATE FUNCTION archive.let_go(project uuid, called text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT 'generations' UNION ALL
        SELECT 'generations' || archive.suffix(m) FROM unnest(archive.detached()) AS m LOOP
        EXECUTE format('UPDATE archive.%I SET project_id = NULL, project_name = $2, updated_at = now()'
            ' WHERE project_id = $1', name) USING project, called;
    END LOOP;
END $$
"""

# An output goes with its generation, unless that went to the archive.
OUTPUTS = """
CREATE FUNCTION auth.forget_outputs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM outputs o USING gone g
    WHERE o.generation_id = g.id AND NOT EXISTS (SELECT FROM archive.all_generations a WHERE a.id = g.id);
    RETURN NULL;
END $$
"""
# By its name it comes after the cascades (RI_…), which wait for whoever moves generations of this account.
FORGET = """
CREATE FUNCTION auth.forget_archive() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    one text;
    name text;
BEGIN
    DELETE FROM archive.accounts WHERE account_id = OLD.id;
    IF FOUND THEN
        FOREACH one IN ARRAY ARRAY['generations', 'submissions', 'generation_events'] LOOP
            FOR name IN SELECT one UNION ALL
                SELECT one || archive.suffix(m) FROM unnest(archive.detached()) AS m LOOP
                EXECUTE format('DELETE FROM archive.%I WHERE account_id = $1', name) USING OLD.id;
            END LOOP;
        END LOOP;
    END IF;
    RETURN NULL;
END $$
"""
TRIGGERS = (
    "CREATE TRIGGER generations_forget_outputs AFTER DELETE ON generations REFERENCING OLD TABLE AS gone"
    " FOR EACH STATEMENT EXECUTE FUNCTION auth.forget_outputs()",
    "CREATE TRIGGER accounts_forget_archive AFTER DELETE ON accounts"
    " FOR EACH ROW EXECUTE FUNCTION auth.forget_archive()",
)

INDEXES = (
    "CREATE INDEX generations_account ON archive.generations (account_id, id)",
    "CREATE INDEX generations_project ON archive.generations (project_id) INCLUDE (cost_nanos)"
    " WHERE project_id IS NOT NULL",
    "CREATE INDEX generations_parent ON archive.generations (parent_id) WHERE parent_id IS NOT NULL",
    "CREATE UNIQUE INDEX submissions_nth ON archive.submissions (generation_id, n)",
    "CREATE INDEX submissions_account ON archive.submissions (account_id)",
    "CREATE INDEX generation_events_account ON archive.generation_events (account_id)",
)
KEYS = {"generations": "id", "submissions": "id, generation_id", "generation_events": "generation_id, seq"}

# Functions that ask about all time, and what they read instead. The unsettled are never archived.
READERS = {
    "verify_ledger(timestamptz, int)": (
        ("FROM generations g LEFT JOIN sums", "FROM archive.all_generations g LEFT JOIN sums"),
        ("(SELECT count(*) FROM generations g", "(SELECT count(*) FROM archive.all_generations g"),
        ("AS cost, s.intent_at FROM submissions s", "AS cost, s.intent_at FROM archive.all_submissions s"),
        ("(SELECT x.id FROM submissions x", "(SELECT x.id FROM archive.all_submissions x"),
        ("(SELECT x.id FROM generations x", "(SELECT x.id FROM archive.all_generations x"),
    ),
    "reckon_budget(budgets)": (
        (
            "LEFT JOIN generations g ON g.id = l.generation_id",
            "LEFT JOIN archive.all_generations g ON g.id = l.generation_id AND g.account_id = b.account_id",
        ),
        ("counts_in_budget(b, g, l.kind", "counts_in_budget(b, ROW(g.*)::generations, l.kind"),
    ),
    "reckon_project(uuid)": (
        ("FROM generations g JOIN ledger", "FROM archive.all_generations g JOIN ledger"),
    ),
}
WORKBENCH = (
    ("generations g", "archive.all_generations g"),
    ("submissions s", "archive.all_submissions s"),
)
# The same question, for what the hot tables do not know.
MISSED = (
    ("auth.missed_events(", "auth.missed_archived_events("),
    ("JOIN generations g", "JOIN archive.all_generations g"),
    ("FROM generation_events n", "FROM archive.all_generation_events n"),
)
MISSED_ARGUMENTS = "(uuid[], uuid[], bigint[], int)"

MOVERS = ("make_month(date)", "detach_month(date)", "attach_month(date)", "move(timestamptz, int)")


def upgrade() -> None:
    # An earlier migration of the same transaction may have gone back to whoever connected.
    op.execute("SET LOCAL ROLE penstock_owner")
    op.execute("CREATE SCHEMA archive")
    op.execute("GRANT USAGE ON SCHEMA archive TO penstock_app, penstock_worker")
    for script in (MONTHS, LISTS):
        for statement in script.split("$$;\n"):
            if statement.strip():
                op.execute(f"{statement}$$")
    for script in (PROTECT, VIEWS, MAKE, DETACH, ATTACH):
        op.execute(script)
    for table, key in TABLES.items():
        op.execute(
            f"CREATE TABLE archive.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS,"
            f" PRIMARY KEY ({KEYS[table]})) PARTITION BY RANGE ({key})"
        )
    for index in INDEXES:
        op.execute(index)
    op.execute(ACCOUNTS)
    for table in (*TABLES, "accounts"):
        op.execute(f"SELECT archive.protect('{table}')")
    op.execute("SELECT archive.make_views('{}')")
    op.execute(SETTLED)
    op.execute("GRANT SELECT ON archive.movable TO penstock_worker")
    for table in TABLES:
        op.execute(f"GRANT SELECT ON archive.all_{table} TO penstock_app, penstock_worker")
    for script in (MOVE, HIDE, RESTORE, LET_GO):
        op.execute(script)
    for function in MOVERS:
        op.execute(f"REVOKE ALL ON FUNCTION archive.{function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION archive.{function} TO penstock_worker")
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for script, function, trigger in (
        (OUTPUTS, "forget_outputs()", TRIGGERS[0]), (FORGET, "forget_archive()", TRIGGERS[1]),
    ):  # fmt: skip
        op.execute(script)
        op.execute(trigger)
        op.execute(f"REVOKE ALL ON FUNCTION auth.{function} FROM PUBLIC")
        op.execute(f"ALTER FUNCTION auth.{function} OWNER TO penstock_worker")
    _define_again(f"auth.missed_events{MISSED_ARGUMENTS}", MISSED)
    op.execute(f"REVOKE ALL ON FUNCTION auth.missed_archived_events{MISSED_ARGUMENTS} FROM PUBLIC")
    op.execute(
        f"GRANT EXECUTE ON FUNCTION auth.missed_archived_events{MISSED_ARGUMENTS} TO penstock_app, penstock_worker"
    )
    op.execute(f"ALTER FUNCTION auth.missed_archived_events{MISSED_ARGUMENTS} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")
    op.execute("ALTER TABLE outputs DROP CONSTRAINT outputs_generation_id_fkey")
    for function, changes in READERS.items():
        _define_again(function, changes)
    _view_again(WORKBENCH)


def downgrade() -> None:
    """What was archived goes back to where it came from."""
    _view_again(_reversed(WORKBENCH))
    for function, changes in READERS.items():
        _define_again(function, _reversed(changes))
    op.execute("SELECT archive.attach_month(m) FROM unnest(archive.detached()) AS m")
    op.execute("SET LOCAL ROLE penstock_worker")
    for table in TABLES:
        op.execute(
            f"DO $$ BEGIN EXECUTE format('INSERT INTO {table} (%s) SELECT %1$s FROM archive.{table}',"
            f" archive.columns('{table}')); END $$"
        )
    op.execute("SET LOCAL ROLE penstock_owner")
    op.execute("DROP TRIGGER accounts_forget_archive ON accounts")
    op.execute("DROP TRIGGER generations_forget_outputs ON generations")
    op.execute("DROP FUNCTION auth.forget_archive()")
    op.execute("DROP FUNCTION auth.forget_outputs()")
    op.execute(f"DROP FUNCTION auth.missed_archived_events{MISSED_ARGUMENTS}")
    op.execute(
        "ALTER TABLE outputs ADD CONSTRAINT outputs_generation_id_fkey FOREIGN KEY (generation_id)"
        " REFERENCES generations (id) ON DELETE CASCADE"
    )
    op.execute("DROP SCHEMA archive CASCADE")


def _reversed(changes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(new, old) for old, new in changes]


def _define_again(function: str, changes: Sequence[tuple[str, str]]) -> None:
    """Reads other tables in a function, and leaves the rest of it as earlier migrations have made it."""
    definition = (
        op.get_bind().exec_driver_sql(f"SELECT pg_get_functiondef('{function}'::regprocedure)").scalar_one()
    )
    op.get_bind().exec_driver_sql(_changed(definition, changes))


def _view_again(changes: Sequence[tuple[str, str]]) -> None:
    view = (
        op.get_bind().exec_driver_sql("SELECT pg_get_viewdef('workbench_generations'::regclass)").scalar_one()
    )
    op.get_bind().exec_driver_sql(
        f"CREATE OR REPLACE VIEW workbench_generations WITH (security_invoker = true) AS {_changed(view, changes)}"
    )


def _changed(sql: str, changes: Sequence[tuple[str, str]]) -> str:
    for old, new in changes:
        if old not in sql:
            raise RuntimeError(f"{old!r} is not in {sql}")
        sql = sql.replace(old, new)
    return sql
