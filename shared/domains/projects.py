"""Projects: what belongs together, and what becomes of it when it is put away or deleted.

Archiving hides a project and takes no new work for it. Deleting sends its assets to the trash and lets its
generations go on without it, under the name that it had; nothing that was paid is ever deleted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.domains import archive
from shared.errors import Conflict, InvalidInput, NotFound
from shared.ids import new_id

Row = Mapping[str, Any]

# What was spent is what the account was charged for the project's generations; the ledger keeps it.
_SELECT = """
SELECT p.id, p.user_id, p.name, p.description, p.thumbnail_url, p.budget_nanos, p.settings, p.archived_at,
    p.created_at, p.updated_at, p.spent_nanos
FROM projects p
"""
_GET = f"{_SELECT} WHERE p.id = $1"
_PAGE = f"""{_SELECT}
WHERE ($1::boolean IS NULL OR (p.archived_at IS NOT NULL) = $1) AND ($2::uuid IS NULL OR p.id < $2)
ORDER BY p.id DESC LIMIT $3
"""
_GENERATIONS = f"""
SELECT p.id, (SELECT count(*) FROM {archive.ALL.generations} g WHERE g.project_id = p.id AND g.deleted_at IS NULL)::int
FROM projects p WHERE p.id = ANY ($1)
"""  # noqa: S608  # constants only

_CREATE = """
INSERT INTO projects (id, user_id, name, description, thumbnail_url, budget_nanos, settings)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
CHANGEABLE = frozenset({"name", "description", "thumbnail_url", "budget_nanos", "settings"})

_ARCHIVE = """
UPDATE projects SET archived_at = CASE WHEN $2 THEN coalesce(archived_at, now()) END, updated_at = now()
WHERE id = $1
"""

_HOLDINGS = """
SELECT
    (SELECT count(*) FROM assets a WHERE a.project_id = $1 AND a.deleted_at IS NULL)::int AS assets,
    (SELECT coalesce(sum(a.file_size_bytes), 0) FROM assets a
        WHERE a.project_id = $1 AND a.deleted_at IS NULL)::bigint AS bytes,
    count(*)::int AS generations, count(*) FILTER (WHERE g.wake_at IS NOT NULL)::int AS unfinished,
    (SELECT p.spent_nanos FROM projects p WHERE p.id = $1) AS spent_nanos
FROM {generations} g WHERE g.project_id = $1
"""
_TRASH = """
UPDATE assets SET project_id = NULL, deleted_at = coalesce(deleted_at, now()), updated_at = now() WHERE project_id = $1
"""
# A late bill holds its generation and then wants the project: those of the past are taken first here too.
_HOLD_ENDED = (
    "SELECT FROM generations WHERE project_id = $1 AND wake_at IS NULL ORDER BY id FOR NO KEY UPDATE"
)
_HOLD_ACCOUNT = "SELECT FROM accounts WHERE id = auth.uid() FOR UPDATE"
_LET_GO = (
    "UPDATE generations SET project_id = NULL, project_name = $2, updated_at = now() WHERE project_id = $1"
)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a project holds: `assets` go when it is deleted, the rest stays."""

    assets: int
    bytes: int
    generations: int
    unfinished: int
    spent_nanos: int


async def create(tx: Tx, account_id: UUID, fields: Mapping[str, Any]) -> Row:
    """`fields` has a name, and more of CHANGEABLE."""
    project_id = new_id()
    await tx.execute(
        _CREATE, project_id, account_id, fields["name"], fields.get("description"), fields.get("thumbnail_url"),
        fields.get("budget_nanos", 0), fields.get("settings", {}),
    )  # fmt: skip
    return await get(tx, project_id)


async def get(tx: Tx, project_id: UUID) -> Row:
    """Raises NotFound, also for projects of other accounts."""
    row: Row | None = await tx.fetchrow(_GET, project_id)
    if row is None:
        raise NotFound(f"There is no project {project_id}.")
    return row


async def page(tx: Tx, archived: bool | None, after: UUID | None, limit: int) -> list[Row]:
    """Newest first, behind the id `after`; `archived` None gives both."""
    return list(await tx.fetch(_PAGE, archived, after, limit))


async def generations(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many generations were ever asked for in each."""
    return dict(await tx.fetch(_GENERATIONS, list(ids)))


async def update(tx: Tx, project_id: UUID, changes: Mapping[str, Any], archived: bool | None = None) -> Row:
    """Sets the columns that `changes` names, all of them of CHANGEABLE. Raises NotFound."""
    if unknown := changes.keys() - CHANGEABLE:
        raise ValueError(f"a project's {unknown.pop()} cannot be set")
    if changes.keys() & {"budget_nanos", "settings"}:
        # Its budget follows, which wants the account; so does a bill, before it wants the project.
        await tx.execute(_HOLD_ACCOUNT)
    if changes:
        columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(changes, start=2))
        await tx.execute(
            f"UPDATE projects SET {columns}, updated_at = now() WHERE id = $1",  # noqa: S608  # names from CHANGEABLE
            project_id,
            *changes.values(),
        )
    if archived is not None:
        await tx.execute(_ARCHIVE, project_id, archived)
    return await get(tx, project_id)


async def holdings(tx: Tx, project_id: UUID) -> Holdings:
    """What would go and stay. Raises NotFound."""
    await get(tx, project_id)
    return await _holdings(tx, project_id)


async def delete(tx: Tx, project_id: UUID) -> Holdings:
    """Deletes it for good. Raises NotFound, and Conflict while generations of it have not ended."""
    await tx.execute(_HOLD_ENDED, project_id)
    # Admissions that name the project hold its key; whoever comes after this finds it gone.
    name = await tx.fetchval("SELECT name FROM projects WHERE id = $1 FOR UPDATE", project_id)
    if name is None:
        raise NotFound(f"There is no project {project_id}.")
    held = await _holdings(tx, project_id)
    if held.unfinished:
        raise Conflict(
            f"{held.unfinished} of its generations have not ended yet: cancel them first, or archive the project.",
            unfinished=held.unfinished,
        )
    await tx.execute(_TRASH, project_id)
    await tx.execute(_LET_GO, project_id, name)
    await archive.let_go(tx, project_id, name)
    await tx.execute("DELETE FROM projects WHERE id = $1", project_id)
    return held


async def require_open(tx: Tx, project_id: UUID, *, field: str = "project_id") -> None:
    """Raises InvalidInput unless the account has this project and it takes something new. It cannot be deleted
    before the transaction ends."""
    if not await tx.fetchval(
        "SELECT true FROM projects WHERE id = $1 AND archived_at IS NULL FOR KEY SHARE", project_id
    ):
        raise closed(project_id, field)


def closed(project_id: UUID, field: str = "project_id") -> InvalidInput:
    """The refusal of something new for a project that is not there, or put away."""
    return InvalidInput(f"There is no project {project_id}, or it is archived.", field=field, status=422)


async def _holdings(tx: Tx, project_id: UUID) -> Holdings:
    tables = await archive.tables(tx)
    row = await tx.fetchrow(_HOLDINGS.format(generations=tables.generations), project_id)
    assert row is not None  # noqa: S101  # an aggregate has one row
    return Holdings(**dict(row))
