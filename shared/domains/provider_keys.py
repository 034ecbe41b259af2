"""Accounts' own keys for providers: bringing one along, using it, and letting it go.

A credential names a key wherever work is recorded: `platform` is the installation's own, `byok:<id>` an account's.
Of several active keys for one provider the newest serves. A key that served and is refused now keeps its provider
closed to the account until it is replaced or deleted: nobody is to pay by our budget without knowing.

A deleted key serves nothing new from then on. What was submitted with it must still be asked about and paid by it,
so it can be opened until all of that has ended; then it is destroyed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from shared.db import Database, Tx
from shared.errors import Conflict, NotFound
from shared.ids import parse_id
from shared.keychecks import KeyStatus
from shared.vault import Sealed

PLATFORM: Final = "platform"
MAX_KEYS: Final = 50
_OWN: Final = "byok:"
_SHOWN = """
id, provider, key_name, last_four, is_active, status, checked_at, last_used_at, created_at, updated_at
"""

_LIST = f"SELECT {_SHOWN} FROM user_api_keys WHERE deleted_at IS NULL ORDER BY created_at, id"  # noqa: S608
_COUNT = "SELECT count(*) FROM user_api_keys WHERE deleted_at IS NULL"
_ADD = f"""
INSERT INTO user_api_keys (id, user_id, provider, key_name, encrypted_key, encryption_iv, encryption_salt,
    master_key_id, last_four, is_active, status, checked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10 <> 'refused', $10, now())
ON CONFLICT (user_id, provider, key_name) DO NOTHING
RETURNING {_SHOWN}
"""  # noqa: S608  # constants only
_DELETE = """
UPDATE user_api_keys SET is_active = false, key_name = NULL, deleted_at = now(), updated_at = now()
WHERE id = $1 AND deleted_at IS NULL RETURNING id
"""
_READ = """
SELECT id, user_id, provider, encrypted_key, encryption_iv, encryption_salt, master_key_id, is_active, status,
    deleted_at IS NOT NULL AS deleted
FROM user_api_keys WHERE id = $1
"""
_USED = """
UPDATE user_api_keys SET last_used_at = now()
WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')
"""
_JUDGED = """
UPDATE user_api_keys SET status = $2, is_active = is_active AND $2 <> 'refused', checked_at = now(),
    updated_at = CASE WHEN status = $2 THEN updated_at ELSE now() END
WHERE id = $1
"""
# Work in flight takes its credential from its submission; some minutes let a step that was choosing write its own.
_DESTROY = """
DELETE FROM user_api_keys k
WHERE k.deleted_at < now() - $1::float8 * interval '1 second'
    AND NOT EXISTS (
        SELECT FROM generations g JOIN submissions s ON s.generation_id = g.id
        WHERE g.account_id = k.user_id AND g.wake_at IS NOT NULL AND s.credential = 'byok:' || k.id)
    AND NOT EXISTS (
        SELECT FROM submissions s WHERE s.check_at IS NOT NULL AND s.credential = 'byok:' || k.id)
RETURNING 'byok:' || k.id AS credential
"""
_FORGET = (
    "DELETE FROM provider_health WHERE credential = ANY ($1)",
    "DELETE FROM provider_limits WHERE credential = ANY ($1)",
    "DELETE FROM provider_calls WHERE credential = ANY ($1)",
)


@dataclass(frozen=True, slots=True)
class NewProviderKey:
    """A key on its way into the record."""

    id: UUID
    account_id: UUID
    provider: str
    name: str
    sealed: Sealed = field(repr=False)
    last_four: str
    status: KeyStatus


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as a worker reads it."""

    id: UUID
    account_id: UUID
    provider: str
    sealed: Sealed = field(repr=False)
    is_active: bool
    status: KeyStatus
    deleted: bool

    @property
    def bound_to(self) -> str:
        return bound_to(self.account_id, self.provider, self.id)


def credential_of(key_id: UUID) -> str:
    return f"{_OWN}{key_id}"


def key_id_of(credential: str) -> UUID | None:
    """The key that a credential names; None for the platform's."""
    return parse_id(credential.removeprefix(_OWN)) if credential.startswith(_OWN) else None


def billed_to(credential: str) -> str:
    """Whose account at the provider pays: `platform` or `byok`."""
    return "byok" if credential.startswith(_OWN) else "platform"


def payer_of(credential: str) -> str:
    """Who pays, as the ledger has it."""
    return "byok" if credential.startswith(_OWN) else "account"


def bound_to(account_id: UUID, provider: str, key_id: UUID) -> str:
    """What a key's record is authenticated with."""
    return f"{account_id}|{provider}|{key_id}"


def last_four(key: str) -> str:
    """The end of a key for its owner to know it by; of a short one, nothing."""
    return key[-4:] if len(key) >= 16 else ""


async def listed(tx: Tx) -> list[Mapping[str, Any]]:
    """The account's keys, oldest first, without what they are encrypted to."""
    return list(await tx.fetch(_LIST))


async def add(tx: Tx, new: NewProviderKey) -> Mapping[str, Any]:
    """Raises Conflict when the account has a key of this name for this provider, or too many."""
    if await tx.fetchval(_COUNT) >= MAX_KEYS:
        raise Conflict(f"An account keeps up to {MAX_KEYS} keys for providers; delete one first.")
    sealed = new.sealed
    row: Mapping[str, Any] | None = await tx.fetchrow(
        _ADD, new.id, new.account_id, new.provider, new.name, sealed.encrypted_key, sealed.encryption_iv,
        sealed.encryption_salt, sealed.master_key_id, new.last_four, new.status.value,
    )  # fmt: skip
    if row is None:
        raise Conflict(
            f"You have a key {new.name!r} for {new.provider} already; delete it or choose another name.",
            field="key_name",
        )
    return row


async def delete(tx: Tx, key_id: UUID) -> None:
    """Raises NotFound."""
    if await tx.fetchval(_DELETE, key_id) is None:
        raise NotFound(f"There is no key {key_id}.")


# What workers do, on their own role's pool.


async def read(db: Database, key_id: UUID) -> StoredKey | None:
    row = await db.fetchrow(_READ, key_id)
    if row is None:
        return None
    sealed = Sealed(row["encrypted_key"], row["encryption_iv"], row["encryption_salt"], row["master_key_id"])
    return StoredKey(
        row["id"], row["user_id"], row["provider"], sealed, row["is_active"], KeyStatus(row["status"]),
        row["deleted"],
    )  # fmt: skip


async def record_use(db: Database, key_id: UUID) -> None:
    """Written at most once a minute."""
    await db.execute(_USED, key_id)


async def record_status(db: Database, key_id: UUID, status: KeyStatus) -> None:
    """What the provider says of it now; a refused one serves no more."""
    await db.execute(_JUDGED, key_id, status.value)


async def destroy_unneeded(tx: Tx, after_s: float) -> int:
    """Destroys deleted keys that nothing depends on any more, and what is known of them; returns how many."""
    rows = await tx.fetch(_DESTROY, after_s)
    gone = [row["credential"] for row in rows]
    if gone:
        for sql in _FORGET:
            await tx.execute(sql, gone)
    return len(gone)
