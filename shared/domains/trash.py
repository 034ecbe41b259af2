"""Deletion of generations and its undo: they are hidden, and their assets go into the trash with them."""

from collections.abc import Sequence
from uuid import UUID

from shared.db import Tx
from shared.domains import archive, assets
from shared.domains.changes import LOCK
from shared.domains.states import TERMINAL

_HIDE = "UPDATE generations SET deleted_at = now(), updated_at = now() WHERE id = ANY ($1)"

_RESTORE = f"""
UPDATE generations g SET deleted_at = NULL, updated_at = now()
FROM (SELECT id, deleted_at FROM generations
    WHERE id = $1 AND deleted_at > now() - interval '{assets.TRASH_DAYS} days' FOR UPDATE) o
WHERE g.id = o.id RETURNING o.deleted_at
"""  # noqa: S608  # constants only
_IS_SHOWN = f"""
SELECT EXISTS (SELECT FROM {archive.ALL.generations} WHERE id = $1 AND deleted_at IS NULL)
"""  # noqa: S608  # constants only


async def soft_delete(tx: Tx, generation_id: UUID) -> bool | None:
    """Hides a finished generation, its assets in the trash. False while it is unfinished, None when there is none."""
    row = await tx.fetchrow(LOCK, generation_id)
    if row is None:
        if not await archive.hide(tx, generation_id):
            return None
    elif row["deleted_at"] is not None:
        return None
    elif row["state"] not in TERMINAL:
        return False
    else:
        await tx.execute(_HIDE, [generation_id])
    await assets.trash_of_generations(tx, [generation_id])
    return True


async def hide_ended(tx: Tx, ids: Sequence[UUID]) -> None:
    """Hides finished generations of the transaction's account, which has locked them, their assets in the trash."""
    await tx.execute(_HIDE, list(ids))
    await assets.trash_of_generations(tx, list(ids))


async def restore(tx: Tx, generation_id: UUID) -> bool:
    """Shows a deleted generation again, with the assets that went into the trash with it; repeating it is harmless.
    False when there is none, or no longer."""
    deleted_at = await tx.fetchval(_RESTORE, generation_id)
    if deleted_at is None:
        deleted_at = await archive.restore(tx, generation_id, assets.TRASH_DAYS)
    if deleted_at is None:
        return bool(await tx.fetchval(_IS_SHOWN, generation_id))
    await assets.take_back_of_generation(tx, generation_id, deleted_at)
    return True
