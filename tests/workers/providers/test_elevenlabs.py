"""The real adapter, with the real SDK, against the emulated ElevenLabs and each of its faults."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import web

from shared.executor import Executor
from shared.ids import new_id
from shared.kinds.audio import AudioParameters
from shared.kinds.music import MusicParameters
from shared.pricing import cost_of
from tests.emulators.base import Effect
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.elevenlabs_state import Voice
from tests.emulators.media import sound
from tests.workers.providers.sink import MemorySink
from workers.artifacts import ArtifactError
from workers.providers.base import (
    Absent,
    Ended,
    Finished,
    Found,
    Gone,
    InputFile,
    Job,
    Lost,
    NotSent,
    Pending,
    Refused,
    RemoteFile,
    Request,
    StoredFile,
    Unaskable,
    UnreadableAnswer,
)
from workers.providers.elevenlabs import adapter as adapter_module
from workers.providers.elevenlabs import cloning as cloning_module
from workers.providers.elevenlabs.adapter import ElevenLabsProvider
from workers.providers.elevenlabs.cloning import voice_name
from workers.providers.elevenlabs.models import MUSIC_MODELS, SPEECH_MODELS
from workers.providers.elevenlabs.wire import refusal

SPEC = Path(__file__).parents[3].parent / "shared" / "specs" / "elevenlabs-openapi.json"
TEXT = "Fog over the harbour."
EXECUTOR = Executor()
SAMPLE = sound("mp3", 12.0)
SPEECH = [model.card.model for model in SPEECH_MODELS]


@pytest.fixture
async def emulator() -> AsyncIterator[ElevenLabsEmulator]:
    async with ElevenLabsEmulator(api_key="xi_ours") as running:
        yield running


@pytest.fixture
async def provider(emulator: ElevenLabsEmulator) -> AsyncIterator[ElevenLabsProvider]:
    provider = ElevenLabsProvider("xi_ours", emulator.url, EXECUTOR, voices={"Mine": "JBFqnCBsd6RMkjVDRZzb"})
    yield provider
    await provider.close()


@pytest.fixture(scope="module", autouse=True)
async def executor() -> AsyncIterator[None]:
    yield
    await EXECUTOR.close()


@asynccontextmanager
async def recorded(content: bytes) -> AsyncIterator[InputFile]:
    """A recording as our own store serves it."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=content, content_type="audio/mpeg")

    app = web.Application()
    app.add_routes([web.get("/sample.mp3", serve)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    yield InputFile(f"http://127.0.0.1:{port}/sample.mp3", "audio/mpeg", len(content))
    await runner.cleanup()


@pytest.fixture
async def sample() -> AsyncIterator[InputFile]:
    async with recorded(SAMPLE) as file:
        yield file


def speech(model: str = "eleven_multilingual_v2", sample: InputFile | None = None, **given: Any) -> Request:
    if sample is not None:
        given |= {"voice_sample": "an upload", "consent": True}
    parameters = AudioParameters(**{"text": TEXT, **given})
    files = {"voice_sample": sample} if sample is not None else {}
    return Request(new_id(), new_id(), new_id(), "audio", model, parameters.model_dump(), files, 120.0)


def song(model: str = "music_v2", **given: Any) -> Request:
    parameters = MusicParameters(**{"prompt": "a slow waltz.", **given})
    return Request(new_id(), new_id(), new_id(), "music", model, parameters.model_dump(), {}, 120.0)


def lost(request: Request, emulator: ElevenLabsEmulator, **around: Any) -> Lost:
    return Lost(request, datetime.fromtimestamp(emulator.clock.now(), UTC), **{"alone": True, **around})


def job(request: Request, found: Found) -> Job:
    return Job(request.submission_id, found.remote_id, "audio", request.model, request.input)


async def lose(
    emulator: ElevenLabsEmulator,
    provider: ElevenLabsProvider,
    request: Request,
    effect: Effect = Effect.RESET_AFTER,
) -> None:
    """Has the provider lose the answer to a request that was accepted and billed."""
    emulator.faults.add("speak", effect, times=1)
    with pytest.raises(Exception) as caught:  # noqa: PT011  # any but those that say what became of it
        await provider.submit(request, MemorySink())
    assert not isinstance(caught.value, NotSent | Refused)


# What goes right.


@pytest.mark.parametrize("model", SPEECH)
async def test_every_model_speaks_and_costs_what_is_billed(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, model: str
) -> None:
    sink = MemorySink()
    finished = await provider.submit(speech(model), sink)
    assert sink.files[0].startswith(b"ID3")
    assert finished.usage.cost_nanos == emulator.billed_nanos() > 0
    assert finished.remote_id == emulator.sales[0].id


@pytest.mark.parametrize("model", SPEECH_MODELS)
def test_a_card_estimates_what_the_emulator_bills(model: Any) -> None:
    text = "x" * 1000
    estimate = model.card.estimate(AudioParameters(text=text))
    billed = {"eleven_v4": 80, "eleven_v4_turbo": 40, "eleven_flash_v2_5": 50}.get(model.card.model, 100)
    assert estimate == billed * 1_000_000


@pytest.mark.parametrize(("wanted", "magic"), [("mp3", b"ID3"), ("wav", b"RIFF"), ("ogg", b"OggS")])
async def test_formats(provider: ElevenLabsProvider, wanted: str, magic: bytes) -> None:
    sink = MemorySink()
    finished = await provider.submit(speech(format=wanted), sink)
    assert sink.files[0].startswith(magic)
    assert isinstance(finished.outputs[0].mime, str)


async def test_audio_is_passed_on_while_it_arrives(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    emulator.faults.add("speak", Effect.OUTPUT_HUGE, bytes=200_000)
    sink = MemorySink()
    await provider.submit(speech(), sink)
    assert len(sink.files[0]) >= 200_000
    assert sink.chunks > 5


async def test_parameters_become_what_the_model_takes(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    request = speech("eleven_flash_v2_5", voice="mine", language="pt-BR", speed=1.1, seed=7, format="ogg")
    await provider.submit(request, MemorySink())
    (seen,) = emulator.seen("speak")
    assert seen.path.endswith("/JBFqnCBsd6RMkjVDRZzb")
    assert seen.query == {"output_format": "opus_48000_96"}
    assert seen.json == {
        "text": TEXT,
        "model_id": "eleven_flash_v2_5",
        "language_code": "pt",
        "seed": 7,
        "voice_settings": {"speed": 1.1},
    }


async def test_a_voice_may_be_an_id(emulator: ElevenLabsEmulator, provider: ElevenLabsProvider) -> None:
    await provider.submit(speech(voice="21m00Tcm4TlvDq8ikWAM"), MemorySink())
    assert emulator.speeches[0].voice.name == "Rachel"


async def test_a_name_that_is_no_voice_is_refused_before_anything_is_asked(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    with pytest.raises(Refused, match="no voice 'nobody'") as caught:
        await provider.submit(speech(voice="nobody"), MemorySink())
    assert not caught.value.curable
    assert emulator.seen("speak") == []


@pytest.mark.parametrize("model", [model.card.model for model in MUSIC_MODELS])
async def test_music_costs_what_is_billed(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, model: str
) -> None:
    sink = MemorySink()
    request = song(model, duration_s=12.5, genre="jazz", mood="calm", tempo=90)
    finished = await provider.submit(request, sink)
    assert emulator.seen("compose")[0].json == {
        "prompt": "a slow waltz, jazz, calm, medium tempo, 90 bpm",
        "music_length_ms": 12_500,
        "model_id": model,
        "force_instrumental": True,
    }
    card = next(card for card in provider.cards if card.model == model)
    assert card.price is not None
    cost = cost_of(card.price.as_json(), finished.usage.units, finished.usage.cost_nanos)
    assert cost == emulator.billed_nanos() == 62_500_000
    assert sink.files[0].startswith(b"ID3")


async def test_the_plans_own_rate_counts(emulator: ElevenLabsEmulator) -> None:
    provider = ElevenLabsProvider("xi_ours", emulator.url, EXECUTOR, usd_per_1000_credits=Decimal("0.22"))
    finished = await provider.submit(speech(), MemorySink())
    assert finished.usage.cost_nanos == len(TEXT) * 220_000
    await provider.close()


async def test_what_cannot_be_kept_costs_what_was_billed(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    with pytest.raises(ArtifactError) as caught:
        await provider.submit(speech(), MemorySink(ArtifactError("not audio", transient=False)))
    assert caught.value.usage is not None
    assert caught.value.usage.cost_nanos == emulator.billed_nanos()


async def test_requests_conform_to_the_published_description(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    if not SPEC.exists():
        pytest.skip("ElevenLabs' OpenAPI file is not here")
    spec = json.loads(SPEC.read_text())
    await provider.submit(speech("eleven_v4", speed=0.9, seed=1, language="de"), MemorySink())
    await provider.submit(song(genre="jazz"), MemorySink())
    for operation, path in (("speak", "/v1/text-to-speech/{voice_id}"), ("compose", "/v1/music")):
        (seen,) = emulator.seen(operation)
        described = spec["paths"][path]["post"]
        formats = next(
            given["schema"] for given in described["parameters"] if given["name"] == "output_format"
        )
        jsonschema.validate(seen.query["output_format"], formats)
        body = described["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.validate(seen.json, {**body, "components": spec["components"]})
        assert (
            seen.json.keys()
            <= spec["components"]["schemas"][body["$ref"].split("/")[-1]]["properties"].keys()
        )


# What goes wrong before anything is paid.


async def test_a_closed_port_proves_that_nothing_was_sent() -> None:
    provider = ElevenLabsProvider("xi_ours", "http://127.0.0.1:9", EXECUTOR)
    with pytest.raises(NotSent):
        await provider.submit(speech(), MemorySink())
    await provider.close()


@pytest.mark.parametrize(
    ("status", "detail", "code", "curable", "wait_s"),
    [
        (401, {"status": "invalid_api_key"}, "PROVIDER_AUTH", True, None),
        (401, {"status": "quota_exceeded", "message": "none left"}, "PROVIDER_AUTH", True, None),
        (403, {"status": "missing_permissions"}, "PROVIDER_AUTH", True, None),
        (429, {"status": "quota_exceeded"}, "PROVIDER_AUTH", True, None),
        (429, {"status": "too_many_concurrent_requests"}, "PROVIDER_RATE_LIMITED", True, 1.0),
        (429, {"status": "system_busy"}, "PROVIDER_RATE_LIMITED", True, 5.0),
        (429, "Slow down", "PROVIDER_RATE_LIMITED", True, 5.0),
        (400, {"status": "voice_limit_reached"}, "PROVIDER_RATE_LIMITED", True, None),
        (400, {"status": "content_policy_violation"}, "CONTENT_BLOCKED", False, None),
        (400, {"status": "bad_prompt"}, "CONTENT_BLOCKED", False, None),
        (400, {"status": "model_not_found"}, "PROVIDER_REJECTED", True, None),
        (404, {"status": "voice_not_found"}, "PROVIDER_REJECTED", False, None),
        (422, [{"loc": ["body", "text"], "msg": "too long"}], "PROVIDER_REJECTED", False, None),
    ],
)
def test_what_a_4xx_says(status: int, detail: Any, code: str, curable: bool, wait_s: float | None) -> None:
    refused = refusal(status, {}, {"detail": detail})
    assert refused is not None
    assert (refused.error.code, refused.curable, refused.retry_after_s) == (code, curable, wait_s)
    assert refused.error.message


@pytest.mark.parametrize("status", [None, 200, 408, 500, 503])
def test_what_says_nothing_about_acceptance(status: int | None) -> None:
    assert refusal(status, {}, {}) is None


def test_the_header_says_how_long_to_wait() -> None:
    refused = refusal(429, {"Retry-After": "7"}, {"detail": {"status": "system_busy"}})
    assert refused is not None
    assert refused.retry_after_s == 7


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"effect": Effect.REFUSE, "status": 429, "message": "system_busy: busy"}, "PROVIDER_RATE_LIMITED"),
        ({"effect": Effect.REFUSE, "status": 401}, "PROVIDER_AUTH"),
        ({"effect": Effect.NSFW}, "CONTENT_BLOCKED"),
    ],
)
async def test_a_refusal_is_asked_for_once_and_costs_nothing(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, fault: dict[str, Any], code: str
) -> None:
    emulator.faults.add("speak", **fault)
    with pytest.raises(Refused) as caught:
        await provider.submit(speech(), MemorySink())
    assert caught.value.error.code == code
    assert (len(emulator.seen("speak")), emulator.invoice()) == (1, [])


async def test_a_quota_that_is_used_up(emulator: ElevenLabsEmulator, provider: ElevenLabsProvider) -> None:
    emulator.credits_left = 3
    with pytest.raises(Refused) as caught:
        await provider.submit(speech(), MemorySink())
    assert caught.value.error.details == {"status": 401, "reason": "quota_exceeded"}


# What leaves the fate of the call unknown, and how it is found out.


@pytest.mark.parametrize(
    "effect",
    [Effect.REFUSE_AFTER, Effect.RESET_AFTER, Effect.OUTPUT_TRUNCATED],
)
async def test_a_lost_answer_is_found_in_the_history_and_paid_once(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, effect: Effect
) -> None:
    request = speech()
    await lose(emulator, provider, request, effect)
    found = await provider.find(lost(request, emulator))
    assert isinstance(found, Found)
    answer = (await provider.poll([job(request, found)]))[request.submission_id]
    assert isinstance(answer, Finished)
    assert answer.usage.cost_nanos == emulator.billed_nanos()
    (output,) = answer.outputs
    assert isinstance(output, RemoteFile)
    assert provider.headers_for(output.url) == {"xi-api-key": "xi_ours"}
    assert (len(emulator.seen("speak")), len(emulator.invoice())) == (1, 1)


async def test_a_silent_provider_is_given_up_in_time(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_module, "SPEAK_TIMEOUT_S", 0.2)
    request = speech()
    emulator.faults.add("speak", Effect.LOST_AFTER)
    with pytest.raises(TimeoutError):
        await provider.submit(request, MemorySink())
    assert isinstance(await provider.find(lost(request, emulator)), Found)


async def test_music_cannot_be_asked_about(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    emulator.faults.add("compose", Effect.REFUSE_AFTER)
    request = song()
    with pytest.raises(UnreadableAnswer):
        await provider.submit(request, MemorySink())
    assert await provider.find(lost(request, emulator)) == Unaskable()


async def test_what_never_arrived_is_absent_where_there_is_a_history(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    await provider.submit(speech(text="Something else."), MemorySink())
    assert await provider.find(lost(speech(), emulator)) == Absent()


async def test_an_empty_history_proves_nothing(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    emulator.history = False
    request = speech()
    await lose(emulator, provider, request)
    assert await provider.find(lost(request, emulator)) == Unaskable()


async def test_a_workspace_without_history_is_not_asked(emulator: ElevenLabsEmulator) -> None:
    provider = ElevenLabsProvider("xi_ours", emulator.url, EXECUTOR, keeps_history=False)
    assert await provider.find(lost(speech(), emulator)) == Unaskable()
    assert emulator.seen("history") == []
    await provider.close()


async def test_equal_speech_of_others_is_not_taken(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    theirs = await provider.submit(speech(), MemorySink())
    assert theirs.remote_id is not None
    mine = speech()
    around = {"taken": frozenset({theirs.remote_id})}
    assert await provider.find(lost(mine, emulator, **around)) == Absent()
    await lose(emulator, provider, mine)
    found = await provider.find(lost(mine, emulator, **around))
    assert found == Found(emulator.speeches[1].history_item_id)
    assert await provider.find(lost(mine, emulator, alone=False, **around)) == Unaskable()


@pytest.mark.parametrize("change", [{"voice": "rachel"}, {"text": "Other words."}])
async def test_other_speech_is_not_taken(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, change: dict[str, Any]
) -> None:
    await provider.submit(speech(**change), MemorySink())
    assert await provider.find(lost(speech(), emulator)) == Absent()


async def test_speech_of_another_time_is_not_taken(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider
) -> None:
    await provider.submit(speech(), MemorySink())
    await emulator.advance(1000)
    assert await provider.find(lost(speech(), emulator)) == Absent()


async def test_a_long_history_is_read_page_by_page(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter_module, "PAGE", 2)
    request = speech()
    await lose(emulator, provider, request)
    for n in range(5):
        await provider.submit(speech(text=f"Number {n}."), MemorySink())
    assert isinstance(await provider.find(lost(request, emulator)), Found)
    assert len(emulator.seen("history")) == 3


@pytest.mark.parametrize(
    ("state", "kind"),
    [("processing", Pending), ("deleted", Ended), ("created", Finished), ("odd", UnreadableAnswer)],
)
async def test_states_of_the_history(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, state: str, kind: type
) -> None:
    request = speech()
    await provider.submit(request, MemorySink())
    emulator.speeches[0].state = state
    found = Found(emulator.speeches[0].history_item_id)
    answer = (await provider.poll([job(request, found)]))[request.submission_id]
    assert isinstance(answer, kind)


async def test_what_left_the_history_is_gone(provider: ElevenLabsProvider) -> None:
    request = speech()
    assert (await provider.poll([job(request, Found("x"))]))[request.submission_id] == Gone()


def test_the_key_goes_to_the_history_only() -> None:
    provider = ElevenLabsProvider("xi_ours", "https://api.elevenlabs.io", EXECUTOR)
    assert provider.headers_for("https://api.elevenlabs.io.evil.example/v1/history/x/audio") == {}
    assert provider.headers_for("https://storage.example/v1/history/x/audio") == {}


# Voices cloned for one speech.


async def test_a_cloned_voice_speaks_and_is_deleted(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile
) -> None:
    request = speech(sample=sample)
    finished = await provider.submit(request, MemorySink())
    assert finished.usage.cost_nanos == emulator.billed_nanos()
    (made,) = emulator.voices_made
    assert (made.name, made.sample_bytes) == (voice_name(request.submission_id), len(SAMPLE))
    assert emulator.speeches[0].voice == made
    assert emulator.clones == []


@pytest.mark.parametrize("effect", [Effect.REFUSE_AFTER, Effect.RESET_AFTER, Effect.MALFORMED_AFTER])
async def test_a_lost_clone_is_free_deleted_and_never_repeated_by_the_sdk(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile, effect: Effect
) -> None:
    emulator.faults.add("clone", effect, times=1)
    with pytest.raises(NotSent):
        await provider.submit(speech(sample=sample), MemorySink())
    assert (len(emulator.seen("clone")), emulator.nameless_clones) == (1, 0)
    assert (len(emulator.voices_made), emulator.clones, emulator.invoice()) == (1, [], [])


async def test_no_place_for_a_voice_is_waited_for(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile
) -> None:
    emulator.voice_places = 0
    with pytest.raises(Refused) as caught:
        await provider.submit(speech(sample=sample), MemorySink())
    assert caught.value.error.retryable
    assert caught.value.retry_after_s is None


async def test_a_voice_is_deleted_when_its_speech_fails(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile
) -> None:
    emulator.faults.add("speak", Effect.NSFW)
    with pytest.raises(Refused):
        await provider.submit(speech(sample=sample), MemorySink())
    assert (len(emulator.voices_made), emulator.clones) == (1, [])


async def test_lost_speech_of_a_cloned_voice_is_proven_by_its_name(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile
) -> None:
    mine, other = speech(sample=sample), speech(sample=sample)
    await lose(emulator, provider, mine)
    await lose(emulator, provider, other)
    request = replace(mine, files={})
    found = await provider.find(lost(request, emulator, alone=False))
    assert found == Found(emulator.speeches[0].history_item_id)


async def test_a_voice_left_by_a_crash_is_deleted_when_its_speech_is_looked_for(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile
) -> None:
    request = speech(sample=sample)
    emulator.faults.add("delete_voice", Effect.REFUSE, times=1)
    await provider.submit(request, MemorySink())
    assert len(emulator.clones) == 1
    await provider.find(lost(request, emulator))
    assert emulator.clones == []


async def test_old_leftovers_are_swept_before_the_next_clone(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile
) -> None:
    now = emulator.clock.now()
    for name, age_s in ((voice_name(new_id()), 7200), (voice_name(new_id()), 60), ("a voice of mine", 7200)):
        emulator.voices[name] = Voice(name, name, "cloned", now - age_s)
    await provider.submit(speech(sample=sample), MemorySink())
    left = [voice.name for voice in emulator.clones]
    assert len(left) == 2
    assert "a voice of mine" in left


async def test_a_sample_that_is_too_large_is_refused(
    emulator: ElevenLabsEmulator,
    provider: ElevenLabsProvider,
    sample: InputFile,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cloning_module, "SAMPLE_BYTES", 1000)
    with pytest.raises(Refused):
        await provider.submit(speech(sample=sample), MemorySink())
    assert emulator.seen("clone") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (sound("mp3", 5.0), "plays for 5."),
        (sound("wav", 31.0), "plays for 31.0"),
        (sound("mp3", 70.0), "plays for more than 60"),
        (b"ID3" + bytes(2000), "cannot be played"),
    ],
)
async def test_a_sample_of_another_length_is_refused_before_anything_is_made(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, content: bytes, said: str
) -> None:
    async with recorded(content) as file:
        with pytest.raises(Refused) as caught:
            await provider.submit(speech(sample=file), MemorySink())
    assert said in caught.value.error.message
    assert (caught.value.curable, caught.value.error.details) == (False, {"field": "input.voice_sample"})
    assert list(emulator.requests) == []


async def test_a_voice_is_deleted_when_nothing_may_be_sent_any_more(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile
) -> None:
    """Making a voice takes long enough for a process to be declared dead; the paid call is not made then."""

    def gone() -> None:
        raise NotSent("stopped for too long")

    with pytest.raises(NotSent):
        await provider.submit(replace(speech(sample=sample), confirm=gone), MemorySink())
    assert (len(emulator.voices_made), emulator.clones, emulator.seen("speak")) == (1, [], [])


async def test_a_callers_url_at_a_private_address_is_refused(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, sample: InputFile
) -> None:
    with pytest.raises(Refused):
        await provider.submit(speech(sample=InputFile(sample.url)), MemorySink())
    assert emulator.seen("clone") == []


async def test_a_sample_that_cannot_be_fetched_is_tried_again_later(provider: ElevenLabsProvider) -> None:
    with pytest.raises(NotSent):
        await provider.submit(speech(sample=InputFile("http://127.0.0.1:9/a", "audio/mpeg")), MemorySink())


# Sound effects.


@pytest.mark.parametrize(("wanted", "mime"), [("mp3", "audio/mpeg"), ("wav", "audio/wav")])
async def test_a_sound_is_made_and_costs_what_is_reported(
    emulator: ElevenLabsEmulator, provider: ElevenLabsProvider, wanted: str, mime: str
) -> None:
    request = song("eleven_text_to_sound_v2", prompt="rain on a roof", duration_s=4, format=wanted)
    finished = await provider.submit(request, MemorySink())
    (output,) = finished.outputs
    assert isinstance(output, StoredFile)
    assert output.mime == mime
    assert finished.usage.cost_nanos == emulator.billed_nanos() > 0
    sent = emulator.seen("effect")[0].json
    assert (sent["text"], sent["duration_seconds"]) == ("rain on a roof", 4.0)
    assert await provider.find(lost(request, emulator)) == Unaskable()


# Cards.


def test_the_products_name_is_one_model_of_each_kind() -> None:
    provider = ElevenLabsProvider(None, "http://127.0.0.1:9", EXECUTOR)
    assert provider.unavailable_reason == "ELEVENLABS_API_KEY is not set"
    named = {card.kind: card.model for card in provider.cards if "elevenlabs" in card.names}
    assert named == {"audio": "eleven_multilingual_v2", "music": "music_v2"}


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("eleven_v3", {"text": "x" * 3001}),
        ("eleven_multilingual_v2", {"speed": 2.0}),
        ("eleven_multilingual_v2", {"language": "xx"}),
        ("music_v2", {"format": "wav"}),
        ("music_v2", {"seed": 7}),
    ],
)
def test_limits_are_told_before_anything_is_asked(model: str, given: dict[str, Any]) -> None:
    provider = ElevenLabsProvider("xi", "http://127.0.0.1:9", EXECUTOR)
    card = next(card for card in provider.cards if card.model == model)
    assert card.refusal(given) is not None
