"""Fixtures of the live tests."""

from collections.abc import AsyncIterator

import pytest

from shared.db import Database, Role
from shared.settings import Settings
from tests.gateway.live.scene import Gateway, Studio


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.open(settings.worker_url, Role.WORKER, max_size=4)
    yield db
    await db.close()


@pytest.fixture
async def app_db(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.open(settings.database_url, Role.APP, max_size=4)
    yield db
    await db.close()


@pytest.fixture
async def gateway(settings: Settings, app_db: Database, worker: Database) -> AsyncIterator[Gateway]:
    made = await Gateway(settings, app_db, worker).start()
    yield made
    await made.stop()


@pytest.fixture
def studio(gateway: Gateway) -> Studio:
    return gateway.studio
