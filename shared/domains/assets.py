"""The library of assets: every delivered file becomes one, uploads do on request.

Deleting sends an asset to the trash, from which it can be taken back for thirty days; `shared.domains.retention`
removes what stayed there longer, with its bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.db import Tx
from shared.domains.projects import require_open
from shared.errors import Conflict, InvalidInput, NotFound
from shared.ids import new_id

Row = Mapping[str, Any]

TRASH_DAYS = 30
MAX_TAGS = 50
MAX_BULK = 1000

# Behind the CTEs `o`, rows of `outputs` as the transaction of a completion inserts them, and `ids`, which gives each
# its asset's id. A project that is gone by then is none. Generations are looked up one by one, by their key: a plan
# that was made while there were few must not read all of them later.
FROM_OUTPUTS = """
INSERT INTO assets (id, user_id, project_id, type, kind, name, file_url, thumbnail_url, file_size_bytes, file_format,
    mime, sha256, width, height, duration_seconds, generation_id, output_n, model, provider, provider_model, prompt,
    excerpt, seed)
SELECT i.asset_id, o.account_id, p.id,
    CASE split_part(o.mime, '/', 1) WHEN 'image' THEN 'image' WHEN 'video' THEN 'video' WHEN 'audio' THEN 'audio'
        ELSE 'text' END,
    g.kind, nullif(btrim(translate(left(w.prompt, 120), E'\\n\\r\\t', '   ')), ''), o.key,
    coalesce(o.thumbnail_key, o.poster_key), o.bytes, left(split_part(o.key, '.', -1), 50), o.mime, o.sha256,
    o.width, o.height, o.duration_s::numeric, o.generation_id, o.n, g.model, g.provider, g.provider_model,
    left(w.prompt, 4000), left(o.text, 4000),
    CASE WHEN jsonb_typeof(s.seed) = 'number' THEN s.seed::bigint END
FROM o JOIN ids i ON i.generation_id = o.generation_id AND i.n = o.n
    CROSS JOIN LATERAL (SELECT x.* FROM generations x WHERE x.id = o.generation_id LIMIT 1) g
    LEFT JOIN LATERAL (SELECT x.id FROM projects x WHERE x.id = g.project_id LIMIT 1) p ON true,
    LATERAL (SELECT coalesce(g.input ->> 'prompt', g.input ->> 'text') AS prompt) w,
    LATERAL (SELECT coalesce(o.details -> 'seed', g.input -> 'seed') AS seed) s
"""

_FROM_UPLOAD = """
INSERT INTO assets (id, user_id, project_id, type, kind, name, description, file_url, thumbnail_url,
    file_size_bytes, file_format, mime, sha256, width, height, duration_seconds, upload_id, metadata, tags)
SELECT $1, u.account_id, $3, split_part(u.mime, '/', 1), split_part(u.mime, '/', 1), coalesce($4, u.filename), $5,
    u.key, coalesce(u.thumbnail_key, u.poster_key), u.bytes, split_part(u.key, '.', -1), u.mime, u.sha256, u.width,
    u.height, u.duration_s::numeric, u.id, $6, $7
FROM uploads u WHERE u.id = $2
ON CONFLICT (upload_id) WHERE upload_id IS NOT NULL DO NOTHING RETURNING id
"""

_COLUMNS = """
    a.id, a.user_id, a.project_id, a.type, a.kind, a.name, a.description, a.file_url, a.thumbnail_url,
    a.file_size_bytes, a.file_format, a.mime, a.sha256, a.width, a.height, a.duration_seconds::float8,
    a.generation_id, a.output_n, a.upload_id, a.model, a.provider, a.provider_model, a.prompt, a.excerpt, a.seed,
    a.metadata, a.tags, a.favorite, a.rating, a.archived_at, a.published_at, a.deleted_at, a.created_at, a.updated_at
"""
_MANY = f"SELECT {_COLUMNS} FROM assets a WHERE a.id = ANY ($1)"  # noqa: S608  # constants only
# The search sees more than the caller may; what it finds is read under row-level security.
_PAGE = f"""
SELECT {_COLUMNS} FROM auth.find_assets($1, $2) WITH ORDINALITY AS f (id, place) JOIN assets a ON a.id = f.id
ORDER BY f.place
"""  # noqa: S608  # constants only

CHANGEABLE = frozenset(
    {"name", "description", "project_id", "metadata", "tags", "favorite", "rating"}
)  # fmt: skip


class Sort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    RATING = "rating"


class Action(StrEnum):
    """What can be done with many assets at once."""

    TAG = "tag"
    UNTAG = "untag"
    FAVORITE = "favorite"
    UNFAVORITE = "unfavorite"
    ARCHIVE = "archive"
    UNARCHIVE = "unarchive"
    MOVE = "move"
    DELETE = "delete"
    RESTORE = "restore"


_SET = {
    Action.TAG: "tags = ARRAY(SELECT DISTINCT unnest(tags || $2::text[]) ORDER BY 1)",
    Action.UNTAG: "tags = ARRAY(SELECT t FROM unnest(tags) AS t WHERE t <> ALL ($2::text[]))",
    Action.FAVORITE: "favorite = true",
    Action.UNFAVORITE: "favorite = false",
    Action.ARCHIVE: "archived_at = coalesce(archived_at, now())",
    Action.UNARCHIVE: "archived_at = NULL",
    Action.MOVE: "project_id = $2::uuid",
    Action.DELETE: "deleted_at = now()",
    Action.RESTORE: "deleted_at = NULL, restored_at = now()",
}
_TAKES_VALUE = frozenset({Action.TAG, Action.UNTAG, Action.MOVE})
_KEPT = "deleted_at IS NULL"
_IN_TRASH = f"deleted_at > now() - interval '{TRASH_DAYS} days'"


@dataclass(frozen=True, slots=True)
class Search:
    """Which assets a page shows; None leaves a condition out. `q` is words, of which each must begin one of the
    asset's; `"a phrase"` and `-without` are understood. `tags` must all be there."""

    q: str | None = None
    types: Sequence[str] | None = None
    kind: str | None = None
    project: UUID | None = None
    loose: bool = False
    """Only what is in no project."""
    favorite: bool | None = None
    tags: Sequence[str] | None = None
    model: str | None = None
    provider: str | None = None
    generation: UUID | None = None
    seed: int | None = None
    rating: int | None = None
    """At least so many stars."""
    archived: bool | None = False
    deleted: bool = False
    created_after: datetime | None = None
    created_before: datetime | None = None
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True, slots=True)
class Place:
    """The last asset of the page before."""

    id: UUID
    rating: int


def tidy_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are kept: lower case, single spaces, each once, in order.

    >>> tidy_tags(["Hero  Shot", "fog", "hero shot"])
    ['fog', 'hero shot']
    """
    return sorted({" ".join(tag.lower().split()) for tag in tags} - {""})


async def page(tx: Tx, where: Search, after: Place | None, limit: int) -> list[Row]:
    """The assets that a search finds, behind the place `after`."""
    return list(await tx.fetch(_PAGE, _asked(where, after), limit))


def _asked(where: Search, after: Place | None) -> dict[str, Any]:
    """The search as `auth.find_assets` reads it: only what is asked for."""
    asked: dict[str, Any] = {
        "q": where.q,
        "types": where.types,
        "kind": where.kind,
        "project": where.project and str(where.project),
        "loose": where.loose or None,
        "favorite": where.favorite,
        "tags": tidy_tags(where.tags) if where.tags else None,
        "model": where.model,
        "provider": where.provider,
        "generation": where.generation and str(where.generation),
        "seed": where.seed,
        "rating": where.rating,
        "archived": None if where.deleted else where.archived,
        "deleted": where.deleted or None,
        "created_after": where.created_after,
        "created_before": where.created_before,
        "sort": where.sort.value,
        "after": after and str(after.id),
        "after_rating": after and after.rating,
    }
    return {name: value for name, value in asked.items() if value is not None}


async def get(tx: Tx, asset_id: UUID, *, deleted: bool = False) -> Row:
    """Raises NotFound, also for assets of other accounts, and unless `deleted` for those in the trash."""
    row: Row | None = await tx.fetchrow(_MANY, [asset_id])
    if row is None or (row["deleted_at"] is not None and not deleted):
        raise NotFound(f"There is no asset {asset_id}.")
    return row


async def get_many(tx: Tx, asset_ids: Sequence[UUID]) -> list[Row]:
    """Those of the assets that the account has outside of the trash, in the order that was asked for."""
    found = {row["id"]: row for row in await tx.fetch(f"{_MANY} AND a.{_KEPT}", list(asset_ids))}
    return [found[asset_id] for asset_id in dict.fromkeys(asset_ids) if asset_id in found]


async def add_upload(tx: Tx, upload_id: UUID, fields: Mapping[str, Any]) -> tuple[Row, bool]:
    """The upload as an asset, and whether it is new. Raises InvalidInput (field `upload_id` or `project_id`), and
    Conflict when the asset is in the trash."""
    state = await tx.fetchval("SELECT state FROM uploads WHERE id = $1", upload_id)
    if state != "ready":
        why = "That upload is not complete." if state else "There is no such upload."
        raise InvalidInput(why, field="upload_id", status=422)
    if fields.get("project_id") is not None:
        await require_open(tx, fields["project_id"])
    made = await tx.fetchval(
        _FROM_UPLOAD, new_id(), upload_id, fields.get("project_id"), fields.get("name"), fields.get("description"),
        fields.get("metadata", {}), fields.get("tags", []),
    )  # fmt: skip
    asset_id = made or await tx.fetchval("SELECT id FROM assets WHERE upload_id = $1", upload_id)
    row = await get(tx, asset_id, deleted=True)
    if row["deleted_at"] is not None:
        raise Conflict("The asset of this upload is in the trash: restore it.", asset_id=str(asset_id))
    return row, made is not None


async def update(
    tx: Tx, asset_id: UUID, changes: Mapping[str, Any], *, archived: bool | None = None, published: bool | None = None
) -> Row:  # fmt: skip
    """Sets the columns that `changes` names, all of them of CHANGEABLE. Raises NotFound, InvalidInput."""
    if unknown := changes.keys() - CHANGEABLE:
        raise ValueError(f"an asset's {unknown.pop()} cannot be set")
    await get(tx, asset_id)
    if changes.get("project_id") is not None:
        await require_open(tx, changes["project_id"])
    columns = [f"{name} = ${n}" for n, name in enumerate(changes, start=2)]
    for name, wanted in (("archived_at", archived), ("published_at", published)):
        if wanted is not None:
            columns.append(f"{name} = coalesce({name}, now())" if wanted else f"{name} = NULL")
    if columns:
        await tx.execute(
            f"UPDATE assets SET {', '.join(columns)}, updated_at = now() WHERE id = $1 AND {_KEPT}",  # noqa: S608  # names from CHANGEABLE
            asset_id,
            *changes.values(),
        )
    return await get(tx, asset_id)


async def update_of_generation(tx: Tx, generation_id: UUID, changes: Mapping[str, Any]) -> list[UUID]:
    """Sets these columns, of CHANGEABLE, of all that a generation made and that is not in the trash; returns their ids.
    Raises InvalidInput."""
    if unknown := changes.keys() - CHANGEABLE:
        raise ValueError(f"an asset's {unknown.pop()} cannot be set")
    if changes.get("project_id") is not None:
        await require_open(tx, changes["project_id"])
    columns = "".join(f"{name} = ${n}, " for n, name in enumerate(changes, start=2))
    rows = await tx.fetch(
        f"UPDATE assets SET {columns}updated_at = now() WHERE generation_id = $1 AND {_KEPT} RETURNING id",  # noqa: S608  # names from CHANGEABLE
        generation_id,
        *changes.values(),
    )
    return [row["id"] for row in rows]


async def act(tx: Tx, asset_ids: Sequence[UUID], action: Action, value: Any = None) -> list[UUID]:
    """Does it to those of the assets that the account has, and returns their ids. `value` is the tags of TAG and
    UNTAG, the project of MOVE (None takes them out of theirs). Raises InvalidInput."""
    if action is Action.MOVE and value is not None:
        await require_open(tx, value)
    scope = _IN_TRASH if action is Action.RESTORE else _KEPT
    done = await tx.fetch(
        f"UPDATE assets SET {_SET[action]}, updated_at = now() WHERE id = ANY ($1) AND {scope}"  # noqa: S608  # constants only
        " RETURNING id, cardinality(tags) AS tags",
        list(asset_ids),
        *([value] if action in _TAKES_VALUE else []),
    )
    if action is Action.TAG and any(row["tags"] > MAX_TAGS for row in done):
        raise InvalidInput(f"An asset has at most {MAX_TAGS} tags.", field="tags", status=422)
    return [row["id"] for row in done]


async def delete(tx: Tx, asset_id: UUID) -> None:
    """Sends it to the trash. Raises NotFound."""
    if not await act(tx, [asset_id], Action.DELETE):
        raise NotFound(f"There is no asset {asset_id}.")


async def restore(tx: Tx, asset_id: UUID) -> Row:
    """Takes it back from the trash; repeating it is harmless. Raises NotFound once it is gone."""
    await act(tx, [asset_id], Action.RESTORE)
    return await get(tx, asset_id)


async def trash_of_generations(tx: Tx, generation_ids: Sequence[UUID]) -> None:
    """Sends the outputs of generations to the trash."""
    await tx.execute(
        f"UPDATE assets SET deleted_at = now(), updated_at = now() WHERE generation_id = ANY ($1) AND {_KEPT}",  # noqa: S608  # constants only
        generation_ids,
    )


async def take_back_of_generation(tx: Tx, generation_id: UUID, deleted_at: datetime) -> None:
    """Takes back those of its outputs that went into the trash at that moment, which is when it was deleted itself."""
    await tx.execute(
        "UPDATE assets SET deleted_at = NULL, restored_at = now(), updated_at = now()"
        " WHERE generation_id = $1 AND deleted_at = $2",
        generation_id,
        deleted_at,
    )
