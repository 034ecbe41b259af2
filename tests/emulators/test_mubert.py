"""The emulated Mubert, and, where it is at hand, Mubert's OpenAPI file."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest

from tests.emulators.base import Effect
from tests.emulators.mubert import TRACK_NANOS, MubertEmulator

SPEC = Path(__file__).parents[2].parent / "shared" / "specs" / "mubert-openapi.yaml"
TRACKS = "/api/v3/public/tracks"
HEADERS = {"customer-id": "customer", "access-token": "token"}


@pytest.fixture
async def emulator() -> AsyncIterator[MubertEmulator]:
    async with MubertEmulator() as running:
        yield running


@pytest.fixture
async def http(emulator: MubertEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(emulator.url, headers=HEADERS) as session:
        yield session


async def create(http: aiohttp.ClientSession, **given: Any) -> tuple[int, dict[str, Any]]:
    async with http.post(TRACKS, json={"prompt": "calm piano", "duration": 30, **given}) as response:
        return response.status, await response.json()


async def look(http: aiohttp.ClientSession, body: dict[str, Any]) -> dict[str, Any]:
    async with http.get(f"{TRACKS}/{body['data']['id']}") as response:
        data = (await response.json())["data"]
        return {**data, **data["generations"][0]}


async def test_a_track_is_made_fetched_and_billed(
    emulator: MubertEmulator, http: aiohttp.ClientSession
) -> None:
    _, created = await create(http, format="wav")
    assert (await look(http, created))["status"] == "processing"
    await emulator.advance(1)
    track = await look(http, created)
    async with http.get(track["url"]) as response:
        assert (await response.read()).startswith(b"RIFF")
    assert emulator.billed_nanos() == TRACK_NANOS


async def test_a_link_expires(emulator: MubertEmulator, http: aiohttp.ClientSession) -> None:
    _, created = await create(http)
    await emulator.advance(4000)
    track = await look(http, created)
    assert (track["status"], track["url"]) == ("done", None)


async def test_a_track_that_fails_is_not_billed(
    emulator: MubertEmulator, http: aiohttp.ClientSession
) -> None:
    emulator.faults.add("create", Effect.FAIL)
    _, created = await create(http)
    await emulator.advance(1)
    assert (await look(http, created))["status"] == "failed"
    assert emulator.billed_nanos() == 0


@pytest.mark.parametrize("given", [{"duration": 1}, {"prompt": "x" * 256}, {"bpm": 90}, {"format": "ogg"}])
async def test_what_it_does_not_take_is_a_422(http: aiohttp.ClientSession, given: dict[str, Any]) -> None:
    assert (await create(http, **given))[0] == 422


async def test_the_licence_limits_tracks_at_once_and_in_all(
    emulator: MubertEmulator, http: aiohttp.ClientSession
) -> None:
    emulator.concurrent, emulator.tracks_left, emulator.run_s = 1, 2, 60
    await create(http)
    assert (await create(http))[1]["code"] == "LicenseLimitConcurrentTrackGenerationsCount"
    await emulator.advance(61)
    await create(http)
    await emulator.advance(61)
    assert (await create(http))[1]["code"] == "LicenseLimitTracksCount"


async def test_without_a_token_nothing_is_let_in(emulator: MubertEmulator) -> None:
    async with aiohttp.ClientSession(emulator.url) as session, session.get(TRACKS) as response:
        assert response.status == 401


async def test_answers_conform(emulator: MubertEmulator, http: aiohttp.ClientSession) -> None:
    if not SPEC.exists():
        pytest.skip("Mubert's OpenAPI file is not here")
    components = json.loads(SPEC.read_text())["components"]

    def conforms(name: str, body: Any) -> None:
        # `nullable` is no word of JSON Schema.
        shown = {key: value for key, value in body.items() if value is not None}
        jsonschema.validate(shown, {"$ref": f"#/components/schemas/{name}", "components": components})

    _, created = await create(http)
    conforms("TrackPublicResource", created["data"])
    await emulator.advance(1)
    async with http.get(f"{TRACKS}/{created['data']['id']}") as response:
        conforms("TrackShowPublicResource", (await response.json())["data"])
    async with http.get(TRACKS) as response:
        body = await response.json()
    conforms("MetadataPagination", body["meta"])
    conforms("TrackIndexPublicResource", body["data"][0])
