"""`python -m shared.firstkey PATH`: a first account and an API key for it, so that a fresh install can be used.

Makes the account `local` if there is none, and writes an admin key of the oldest account to PATH (mode 0600)
unless PATH holds a key that works already.
"""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID

from shared.db import Database, Role, Tx
from shared.domains import accounts
from shared.domains.accounts import Scope
from shared.ids import new_id
from shared.settings import Settings

ACCOUNT_NAME = "local"
KEY_NAME = "first key"


async def ensure_first_key(settings: Settings, path: Path) -> bool:
    """True when a new key was written."""
    server_key = settings.secret_key.get_secret_value()
    db = await Database.open(settings.worker_url, Role.WORKER, max_size=1)
    try:
        if await accounts.authenticate(db, server_key, _read(path)) is not None:
            return False
        async with db.transaction() as tx:
            account_id = await _first_account(tx)
            text = await accounts.insert_key(tx, account_id, server_key, name=KEY_NAME, scopes=[Scope.ADMIN])
            _write(path, text)
    finally:
        await db.close()
    return True


async def _first_account(tx: Tx) -> UUID:
    # Two processes that start at once must not make two first accounts.
    await tx.execute("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE")
    found = await tx.fetchval("SELECT id FROM accounts ORDER BY created_at, id LIMIT 1")
    if found is not None:
        return UUID(str(found))
    account_id = new_id()
    await accounts.create_account(tx, account_id, ACCOUNT_NAME)
    return account_id


def _read(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""


def _write(path: Path, text: str) -> None:
    """Never readable by others, not even for a moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    fresh.replace(path)


if __name__ == "__main__":
    asyncio.run(ensure_first_key(Settings(), Path(sys.argv[1])))
