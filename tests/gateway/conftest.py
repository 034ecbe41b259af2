"""Fixtures of the gateway's tests: one served gateway per worker, and a fresh account per test."""

from collections.abc import AsyncIterator

import pytest

from shared.catalog import publish
from shared.settings import Settings
from tests.gateway.api import Api, Gateway, open_gateway
from tests.pipeline import ScriptedProvider


@pytest.fixture(scope="session")
async def served(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway for this worker."""
    async with open_gateway(settings.model_copy(update={"max_wait_s": 20})) as gateway:
        await gateway.deps.store.ensure_bucket()
        yield gateway


@pytest.fixture
async def api(served: Gateway) -> Api:
    """A client of a fresh account, with an admin key; the scripted provider's models are known."""
    await publish(served.worker, ScriptedProvider().cards)
    return await served.account()


@pytest.fixture
def nobody(api: Api) -> Api:
    """A client without a key."""
    return Api(api.gateway, api.account_id, None)
