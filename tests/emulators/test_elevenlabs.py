"""The emulator against the real SDK and, where it is at hand, against ElevenLabs' OpenAPI file."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import jsonschema
import pytest
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions

from tests.emulators.base import Effect
from tests.emulators.elevenlabs import ElevenLabsEmulator

SPEC = Path(__file__).parents[2].parent / "shared" / "specs" / "elevenlabs-openapi.json"
SARAH = "EXAVITQu4vr4xnSDxMaL"
ONCE: RequestOptions = {"max_retries": 0}


@pytest.fixture
async def emulator() -> AsyncIterator[ElevenLabsEmulator]:
    async with ElevenLabsEmulator() as running:
        yield running


@pytest.fixture
async def client(emulator: ElevenLabsEmulator) -> AsyncIterator[AsyncElevenLabs]:
    async with httpx.AsyncClient() as http:
        yield AsyncElevenLabs(api_key="xi_test", base_url=emulator.url, httpx_client=http)


@pytest.fixture
async def http(emulator: ElevenLabsEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(emulator.url, headers={"xi-api-key": "xi_test"}) as session:
        yield session


async def speak(
    client: AsyncElevenLabs, text: str = "Hello there.", **given: Any
) -> tuple[bytes, dict[str, str]]:
    call = client.text_to_speech.with_raw_response.convert(
        SARAH, text=text, **{"model_id": "eleven_multilingual_v2", "request_options": ONCE, **given}
    )
    async with call as response:
        return b"".join([chunk async for chunk in response.data]), response.headers


@pytest.mark.parametrize(
    ("output_format", "magic"),
    [("mp3_44100_128", b"ID3"), ("wav_24000", b"RIFF"), ("opus_48000_96", b"OggS")],
)
async def test_speech_is_streamed_in_the_wanted_format(
    client: AsyncElevenLabs, output_format: str, magic: bytes
) -> None:
    audio, headers = await speak(client, output_format=output_format)
    assert audio.startswith(magic)
    assert (headers["character-cost"], headers["maximum-concurrent-requests"]) == ("12", "10")


@pytest.mark.parametrize(
    ("model", "credit_count"), [("eleven_multilingual_v2", 12), ("eleven_flash_v2_5", 6)]
)
async def test_speech_is_billed_by_the_credits_that_its_header_names(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator, model: str, credit_count: int
) -> None:
    _, headers = await speak(client, model_id=model)
    assert int(headers["character-cost"]) == credit_count
    assert emulator.billed_nanos() == credit_count * 100_000


async def test_the_streaming_endpoint_speaks_too(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator
) -> None:
    chunks = [chunk async for chunk in client.text_to_speech.stream(SARAH, text="Hello")]
    assert b"".join(chunks).startswith(b"ID3")
    assert len(emulator.seen("speak")) == 1


async def test_music_has_a_song_and_is_billed_by_its_length(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator
) -> None:
    call = client.music.with_raw_response.compose(
        prompt="a waltz", music_length_ms=60_000, model_id="music_v2_5"
    )
    async with call as response:
        assert [chunk async for chunk in response.data]
        assert response.headers["song-id"]
    assert emulator.billed_nanos() == 300_000_000


async def test_sound_effects_name_their_cost(client: AsyncElevenLabs, emulator: ElevenLabsEmulator) -> None:
    call = client.text_to_sound_effects.with_raw_response.convert(text="rain", duration_seconds=2)
    async with call as response:
        assert [chunk async for chunk in response.data]
        assert response.headers["character-cost"] == "200"
    assert emulator.billed_nanos() == 20_000_000


async def test_only_speech_is_in_the_history(client: AsyncElevenLabs, emulator: ElevenLabsEmulator) -> None:
    spoken, headers = await speak(client)
    assert [chunk async for chunk in client.music.compose(prompt="a waltz")]
    page = await client.history.list(source="TTS")
    assert [row.request_id for row in page.history] == [headers["request-id"]]
    kept = [chunk async for chunk in client.history.get_audio(page.history[0].history_item_id)]
    assert b"".join(kept) == spoken
    assert len(emulator.invoice()) == 2


async def test_the_history_is_read_by_time_and_page(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator
) -> None:
    await speak(client, "first")
    await emulator.advance(100)
    for text in ("second", "third"):
        await speak(client, text)
    after = int(emulator.clock.now()) - 50
    page = await client.history.list(date_after_unix=after, page_size=1)
    assert ([row.text for row in page.history], page.has_more) == (["third"], True)
    rest = await client.history.list(start_after_history_item_id=page.last_history_item_id)
    assert [row.text for row in rest.history] == ["second", "first"]


async def test_a_workspace_may_keep_no_history() -> None:
    async with ElevenLabsEmulator(history=False) as emulator, httpx.AsyncClient() as http:
        client = AsyncElevenLabs(api_key="xi_test", base_url=emulator.url, httpx_client=http)
        await speak(client)
        assert (await client.history.list()).history == []


async def test_voices_are_cloned_found_and_deleted(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator
) -> None:
    made = await client.voices.ivc.create(
        name="me", files=[("a.mp3", b"audio", "audio/mpeg")], labels={"accent": "x"}, request_options=ONCE
    )
    found = await client.voices.search(search="me")
    assert [voice.voice_id for voice in found.voices] == [made.voice_id]
    await client.voices.delete(made.voice_id)
    assert emulator.clones == []


async def test_a_clone_that_the_sdk_repeats_has_lost_its_name(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator
) -> None:
    emulator.faults.add("clone", Effect.REFUSE, status=500, times=1)
    with pytest.raises(ApiError):
        await client.voices.ivc.create(
            name="me",
            files=[("a.mp3", b"audio", "audio/mpeg")],
            labels={},
            request_options={"max_retries": 1},
        )
    assert (len(emulator.seen("clone")), emulator.nameless_clones) == (2, 1)


async def test_models_name_their_rates(client: AsyncElevenLabs) -> None:
    rates = {model.model_id: model.model_rates for model in await client.models.list()}
    flash = rates["eleven_flash_v2_5"]
    assert flash is not None
    assert flash.character_cost_multiplier == 0.5


@pytest.mark.parametrize(
    ("given", "status", "reason"),
    [
        ({"model_id": "eleven_v9"}, 400, "model_not_found"),
        ({"text": "x" * 10_001}, 400, "max_character_limit_exceeded"),
        ({"language_code": "en"}, 400, "unsupported_language"),
    ],
)
async def test_what_it_does_not_take_costs_nothing(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator, given: dict[str, Any], status: int, reason: str
) -> None:
    with pytest.raises(ApiError) as caught:
        await speak(client, **given)
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (status, reason)
    assert emulator.invoice() == []


async def test_a_quota_that_is_used_up_is_a_401(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator
) -> None:
    emulator.credits_left = 5
    with pytest.raises(ApiError) as caught:
        await speak(client)
    assert (caught.value.status_code, caught.value.body["detail"]["status"]) == (401, "quota_exceeded")


async def test_more_at_once_than_the_plan_allows_is_a_429(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator
) -> None:
    emulator.concurrent, emulator.speak_s = 2, 0.2
    ends = await asyncio.gather(*(speak(client) for _ in range(3)), return_exceptions=True)
    refused = [end for end in ends if isinstance(end, ApiError)]
    assert [error.body["detail"]["status"] for error in refused] == ["too_many_concurrent_requests"]
    assert (emulator.most_at_once, len(emulator.invoice())) == (2, 2)


@pytest.mark.parametrize(
    ("effect", "error", "billed"),
    [
        (Effect.RESET, httpx.HTTPError, 0),
        (Effect.REFUSE, ApiError, 0),
        (Effect.FAIL, ApiError, 0),
        (Effect.NSFW, ApiError, 0),
        (Effect.REFUSE_AFTER, ApiError, 1),
        (Effect.RESET_AFTER, httpx.HTTPError, 1),
        (Effect.OUTPUT_TRUNCATED, httpx.HTTPError, 1),
    ],
)
async def test_spoiled_speech(
    client: AsyncElevenLabs, emulator: ElevenLabsEmulator, effect: Effect, error: type[Exception], billed: int
) -> None:
    emulator.faults.add("speak", effect)
    with pytest.raises(error):
        await speak(client)
    assert (len(emulator.seen("speak")), len(emulator.invoice())) == (1, billed)
    assert len(emulator.speeches) == billed


async def test_a_lost_answer_was_billed(client: AsyncElevenLabs, emulator: ElevenLabsEmulator) -> None:
    emulator.faults.add("speak", Effect.LOST_AFTER)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await speak(client)
    assert len(emulator.invoice()) == 1


async def test_an_unknown_key_is_refused() -> None:
    async with ElevenLabsEmulator(api_key="xi_ours") as emulator, httpx.AsyncClient() as http:
        client = AsyncElevenLabs(api_key="xi_other", base_url=emulator.url, httpx_client=http)
        with pytest.raises(ApiError) as caught:
            await client.models.list(request_options=ONCE)
    assert caught.value.status_code == 401


# The published description.


@pytest.fixture(scope="module")
def conforms() -> Callable[[str, Any], None]:
    if not SPEC.exists():
        pytest.skip("ElevenLabs' OpenAPI file is not here")
    components = json.loads(SPEC.read_text())["components"]

    def check(name: str, body: Any) -> None:
        jsonschema.validate(body, {"$ref": f"#/components/schemas/{name}", "components": components})

    return check


async def test_answers_conform(
    client: AsyncElevenLabs, http: aiohttp.ClientSession, conforms: Callable[[str, Any], None]
) -> None:
    await speak(client)
    for path, name in (
        ("/v1/history", "GetSpeechHistoryResponseModel"),
        ("/v2/voices", "GetVoicesV2ResponseModel"),
    ):
        async with http.get(path) as response:
            conforms(name, await response.json())
    async with http.get("/v1/models") as response:
        for model in await response.json():
            conforms("ModelResponseModel", model)
    form = aiohttp.FormData({"name": "me"})
    form.add_field("files", b"audio", filename="a.mp3")
    async with http.post("/v1/voices/add", data=form) as response:
        made = await response.json()
    conforms("AddVoiceIVCResponseModel", made)
    async with http.delete(f"/v1/voices/{made['voice_id']}") as response:
        conforms("DeleteVoiceResponseModel", await response.json())
    async with http.post("/v1/music", json={"prompt": "x", "music_length_ms": 1}) as response:
        conforms("HTTPValidationError", await response.json())
