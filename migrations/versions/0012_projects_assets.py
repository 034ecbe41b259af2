"""Projects and the library of assets.

The indexes of generations take the names that the workbench's contract gives them. A search goes through a function
whose definer is the worker role: under row-level security an operator that is not leakproof, as those of texts and
arrays are not, cannot use its index. It sees nobody's rows but the caller's.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Truly immutable, though what it calls is marked as less: neither the language nor the zone is the session's. What
# people wrote stands last: an open `<` in it would swallow what follows.
SEARCH = """
CREATE FUNCTION asset_search(
    name text, description text, prompt text, excerpt text, model text, provider_model text, provider text, kind text,
    seed bigint, width int, height int, tags text[], created_at timestamptz
) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN to_tsvector('pg_catalog.simple', concat_ws(' ', model, provider_model, provider, kind, seed,
        width || 'x' || height, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), array_to_string(tags, ' '),
        name, description, prompt, excerpt));
END $$
"""

# The ids of a page. Every condition is a fixed text that reads its value from the parameters, and only those that are
# asked for are there, so that each search is planned for what it asks. The words of `q` match as beginnings. A model
# and a seed are among the words too, so that rare ones are found by them.
FIND = """
CREATE FUNCTION auth.find_assets(asked jsonb, most int) RETURNS TABLE (id uuid)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    query text := 'SELECT a.id FROM assets a WHERE a.user_id = $1 AND a.deleted_at IS '
        || CASE WHEN asked ? 'deleted' THEN 'NOT NULL' ELSE 'NULL' END;
    searched tsquery;
    narrowed tsquery := phraseto_tsquery('pg_catalog.simple', coalesce(asked ->> 'model', ''))
        && plainto_tsquery('pg_catalog.simple', coalesce(asked ->> 'seed', ''));
    types text[] := ARRAY(SELECT jsonb_array_elements_text(asked -> 'types'));
    tags text[] := ARRAY(SELECT jsonb_array_elements_text(asked -> 'tags'));
    condition text;
BEGIN
    IF asked ? 'q' THEN
        searched := regexp_replace(websearch_to_tsquery('pg_catalog.simple', asked ->> 'q')::text,
            $re$'(?=[ )]|$)$re$, $re$':*$re$, 'g')::tsquery;
        query := query || ' AND a.search @@ $3';
    END IF;
    IF numnode(narrowed) > 0 THEN
        query := query || ' AND a.search @@ $7';
    END IF;
    IF cardinality(tags) > 0 THEN
        query := query || ' AND a.tags <> ''{}'' AND a.tags @> $5';
    END IF;
    FOR condition IN
        SELECT c.sql FROM (VALUES
            ('types', 'a.type = ANY ($4)'),
            ('kind', 'a.kind = $2 ->> ''kind'''),
            ('project', 'a.project_id = ($2 ->> ''project'')::uuid'),
            ('loose', 'a.project_id IS NULL'),
            ('favorite', CASE WHEN asked ->> 'favorite' = 'true' THEN 'a.favorite' ELSE 'NOT a.favorite' END),
            ('model', '$2 ->> ''model'' IN (a.model, a.provider_model)'),
            ('provider', 'a.provider = $2 ->> ''provider'''),
            ('generation', 'a.generation_id = ($2 ->> ''generation'')::uuid'),
            ('seed', 'a.seed = ($2 ->> ''seed'')::bigint'),
            ('rating', 'a.rating >= ($2 ->> ''rating'')::int'),
            ('archived', 'a.archived_at IS '
                || CASE WHEN asked ->> 'archived' = 'true' THEN 'NOT NULL' ELSE 'NULL' END),
            ('created_after', 'a.created_at >= ($2 ->> ''created_after'')::timestamptz'),
            ('created_before', 'a.created_at < ($2 ->> ''created_before'')::timestamptz'),
            ('after', CASE asked ->> 'sort'
                WHEN 'oldest' THEN 'a.id > ($2 ->> ''after'')::uuid'
                WHEN 'rating' THEN '(a.rating, a.id) < (($2 ->> ''after_rating'')::int, ($2 ->> ''after'')::uuid)'
                ELSE 'a.id < ($2 ->> ''after'')::uuid' END)
        ) AS c (key, sql) WHERE asked ? c.key
    LOOP
        query := query || ' AND ' || condition;
    END LOOP;
    query := query || CASE asked ->> 'sort'
        WHEN 'oldest' THEN ' ORDER BY a.id'
        WHEN 'rating' THEN ' ORDER BY a.rating DESC, a.id DESC'
        ELSE ' ORDER BY a.id DESC' END || ' LIMIT $6';
    RETURN QUERY EXECUTE query USING auth.uid(), asked, searched, types, tags, most, narrowed;
END $$
"""
FUNCTION = "auth.find_assets(jsonb, int)"

CENTS = "LEAST((({column} + 5000000) / 10000000), '2147483647'::bigint)::integer"
SEARCHED = (
    "(name)::text, description, prompt, excerpt, model, provider_model, provider, kind, seed, width, height, tags,"
    " created_at"
)
TYPES = "('image', 'video', 'audio', 'text')"


def upgrade() -> None:
    op.execute(SEARCH)
    _create_projects()
    _create_assets()
    op.create_table(
        "retention_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(50), nullable=True),
        sa.Column("older_than_days", sa.Integer(), nullable=False),
        _moment("created_at", now=True),
        sa.CheckConstraint(f"type IN {TYPES}", name="retention_rules_type"),
        sa.CheckConstraint("older_than_days > 0", name="retention_rules_age"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("retention_rules_user", "retention_rules", ["user_id"])
    for table, rights in (
        ("projects", "SELECT, INSERT, UPDATE, DELETE"),
        ("assets", "SELECT, INSERT, UPDATE"),
        ("retention_rules", "SELECT, INSERT, UPDATE, DELETE"),
    ):
        _isolate(table, rights)
    _name_as_agreed()
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    op.execute(FIND)
    op.execute(f"REVOKE ALL ON FUNCTION {FUNCTION} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {FUNCTION} TO penstock_app, penstock_worker")
    op.execute(f"ALTER FUNCTION {FUNCTION} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")


def _create_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("budget_nanos", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("spent_nanos", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "budget_cents", sa.Integer(), sa.Computed(CENTS.format(column="budget_nanos"), persisted=True)
        ),
        sa.Column(
            "spent_cents", sa.Integer(), sa.Computed(CENTS.format(column="spent_nanos"), persisted=True)
        ),
        _document("settings"),
        _moment("archived_at"),
        _moment("created_at", now=True),
        _moment("updated_at", now=True),
        sa.CheckConstraint("budget_nanos >= 0", name="projects_budget"),
        sa.CheckConstraint("spent_nanos >= 0", name="projects_spent"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_projects_user_id", "projects", ["user_id", "id"])


def _create_assets() -> None:
    op.create_table(
        "assets",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.String(255), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("file_url", sa.Text(), nullable=False),
        sa.Column("thumbnail_url", sa.Text(), nullable=True),
        sa.Column("file_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("file_format", sa.String(50), nullable=True),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("duration_seconds", sa.Numeric(), nullable=True),
        sa.Column("generation_id", sa.Uuid(), nullable=True),
        sa.Column("output_n", sa.Integer(), nullable=True),
        sa.Column("upload_id", sa.Uuid(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("provider_model", sa.Text(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column("excerpt", sa.Text(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        _document("metadata"),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("favorite", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("rating", sa.SmallInteger(), server_default="0", nullable=False),
        _moment("archived_at"),
        _moment("published_at"),
        _moment("deleted_at"),
        _moment("restored_at"),
        _moment("created_at", now=True),
        _moment("updated_at", now=True),
        sa.Column("search", postgresql.TSVECTOR(), sa.Computed(f"asset_search({SEARCHED})", persisted=True)),
        sa.CheckConstraint(f"type IN {TYPES}", name="assets_type"),
        sa.CheckConstraint("rating BETWEEN 0 AND 5", name="assets_rating"),
        sa.ForeignKeyConstraint(["user_id"], ["accounts.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_assets_user_id", "assets", ["user_id", "id"])
    op.create_index("idx_assets_project_id", "assets", ["project_id", "id"])
    op.create_index("assets_search", "assets", ["search"], postgresql_using="gin")
    _create_index("assets_tags", ["tags"], "tags <> '{}'", postgresql_using="gin")
    op.create_index("assets_rated", "assets", ["user_id", "rating", "id"])
    _create_index("assets_favorite", ["user_id", "id"], "favorite")
    _create_index("assets_generation", ["generation_id"], "generation_id IS NOT NULL")
    _create_index("assets_upload", ["upload_id"], "upload_id IS NOT NULL", unique=True)
    _create_index("assets_deleted", ["deleted_at"], "deleted_at IS NOT NULL")


def _create_index(name: str, columns: list[str], where: str, **options: object) -> None:
    op.create_index(name, "assets", columns, postgresql_where=sa.text(where), **options)  # type: ignore[arg-type]  # any of alembic's options


def _isolate(table: str, rights: str) -> None:
    mine = "user_id = (SELECT auth.uid())"
    op.execute(f"GRANT {rights} ON {table} TO penstock_app")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO penstock_worker")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY {table}_user_isolation ON {table} TO penstock_app USING ({mine}) WITH CHECK ({mine})"
    )
    op.execute(f"CREATE POLICY {table}_workers ON {table} TO penstock_worker USING (true) WITH CHECK (true)")


def _name_as_agreed() -> None:
    op.add_column("generations", sa.Column("project_name", sa.Text(), nullable=True))
    op.execute("ALTER INDEX generations_account RENAME TO idx_generations_user_id")
    op.execute("ALTER POLICY generations_isolation ON generations RENAME TO generations_user_isolation")
    op.create_index(
        "idx_generations_project_id",
        "generations",
        ["project_id"],
        postgresql_include=["cost_nanos"],
        postgresql_where=sa.text("project_id IS NOT NULL"),
    )
    # Rows come in the order of their time, so that the smallest of indexes does.
    op.create_index("idx_generations_created_at", "generations", ["created_at"], postgresql_using="brin")


def _moment(name: str, *, now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def _document(name: str) -> sa.Column[object]:
    kind = postgresql.JSONB(astext_type=sa.Text())
    return sa.Column(name, kind, server_default=sa.text("'{}'::jsonb"), nullable=False)


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {FUNCTION}")
    op.drop_index("idx_generations_created_at", "generations")
    op.drop_index("idx_generations_project_id", "generations")
    op.execute("ALTER POLICY generations_user_isolation ON generations RENAME TO generations_isolation")
    op.execute("ALTER INDEX idx_generations_user_id RENAME TO generations_account")
    op.drop_column("generations", "project_name")
    for table in ("retention_rules", "assets", "projects"):
        op.drop_table(table)
    op.execute("DROP FUNCTION asset_search")
