"""Whom an operator means by a word or two."""

from uuid import UUID

from shared.db import Tx
from shared.errors import InvalidInput

MOST_MEANT = 100

_PEOPLE = "SELECT * FROM auth.ops_people($1, $2)"


async def meant_by(tx: Tx, said: str, *, field: str = "account", whole: bool = False) -> list[UUID]:
    """The accounts with this id, e-mail address or name; if there is none, those in whose address or name it is, unless
    it has to be the `whole`. Case does not matter. Raises InvalidInput, which names the field."""
    try:
        return [UUID(said)]
    except ValueError:
        rows = await tx.fetch(_PEOPLE, said, MOST_MEANT + 1)
    if not rows:
        raise _unclear(f"Nobody here has {said!r} as their id, or in their e-mail address or name.", field)
    if whole and not rows[0]["whole"]:
        raise _unclear(
            f"{said!r} is only a part of whom it may mean: say a whole e-mail address or name.", field
        )
    if len(rows) > MOST_MEANT:
        raise _unclear(f"More than {MOST_MEANT} people are called {said!r}: say more of it.", field)
    return [row["id"] for row in rows]


def _unclear(message: str, field: str) -> InvalidInput:
    return InvalidInput(message, field=field, status=422)
