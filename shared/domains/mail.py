"""Mail on its way: written with what it tells of, sent by whoever claims it, given up after about two days."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from shared.db import Database, Tx

RETRY_S: Final = (60.0, 300.0, 1800.0, 7200.0, 21_600.0, 43_200.0, 86_400.0)
"""How long after each attempt that failed the next one is due."""

# A claim holds the mail for `$2` seconds: what is not settled by then, because its process died, is due again. The
# address is the user's at the moment of sending.
_CLAIM = """
WITH due AS (
    SELECT id FROM emails WHERE next_at <= now() ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED
), e AS (
    UPDATE emails e SET next_at = now() + $2::float8 * interval '1 second', tries = e.tries + 1
    FROM due WHERE e.id = due.id RETURNING e.*
)
SELECT e.id, e.subject, e.body, e.tries, u.email FROM e LEFT JOIN users u ON u.id = e.account_id
"""
_SENT = "UPDATE emails SET sent_at = now(), next_at = NULL, error = NULL WHERE id = $1 AND tries = $2"
_FAILED = """
UPDATE emails SET next_at = now() + $3::float8 * interval '1 second', error = $4 WHERE id = $1 AND tries = $2
"""
_PRUNE = "DELETE FROM emails WHERE created_at < now() - $1::int * interval '1 day'"


@dataclass(frozen=True, slots=True)
class Mail:
    """A claimed message. `address` is None when its user is gone; `tries` counts this attempt too."""

    id: UUID
    address: str | None
    subject: str
    body: str
    tries: int


async def claim(db: Database, *, limit: int, hold_s: float) -> list[Mail]:
    """Mail that is due, for `hold_s` nobody else's."""
    rows = await db.fetch(_CLAIM, limit, hold_s)
    return [Mail(row["id"], row["email"], row["subject"], row["body"], row["tries"]) for row in rows]


async def sent(db: Database, mail: Mail) -> None:
    await db.execute(_SENT, mail.id, mail.tries)


async def failed(db: Database, mail: Mail, error: str, *, for_good: bool = False) -> None:
    """To be tried again later, unless it is refused for good or has been tried often enough."""
    again = not for_good and mail.tries <= len(RETRY_S)
    await db.execute(_FAILED, mail.id, mail.tries, RETRY_S[mail.tries - 1] if again else None, error[:500])


async def prune(tx: Tx, days: int) -> None:
    """Drops what is older than this, sent or not."""
    await tx.execute(_PRUNE, days)
