"""The first key of a fresh install."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.db import Database, Role
from shared.domains import accounts
from shared.domains.accounts import Scope
from shared.firstkey import ensure_first_key
from shared.settings import Settings
from tests.servers import TEMPLATE, RunServers


@pytest.fixture
async def fresh(servers: RunServers, settings: Settings, worker_id: str) -> AsyncIterator[Settings]:
    """Settings for a migrated database without accounts."""
    name = f"penstock_first_{worker_id}"
    await servers.create_database(name, TEMPLATE)
    urls = {
        key.lower(): url for key, url in servers.environment_for(name).items() if key.startswith("DATABASE_")
    }
    yield settings.model_copy(update=urls)
    await servers.drop_database(name)


async def test_a_fresh_install_gets_an_account_and_a_key(fresh: Settings, tmp_path: Path) -> None:
    path = tmp_path / "home" / "key"
    assert await ensure_first_key(fresh, path)
    text = path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    db = await Database.open(fresh.worker_url, Role.WORKER)
    try:
        found = await accounts.authenticate(db, fresh.secret_key.get_secret_value(), text)
        assert found is not None
        assert found.scopes == frozenset(Scope)
        assert await db.fetchval("SELECT name FROM accounts") == "local"
        assert not await ensure_first_key(fresh, path)
        assert path.read_text().strip() == text
        path.write_text("ps_live_nonsense\n")
        assert await ensure_first_key(fresh, path)
        assert await db.fetchval("SELECT count(*) FROM accounts") == 1
        assert await db.fetchval("SELECT count(*) FROM api_keys") == 2
    finally:
        await db.close()
