"""Seals accounts' provider keys anew under the current master key.

1. Give every process the new key as ENCRYPTION_MASTER_KEY and the old one in ENCRYPTION_MASTER_KEYS_BEFORE, and start
   them again: what is new is sealed by the new key, and both open.
2. Run `penstock keys rotate-master` with the same settings. It may be ended and run again at any time: each key is
   sealed anew in a statement of its own.
3. When it says that nothing is left, take the old key out of the settings.
"""

from dataclasses import dataclass
from uuid import UUID

from shared.db import Database, Role
from shared.domains.provider_keys import StoredKey, read
from shared.settings import Settings
from shared.vault import NoMasterKey, NotOpened, Vault

_BATCH = 50
_LEFT = """
SELECT id FROM user_api_keys WHERE master_key_id <> $1 AND NOT id = ANY ($2::uuid[]) ORDER BY id LIMIT $3
"""
# Whoever sealed it meanwhile was as good.
_SEAL = """
UPDATE user_api_keys SET encrypted_key = $3, encryption_iv = $4, encryption_salt = $5, master_key_id = $6,
    updated_at = now()
WHERE id = $1 AND encrypted_key = $2
"""


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many keys were sealed anew, and how many could not be opened."""

    done: int
    failed: int


async def rotate(db: Database, vault: Vault) -> Rotation:
    """On the worker role's pool. Raises NoMasterKey without a current key."""
    done = 0
    failed: list[UUID] = []
    while ids := [row["id"] for row in await db.fetch(_LEFT, vault.key_id, failed, _BATCH)]:
        for key_id in ids:
            key = await read(db, key_id)
            if key is None:
                continue
            try:
                await _seal_anew(db, vault, key)
                done += 1
            except (NoMasterKey, NotOpened):
                failed.append(key_id)
    return Rotation(done, len(failed))


async def _seal_anew(db: Database, vault: Vault, key: StoredKey) -> None:
    plain = await vault.open(key.sealed, key.bound_to)
    new = await vault.seal(plain, key.bound_to)
    await db.execute(
        _SEAL, key.id, key.sealed.encrypted_key, new.encrypted_key, new.encryption_iv, new.encryption_salt,
        new.master_key_id,
    )  # fmt: skip


async def rotate_all(settings: Settings) -> Rotation:
    """With the keys and the database that the settings name. Raises NoMasterKey without a current key, and
    CONNECTION_ERRORS."""
    vault = Vault.of(settings)
    if not vault.is_ready:
        raise NoMasterKey
    db = await Database.open(settings.worker_url, Role.WORKER, max_size=1)
    try:
        return await rotate(db, vault)
    finally:
        await db.close()
