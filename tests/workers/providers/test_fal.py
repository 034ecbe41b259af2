"""The real adapter, with the real SDK, against the emulated fal and each of its faults."""

import base64
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from shared.catalog import ModelCard
from shared.ids import new_id
from shared.kinds import KINDS
from shared.pricing import cost_of
from tests.emulators import media
from tests.emulators.base import Effect
from tests.emulators.fal import FalEmulator
from tests.emulators.fal_requests import FalRequest
from tests.workers.providers.sink import MemorySink
from workers.providers.base import (
    Absent,
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
    Request,
    Unaskable,
    UnreadableAnswer,
    Usage,
)
from workers.providers.fal import inputs
from workers.providers.fal import wire as wire_module
from workers.providers.fal.adapter import FalProvider
from workers.providers.fal.answers import read_result, read_status
from workers.providers.fal.identity import derived_seed
from workers.providers.fal.models import MODELS
from workers.providers.reply import Reply

CARDS = {name: model.card for name, model in MODELS.items()}
CALLBACK = "https://penstock.example/api/v1/callbacks/fal/1?proof=a%20b"
PICTURE = "data:image/png;base64," + base64.b64encode(media.picture("png", 64, 48)).decode()
PRICED = [name for name, card in CARDS.items() if card.price is not None]


@pytest.fixture
async def emulator() -> AsyncIterator[FalEmulator]:
    async with FalEmulator(key="ours:secret") as running:
        yield running


@pytest.fixture
async def provider(emulator: FalEmulator) -> AsyncIterator[FalProvider]:
    provider = FalProvider("ours:secret", emulator.url)
    yield provider
    await provider.close()


@pytest.fixture
async def serve_file() -> AsyncIterator[Callable[[bytes], str]]:
    """Serves bytes over plain HTTP, as a private object store would."""
    contents: dict[str, bytes] = {}
    keys: list[str | None] = []

    async def get(request: web.Request) -> web.Response:
        keys.append(request.headers.get("Authorization"))
        return web.Response(body=contents[request.path], content_type="image/png")

    app = web.Application()
    app.add_routes([web.get("/{name}", get)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    def serve(content: bytes) -> str:
        path = f"/{len(contents)}.png"
        contents[path] = content
        return f"http://127.0.0.1:{runner.addresses[0][1]}{path}"

    yield serve
    await runner.cleanup()
    assert keys == [None] * len(keys), "our key went to a file's host"


def a_request(model: str = "flux-dev", file: str | None = None, **given: Any) -> Request:
    kind = CARDS[model].kind
    said = {"image": "an upload"} if kind == "upscale" else {"prompt": "a lighthouse in fog"}
    if file is not None:
        said["image"] = "an upload"
    parameters = KINDS[kind].parameters.model_validate({**said, **given})
    files = {"image": InputFile(file)} if file is not None else {}
    return Request(new_id(), new_id(), new_id(), kind, model, parameters.model_dump(), files, 120.0)


async def submitted(provider: FalProvider, request: Request) -> Job:
    accepted = await provider.submit(request, MemorySink())
    return Job(request.submission_id, accepted.remote_id, request.kind, request.model, request.input)


async def polled(provider: FalProvider, job: Job) -> Answer | Exception:
    return (await provider.poll([job]))[job.submission_id]


async def ended(emulator: FalEmulator, provider: FalProvider, request: Request) -> Answer | Exception:
    job = await submitted(provider, request)
    await emulator.advance(1)
    return await polled(provider, job)


def lost(request: Request) -> Lost:
    return Lost(request, datetime.now(UTC))


def cost(card: ModelCard, usage: Usage) -> int | None:
    return cost_of(card.price.as_json() if card.price else None, usage.units, usage.cost_nanos)


def only(emulator: FalEmulator) -> FalRequest:
    (made,) = emulator.queue.values()
    return made


# What goes right.


@pytest.mark.parametrize("reports_units", [True, False])
@pytest.mark.parametrize("model", list(MODELS))
async def test_every_model_runs_and_costs_what_fal_bills(
    emulator: FalEmulator,
    provider: FalProvider,
    serve_file: Callable[[bytes], str],
    model: str,
    reports_units: bool,
) -> None:
    emulator.reports_units = reports_units
    file = serve_file(media.picture("png", 64, 48)) if CARDS[model].kind == "upscale" else None
    answer = await ended(emulator, provider, a_request(model, file))
    assert isinstance(answer, Finished), answer
    (output,) = answer.outputs
    family = {"upscale": "image", "music": "audio"}.get(CARDS[model].kind, CARDS[model].kind)
    assert getattr(output, "mime", "").startswith(family)
    known = cost(CARDS[model], answer.usage)
    assert emulator.billed_nanos() > 0
    assert known == (emulator.billed_nanos() if model in PRICED else None)


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("flux-2-pro", {"size": "1536x1024", "format": "jpeg", "style": "anime"}),
        ("flux-2-flex", {"aspect_ratio": "16:9", "steps": 20, "guidance": 4.5}),
        ("flux-dev", {"size": "1000x1800", "count": 3, "steps": 30, "guidance": 3.0}),
        ("flux-1.1-pro", {"size": "1440x720", "count": 2}),
        ("flux-schnell", {"size": "512x512", "count": 4, "steps": 2}),
        ("fast-sdxl", {"count": 2, "negative_prompt": "people", "steps": 30, "guidance": 7.0}),
        ("wan-2.5-480p", {"duration_s": 10, "aspect_ratio": "9:16"}),
        ("wan-2.5-1080p", {"duration_s": 5, "resolution": "1080p"}),
        ("kling-2.5-turbo", {"duration_s": 10, "aspect_ratio": "1:1"}),
        ("stable-audio-2.5", {"duration_s": 12.5, "genre": "jazz", "mood": "calm", "tempo": 90}),
        ("ace-step", {"duration_s": 240, "instrumental": False}),
    ],
)
async def test_parameters_become_input_that_the_model_takes(
    emulator: FalEmulator, provider: FalProvider, model: str, given: dict[str, Any]
) -> None:
    assert CARDS[model].refusal(given) is None
    request = a_request(model, **given)
    answer = await ended(emulator, provider, request)
    assert isinstance(answer, Finished), answer
    drawn = {"seed": derived_seed(request.submission_id)} if MODELS[model].seeded else {}
    assert [output.details for output in answer.outputs] == [drawn] * given.get("count", 1)
    if model in PRICED:
        assert cost(CARDS[model], answer.usage) == emulator.billed_nanos()


@pytest.mark.parametrize("model", ["fast-sdxl", "wan-2.5-720p", "kling-2.5-turbo"])
async def test_a_picture_to_start_from_has_an_endpoint_of_its_own(
    emulator: FalEmulator, provider: FalProvider, model: str
) -> None:
    answer = await ended(emulator, provider, a_request(model, "https://files.example/start.png"))
    assert isinstance(answer, Finished), answer
    assert only(emulator).model.endpoint.endswith(
        "/image-to-image" if model == "fast-sdxl" else "/image-to-video"
    )
    assert only(emulator).input["image_url"] == "https://files.example/start.png"


@pytest.mark.parametrize(
    ("model", "given"), [("clarity-upscaler", {"scale": 3}), ("esrgan", {"scale": 8, "face_restore": True})]
)
async def test_a_private_picture_is_handed_over(
    emulator: FalEmulator,
    provider: FalProvider,
    serve_file: Callable[[bytes], str],
    model: str,
    given: dict[str, Any],
) -> None:
    assert CARDS[model].refusal(given) is None
    request = a_request(model, serve_file(media.picture("png", 64, 48)), **given)
    answer = await ended(emulator, provider, request)
    assert isinstance(answer, Finished), answer
    assert only(emulator).input["image_url"] == PICTURE


async def test_a_private_file_that_is_too_large_is_refused_before_the_call(
    emulator: FalEmulator,
    provider: FalProvider,
    serve_file: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wire_module, "_DATA_URL_BYTES", 1000)
    with pytest.raises(Refused) as caught:
        await submitted(provider, a_request("esrgan", serve_file(bytes(1001))))
    assert (caught.value.curable, emulator.seen("create")) == (True, [])


async def test_a_submit_carries_its_limit_its_tag_and_a_seed_of_its_own(
    emulator: FalEmulator, provider: FalProvider
) -> None:
    request = replace(a_request(), callback_url=CALLBACK)
    await submitted(provider, request)
    made = only(emulator)
    assert made.headers == {"x-fal-no-retry": "1", "x-fal-request-timeout": "120.0"}
    assert made.webhook == CALLBACK
    assert made.input["seed"] == derived_seed(request.submission_id)
    assert emulator.seen("create")[0].headers["authorization"] == "Key ***"


async def test_a_plain_callback_is_not_given_away(emulator: FalEmulator, provider: FalProvider) -> None:
    await submitted(provider, replace(a_request(), callback_url="http://127.0.0.1:8080/callback"))
    assert only(emulator).webhook is None


async def test_place_in_the_queue_then_progress(emulator: FalEmulator, provider: FalProvider) -> None:
    emulator.queue_s, emulator.run_s = 10, 100
    await submitted(provider, a_request())
    job = await submitted(provider, a_request())
    assert await polled(provider, job) == Pending(running=False, queue_position=1)
    await emulator.advance(65)
    assert await polled(provider, job) == Pending(running=True, progress=0.5)


async def test_each_job_is_asked_for_once_and_for_itself(
    emulator: FalEmulator, provider: FalProvider
) -> None:
    emulator.faults.add("create", Effect.STUCK, nth=2)
    jobs = [await submitted(provider, a_request()) for _ in range(30)]
    await emulator.advance(1)
    answers = await provider.poll(jobs)
    kinds = [type(answers[job.submission_id]) for job in jobs]
    assert kinds == [Finished, Pending] + [Finished] * 28
    assert (len(emulator.seen("status")), len(emulator.seen("result"))) == (30, 29)


@pytest.mark.parametrize(("queue_s", "waited_s"), [(60.0, 0), (0.0, 10)])
async def test_what_is_canceled_costs_nothing(
    emulator: FalEmulator, provider: FalProvider, queue_s: float, waited_s: float
) -> None:
    emulator.queue_s, emulator.run_s = queue_s, 100
    job = await submitted(provider, a_request())
    await emulator.advance(waited_s)
    await provider.cancel(job)
    answer = await polled(provider, job)
    assert isinstance(answer, Ended)
    assert answer.canceled
    assert cost(CARDS["flux-dev"], answer.usage) == emulator.billed_nanos() == 0


async def test_a_cancel_that_comes_too_late_changes_nothing(
    emulator: FalEmulator, provider: FalProvider
) -> None:
    job = await submitted(provider, a_request())
    await emulator.advance(1)
    await provider.cancel(job)
    await provider.cancel(replace(job, remote_id="nobody"))
    assert isinstance(await polled(provider, job), Finished)


async def test_what_does_not_start_in_time_never_runs(emulator: FalEmulator, provider: FalProvider) -> None:
    emulator.queue_s = 600
    job = await submitted(provider, a_request())
    await emulator.advance(601)
    answer = await polled(provider, job)
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.curable) == ("PROVIDER_TIMEOUT", True)
    assert cost(CARDS["flux-dev"], answer.usage) == emulator.billed_nanos() == 0


# How it ends badly.


@pytest.mark.parametrize(
    ("effect", "code", "curable"),
    [
        (Effect.FAIL, "PROVIDER_FAILED", True),
        (Effect.NSFW, "CONTENT_BLOCKED", False),
        (Effect.CANCEL, "PROVIDER_FAILED", True),
        (Effect.ABORT, "PROVIDER_TIMEOUT", True),
    ],
)
async def test_bad_ends_say_why_and_cost_what_is_billed(
    emulator: FalEmulator, provider: FalProvider, effect: Effect, code: str, curable: bool
) -> None:
    emulator.faults.add("create", effect)
    answer = await ended(emulator, provider, a_request())
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.curable) == (code, curable)
    assert cost(CARDS["flux-dev"], answer.usage) == emulator.billed_nanos()


async def test_a_refused_prompt_whose_bill_nobody_tells_is_not_free(
    emulator: FalEmulator, provider: FalProvider
) -> None:
    emulator.reports_units = False
    emulator.faults.add("create", Effect.NSFW)
    answer = await ended(emulator, provider, a_request())
    assert isinstance(answer, Ended)
    assert cost(CARDS["flux-dev"], answer.usage) is None


async def test_wrong_input_is_refused_in_the_models_words(
    emulator: FalEmulator, provider: FalProvider
) -> None:
    answer = await ended(emulator, provider, a_request(guidance=0.5))
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.curable) == ("PROVIDER_REJECTED", False)
    assert "guidance_scale: 0.5 is less than" in answer.error.message


async def test_a_result_that_is_gone(emulator: FalEmulator, provider: FalProvider) -> None:
    job = await submitted(provider, a_request())
    await emulator.advance(4000)
    assert await polled(provider, job) == Gone()


async def test_an_unknown_id_is_gone(provider: FalProvider) -> None:
    assert await polled(provider, Job(new_id(), "no/body", "image", "flux-dev", {})) == Gone()


def result(body: bytes, status: int = 200, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


def test_a_blackened_picture_is_not_delivered_but_billed() -> None:
    body = (
        b'{"images":[{"url":"https://v3.fal.media/a.png"},{"url":"https://v3.fal.media/b.png"}],'
        b'"has_nsfw_concepts":[true,%b]}'
    )
    given = a_request("flux-schnell", count=2).input
    some = read_result(result(body % b"false"), {}, MODELS["flux-schnell"], given)
    assert isinstance(some, Finished)
    assert [getattr(output, "url", None) for output in some.outputs] == ["https://v3.fal.media/b.png"]
    none = read_result(result(body % b"true"), {}, MODELS["flux-schnell"], given)
    assert isinstance(none, Ended)
    assert (none.error.code, none.curable) == ("CONTENT_BLOCKED", False)
    assert cost(CARDS["flux-schnell"], some.usage) == cost(CARDS["flux-schnell"], none.usage) == 6_000_000


def test_a_success_without_a_file_is_billed_and_not_run_again() -> None:
    answer = read_result(result(b'{"images":[]}'), {}, MODELS["flux-1.1-pro"], a_request().input)
    assert isinstance(answer, Ended)
    assert (answer.curable, cost(CARDS["flux-1.1-pro"], answer.usage)) == (False, None)


def test_an_enlarged_picture_of_unknown_size_has_no_known_price() -> None:
    body = b'{"image":{"url":"https://v3.fal.media/a.png"}}'
    answer = read_result(result(body), {}, MODELS["clarity-upscaler"], {"scale": 4})
    assert isinstance(answer, Finished)
    assert cost(CARDS["clarity-upscaler"], answer.usage) is None


@pytest.mark.parametrize("units", ["many", "-1", "NaN"])
def test_a_count_that_is_none_is_ignored(units: str) -> None:
    body = b'{"video":{"url":"https://v3.fal.media/a.mp4"}}'
    given = a_request("kling-2.5-turbo").input
    answer = read_result(result(body, x_fal_billable_units=units), {}, MODELS["kling-2.5-turbo"], given)
    assert isinstance(answer, Finished)
    assert cost(CARDS["kling-2.5-turbo"], answer.usage) == 350_000_000


def test_a_proxys_error_is_not_the_models() -> None:
    model, given = MODELS["flux-dev"], a_request().input
    with pytest.raises(UnreadableAnswer):
        read_result(result(b"<html>nginx</html>", 502), {}, model, given)
    told = read_result(result(b"", 503), {"error_type": "runner_disconnected"}, model, given)
    assert isinstance(told, Ended)
    assert (told.error.code, told.curable, told.usage) == ("PROVIDER_FAILED", True, Usage(cost_nanos=0))


def test_a_status_that_nobody_knows_is_asked_for_again() -> None:
    with pytest.raises(UnreadableAnswer):
        read_status({"status": "PAUSED"})


# Refused: nothing was accepted, nothing is billed.


@pytest.mark.parametrize(
    ("status", "code", "curable"),
    [
        (400, "PROVIDER_REJECTED", False),
        (401, "PROVIDER_AUTH", True),
        (402, "PROVIDER_AUTH", True),
        (403, "PROVIDER_AUTH", True),
        (404, "PROVIDER_REJECTED", True),
        (409, "PROVIDER_REJECTED", False),
        (422, "PROVIDER_REJECTED", False),
        (429, "PROVIDER_RATE_LIMITED", True),
    ],
)
async def test_refusals_are_heard_at_the_first_word(
    emulator: FalEmulator, provider: FalProvider, status: int, code: str, curable: bool
) -> None:
    emulator.faults.add("create", Effect.REFUSE, status=status, message="no")
    with pytest.raises(Refused) as caught:
        await submitted(provider, a_request())
    assert (caught.value.error.code, caught.value.curable) == (code, curable)
    assert (len(emulator.seen("create")), emulator.invoice()) == (1, [])


@pytest.mark.parametrize("where", ["header", "body"])
async def test_a_throttle_says_for_how_long(emulator: FalEmulator, provider: FalProvider, where: str) -> None:
    emulator.faults.add("create", Effect.REFUSE, status=429, retry_after_s=17, retry_after_in=where)
    with pytest.raises(Refused) as caught:
        await submitted(provider, a_request())
    assert caught.value.retry_after_s == 17


async def test_a_size_out_of_bounds_is_refused_before_the_call(
    emulator: FalEmulator, provider: FalProvider
) -> None:
    with pytest.raises(Refused) as caught:
        await submitted(provider, a_request(size="4096x4096"))
    assert (caught.value.curable, emulator.seen("create")) == (True, [])


# Not sent: proven.


async def test_a_closed_port_proves_that_nothing_was_sent(unused_tcp_port: int) -> None:
    provider = FalProvider("ours:secret", f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(NotSent):
        await submitted(provider, a_request())
    await provider.close()


async def test_a_file_that_cannot_be_fetched_is_not_sent(
    emulator: FalEmulator, provider: FalProvider, unused_tcp_port: int
) -> None:
    with pytest.raises(NotSent):
        await submitted(provider, a_request("esrgan", f"http://127.0.0.1:{unused_tcp_port}/a.png"))
    assert emulator.seen("create") == []


# Unknown: accepted or not, nobody heard; then asked.


@pytest.mark.parametrize(
    ("effect", "accepted"),
    [
        (Effect.REFUSE, False),
        (Effect.RESET, False),
        (Effect.REFUSE_AFTER, True),
        (Effect.RESET_AFTER, True),
        (Effect.LOST_AFTER, True),
        (Effect.MALFORMED_AFTER, True),
    ],
)
async def test_an_unknown_submission_is_sent_once_and_then_found_or_not(
    emulator: FalEmulator,
    provider: FalProvider,
    monkeypatch: pytest.MonkeyPatch,
    effect: Effect,
    accepted: bool,
) -> None:
    monkeypatch.setattr(wire_module, "CREATE_TIMEOUT_S", 1.5)
    # Of such an answer the SDK makes up to ten requests.
    emulator.faults.add("create", effect, status=502)
    request = a_request()
    case = lost(request)
    with pytest.raises(Exception) as caught:  # noqa: PT011  # anything but the two that say more
        await submitted(provider, request)
    assert not isinstance(caught.value, NotSent | Refused)
    assert len(emulator.seen("create")) == 1
    await emulator.advance(1)
    assert await provider.find(case) == (Found(emulator.invoice()[0].id) if accepted else Absent())


async def test_an_accepted_request_without_its_urls_is_accepted(provider: FalProvider) -> None:
    async def submit(_: web.Request) -> web.Response:
        return web.json_response({"request_id": "abc", "gateway_request_id": "abc"})

    app = web.Application()
    app.add_routes([web.post("/{path:.+}", submit)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    terse = FalProvider("ours:secret", f"http://127.0.0.1:{runner.addresses[0][1]}/behind/a/path")
    assert (await submitted(terse, a_request())).remote_id == "abc"
    await terse.close()
    await runner.cleanup()


async def test_it_is_found_among_others_and_over_pages(emulator: FalEmulator, provider: FalProvider) -> None:
    ours = a_request()
    case = lost(ours)
    remote_id = (await submitted(provider, ours)).remote_id
    ours_there = only(emulator)
    for n in range(110):
        other = replace(ours_there, id=f"other-{n}", input={**ours_there.input, "seed": n})
        emulator.queue[other.id] = replace(other, created_at=other.created_at + 0.1)
    await emulator.advance(1)
    assert await provider.find(case) == Found(remote_id)
    assert len(emulator.seen("list")) == 2


async def test_what_still_runs_is_not_in_the_list_and_not_taken_for_lost(
    emulator: FalEmulator, provider: FalProvider
) -> None:
    emulator.faults.add("create", Effect.STUCK)
    request = a_request()
    await submitted(provider, request)
    assert await provider.find(lost(request)) == Absent()
    hour_ago = Lost(request, datetime.now(UTC) - timedelta(hours=1))
    assert await provider.find(hour_ago) == Unaskable()


async def test_nothing_of_someone_elses_is_adopted(emulator: FalEmulator, provider: FalProvider) -> None:
    for other in (a_request(), a_request("flux-schnell"), a_request(seed=8), a_request("kling-2.5-turbo")):
        await submitted(provider, other)
    await emulator.advance(1)
    assert await provider.find(lost(a_request(seed=7))) == Absent()
    assert await provider.find(lost(a_request())) == Absent()


@pytest.mark.parametrize(("model", "given"), [("flux-dev", {"seed": 7}), ("kling-2.5-turbo", {})])
async def test_an_equal_request_is_ours_only_if_nobody_else_can_have_sent_it(
    emulator: FalEmulator, provider: FalProvider, model: str, given: dict[str, Any]
) -> None:
    remote_id = (await submitted(provider, a_request(model, **given))).remote_id
    await emulator.advance(1)
    missing = lost(a_request(model, **given))
    assert await provider.find(missing) == Unaskable()
    alone = replace(missing, alone=True)
    assert await provider.find(alone) == Found(remote_id)
    assert await provider.find(replace(alone, taken=frozenset({remote_id}))) == Absent()


async def test_without_payloads_nothing_is_proven(emulator: FalEmulator, provider: FalProvider) -> None:
    emulator.keeps_payloads = False
    request = a_request()
    case = replace(lost(request), alone=True)
    await submitted(provider, request)
    await emulator.advance(1)
    assert await provider.find(case) == Unaskable()


@pytest.mark.parametrize("seed", [None, 7])
async def test_a_picture_that_travels_at_another_url_is_found(
    emulator: FalEmulator, provider: FalProvider, seed: int | None
) -> None:
    request = a_request("wan-2.5-480p", "https://files.example/a.png?signature=1", seed=seed)
    remote_id = (await submitted(provider, request)).remote_id
    await emulator.advance(1)
    signed_again = {"image": InputFile("https://files.example/a.png?signature=2")}
    case = replace(lost(replace(request, files=signed_again)), alone=True)
    assert await provider.find(case) == Found(remote_id)
    # Aftercare knows no URLs any more.
    without = await provider.find(replace(case, request=replace(request, files={})))
    assert without == (Found(remote_id) if seed is None else Unaskable())


async def test_the_same_wish_for_another_picture_is_not_ours(
    emulator: FalEmulator, provider: FalProvider, serve_file: Callable[[bytes], str]
) -> None:
    await submitted(provider, a_request("esrgan", "https://files.example/a.png"))
    await emulator.advance(1)
    other = replace(lost(a_request("esrgan", "https://files.example/b.png")), alone=True)
    assert await provider.find(other) == Absent()
    handed_over = replace(lost(a_request("esrgan", serve_file(b"x"))), alone=True)
    assert await provider.find(handed_over) == Unaskable()


# Questions without an answer.


@pytest.mark.parametrize(
    "script",
    [
        {"effect": Effect.REFUSE, "status": 500},
        {"effect": Effect.REFUSE, "status": 429, "retry_after_s": 3},
        {"effect": Effect.REFUSE, "status": 401},
        {"effect": Effect.RESET},
        {"effect": Effect.MALFORMED_AFTER},
    ],
)
@pytest.mark.parametrize("operation", ["status", "result"])
async def test_a_question_without_an_answer_is_an_exception_to_ask_again(
    emulator: FalEmulator, provider: FalProvider, operation: str, script: dict[str, Any]
) -> None:
    job = await submitted(provider, a_request())
    await emulator.advance(1)
    for name in (operation, "list", "cancel"):
        emulator.faults.add(name, **script)
    assert isinstance(await polled(provider, job), Exception)
    with pytest.raises(Exception):  # noqa: B017, PT011  # whatever it is, it is not an answer
        await provider.cancel(job)
    with pytest.raises(Exception):  # noqa: B017, PT011
        await provider.find(lost(a_request()))
    emulator.faults.clear()
    assert isinstance(await polled(provider, job), Finished)


# The cards.


def test_without_a_key_it_says_so() -> None:
    assert FalProvider(None).unavailable_reason == "FAL_KEY is not set"
    assert FalProvider("ours:secret").unavailable_reason is None


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.model)
def test_cards_say_their_price_and_its_source_or_none(card: ModelCard) -> None:
    given = {"image": "an upload"} if card.kind == "upscale" else {"prompt": "a lighthouse"}
    estimate = card.estimate(KINDS[card.kind].parameters.model_validate(given))
    assert card.limits.keys() <= card.accepts <= KINDS[card.kind].parameters.model_fields.keys()
    if card.price is None:
        assert estimate is None
        return
    assert estimate is not None
    assert estimate > 0
    assert card.price.source


def test_product_names_are_shared() -> None:
    names = {name for card in CARDS.values() for name in card.names}
    assert {"flux-2", "flux-schnell", "stable-diffusion", "sdxl", "wan", "kling", "real-esrgan",
            "stable-audio", "ace-step"} <= names  # fmt: skip


def test_the_wan_that_runs_is_the_one_that_was_asked_for() -> None:
    asked = {"prompt": "waves", "resolution": "720p"}
    takers = [name for name, card in CARDS.items() if "wan" in card.names and card.refusal(asked) is None]
    assert takers == ["wan-2.5-720p"]


def test_a_shape_is_one_megapixel_and_no_more() -> None:
    assert all(0.9 < width * height / inputs.MEGAPIXEL <= 1 for width, height in inputs.SHAPES.values())


def test_seeds_differ_and_stay() -> None:
    first, second = UUID(int=1), UUID(int=2)
    assert derived_seed(first) == derived_seed(UUID(int=1)) != derived_seed(second)
    assert 0 <= derived_seed(first) < 2**31
