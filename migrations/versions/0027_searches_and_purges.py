"""Jobs of a person and with a tag, assets by what one calls their model, what a purge has canceled, and projects' sums
when an operator asks."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"

OLD_ACCOUNT = """\
    IF f ? 'account' THEN w := w || format(' AND g.account_id = %L::uuid', f ->> 'account'); END IF;
"""
NEW_ACCOUNT = """\
    IF f ? 'accounts' THEN
        w := w || format(' AND g.account_id = ANY (%L::uuid[])', ARRAY(SELECT jsonb_array_elements_text(f -> 'accounts')));
    END IF;
    -- What something that it made is marked with.
    IF f ? 'tag' THEN
        w := w || format(' AND g.id IN (SELECT t.generation_id FROM assets t WHERE t.deleted_at IS NULL AND t.tags <> ''{}'''
            ' AND t.tags @> ARRAY[%L])', f ->> 'tag');
    END IF;
"""
# Whose e-mail address or name it is, or else those of whose it is a part.
PEOPLE = f"""
CREATE FUNCTION auth.ops_people(wanted text, most int) RETURNS TABLE (id uuid, whole boolean)
LANGUAGE sql STABLE {DEFINER} AS $$
    WITH named AS (
        SELECT a.id, lower(wanted) IN (lower(a.name), lower(u.name), lower(u.email)) AS whole
        FROM accounts a LEFT JOIN users u ON u.id = a.id
        WHERE auth.watches() AND strpos(lower(concat_ws(chr(10), a.name, u.name, u.email)), lower(wanted)) > 0
    )
    SELECT n.id, coalesce(n.whole, false) FROM named n
    WHERE n.whole OR NOT EXISTS (SELECT FROM named x WHERE x.whole) ORDER BY n.id LIMIT most
$$
"""

# What cannot be undone any more is of no use to anybody.
KEEP = f"""
CREATE FUNCTION auth.ops_keep_purge(new_id uuid, of_kind text, canceled uuid[], kept interval) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    DELETE FROM purges p WHERE p.at < now() - kept;
    INSERT INTO purges (id, kind, ids) VALUES (new_id, of_kind, canceled);
    RETURN now() + kept;
END $$
"""
# Takes some out, so that nobody takes them again; nothing is left of one that is too old.
TAKE = f"""
CREATE FUNCTION auth.ops_take_purged(wanted uuid, most int, kept interval)
RETURNS TABLE (kind text, late boolean, ids uuid[], remaining int)
LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
DECLARE
    found purges;
BEGIN
    PERFORM auth.require_operator();
    SELECT * INTO found FROM purges p WHERE p.id = wanted FOR UPDATE;
    IF found.id IS NULL THEN
        RETURN;
    END IF;
    IF found.at < now() - kept THEN
        RETURN QUERY SELECT found.kind, true, '{{}}'::uuid[], 0;
        RETURN;
    END IF;
    UPDATE purges p SET ids = found.ids[most + 1 : ] WHERE p.id = wanted;
    RETURN QUERY SELECT found.kind, false, found.ids[1 : most], greatest(cardinality(found.ids) - most, 0);
END $$
"""
# Bills wait for the locks, or were written before them: the last statements see all of those.
RECONCILE = f"""
CREATE FUNCTION auth.ops_reconcile() RETURNS TABLE (project_id uuid, account_id uuid, found bigint, expected bigint)
LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
DECLARE
    wrong projects;
    reckoned bigint;
BEGIN
    PERFORM auth.require_operator();
    FOR wrong IN SELECT * FROM projects p WHERE reckon_project(p.id) <> p.spent_nanos ORDER BY p.id FOR NO KEY UPDATE LOOP
        reckoned := reckon_project(wrong.id);
        SELECT p.spent_nanos INTO wrong.spent_nanos FROM projects p WHERE p.id = wrong.id;
        IF reckoned <> wrong.spent_nanos THEN
            UPDATE projects p SET spent_nanos = reckoned WHERE p.id = wrong.id;
            RETURN QUERY SELECT wrong.id, wrong.user_id, wrong.spent_nanos, reckoned;
        END IF;
    END LOOP;
END $$
"""
FUNCTIONS = {
    "auth.ops_reconcile()": RECONCILE,
    "auth.ops_people(text, int)": PEOPLE,
    "auth.ops_keep_purge(uuid, text, uuid[], interval)": KEEP,
    "auth.ops_take_purged(uuid, int, interval)": TAKE,
}

# A model is called by a part of any of its names, so the index of words does not know it.
OLD_MODEL = "('model', '$2 ->> ''model'' IN (a.model, a.provider_model)'),"
NEW_MODEL = """\
('model', '(strpos(lower(concat_ws(chr(10), a.model, a.provider_model)), lower($2 ->> ''model'')) > 0'
                ' OR (a.provider, a.provider_model) IN (SELECT c.provider, c.model FROM model_cards c'
                ' WHERE strpos(lower(c.label), lower($2 ->> ''model'')) > 0))'),"""
OLD_NARROWED = """\
narrowed tsquery := phraseto_tsquery('pg_catalog.simple', coalesce(asked ->> 'model', ''))
        && plainto_tsquery("""
NEW_NARROWED = "narrowed tsquery := plainto_tsquery("
ASSETS = ((OLD_MODEL, NEW_MODEL), (OLD_NARROWED, NEW_NARROWED))


def upgrade() -> None:
    # An earlier migration of the same transaction may have gone back to whoever connected.
    op.execute("SET LOCAL ROLE penstock_owner")
    op.create_table(
        "purges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON purges TO penstock_worker")
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for signature, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO penstock_app, penstock_worker")
        op.execute(f"ALTER FUNCTION {signature} OWNER TO penstock_worker")
    _redefine("auth.find_assets(jsonb, int)", "penstock_worker", ASSETS)
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")
    _redefine("ops_where(jsonb)", "penstock_owner", [(OLD_ACCOUNT, NEW_ACCOUNT)])


def downgrade() -> None:
    _redefine("ops_where(jsonb)", "penstock_owner", [(NEW_ACCOUNT, OLD_ACCOUNT)])
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    _redefine(
        "auth.find_assets(jsonb, int)", "penstock_worker", [(new, old) for old, new in reversed(ASSETS)]
    )
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")
    for signature in FUNCTIONS:
        op.execute(f"DROP FUNCTION {signature}")
    op.drop_table("purges")


def _redefine(function: str, owner: str, changes: Sequence[tuple[str, str]]) -> None:
    """Leaves the rest of the function as earlier migrations have made it."""
    bind = op.get_bind()
    sql = bind.exec_driver_sql(f"SELECT pg_get_functiondef('{function}'::regprocedure)").scalar_one()
    for old, new in changes:
        if old not in sql:
            raise RuntimeError(f"{old!r} is not in {sql}")
        sql = sql.replace(old, new)
    op.execute(f"SET LOCAL ROLE {owner}")
    bind.exec_driver_sql(sql)
    op.execute("SET LOCAL ROLE penstock_owner")
