"""The real adapter, with the real SDK, against the emulated Runware and each of its faults."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from shared.ids import new_id
from shared.kinds.image import ImageParameters
from shared.pricing import cost_of
from tests.emulators.base import Effect
from tests.emulators.runware import RunwareEmulator
from tests.workers.providers.sink import MemorySink
from workers.providers.base import (
    Absent,
    Accepted,
    Answer,
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
    UnreadableAnswer,
)
from workers.providers.runware import wire as wire_module
from workers.providers.runware.adapter import RunwareProvider, task_id_of
from workers.providers.runware.answers import refusal
from workers.providers.runware.models import CARDS, MODELS
from workers.providers.runware.wire import http_url

LONG_AGO = UUID("0190a000-0000-7000-8000-000000000001")


@pytest.fixture
async def emulator() -> AsyncIterator[RunwareEmulator]:
    async with RunwareEmulator(api_key="rw_ours") as running:
        yield running


@pytest.fixture
async def provider(emulator: RunwareEmulator) -> AsyncIterator[RunwareProvider]:
    provider = RunwareProvider("rw_ours", emulator.socket_url)
    yield provider
    await provider.close()


def a_request(model: str = "flux-schnell", **given: Any) -> Request:
    parameters = ImageParameters(**{"prompt": "a fox", **given})
    return Request(new_id(), new_id(), new_id(), "image", model, parameters.model_dump(), {}, 120.0)


def job_of(request: Request) -> Job:
    task_id = task_id_of(request.submission_id)
    return Job(request.submission_id, task_id, "image", request.model, request.input)


async def submitted(provider: RunwareProvider, request: Request) -> Job:
    accepted = await provider.submit(request, MemorySink())
    assert accepted == Accepted(task_id_of(request.submission_id))
    return job_of(request)


async def polled(provider: RunwareProvider, job: Job) -> Answer | Exception:
    return (await provider.poll([job]))[job.submission_id]


def lost(request: Request) -> Lost:
    return Lost(request, datetime.now(UTC))


async def until_seen(emulator: RunwareEmulator, operation: str) -> None:
    async with asyncio.timeout(90):
        while not emulator.seen(operation):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("model", MODELS)
async def test_a_picture_is_made_by_every_model_and_costs_what_runware_says(
    emulator: RunwareEmulator, provider: RunwareProvider, model: str
) -> None:
    job = await submitted(provider, a_request(model, format="png"))
    assert await polled(provider, job) == Pending(running=True)
    await emulator.advance(1)
    finished = await polled(provider, job)
    assert isinstance(finished, Finished)
    (output,) = finished.outputs
    assert isinstance(output, RemoteFile)
    assert (output.mime, output.url.endswith(".png")) == ("image/png", True)
    assert cost_of(None, finished.usage.units, finished.usage.cost_nanos) == emulator.billed_nanos() > 0


async def test_parameters_become_a_task(emulator: RunwareEmulator, provider: RunwareProvider) -> None:
    request = a_request(
        "sdxl", size="1000x640", count=2, seed=7, steps=20, guidance=6.5, style="anime", negative_prompt="fog",
        format="jpeg",
    )  # fmt: skip
    await submitted(provider, request)
    assert emulator.seen("imageInference")[0].json == {
        "taskType": "imageInference",
        "taskUUID": task_id_of(request.submission_id),
        "model": "civitai:101055@128078",
        "positivePrompt": "a fox, anime style with clean lines and cel shading",
        "negativePrompt": "fog",
        "width": 1024,
        "height": 640,
        "numberResults": 2,
        "seed": 7,
        "steps": 20,
        "CFGScale": 6.5,
        "deliveryMethod": "async",
        "outputType": "URL",
        "outputFormat": "JPG",
        "includeCost": True,
    }


async def test_several_pictures_are_one_bill_and_their_progress_is_told(
    emulator: RunwareEmulator, provider: RunwareProvider
) -> None:
    emulator.stagger_s = 100.0
    job = await submitted(provider, a_request("flux-dev", count=2))
    await emulator.advance(50)
    assert await polled(provider, job) == Pending(running=True, progress=0.5)
    await emulator.advance(100)
    finished = await polled(provider, job)
    assert isinstance(finished, Finished)
    assert [output.details for output in finished.outputs] == [{"seed": 4711}, {"seed": 4712}]
    assert finished.usage.cost_nanos == 7_600_000
    assert emulator.billed_nanos() == 7_600_000


async def test_without_its_cost_a_result_counts_by_the_cards_price(
    emulator: RunwareEmulator, provider: RunwareProvider
) -> None:
    emulator.tells_cost = False
    job = await submitted(provider, a_request("flux-dev", count=2))
    await emulator.advance(1)
    finished = await polled(provider, job)
    assert isinstance(finished, Finished)
    price = MODELS["flux-dev"].card.price
    assert price is not None
    assert cost_of(price.as_json(), finished.usage.units, finished.usage.cost_nanos) == 7_600_000


@pytest.mark.parametrize(
    ("model", "parameter"), [("flux-dev", "seedImage"), ("flux-2-pro", "inputs"), ("flux-schnell", None)]
)
async def test_a_picture_to_start_from(
    emulator: RunwareEmulator, provider: RunwareProvider, model: str, parameter: str | None
) -> None:
    files = {"image": InputFile("https://example.com/a.png", "image/png", 9)}
    request = replace(a_request(model), files=files)
    if parameter is None:
        with pytest.raises(Refused):
            await provider.submit(request, MemorySink())
        return
    await submitted(provider, request)
    assert "https://example.com/a.png" in str(emulator.seen("imageInference")[0].json[parameter])


async def test_a_picture_that_runware_cannot_reach_is_sent_along(
    emulator: RunwareEmulator, provider: RunwareProvider
) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=b"a picture", content_type="image/png")

    app = web.Application()
    app.add_routes([web.get("/a.png", serve)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    file = InputFile(f"http://127.0.0.1:{runner.addresses[0][1]}/a.png", "image/png", 9)
    try:
        await submitted(provider, replace(a_request("flux-dev"), files={"image": file}))
    finally:
        await runner.cleanup()
    assert emulator.seen("imageInference")[0].json["seedImage"] == "data:image/png;base64,YSBwaWN0dXJl"
    with pytest.raises(NotSent):
        await provider.submit(replace(a_request("flux-dev"), files={"image": file}), MemorySink())


# What is lost is known by its id.


@pytest.mark.parametrize(
    "effect", [Effect.RESET_AFTER, Effect.REFUSE_AFTER, Effect.LOST_AFTER, Effect.MALFORMED_AFTER]
)
async def test_a_lost_answer_is_found_by_the_id_and_never_repeated_by_the_sdk(
    emulator: RunwareEmulator, provider: RunwareProvider, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "SUBMIT_TIMEOUT_S", 0.5)
    emulator.faults.add("imageInference", effect, times=1)
    request = a_request()
    with pytest.raises(Exception) as caught:  # noqa: PT011  # any but those that say what became of it
        await provider.submit(request, MemorySink())
    assert not isinstance(caught.value, NotSent | Refused)
    assert await provider.find(lost(request)) == Found(task_id_of(request.submission_id))
    await emulator.advance(1)
    finished = await polled(provider, job_of(request))
    assert isinstance(finished, Finished)
    assert finished.usage.cost_nanos == emulator.billed_nanos()
    assert (len(emulator.seen("imageInference")), len(emulator.tasks)) == (1, 1)


async def test_what_never_arrived_is_absent(emulator: RunwareEmulator, provider: RunwareProvider) -> None:
    emulator.faults.add("imageInference", Effect.RESET, times=1)
    request = a_request()
    with pytest.raises(ConnectionError):
        await provider.submit(request, MemorySink())
    assert await provider.find(lost(request)) == Absent()
    await submitted(provider, request)


async def test_a_repeated_id_is_the_same_task(emulator: RunwareEmulator, provider: RunwareProvider) -> None:
    request = a_request()
    await submitted(provider, request)
    await submitted(provider, request)
    assert (len(emulator.seen("imageInference")), len(emulator.invoice())) == (2, 1)


async def test_a_task_that_ended_long_ago_is_found_and_read_from_its_record(
    emulator: RunwareEmulator, provider: RunwareProvider
) -> None:
    request, failing = a_request(), a_request(prompt="a bear")
    emulator.faults.add("imageInference", Effect.FAIL, contains="bear")
    await submitted(provider, request)
    await submitted(provider, failing)
    await emulator.advance(4000)
    assert await provider.find(lost(request)) == Found(task_id_of(request.submission_id))
    answers = await provider.poll([job_of(request), job_of(failing)])
    assert isinstance(answers[request.submission_id], Finished)
    assert isinstance(answers[failing.submission_id], Ended)


async def test_a_task_that_nobody_knows_is_gone_unless_it_is_new(provider: RunwareProvider) -> None:
    request = a_request()
    assert isinstance(await polled(provider, job_of(request)), UnreadableAnswer)
    assert await polled(provider, job_of(replace(request, submission_id=LONG_AGO))) == Gone()


async def test_a_confirmation_that_fails_sends_nothing(
    emulator: RunwareEmulator, provider: RunwareProvider
) -> None:
    def gone() -> None:
        raise NotSent("stopped for too long")

    with pytest.raises(NotSent):
        await provider.submit(replace(a_request(), confirm=gone), MemorySink())
    assert (len(emulator.seen("authentication")), emulator.seen("imageInference")) == (1, [])


# The connection.


async def test_calls_share_a_connection_and_a_lost_one_is_made_anew(
    emulator: RunwareEmulator, provider: RunwareProvider
) -> None:
    await asyncio.gather(*(submitted(provider, a_request()) for _ in range(5)))
    await submitted(provider, a_request())
    assert len(emulator.seen("authentication")) == 1
    await emulator.hang_up()
    await submitted(provider, a_request())
    assert len(emulator.seen("authentication")) == 2


async def test_a_connection_that_ends_in_good_order_ends_its_calls(
    emulator: RunwareEmulator, provider: RunwareProvider
) -> None:
    emulator.faults.add("imageInference", Effect.LOST_AFTER)
    call = asyncio.create_task(provider.submit(a_request(), MemorySink()))
    await until_seen(emulator, "imageInference")
    await emulator.hang_up()
    with pytest.raises(ConnectionError):
        await call


async def test_nobody_there_is_not_sent() -> None:
    provider = RunwareProvider("rw_ours", "ws://127.0.0.1:9/v1")
    with pytest.raises(NotSent):
        await provider.submit(a_request(), MemorySink())
    await provider.close()


@pytest.mark.parametrize("effect", [Effect.LOST_AFTER, Effect.RESET])
async def test_a_login_without_an_answer_is_not_sent(
    emulator: RunwareEmulator, provider: RunwareProvider, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "CONNECT_TIMEOUT_S", 0.5)
    emulator.faults.add("authentication", effect)
    with pytest.raises(NotSent):
        await provider.submit(a_request(), MemorySink())
    assert emulator.seen("imageInference") == []


async def test_a_wrong_key_is_refused_everywhere_and_told_to_nobody(emulator: RunwareEmulator) -> None:
    provider = RunwareProvider("rw_other", emulator.socket_url)
    request = a_request()
    with pytest.raises(Refused) as caught:
        await provider.submit(request, MemorySink())
    assert (caught.value.error.code, "rw_other" in str(caught.value)) == ("PROVIDER_AUTH", False)
    assert isinstance(await polled(provider, job_of(request)), Refused)
    with pytest.raises(Refused):
        await provider.find(lost(request))
    await provider.close()


def test_the_logs_of_others_are_left_as_they_were() -> None:
    asyncio_log, sockets_log = logging.getLogger("asyncio"), logging.getLogger("websockets")
    assert (asyncio_log.level, asyncio_log.propagate) == (logging.NOTSET, True)
    # At debug it shows each frame, and the first has the key.
    assert sockets_log.getEffectiveLevel() >= logging.INFO


def test_a_server_of_ones_own_is_asked_and_no_other() -> None:
    assert http_url("wss://ws-api.runware.ai/v1") == "https://api.runware.ai/v1"
    assert http_url("wss://proxy.example/v1") == "https://proxy.example/v1"


# Refusals.


@pytest.mark.parametrize(
    ("code", "expected", "curable"),
    [
        ("rateLimitExceeded", "PROVIDER_RATE_LIMITED", True),
        ("insufficientCredits", "PROVIDER_AUTH", True),
        ("invalidApiKey", "PROVIDER_AUTH", True),
        ("workspaceSuspended", "PROVIDER_AUTH", True),
        ("contentPolicyViolation", "CONTENT_BLOCKED", False),
        ("modelNotFound", "PROVIDER_REJECTED", True),
        ("invalidWidth", "PROVIDER_REJECTED", False),
        ("unsupportedParameter", "PROVIDER_REJECTED", False),
    ],
)
async def test_a_refusal_is_free(
    emulator: RunwareEmulator, provider: RunwareProvider, code: str, expected: str, curable: bool
) -> None:
    emulator.faults.add("imageInference", Effect.REFUSE, message=f"{code}: No.")
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(), MemorySink())
    error = caught.value.error
    assert (error.code, error.message, caught.value.curable) == (expected, "No.", curable)
    assert (caught.value.retry_after_s is not None) == (code == "rateLimitExceeded")
    assert emulator.invoice() == []


@pytest.mark.parametrize("code", ["internalServerError", "unknownError", "providerTimeout", "somethingNew"])
def test_what_proves_nothing_is_no_refusal(code: str) -> None:
    assert refusal({"code": code, "message": "Oops"}) is None


async def test_credits_that_are_used_up_are_refused(
    emulator: RunwareEmulator, provider: RunwareProvider
) -> None:
    emulator.credits_nanos = 1
    with pytest.raises(Refused) as caught:
        await provider.submit(a_request(), MemorySink())
    assert caught.value.error.code == "PROVIDER_AUTH"


@pytest.mark.parametrize(
    ("effect", "expected", "curable"),
    [(Effect.FAIL, "PROVIDER_FAILED", True), (Effect.NSFW, "CONTENT_BLOCKED", False)],
)
async def test_a_task_that_failed_costs_nothing(
    emulator: RunwareEmulator, provider: RunwareProvider, effect: Effect, expected: str, curable: bool
) -> None:
    emulator.faults.add("imageInference", effect)
    job = await submitted(provider, a_request())
    await emulator.advance(1)
    ended = await polled(provider, job)
    assert isinstance(ended, Ended)
    assert (ended.error.code, ended.curable) == (expected, curable)
    assert cost_of(None, ended.usage.units, ended.usage.cost_nanos) == emulator.billed_nanos() == 0


@pytest.mark.parametrize(
    ("operation", "effect", "details"),
    [
        ("ask", Effect.REFUSE, {"status": 500}),
        ("ask", Effect.REFUSE, {"status": 429, "retry_after_s": 3.0}),
        ("ask", Effect.RESET, {}),
        ("ask", Effect.MALFORMED_AFTER, {}),
        ("getResponse", Effect.REFUSE, {"message": "rateLimitExceeded: Too fast"}),
    ],
)
async def test_a_question_without_an_answer_says_nothing_of_the_task(
    emulator: RunwareEmulator,
    provider: RunwareProvider,
    operation: str,
    effect: Effect,
    details: dict[str, Any],
) -> None:
    job = await submitted(provider, a_request())
    await emulator.advance(1)
    emulator.faults.add(operation, effect, times=1, **details)
    assert isinstance(await polled(provider, job), Exception)
    assert isinstance(await polled(provider, job), Finished)


async def test_many_tasks_are_one_question(emulator: RunwareEmulator, provider: RunwareProvider) -> None:
    jobs = [await submitted(provider, a_request()) for _ in range(3)]
    await emulator.advance(1)
    answers = await provider.poll(jobs)
    assert [type(answers[job.submission_id]) for job in jobs] == [Finished] * 3
    assert len(emulator.seen("ask")) == 1


# Cards.


def test_cards_share_the_products_names_behind_the_others() -> None:
    provider = RunwareProvider(None, "ws://127.0.0.1:9")
    assert provider.unavailable_reason == "RUNWARE_API_KEY is not set"
    names = {name for card in provider.cards for name in card.names}
    assert {"flux-2", "flux-schnell", "stable-diffusion", "dreamshaper"} <= names
    assert {card.rank for card in CARDS} == {70}


@pytest.mark.parametrize("size", ["128x1024", "2112x1024"])
def test_sides_that_it_does_not_make_are_left_to_another_route(size: str) -> None:
    with pytest.raises(Refused) as caught:
        MODELS["sdxl"].sides({"size": size})
    assert caught.value.curable


def test_ids_are_one_to_one_and_of_version_4() -> None:
    first, second = new_id(), new_id()
    assert UUID(task_id_of(first)).version == 4
    assert task_id_of(first) != task_id_of(second)
    assert task_id_of(first) == task_id_of(first)
