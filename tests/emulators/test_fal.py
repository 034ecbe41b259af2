"""The emulated fal through its real SDK, and, where it is at hand, a description of fal's queue."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import fal_client
import jsonschema
import pytest
import yaml

from tests.emulators.base import Effect
from tests.emulators.fal import FalEmulator

SPEC = Path(__file__).parents[2].parent / "shared" / "specs" / "fal-queue-openapi.apievangelist.yml"
SCHNELL = "fal-ai/flux/schnell"
PROMPT = {"prompt": "a lighthouse in fog"}


@pytest.fixture
async def emulator(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FalEmulator]:
    async with FalEmulator(key="ours:secret") as running:
        monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{running.url}/")
        monkeypatch.setattr(fal_client.client, "MAX_ATTEMPTS", 1)
        yield running


@pytest.fixture
async def sdk() -> AsyncIterator[fal_client.AsyncClient]:
    client = fal_client.AsyncClient("ours:secret")
    yield client
    await (await client._client).aclose()


@pytest.fixture
async def http(emulator: FalEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": "Key ours:secret"}
    async with aiohttp.ClientSession(emulator.url, headers=headers) as session:
        yield session


async def submit(http: aiohttp.ClientSession, endpoint: str = SCHNELL, **given: Any) -> dict[str, Any]:
    async with http.post(f"/{endpoint}", json={**PROMPT, **given}) as response:
        assert response.status == 200
        return dict(await response.json())


async def look(http: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any]]:
    async with http.get(url) as response:
        return response.status, await response.json()


async def test_the_sdk_follows_a_request_to_its_end(
    emulator: FalEmulator, sdk: fal_client.AsyncClient
) -> None:
    emulator.queue_s, emulator.run_s = 10, 10
    handle = await sdk.submit(SCHNELL, PROMPT)
    assert await handle.status() == fal_client.Queued(position=0)
    await emulator.advance(15)
    running = await handle.status(with_logs=True)
    assert isinstance(running, fal_client.InProgress)
    assert running.logs
    assert " 50%|" in running.logs[-1]["message"]
    await emulator.advance(10)
    done = await (await sdk.get_handle(SCHNELL, handle.request_id)).status()
    assert isinstance(done, fal_client.Completed)
    assert done.metrics["inference_time"] == pytest.approx(10)
    assert (await handle.get())["images"][0]["width"] == 1024
    assert emulator.billed_nanos() == 3_000_000


async def test_the_sdk_hears_of_errors(emulator: FalEmulator, sdk: fal_client.AsyncClient) -> None:
    emulator.faults.add("create", Effect.NSFW)
    handle = await sdk.submit(SCHNELL, PROMPT)
    await emulator.advance(1)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await handle.get()
    assert caught.value.status_code == 422
    assert caught.value.response.json()["detail"][0]["type"] == "content_policy_violation"


async def test_the_sdk_repeats_a_submit_whose_answer_was_lost(
    emulator: FalEmulator, sdk: fal_client.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the adapter has to keep it from: the first request was accepted, and is billed."""
    monkeypatch.setattr(fal_client.client, "MAX_ATTEMPTS", 2)
    emulator.faults.add("create", Effect.RESET_AFTER, times=1)
    await sdk.submit(SCHNELL, PROMPT, start_timeout=60)
    await emulator.advance(1)
    assert (len(emulator.queue), emulator.billed_nanos()) == (2, 6_000_000)


@pytest.mark.parametrize(
    ("waited_s", "status", "word"),
    [(0, 200, "OK"), (15, 202, "CANCELLATION_REQUESTED"), (30, 409, "ALREADY_COMPLETED")],
)
async def test_cancels_in_each_state(
    emulator: FalEmulator, http: aiohttp.ClientSession, waited_s: float, status: int, word: str
) -> None:
    emulator.queue_s, emulator.run_s = 10, 10
    made = await submit(http)
    await emulator.advance(waited_s)
    async with http.put(made["cancel_url"]) as response:
        assert (response.status, await response.json()) == (status, {"status": word})
    await emulator.advance(30)
    assert (emulator.billed_nanos() > 0) == (word == "ALREADY_COMPLETED")


async def test_wrong_input_is_noticed_by_the_model(
    emulator: FalEmulator, http: aiohttp.ClientSession
) -> None:
    made = await submit(http, num_inference_steps=99)
    await emulator.advance(1)
    status, body = await look(http, made["response_url"])
    assert status == 422
    assert [(error["loc"], error["type"]) for error in body["detail"]] == [
        (["body", "num_inference_steps"], "less_than_equal")
    ]
    assert emulator.billed_nanos() == 0


async def test_a_request_that_starts_too_late_is_dropped(
    emulator: FalEmulator, sdk: fal_client.AsyncClient, http: aiohttp.ClientSession
) -> None:
    emulator.queue_s = 10
    handle = await sdk.submit(SCHNELL, PROMPT, start_timeout=5)
    await emulator.advance(6)
    assert (await look(http, handle.status_url))[1]["error_type"] == "startup_timeout"
    assert (await look(http, handle.response_url))[0] == 504
    assert emulator.billed_nanos() == 0


async def test_the_list_shows_what_has_ended(emulator: FalEmulator, http: aiohttp.ClientSession) -> None:
    listing = f"/v1/models/requests/by-endpoint?endpoint_id={SCHNELL}&expand=payloads&limit=2"
    made = [await submit(http, seed=n) for n in range(3)]
    emulator.faults.add("create", Effect.STUCK)
    await submit(http, seed=9)
    await submit(http, "fal-ai/flux/dev")
    await emulator.advance(1)
    _, first = await look(http, listing)
    _, second = await look(http, f"{listing}&cursor={first['next_cursor']}")
    rows = first["items"] + second["items"]
    assert [row["request_id"] for row in rows] == [body["request_id"] for body in reversed(made)]
    assert [row["json_input"]["seed"] for row in rows] == [2, 1, 0]
    assert (first["has_more"], second["has_more"]) == (True, False)


async def test_files_are_what_they_are_called(emulator: FalEmulator, http: aiohttp.ClientSession) -> None:
    made = await submit(http, "fal-ai/ace-step/prompt-to-audio", duration=5)
    await emulator.advance(1)
    _, body = await look(http, made["response_url"])
    async with http.get(body["audio"]["url"]) as response:
        assert (response.content_type, (await response.read())[:4]) == ("audio/wav", b"RIFF")


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Key theirs"}, {"Authorization": "Bearer ours:secret"}]
)
async def test_who_has_no_key_is_not_let_in(emulator: FalEmulator, header: dict[str, str]) -> None:
    async with (
        aiohttp.ClientSession(emulator.url) as session,
        session.post(f"/{SCHNELL}", json=PROMPT, headers=header) as response,
    ):
        assert response.status == 401
    assert emulator.invoice() == []


async def test_submits_are_limited() -> None:
    anyone = {"Authorization": "Key any"}
    async with FalEmulator(submits_per_minute=1) as emulator:  # noqa: SIM117  # the second needs the first's URL
        async with aiohttp.ClientSession(emulator.url, headers=anyone) as session:
            await submit(session)
            async with session.post(f"/{SCHNELL}", json=PROMPT) as response:
                assert response.status == 429
                assert 0 < int(response.headers["Retry-After"]) <= 60


@pytest.mark.skipif(not SPEC.exists(), reason="the description of fal's queue is not at hand")
async def test_answers_are_as_described(emulator: FalEmulator, http: aiohttp.ClientSession) -> None:
    schemas = yaml.safe_load(SPEC.read_text())["components"]["schemas"]
    emulator.queue_s, emulator.run_s = 10, 10
    made = await submit(http)
    jsonschema.validate(made, schemas["QueueAcceptedResponse"])
    for _ in range(3):
        _, status = await look(http, f"{made['status_url']}?logs=1")
        # What is written to the standard streams has levels of its own.
        for line in status.get("logs") or ():
            del line["level"]
        jsonschema.validate(status, schemas["QueueStatusResponse"])
        await emulator.advance(11)
    assert status["status"] == "COMPLETED"
