"""Outputs past the virus scanner: what it flags is not delivered, and what the provider bills stays billed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from shared.executor import Executor
from shared.ids import new_id
from shared.settings import Settings, VirusScan
from shared.storage import ObjectStore
from tests.emulators.clamd import EICAR, NAME, ClamdEmulator
from tests.emulators.media import picture
from tests.pipeline import Pipeline
from tests.workers.test_moderation import saying
from workers.artifacts import ArtifactError, Artifacts, Infected, Place
from workers.metrics import WorkerMetrics
from workers.providers.base import RemoteFile

BAD = f"a tale with {EICAR.decode()} in it"


@pytest.fixture
async def clamd() -> AsyncIterator[ClamdEmulator]:
    async with ClamdEmulator(max_bytes=200_000) as running:
        yield running


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


def scanned(clamd: ClamdEmulator, mode: str = "block") -> dict[str, Any]:
    return {"clamav_url": clamd.url, "virus_scan": VirusScan(mode)}


async def test_a_flagged_output_is_paid_but_neither_kept_nor_delivered(
    pipeline: Pipeline, clamd: ClamdEmulator, store: ObjectStore
) -> None:
    async with pipeline.engine(saying(BAD), kinds=("text",), **scanned(clamd)):
        row = await pipeline.until(await pipeline.submit("text"))
    assert (row["state"], row["error"]["code"]) == ("failed", "CONTENT_BLOCKED")
    assert row["error"]["details"] == {"stage": "output", "virus": NAME}
    assert (row["cost_nanos"], row["cost_status"]) == (1_000, "final")
    assert sum((await pipeline.ledger(row["id"])).values()) == 1_000
    kept = (await pipeline.submissions(row["id"]))[0]["result"]["outputs"][0]["key"]
    assert await store.head(kept) is None
    assert await pipeline.worker.fetch("SELECT FROM assets WHERE generation_id = $1", row["id"]) == []


@pytest.mark.parametrize(("mode", "scans"), [("warn", 1), ("off", 0)])
async def test_without_blocking_it_is_delivered(
    pipeline: Pipeline, clamd: ClamdEmulator, store: ObjectStore, mode: str, scans: int
) -> None:
    async with pipeline.engine(saying(BAD), kinds=("text",), **scanned(clamd, mode)):
        row = await pipeline.until(await pipeline.submit("text"))
    assert (row["state"], len(clamd.scanned)) == ("completed", scans)


async def test_a_scanner_that_is_away_is_waited_for_and_nothing_is_made_twice(
    pipeline: Pipeline, clamd: ClamdEmulator, store: ObjectStore
) -> None:
    clamd.broken = True
    provider = saying("a gentle tale")
    async with pipeline.engine(provider, kinds=("text",), **scanned(clamd)):
        made = await pipeline.submit("text")
        async with asyncio.timeout(20):
            while (row := await pipeline.row(made))["waiting_for"] != "retry":
                await asyncio.sleep(0.01)
        assert row["state"] == "storing"
        clamd.broken = False
        assert (await pipeline.until(made))["state"] == "completed"
    assert len(provider.requests) == 1


# What comes from a provider's address.


class Files:
    """Serves what a test puts there."""

    def __init__(self) -> None:
        self.content = b""
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        return web.Response(body=self.content, content_type="image/png")


@pytest.fixture
async def files() -> AsyncIterator[Files]:
    serving = Files()
    app = web.Application()
    app.add_routes([web.get("/a.png", serving.serve)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    serving.url = f"http://127.0.0.1:{runner.addresses[0][1]}/a.png"
    yield serving
    await runner.cleanup()


@pytest.fixture
async def artifacts(settings: Settings, store: ObjectStore, clamd: ClamdEmulator) -> AsyncIterator[Artifacts]:
    changes = {"allow_private_urls": True, **scanned(clamd)}
    executor = Executor()
    made = Artifacts(store, executor, settings.model_copy(update=changes), WorkerMetrics.open())
    yield made
    await made.close()
    await executor.close()


async def test_bytes_pass_the_scanner_once(artifacts: Artifacts, files: Files, clamd: ClamdEmulator) -> None:
    files.content = picture("png", 64, 48)
    row = await artifacts.collect(Place(new_id(), new_id(), "image"), 0, RemoteFile(files.url))
    assert (row.bytes, clamd.scanned) == (len(files.content), [len(files.content)])


async def test_a_flagged_download_is_removed(artifacts: Artifacts, files: Files, store: ObjectStore) -> None:
    files.content = picture("png", 64, 48) + EICAR
    place = Place(new_id(), new_id(), "image")
    with pytest.raises(Infected):
        await artifacts.collect(place, 0, RemoteFile(files.url))
    assert await store.head(place.file(0, "png")) is None


async def test_what_is_too_large_for_the_scanner_is_not_tried_again(
    artifacts: Artifacts, files: Files
) -> None:
    # Far more than one chunk: clamd hangs up in the middle, and the store still gets all of it.
    files.content = picture("png", 64, 48) + bytes(5 << 20)
    with pytest.raises(ArtifactError) as failed:
        await artifacts.collect(Place(new_id(), new_id(), "image"), 0, RemoteFile(files.url))
    assert not failed.value.transient
