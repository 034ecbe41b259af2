"""Fetching outputs that ask for their provider's credential."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import pytest
from aiohttp import web

from shared.executor import Executor
from shared.ids import new_id
from shared.settings import Settings
from shared.storage import ObjectStore
from tests.emulators.media import sound
from workers.artifacts import ArtifactError, Artifacts, Place
from workers.metrics import WorkerMetrics
from workers.providers.base import RemoteFile

CREDENTIAL = {"xi-api-key": "secret"}


class Provider:
    """Serves `/audio` to whoever has the key, and points elsewhere from `/moved`."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []
        self.url = ""

    async def audio(self, request: web.Request) -> web.Response:
        self.seen.append(request.headers.get("xi-api-key"))
        known = self.seen[-1] == "secret"
        return (
            web.Response(body=sound("mp3"), content_type="audio/mpeg") if known else web.Response(status=401)
        )

    async def drops(self, request: web.Request) -> web.StreamResponse:
        """Never silent, and never done."""
        response = web.StreamResponse()
        response.content_type = "audio/mpeg"
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(sound("mp3")[:1024])
                await asyncio.sleep(0.02)
        return response

    async def moved(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("/audio")

    def headers_for(self, url: str) -> Mapping[str, str]:
        return CREDENTIAL if url.startswith(self.url) else {}


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    serving = Provider()
    app = web.Application()
    paths = {"/audio": serving.audio, "/moved": serving.moved, "/drops": serving.drops}
    app.add_routes([web.get(path, handler) for path, handler in paths.items()])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    serving.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield serving
    await runner.cleanup()


@pytest.fixture
async def artifacts(settings: Settings, provider: Provider) -> AsyncIterator[Artifacts]:
    store, executor = ObjectStore.open(settings), Executor()
    await store.ensure_bucket()
    open_settings = settings.model_copy(update={"allow_private_urls": True})
    made = Artifacts(store, executor, open_settings, WorkerMetrics.open())
    yield made
    await made.close()
    await executor.close()
    await store.close()


async def test_an_output_is_fetched_with_its_providers_credential(
    artifacts: Artifacts, provider: Provider
) -> None:
    place, output = Place(new_id(), new_id(), "audio"), RemoteFile(f"{provider.url}/audio")
    row = await artifacts.collect(place, 0, output, provider.headers_for)
    assert (row.mime, provider.seen) == ("audio/mpeg", ["secret"])


async def test_a_credential_does_not_follow_a_redirect(artifacts: Artifacts, provider: Provider) -> None:
    place, output = Place(new_id(), new_id(), "audio"), RemoteFile(f"{provider.url}/moved")
    with pytest.raises(ArtifactError):
        await artifacts.collect(place, 0, output, provider.headers_for)
    assert provider.seen == []


async def test_a_file_that_never_ends_is_given_up_for_now(
    artifacts: Artifacts, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.artifacts.FETCH_TIMEOUT_S", 0.3)
    place, output = Place(new_id(), new_id(), "audio"), RemoteFile(f"{provider.url}/drops")
    async with asyncio.timeout(90):
        with pytest.raises(ArtifactError) as caught:
            await artifacts.collect(place, 0, output)
    assert caught.value.transient
