"""Reading generations: one, many, their outputs, events and submissions. Nothing here changes a row."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.batch import Batcher
from shared.db import Database, Tx
from shared.domains import archive
from shared.domains.archive import ALL, HOT, Tables

_COLUMNS = """
    id, account_id, kind, model, input, files, routes, prefer, state, stage, seq, priority, attempts, progress,
    provider_queue_position, cancel_requested_at, waiting_for, wake_at, owner, rung, start_deadline_at, deadline_at,
    provider, provider_model, decision, price_id, estimate_nanos, reserved_nanos, cost_nanos, cost_status, billed_to,
    error, warnings, details, webhook, moderation, project_id, parent_id, group_id, created_at, updated_at, started_at,
    completed_at, deleted_at
"""

_GET = f"SELECT {_COLUMNS} FROM {{generations}} WHERE id = ANY ($1) AND deleted_at IS NULL"  # noqa: S608  # constants
_OUTPUTS = """
SELECT o.*, ARRAY(
    SELECT s.usage FROM {submissions} s WHERE s.generation_id = o.generation_id AND s.usage IS NOT NULL
) AS usages, a.id AS asset_id, a.favorite, a.rating, a.tags, a.updated_at AS asset_changed_at
FROM outputs o LEFT JOIN assets a ON a.generation_id = o.generation_id AND a.output_n = o.n AND a.deleted_at IS NULL
WHERE o.generation_id = ANY ($1) ORDER BY o.generation_id, o.n
"""
_EVENTS = """
SELECT generation_id, seq, account_id, type, data, created_at FROM {events}
WHERE generation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3
"""
_SUBMISSIONS = "SELECT * FROM {submissions} WHERE generation_id = $1 ORDER BY n"

# Place in the kind's queue as fair order would serve it: everything of this account before it, and as much
# of every other account.
_QUEUE_POSITION = """
SELECT count(*)::int FROM generations
WHERE kind = $1 AND state = 'queued' AND account_id = $2 AND (priority > $3 OR (priority = $3 AND id < $4))
"""

_MARKED = (
    "EXISTS (SELECT FROM assets a WHERE a.generation_id = generations.id AND a.deleted_at IS NULL AND {})"
)
# The names that people know a model by: as it was asked for, as its provider calls it, and the label of what it ran on
# or goes to. Cards are few, so their labels are looked through once per search.
_MODEL = """(model ILIKE {0} OR provider_model ILIKE {0} OR CASE WHEN provider_model IS NULL
    THEN routes -> 0 ->> 'card' IN (SELECT c.id FROM model_cards c WHERE c.label ILIKE {0})
    ELSE (provider, provider_model) IN (SELECT c.provider, c.model FROM model_cards c WHERE c.label ILIKE {0}) END)"""
_PROMPT = """(coalesce(input ->> 'prompt', input ->> 'text') ILIKE {0} OR input ? 'messages' AND EXISTS (
    SELECT FROM jsonb_path_query(input, '$.messages[*]') AS said WHERE said ->> 'content' ILIKE {0}))"""
_FAVORITE = f"{_MARKED.format('a.favorite')} = {{}}"
_SEED = """(input ->> 'seed' = {0} OR EXISTS (SELECT FROM outputs o
    WHERE o.generation_id = generations.id AND o.details ->> 'seed' = {0}))"""
_SIZE = """(input ->> 'size' = {0} OR EXISTS (SELECT FROM outputs o
    WHERE o.generation_id = generations.id AND o.width || 'x' || o.height = {0}))"""

STATES_OF_STATUS = {
    "queued": ["queued"],
    "running": ["submitting", "waiting", "storing"],
    "completed": ["completed"],
    "failed": ["failed"],
    "canceled": ["canceled"],
    "expired": ["expired"],
}


@dataclass(frozen=True, slots=True)
class PageFilter:
    """Which generations a list shows; None leaves a condition out. `q` searches what was said: prompt, text, messages;
    `words` also the names of the model. `model` is as it was asked for, `model_part` a part of any of its names. What
    generations are marked with is their assets' mark, and one is enough."""

    kinds: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    model: str | None = None
    model_part: str | None = None
    project_id: UUID | None = None
    parent_id: UUID | None = None
    group_id: UUID | None = None
    q: str | None = None
    words: str | None = None
    ids: Sequence[UUID] | None = None
    provider: str | None = None
    seed: int | None = None
    size: str | None = None
    favorite: bool | None = None
    tag: str | None = None
    rating: int | None = None
    """At least so many stars."""
    created_after: datetime | None = None
    created_before: datetime | None = None

    @property
    def is_empty(self) -> bool:
        return self == PageFilter()


class Reader:
    """Reads of single generations, batched: polls of one account that arrive together are one query."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rows: Batcher[UUID, UUID, Mapping[str, Any] | None] = Batcher(self._read_all)

    async def get(self, account_id: UUID, generation_id: UUID) -> Mapping[str, Any] | None:
        """The row with its `outputs` (a list of rows), or None when the account has no such generation."""
        return await self._rows(account_id, generation_id)

    async def _read_all(
        self, account_id: UUID, ids: list[UUID]
    ) -> Sequence[Mapping[str, Any] | BaseException | None]:
        async with self._db.transaction(account_id) as tx:
            found = await get_many(tx, list(set(ids)))
        return [found.get(generation_id) for generation_id in ids]


async def get_many(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Rows with their `outputs`, by id."""
    rows = await _get_from(tx, HOT, ids)
    if missing := [generation_id for generation_id in ids if generation_id not in rows]:
        rows |= await _get_from(tx, ALL, missing)
    return rows


async def _get_from(tx: Tx, tables: Tables, ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    found = await tx.fetch(_GET.format(generations=tables.generations), list(ids))
    rows = {row["id"]: dict(row) for row in found}
    finished = [row["id"] for row in rows.values() if row["state"] == "completed"]
    files = await outputs(tx, finished, tables) if finished else {}
    for generation_id, row in rows.items():
        row["outputs"] = files.get(generation_id, [])
    return rows


async def get(tx: Tx, generation_id: UUID) -> dict[str, Any] | None:
    """The row with its `outputs`, or None."""
    return (await get_many(tx, [generation_id])).get(generation_id)


async def outputs(tx: Tx, ids: Sequence[UUID], tables: Tables = HOT) -> dict[UUID, list[dict[str, Any]]]:
    """Output rows by generation, in order, each with the `usages` of the submissions, which are in `tables`, and what
    its asset is marked with, unless that is in the trash."""
    grouped: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in await tx.fetch(_OUTPUTS.format(submissions=tables.submissions), list(ids)):
        grouped[row["generation_id"]].append(dict(row))
    return dict(grouped)


async def events_since(tx: Tx, generation_id: UUID, seq: int, limit: int = 1000) -> list[Mapping[str, Any]]:
    """Events after `seq`, oldest first. A gap right after `seq` means that older ones were pruned."""
    args = (generation_id, seq, limit)
    return list(
        await tx.fetch(_EVENTS.format(events=HOT.events), *args)
        or await tx.fetch(_EVENTS.format(events=ALL.events), *args)
    )


async def submissions(tx: Tx, generation_id: UUID) -> list[Mapping[str, Any]]:
    """All paid calls of a generation, in order."""
    return list(
        await tx.fetch(_SUBMISSIONS.format(submissions=HOT.submissions), generation_id)
        or await tx.fetch(_SUBMISSIONS.format(submissions=ALL.submissions), generation_id)
    )


async def queue_position(tx: Tx, row: Mapping[str, Any]) -> int | None:
    """How many of the account's own generations go first, or None when it does not queue."""
    if row["state"] != "queued":
        return None
    position = await tx.fetchval(_QUEUE_POSITION, row["kind"], row["account_id"], row["priority"], row["id"])
    return int(position)


async def page(tx: Tx, where: PageFilter, after: UUID | None, limit: int) -> list[dict[str, Any]]:
    """Newest first, rows with their outputs, starting behind the id `after`."""
    ids = await _ids(tx, where, after, limit)
    rows = await get_many(tx, ids)
    return [rows[generation_id] for generation_id in ids if generation_id in rows]


async def matching_ids(tx: Tx, where: PageFilter, limit: int) -> list[UUID]:
    """The ids that a filter matches, newest first, for bulk actions."""
    return await _ids(tx, where, None, limit)


async def _ids(tx: Tx, where: PageFilter, after: UUID | None, limit: int) -> list[UUID]:
    """Of the hot table, unless the page ends before it is full or among what is archived: then of both."""
    conditions, args = _conditions(where)
    if after is not None:
        args.append(after)
        conditions.append(f"id < ${len(args)}")
    args.append(limit)
    sql = f"""
        SELECT id, {archive.NEWEST} AS archived_to FROM {{generations}} AS generations
        WHERE {" AND ".join(conditions)} ORDER BY id DESC LIMIT ${len(args)}
    """  # noqa: S608  # parameters only
    rows = await tx.fetch(sql.format(generations=HOT.generations), *args)
    archived_to = rows[-1]["archived_to"] if rows else await tx.fetchval(f"SELECT {archive.NEWEST}")
    if archived_to is not None and (len(rows) < limit or rows[-1]["id"] < archived_to):
        rows = await tx.fetch(sql.format(generations=ALL.generations), *args)
    return [row["id"] for row in rows]


def _conditions(where: PageFilter) -> tuple[list[str], list[Any]]:
    """SQL conditions with numbered parameters, and their values."""
    states = [state for status in where.statuses or () for state in STATES_OF_STATUS[status]]
    candidates: list[tuple[str, Any]] = [
        ("kind = ANY ({})", list(where.kinds) if where.kinds is not None else None),
        ("state = ANY ({})", states if where.statuses is not None else None),
        ("model = {}", where.model),
        (_MODEL, _anywhere(where.model_part)),
        ("project_id = {}", where.project_id),
        ("parent_id = {}", where.parent_id),
        ("group_id = {}", where.group_id),
        (_PROMPT, _anywhere(where.q)),
        (f"({_PROMPT} OR {_MODEL})", _anywhere(where.words)),
        ("id = ANY ({})", list(where.ids) if where.ids is not None else None),
        ("provider = {}", where.provider),
        (_SEED, None if where.seed is None else str(where.seed)),
        (_SIZE, where.size),
        (_FAVORITE, where.favorite),
        (_MARKED.format("a.tags @> ARRAY[{}::text]"), None if where.tag is None else where.tag.lower()),
        (_MARKED.format("a.rating >= {}"), where.rating),
        ("created_at >= {}", where.created_after),
        ("created_at < {}", where.created_before),
    ]
    given = [(template, value) for template, value in candidates if value is not None]
    conditions = [template.format(f"${n}") for n, (template, _) in enumerate(given, start=1)]
    return ["deleted_at IS NULL", *conditions], [value for _, value in given]


def _anywhere(text: str | None) -> str | None:
    """The pattern of what has the text somewhere in it."""
    if not text:
        return None
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
