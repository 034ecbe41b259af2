"""The real adapter against the emulated Mubert and each of its faults."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.ids import new_id
from shared.kinds.music import MusicParameters
from shared.pricing import cost_of
from tests.emulators.base import Effect
from tests.emulators.mubert import MubertEmulator
from tests.workers.providers.sink import MemorySink
from workers.providers import mubert as mubert_module
from workers.providers.base import (
    Absent,
    Answer,
    Ended,
    Finished,
    Found,
    Gone,
    Job,
    Lost,
    NotSent,
    Pending,
    Refused,
    RemoteFile,
    Request,
    Unaskable,
    UnreadableAnswer,
)
from workers.providers.mubert import CARDS, MubertProvider, sent_input

PRICE = CARDS[0].price
SPEC = Path(__file__).parents[3].parent / "shared" / "specs" / "mubert-openapi.yaml"


@pytest.fixture
async def emulator() -> AsyncIterator[MubertEmulator]:
    async with MubertEmulator(customer_id="c", access_token="t") as running:
        yield running


@pytest.fixture
async def provider(emulator: MubertEmulator) -> AsyncIterator[MubertProvider]:
    provider = MubertProvider("c", "t", emulator.url)
    yield provider
    await provider.close()


def a_request(**given: Any) -> Request:
    parameters = MusicParameters(**{"prompt": "calm piano", **given})
    return Request(new_id(), new_id(), new_id(), "music", "mubert-v3", parameters.model_dump(), {}, 120.0)


async def submitted(provider: MubertProvider, request: Request) -> Job:
    accepted = await provider.submit(request, MemorySink())
    return Job(request.submission_id, accepted.remote_id, "music", request.model, request.input)


async def polled(provider: MubertProvider, job: Job) -> Answer | Exception:
    return (await provider.poll([job]))[job.submission_id]


def lost(request: Request, emulator: MubertEmulator, **around: Any) -> Lost:
    return Lost(request, datetime.fromtimestamp(emulator.clock.now(), UTC), **{"alone": True, **around})


@pytest.mark.parametrize("wanted", ["mp3", "wav"])
async def test_a_track_is_made_and_costs_its_share_of_the_plan(
    emulator: MubertEmulator, provider: MubertProvider, wanted: str
) -> None:
    job = await submitted(provider, a_request(format=wanted))
    assert await polled(provider, job) == Pending(running=True)
    await emulator.advance(1)
    finished = await polled(provider, job)
    assert isinstance(finished, Finished)
    (output,) = finished.outputs
    assert isinstance(output, RemoteFile)
    assert output.url.endswith(wanted)
    assert PRICE is not None
    assert cost_of(PRICE.as_json(), finished.usage.units, None) == emulator.billed_nanos() == 490_000_000


async def test_parameters_become_words(emulator: MubertEmulator, provider: MubertProvider) -> None:
    await submitted(provider, a_request(genre="ambient", mood="calm", tempo=80, duration_s=12.5))
    assert emulator.seen("create")[0].json == {
        "prompt": "calm piano, ambient, calm, medium tempo, 80 bpm",
        "duration": 13,
        "bitrate": 320,
        "format": "mp3",
        "intensity": "medium",
        "mode": "track",
    }


async def test_requests_conform_to_the_published_description(
    emulator: MubertEmulator, provider: MubertProvider
) -> None:
    if not SPEC.exists():
        pytest.skip("Mubert's OpenAPI file is not here")
    components = json.loads(SPEC.read_text())["components"]
    create = components["requestBodies"]["TrackCreatePublicRequest"]["content"]["application/json"]["schema"]
    await submitted(provider, a_request(genre="ambient", format="wav"))
    sent = emulator.seen("create")[0].json
    jsonschema.validate(sent, {**create, "components": components})
    assert sent.keys() <= create["properties"].keys()


def test_too_many_words_are_refused() -> None:
    with pytest.raises(Refused):
        sent_input({"prompt": "x" * 250, "genre": "ambient"})


@pytest.mark.parametrize(
    "given", [{"prompt": "x" * 256}, {"duration_s": 3}, {"instrumental": False}, {"seed": 1}]
)
def test_limits_are_told_before_anything_is_asked(given: dict[str, Any]) -> None:
    assert CARDS[0].refusal(given) is not None


async def test_a_track_that_failed_costs_nothing(emulator: MubertEmulator, provider: MubertProvider) -> None:
    emulator.faults.add("create", Effect.FAIL)
    job = await submitted(provider, a_request())
    await emulator.advance(1)
    answer = await polled(provider, job)
    assert isinstance(answer, Ended)
    assert answer.curable
    assert PRICE is not None
    assert cost_of(PRICE.as_json(), answer.usage.units, None) == emulator.billed_nanos() == 0


async def test_a_track_that_expired_was_billed(emulator: MubertEmulator, provider: MubertProvider) -> None:
    job = await submitted(provider, a_request())
    await emulator.advance(10_000)
    answer = await polled(provider, job)
    assert isinstance(answer, Ended)
    assert not answer.curable
    assert PRICE is not None
    assert cost_of(PRICE.as_json(), answer.usage.units, None) == emulator.billed_nanos() > 0


async def test_an_unknown_track_is_gone(provider: MubertProvider) -> None:
    assert await polled(provider, Job(new_id(), "unknown", "music", "mubert-v3", {})) == Gone()


async def test_a_poll_that_fails_is_a_question_to_be_asked_again(
    emulator: MubertEmulator, provider: MubertProvider
) -> None:
    job = await submitted(provider, a_request())
    emulator.faults.add("get", Effect.REFUSE, status=500, times=1)
    assert isinstance(await polled(provider, job), UnreadableAnswer)
    assert isinstance(await polled(provider, job), Pending)


async def test_a_closed_port_proves_that_nothing_was_sent() -> None:
    provider = MubertProvider("c", "t", "http://127.0.0.1:9")
    with pytest.raises(NotSent):
        await provider.submit(a_request(), MemorySink())
    await provider.close()


@pytest.mark.parametrize(
    ("status", "message", "code", "curable", "wait_s"),
    [
        (401, "Unauthenticated: no", "PROVIDER_AUTH", True, None),
        (403, "LicenseExpired: renew it", "PROVIDER_AUTH", True, None),
        (403, "LicenseLimitTracksCount: used up", "PROVIDER_AUTH", True, None),
        (403, "LicenseLimitConcurrentTrackGenerationsCount: wait", "PROVIDER_RATE_LIMITED", True, 5.0),
        (403, "LicenseForbiddenDuration: too long", "PROVIDER_REJECTED", True, None),
        (422, "The given data was invalid", "PROVIDER_REJECTED", False, None),
        (429, "Slow down", "PROVIDER_RATE_LIMITED", True, 5.0),
    ],
)
async def test_what_a_4xx_says(
    emulator: MubertEmulator,
    provider: MubertProvider,
    status: int,
    message: str,
    code: str,
    curable: bool,
    wait_s: float | None,
) -> None:
    emulator.faults.add("create", Effect.REFUSE, status=status, message=message)
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(), MemorySink())
    refused = caught.value
    assert (refused.error.code, refused.curable, refused.retry_after_s) == (code, curable, wait_s)


async def test_the_header_says_how_long_to_wait(emulator: MubertEmulator, provider: MubertProvider) -> None:
    emulator.faults.add("create", Effect.REFUSE, status=429, retry_after_s=3)
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(), MemorySink())
    assert caught.value.retry_after_s == 3


@pytest.mark.parametrize("effect", [Effect.REFUSE_AFTER, Effect.RESET_AFTER, Effect.MALFORMED_AFTER])
async def test_a_lost_answer_is_found_in_the_list(
    emulator: MubertEmulator, provider: MubertProvider, effect: Effect
) -> None:
    emulator.faults.add("create", effect, times=1)
    request = a_request()
    with pytest.raises(Exception) as caught:  # noqa: PT011  # any but those that say what became of it
        await provider.submit(request, MemorySink())
    assert not isinstance(caught.value, NotSent | Refused)
    assert await provider.find(lost(request, emulator)) == Found(next(iter(emulator.tracks)))


async def test_equal_tracks_of_others_are_not_taken(
    emulator: MubertEmulator, provider: MubertProvider
) -> None:
    theirs, request = await submitted(provider, a_request()), a_request()
    assert await provider.find(lost(request, emulator, taken=frozenset({theirs.remote_id}))) == Absent()
    assert await provider.find(lost(request, emulator, alone=False)) == Unaskable()
    await submitted(provider, a_request())
    assert await provider.find(lost(request, emulator)) == Unaskable()


@pytest.mark.parametrize("change", [{"prompt": "loud drums"}, {"duration_s": 31}])
async def test_other_tracks_are_not_taken(
    emulator: MubertEmulator, provider: MubertProvider, change: dict[str, Any]
) -> None:
    await submitted(provider, a_request(**change))
    assert await provider.find(lost(a_request(), emulator)) == Absent()


async def test_tracks_of_another_time_are_not_taken(
    emulator: MubertEmulator, provider: MubertProvider
) -> None:
    await submitted(provider, a_request())
    request = a_request()
    late = Lost(request, datetime.now(UTC) + timedelta(hours=1), alone=True)
    assert await provider.find(late) == Absent()


async def test_a_long_list_is_read_page_by_page(
    emulator: MubertEmulator, provider: MubertProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mubert_module, "PAGE", 2)
    emulator.concurrent = 10
    request = a_request()
    await submitted(provider, request)
    for n in range(4):
        await submitted(provider, a_request(prompt=f"track {n}"))
    assert isinstance(await provider.find(lost(request, emulator)), Found)
    assert len(emulator.seen("list")) == 3


@pytest.mark.parametrize(
    ("customer_id", "token", "reason"),
    [(None, "t", "MUBERT_CUSTOMER_ID"), ("c", None, "MUBERT_ACCESS_TOKEN")],
)
def test_both_halves_of_the_credential_are_needed(
    customer_id: str | None, token: str | None, reason: str
) -> None:
    provider = MubertProvider(customer_id, token, "https://music-api.mubert.com")
    assert provider.unavailable_reason == f"{reason} is not set"
