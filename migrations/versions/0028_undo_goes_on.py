"""What a purge canceled leaves its list when it is back, not before: an undo that dies may be asked for again."""

from collections.abc import Sequence

from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

DEFINER = "SECURITY DEFINER SET search_path = public, pg_temp"

# Who undoes it at the same time waits until these are free again, or would pass over them and forget them while the
# other has not brought them back.
NEXT = f"""
CREATE FUNCTION auth.ops_next_purged(wanted uuid, most int, kept interval)
RETURNS TABLE (kind text, late boolean, ids uuid[], remaining int)
LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    RETURN QUERY SELECT p.kind, p.at < now() - kept, p.ids[1 : most], greatest(cardinality(p.ids) - most, 0)
        FROM purges p WHERE p.id = wanted FOR UPDATE;
END $$
"""
BACK = f"""
CREATE FUNCTION auth.ops_purged_is_back(wanted uuid, back uuid[]) RETURNS void
LANGUAGE plpgsql VOLATILE {DEFINER} AS $$
BEGIN
    PERFORM auth.require_operator();
    UPDATE purges p SET ids = ARRAY(
        SELECT u.id FROM unnest(p.ids) WITH ORDINALITY AS u (id, n)
        WHERE u.id NOT IN (SELECT unnest(back)) ORDER BY u.n
    ) WHERE p.id = wanted;
END $$
"""
# As 0027 has it.
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
NEW = {
    "auth.ops_next_purged(uuid, int, interval)": NEXT,
    "auth.ops_purged_is_back(uuid, uuid[])": BACK,
}
OLD = {"auth.ops_take_purged(uuid, int, interval)": TAKE}


def upgrade() -> None:
    _replace(OLD, NEW)


def downgrade() -> None:
    _replace(NEW, OLD)


def _replace(old: dict[str, str], new: dict[str, str]) -> None:
    # An earlier migration of the same transaction may have gone back to whoever connected.
    op.execute("SET LOCAL ROLE penstock_owner")
    op.execute("GRANT CREATE ON SCHEMA auth TO penstock_worker")
    for signature in old:
        op.execute(f"DROP FUNCTION {signature}")
    for signature, function in new.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO penstock_app, penstock_worker")
        op.execute(f"ALTER FUNCTION {signature} OWNER TO penstock_worker")
    op.execute("REVOKE CREATE ON SCHEMA auth FROM penstock_worker")
