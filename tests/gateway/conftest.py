"""Fixtures of the gateway's tests: one served gateway per worker, and a fresh account per test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.routes import health
from shared.catalog import publish
from shared.settings import Settings
from tests.gateway.api import Api, Gateway, Painter, open_gateway
from tests.gateway.people import Person
from tests.pipeline import Pipeline, ScriptedProvider


@pytest.fixture(scope="session", autouse=True)
def _patient_checks() -> Iterator[None]:
    """A machine that is busy with other things is no store that does not answer."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(health, "CHECK_TIMEOUT_S", 60.0)
        yield


@pytest.fixture(scope="session")
async def served(settings: Settings) -> AsyncIterator[Gateway]:
    """A gateway for this worker."""
    changes = {"max_wait_s": 20, "allowed_origins": ("https://app.example",), "max_upload_bytes": 1 << 20,
               "login_attempts_per_address": 1_000_000}  # fmt: skip
    async with open_gateway(settings.model_copy(update=changes)) as gateway:
        await gateway.deps.store.ensure_bucket()
        yield gateway


@pytest.fixture
async def api(served: Gateway) -> AsyncIterator[Api]:
    """A client of a fresh account, with an admin key; the scripted provider's models are known."""
    await publish(served.worker, ScriptedProvider().cards)
    client = await served.account()
    yield client
    await served.worker.execute("DELETE FROM generations")


@pytest.fixture
async def other(api: Api) -> Api:
    """A client of another account."""
    return await api.gateway.account()


@pytest.fixture
async def ada(api: Api) -> Person:
    """A person who has signed up, and is not the installation's first."""
    await Person.sign_up(api.gateway)
    return await Person.sign_up(api.gateway, name="Ada")


@pytest.fixture
async def bob(api: Api) -> Person:
    """Another person."""
    return await Person.sign_up(api.gateway)


@pytest.fixture
def nobody(api: Api) -> Api:
    """A client without a key."""
    return Api(api.gateway, api.account_id, None)


@pytest.fixture
async def painter(api: Api, pipeline: Pipeline) -> AsyncIterator[Painter]:
    """A running worker whose provider paints small pictures."""
    painting = Painter()
    async with pipeline.engine(ScriptedProvider(painting.paint), lease_ttl_s=60.0):
        yield painting
