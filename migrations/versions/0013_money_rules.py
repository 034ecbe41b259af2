"""Plans, counters, budgets and their alerts.

A budget counts what the ledger says of the generations that were admitted in its window. Its sums are kept by
`move_budgets`, in the transaction of the ledger's entries and under the budgets' row locks, which are always taken in
the order of `lock_no`. Whoever opens a budget holds the account FOR UPDATE: what refers to the account, as
generations and their events do, is then either counted from the ledger or finds the budget there.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

CENTS = "LEAST((({column} + 5000000) / 10000000), '2147483647'::bigint)::integer"
PERIODS = "('day', 'week', 'month', 'total')"

# Where a period begins and ends that holds `at`; null for `total`. Weeks begin on Monday. A zone that this server does
# not know is taken for UTC.
WINDOW_START = """
CREATE FUNCTION window_start(period text, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN period <> 'total' THEN date_trunc(period, at, zone) END;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN date_trunc(period, at, 'UTC');
END $$
"""
WINDOW_END = """
CREATE FUNCTION window_end(period text, zone text, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN period <> 'total'
        THEN (date_trunc(period, at AT TIME ZONE zone) + ('1 ' || period)::interval) AT TIME ZONE zone END;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN window_end(period, 'UTC', at);
END $$
"""
# The day on which it begins, as a calendar in the zone has it.
WINDOW_DAY = """
CREATE FUNCTION window_day(period text, zone text, at timestamptz) RETURNS date
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE WHEN period = 'total' THEN DATE '1970-01-01'
        ELSE date_trunc(period, at AT TIME ZONE zone)::date END;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN window_day(period, 'UTC', at);
END $$
"""

# Whether an entry of a generation counts in a budget, its window apart. A reserve is held at every provider that may
# serve, a bill belongs to the one that did.
COUNTS = """
CREATE FUNCTION counts_in_budget(b budgets, g generations, entry text, at_provider text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE b.scope
        WHEN 'account' THEN true
        WHEN 'project' THEN coalesce(g.project_id = b.project_id, false)
        WHEN 'key' THEN coalesce(g.api_key_id = b.api_key_id, false)
        ELSE CASE WHEN entry IN ('settle', 'adjust') THEN coalesce(at_provider = b.provider, false)
            ELSE coalesce(g.routes @> jsonb_build_array(
                jsonb_build_object('provider', b.provider, 'credential', 'platform')), false) END
    END
$$
"""

# What the ledger says of a budget's window; `held` is what is spent and what is reserved.
RECKON = """
CREATE FUNCTION reckon_budget(b budgets) RETURNS TABLE (held bigint, spent bigint) LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.nanos), 0)::bigint,
        coalesce(sum(l.nanos) FILTER (WHERE l.kind IN ('settle', 'adjust')), 0)::bigint
    FROM ledger l LEFT JOIN generations g ON g.id = l.generation_id
    WHERE l.account_id = b.account_id AND l.payer = 'account' AND l.generation_id IS NOT NULL
        AND (b.starts_at IS NULL OR l.created_at >= b.starts_at)
        AND (b.starts_at IS NULL OR coalesce(g.created_at, l.created_at) >= b.starts_at)
        AND (b.ends_at IS NULL OR coalesce(g.created_at, l.created_at) < b.ends_at)
        AND counts_in_budget(b, g, l.kind, l.provider)
$$
"""

# Budgets whose sums are not what the ledger says.
VERIFY = """
CREATE FUNCTION verify_budgets() RETURNS TABLE (account_id uuid, budget_id uuid, expected bigint, found bigint)
LANGUAGE sql STABLE AS $$
    SELECT b.account_id, b.id, r.held, b.held_nanos FROM budgets b CROSS JOIN LATERAL reckon_budget(b) r
    WHERE (r.held, r.spent) <> (b.held_nanos, b.spent_nanos)
$$
"""
VERIFY_EVERYWHERE = """
CREATE FUNCTION auth.verify_budgets() RETURNS TABLE (account_id uuid, budget_id uuid, expected bigint, found bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$ SELECT * FROM verify_budgets() $$
"""

# Begins a new window where one has ended; the rows must be locked. A window never begins before the last one ended,
# so whoever changes the account's time zone starts none afresh.
TURN = """
CREATE FUNCTION turn_budgets(ids uuid[]) RETURNS void LANGUAGE sql VOLATILE AS $$
    UPDATE budgets b SET starts_at = greatest(window_start(b.period, a.timezone, now()), b.ends_at),
        ends_at = window_end(b.period, a.timezone, now()), held_nanos = 0, spent_nanos = 0
    FROM accounts a WHERE a.id = b.account_id AND b.id = ANY (ids) AND b.ends_at <= now()
$$
"""

# Writes the alerts that are due, each threshold once per window. `refused` is due at 100 %, whatever is spent.
ALERT = """
CREATE FUNCTION alert_budgets(ids uuid[], refused boolean) RETURNS SETOF budget_alerts LANGUAGE sql VOLATILE AS $$
    INSERT INTO budget_alerts (user_id, project_id, budget_id, alert_type, threshold_percent, threshold_nanos,
        current_spend_nanos, starts_at, metadata)
    SELECT b.account_id, b.project_id, b.id,
        CASE WHEN t.percent >= 100 THEN 'budget_exceeded' ELSE 'threshold_reached' END, t.percent,
        (b.limit_nanos::numeric * t.percent / 100)::bigint, b.spent_nanos, b.starts_at,
        jsonb_build_object('name', b.name, 'scope', b.scope, 'period', b.period, 'mode', b.mode,
            'limit_nanos', b.limit_nanos, 'held_nanos', b.held_nanos, 'refused', refused, 'resets_at', b.ends_at)
    FROM budgets b CROSS JOIN LATERAL unnest(b.thresholds) AS t (percent)
    WHERE b.id = ANY (ids) AND b.limit_nanos > 0
        AND (b.spent_nanos::numeric * 100 >= b.limit_nanos::numeric * t.percent OR refused AND t.percent = 100)
    ORDER BY b.lock_no, t.percent
    ON CONFLICT (budget_id, starts_at, threshold_percent) WHERE budget_id IS NOT NULL DO NOTHING
    RETURNING *
$$
"""

# Each statement of it sees what was committed before the locks were granted.
MOVE = """
CREATE FUNCTION move_budgets(generation_ids uuid[], kinds text[], amounts bigint[], providers text[])
RETURNS SETOF budget_alerts LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    ids uuid[];
BEGIN
    ids := ARRAY(
        SELECT b.id FROM budgets b WHERE b.id IN (
            SELECT b2.id FROM unnest(generation_ids, kinds, providers) AS e (generation_id, kind, provider)
            JOIN generations g ON g.id = e.generation_id JOIN budgets b2 ON b2.account_id = g.account_id
            WHERE counts_in_budget(b2, g, e.kind, e.provider)
        ) ORDER BY b.lock_no FOR NO KEY UPDATE);
    IF cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    PERFORM turn_budgets(ids);
    UPDATE budgets b SET held_nanos = b.held_nanos + m.held, spent_nanos = b.spent_nanos + m.spent
    FROM (
        SELECT b2.id, sum(e.nanos)::bigint AS held,
            coalesce(sum(e.nanos) FILTER (WHERE e.kind IN ('settle', 'adjust')), 0)::bigint AS spent
        FROM unnest(generation_ids, kinds, amounts, providers) AS e (generation_id, kind, nanos, provider)
        JOIN generations g ON g.id = e.generation_id JOIN budgets b2 ON b2.id = ANY (ids)
        WHERE b2.account_id = g.account_id AND counts_in_budget(b2, g, e.kind, e.provider)
            AND (b2.starts_at IS NULL OR g.created_at >= b2.starts_at)
        GROUP BY b2.id
    ) m WHERE b.id = m.id;
    IF kinds && ARRAY['settle', 'adjust'] THEN
        RETURN QUERY SELECT * FROM alert_budgets(ids, false);
    END IF;
END $$
"""

OPEN = """
CREATE FUNCTION open_budget(
    new_id uuid, owner uuid, new_name text, new_scope text, of_project uuid, of_key uuid, of_provider text,
    new_period text, new_mode text, cap bigint, percents int[], new_origin text
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    zone text;
BEGIN
    SELECT a.timezone INTO zone FROM accounts a WHERE a.id = owner FOR UPDATE;
    INSERT INTO budgets (id, account_id, name, scope, project_id, api_key_id, provider, period, mode, limit_nanos,
        thresholds, origin, starts_at, ends_at)
    VALUES (new_id, owner, new_name, new_scope, of_project, of_key, of_provider, new_period, new_mode, cap,
        coalesce(percents, '{50,80,100}'), new_origin, window_start(new_period, zone, now()),
        window_end(new_period, zone, now()));
    UPDATE budgets b SET (held_nanos, spent_nanos) = (SELECT r.held, r.spent FROM reckon_budget(b) r)
    WHERE b.id = new_id;
END $$
"""

# The budgets of projects, keys and providers follow the columns in which these are set.
MIRROR = """
CREATE FUNCTION mirror_budget(
    owner uuid, of_scope text, of_project uuid, of_key uuid, of_provider text, new_period text, cap bigint, new_mode text
) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF cap IS NULL THEN
        DELETE FROM budgets b WHERE b.account_id = owner AND b.origin = of_scope
            AND (b.project_id, b.api_key_id, b.provider) IS NOT DISTINCT FROM (of_project, of_key, of_provider);
        RETURN;
    END IF;
    UPDATE budgets b SET limit_nanos = cap, mode = new_mode, updated_at = now()
    WHERE b.account_id = owner AND b.origin = of_scope
        AND (b.project_id, b.api_key_id, b.provider) IS NOT DISTINCT FROM (of_project, of_key, of_provider);
    IF NOT FOUND THEN
        PERFORM open_budget(gen_random_uuid(), owner, NULL, of_scope, of_project, of_key, of_provider, new_period,
            new_mode, cap, NULL, of_scope);
    END IF;
END $$
"""
# A reference to the account locks its key for sharing, and two that share it could not both have it alone after that.
# So what will open a budget takes the account before its row is written.
LOCK_FIRST = """
CREATE FUNCTION lock_account_of_budget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM accounts a WHERE a.id = (to_jsonb(NEW) ->> TG_ARGV[0])::uuid FOR UPDATE;
    RETURN NEW;
END $$
"""
MIRROR_PROJECT = """
CREATE FUNCTION mirror_project_budget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mirror_budget(NEW.user_id, 'project', NEW.id, NULL, NULL, 'total',
        CASE WHEN NEW.budget_nanos > 0 OR NEW.settings ->> 'budget_mode' = 'hard' THEN NEW.budget_nanos END,
        CASE WHEN NEW.settings ->> 'budget_mode' = 'soft' THEN 'soft' ELSE 'hard' END);
    RETURN NULL;
END $$
"""
MIRROR_KEY = """
CREATE FUNCTION mirror_key_budget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM mirror_budget(NEW.account_id, 'key', NULL, NEW.id, NULL, 'total', NEW.budget_nanos, 'hard');
    RETURN NULL;
END $$
"""
# The column of caps is made by a later revision.
MIRROR_CAP = """
CREATE FUNCTION mirror_provider_cap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM mirror_budget(OLD.account_id, 'provider', NULL, NULL, OLD.provider, 'month', NULL, 'hard');
    ELSE
        PERFORM mirror_budget(NEW.account_id, 'provider', NULL, NULL, NEW.provider, 'month',
            (to_jsonb(NEW) ->> 'monthly_cap_nanos')::bigint, 'hard');
    END IF;
    RETURN NULL;
END $$
"""
HAS_BUDGET = "(NEW.budget_nanos > 0 OR NEW.settings ->> 'budget_mode' = 'hard')"
CHANGED_BUDGET = (
    "(OLD.budget_nanos, OLD.settings ->> 'budget_mode') IS DISTINCT FROM"
    " (NEW.budget_nanos, NEW.settings ->> 'budget_mode')"
)
# table: (name, its account, the function, when a row that is inserted matters, when a changed one does)
MIRRORED = {
    "projects": ("user_id", "mirror_project_budget", HAS_BUDGET, CHANGED_BUDGET),
    "api_keys": (
        "account_id", "mirror_key_budget", "NEW.budget_nanos IS NOT NULL",
        "OLD.budget_nanos IS DISTINCT FROM NEW.budget_nanos",
    ),
    "account_providers": ("account_id", "mirror_provider_cap", "true", "true"),
}  # fmt: skip

# Who signs up gets the plan that is for new people; accounts that an operator makes keep the default.
NEW_PERSON = """
CREATE FUNCTION plan_of_new_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM take_plan(NEW.id, p.name) FROM plans p WHERE p.for_new_users;
    RETURN NULL;
END $$
"""
# The account has its plan's limits in columns of its own, where an operator may change them until the next plan.
# False when there is no such account. The column of storage is made by a later revision.
TAKE_PLAN = """
CREATE FUNCTION take_plan(account uuid, new_plan text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    UPDATE accounts a SET plan = p.name, max_running = p.max_running, storage_limit_bytes = p.storage_bytes
    FROM plans p WHERE p.name = new_plan AND a.id = account AND a.plan <> p.name;
    RETURN EXISTS (SELECT FROM accounts a WHERE a.id = account);
END $$
"""
# An operator's change of any account.
SET_PLAN = """
CREATE FUNCTION auth.set_plan(account uuid, new_plan text) RETURNS boolean
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT take_plan(account, new_plan)
$$
"""
SET_DEFAULT = """
CREATE FUNCTION auth.set_plan_for_new_users(new_plan text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE plans SET for_new_users = (name = new_plan) WHERE for_new_users <> (name = new_plan)
$$
"""

FUNCTIONS = {
    "window_start(text, text, timestamptz)": WINDOW_START,
    "window_end(text, text, timestamptz)": WINDOW_END,
    "window_day(text, text, timestamptz)": WINDOW_DAY,
    "counts_in_budget(budgets, generations, text, text)": COUNTS,
    "reckon_budget(budgets)": RECKON,
    "verify_budgets()": VERIFY,
    "turn_budgets(uuid[])": TURN,
    "alert_budgets(uuid[], boolean)": ALERT,
    "move_budgets(uuid[], text[], bigint[], text[])": MOVE,
    "open_budget(uuid, uuid, text, text, uuid, uuid, text, text, text, bigint, int[], text)": OPEN,
    "mirror_budget(uuid, text, uuid, uuid, text, text, bigint, text)": MIRROR,
    "lock_account_of_budget()": LOCK_FIRST,
    "mirror_project_budget()": MIRROR_PROJECT,
    "mirror_key_budget()": MIRROR_KEY,
    "mirror_provider_cap()": MIRROR_CAP,
    "take_plan(uuid, text)": TAKE_PLAN,
    "plan_of_new_user()": NEW_PERSON,
}
DEFINERS = {
    "auth.set_plan(uuid, text)": SET_PLAN,
    "auth.set_plan_for_new_users(text)": SET_DEFAULT,
    "auth.verify_budgets()": VERIFY_EVERYWHERE,
}
# table: (its account, the app's rights)
TABLES = {
    "quota_counters": ("account_id", "SELECT, INSERT, UPDATE"),
    "quota_uses": ("account_id", "SELECT, INSERT, DELETE"),
    "budgets": ("account_id", "SELECT, INSERT, UPDATE, DELETE"),
    "budget_alerts": ("user_id", "SELECT, INSERT, UPDATE (acknowledged_at)"),
    "emails": ("account_id", "SELECT, INSERT"),
}

# A limit of null or a feature that is not named is no limit, 0 is "not in this plan". `live` counts what there is, the
# other periods what was used in them.
PLANS = """
INSERT INTO plans (name, label, rank, price_nanos, max_running, requests_per_minute, storage_bytes, features, for_new_users) VALUES
('free', 'Free', 0, 0, 1, 60, 1073741824, '{
    "chat": {"limit": 3, "period": "day"}, "image": {"limit": 1, "period": "week"}, "music": {"limit": 0},
    "music_projects": {"limit": 0}, "writing_projects": {"limit": 0}, "feed_writing": {"limit": 0},
    "sharing": {"limit": 0}, "advanced_models": {"limit": 0}, "tactical": {"limit": 0},
    "priority_processing": {"limit": 0}, "personal_support": {"limit": 0}}', false),
('premium', 'Premium', 1, 9990000000, 4, 300, 53687091200, '{
    "chat": {"limit": 100, "period": "day"}, "image": {"limit": 20, "period": "month"},
    "music_projects": {"limit": 5, "period": "live"}, "writing_projects": {"limit": 10, "period": "live"},
    "advanced_models": {"limit": 0}, "tactical": {"limit": 0}, "priority_processing": {"limit": 0},
    "personal_support": {"limit": 0}}', false),
('unlimited', 'Unlimited', 2, 29990000000, NULL, NULL, NULL, '{}', true)
"""


def upgrade() -> None:
    _create_plans()
    _create_budgets()
    for table, (account, rights) in TABLES.items():
        _isolate(table, account, rights)
    for definition in FUNCTIONS.values():
        op.execute(definition)
    for table, (account, function, inserted, changed) in MIRRORED.items():
        for event, matters in (("INSERT", inserted), ("UPDATE", changed)):
            name = f"{table}_budget_{event.lower()}"
            op.execute(
                f"CREATE TRIGGER {name}_first BEFORE {event} ON {table} FOR EACH ROW WHEN ({matters})"
                f" EXECUTE FUNCTION lock_account_of_budget('{account}')"
            )
            op.execute(
                f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN ({matters})"
                f" EXECUTE FUNCTION {function}()"
            )
    op.execute(
        "CREATE TRIGGER account_providers_budget_delete AFTER DELETE ON account_providers FOR EACH ROW"
        " EXECUTE FUNCTION mirror_provider_cap()"
    )
    op.execute(
        "CREATE TRIGGER users_plan AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION plan_of_new_user()"
    )
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for function, definition in DEFINERS.items():
        op.execute(definition)
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO penstock_app, penstock_worker")
        op.execute(f"ALTER FUNCTION {function} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def _create_plans() -> None:
    op.create_table(
        "plans",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("price_nanos", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_running", sa.Integer(), nullable=True),
        sa.Column("requests_per_minute", sa.Integer(), nullable=True),
        sa.Column("storage_bytes", sa.BigInteger(), nullable=True),
        _document("features"),
        sa.Column("for_new_users", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute(PLANS)
    op.execute("GRANT SELECT ON plans TO penstock_app, penstock_worker")
    op.execute("GRANT UPDATE (for_new_users) ON plans TO penstock_worker")
    op.add_column("accounts", sa.Column("plan", sa.Text(), server_default="unlimited", nullable=False))
    op.create_foreign_key("accounts_plan_fkey", "accounts", "plans", ["plan"], ["name"])
    op.create_table(
        "quota_counters",
        _account("account_id"),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("used >= 0", name="quota_counters_used"),
        sa.CheckConstraint(f"period IN {PERIODS}", name="quota_counters_period"),
        sa.PrimaryKeyConstraint("account_id", "feature", "period", "period_start"),
    )
    op.create_table(
        "quota_uses",
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        _account("account_id"),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("units", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("generation_id"),
    )
    op.create_index("quota_uses_account", "quota_uses", ["account_id"])
    op.create_index("quota_uses_age", "quota_uses", ["period_start"])


def _create_budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lock_no", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _account("account_id"),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("limit_nanos", sa.BigInteger(), nullable=False),
        sa.Column(
            "thresholds",
            postgresql.ARRAY(sa.Integer()),
            server_default=sa.text("'{50,80,100}'"),
            nullable=False,
        ),
        sa.Column("origin", sa.Text(), nullable=True),
        _moment("starts_at"),
        _moment("ends_at"),
        sa.Column("held_nanos", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        _moment("created_at", now=True),
        _moment("updated_at", now=True),
        sa.CheckConstraint(f"period IN {PERIODS}", name="budgets_period"),
        sa.CheckConstraint("mode IN ('hard', 'soft')", name="budgets_mode"),
        sa.CheckConstraint("limit_nanos >= 0", name="budgets_limit"),
        sa.CheckConstraint(
            "CASE scope WHEN 'account' THEN num_nonnulls(project_id, api_key_id, provider) = 0"
            " WHEN 'project' THEN project_id IS NOT NULL AND num_nonnulls(api_key_id, provider) = 0"
            " WHEN 'key' THEN api_key_id IS NOT NULL AND num_nonnulls(project_id, provider) = 0"
            " WHEN 'provider' THEN provider IS NOT NULL AND num_nonnulls(project_id, api_key_id) = 0"
            " ELSE false END",
            name="budgets_scope",
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("budgets_account", "budgets", ["account_id", "lock_no"])
    op.create_index(
        "budgets_mirrored",
        "budgets",
        ["account_id", "origin", "project_id", "api_key_id", "provider"],
        unique=True,
        postgresql_where=sa.text("origin IS NOT NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "budget_alerts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        _account("user_id"),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("budget_id", sa.Uuid(), nullable=True),
        sa.Column("alert_type", sa.Text(), nullable=False),
        sa.Column("threshold_percent", sa.Integer(), nullable=False),
        sa.Column("threshold_nanos", sa.BigInteger(), nullable=False),
        sa.Column("current_spend_nanos", sa.BigInteger(), nullable=False),
        sa.Column(
            "threshold_cents",
            sa.Integer(),
            sa.Computed(CENTS.format(column="threshold_nanos"), persisted=True),
        ),
        sa.Column(
            "current_spend_cents",
            sa.Integer(),
            sa.Computed(CENTS.format(column="current_spend_nanos"), persisted=True),
        ),
        _moment("starts_at"),
        _moment("triggered_at", now=True),
        _moment("acknowledged_at"),
        _document("metadata"),
        _moment("created_at", now=True),
        sa.CheckConstraint(
            "alert_type IN ('threshold_reached', 'budget_exceeded')", name="budget_alerts_type"
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["budget_id"], ["budgets.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("budget_alerts_user", "budget_alerts", ["user_id", "triggered_at", "id"])
    op.create_index(
        "budget_alerts_once",
        "budget_alerts",
        ["budget_id", "starts_at", "threshold_percent"],
        unique=True,
        postgresql_where=sa.text("budget_id IS NOT NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "emails",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        _account("account_id"),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("next_at"),
        _moment("sent_at"),
        sa.Column("error", sa.Text(), nullable=True),
        _moment("created_at", now=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("emails_due", "emails", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL"))
    op.create_index("emails_account", "emails", ["account_id"])


def _isolate(table: str, account: str, rights: str) -> None:
    mine = f"{account} = (SELECT auth.uid())"
    op.execute(f"GRANT {rights} ON {table} TO penstock_app")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penstock_worker")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY {table}_isolation ON {table} TO penstock_app USING ({mine}) WITH CHECK ({mine})"
    )
    op.execute(f"CREATE POLICY {table}_workers ON {table} TO penstock_worker USING (true) WITH CHECK (true)")


def _account(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False)


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def _document(name: str) -> sa.Column[object]:
    kind = postgresql.JSONB(astext_type=sa.Text())
    return sa.Column(name, kind, server_default=sa.text("'{}'::jsonb"), nullable=False)


def downgrade() -> None:
    for function in DEFINERS:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP TRIGGER users_plan ON users")
    op.execute("DROP TRIGGER account_providers_budget_delete ON account_providers")
    for table in MIRRORED:
        for event in ("insert", "update"):
            op.execute(f"DROP TRIGGER {table}_budget_{event}_first ON {table}")
            op.execute(f"DROP TRIGGER {table}_budget_{event} ON {table}")
    for function in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {function}")
    for table in ("emails", "budget_alerts", "budgets", "quota_uses", "quota_counters"):
        op.drop_table(table)
    op.drop_column("accounts", "plan")
    op.drop_table("plans")
