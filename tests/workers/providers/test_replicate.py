"""The real adapter, with the real SDK, against the emulated Replicate and each of its faults."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from shared.catalog import ModelCard
from shared.ids import new_id
from shared.kinds import KINDS
from shared.pricing import cost_of
from tests.emulators.base import Effect
from tests.emulators.media import picture
from tests.emulators.replicate import ReplicateEmulator
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
    StoredFile,
    Unaskable,
    Usage,
)
from workers.providers.replicate import wire as wire_module
from workers.providers.replicate.adapter import LIST_FROM, ReplicateProvider
from workers.providers.replicate.answers import read
from workers.providers.replicate.identity import derived_seed
from workers.providers.replicate.models import MODELS

CARDS = {name: model.card for name, model in MODELS.items()}
PICTURE = InputFile("https://files.example/start.png")
CALLBACK = "https://penstock.example/api/v1/callbacks/replicate"


class NoSink:
    """Replicate is not a synchronous provider: nothing is written while it submits."""

    async def write(
        self, n: int, mime: str, chunks: AsyncIterator[bytes], *, text: str | None = None
    ) -> StoredFile:
        raise AssertionError

    async def progress(self, fraction: float, stage: str = "provider_running") -> None:
        raise AssertionError

    async def delta(self, offset: int, text: str) -> None:
        raise AssertionError


@pytest.fixture
async def emulator() -> AsyncIterator[ReplicateEmulator]:
    async with ReplicateEmulator(token="r8_ours") as running:
        yield running


@pytest.fixture
async def provider(emulator: ReplicateEmulator) -> AsyncIterator[ReplicateProvider]:
    provider = ReplicateProvider("r8_ours", emulator.url)
    yield provider
    await provider.close()


def a_request(model: str = "flux-2-pro", files: dict[str, InputFile] | None = None, **given: Any) -> Request:
    """As the pipeline makes it: validated, within the model's limits, with the files that are named in it."""
    card = CARDS[model]
    kind = KINDS[card.kind]
    if kind.prompt_field not in kind.file_fields:
        given = {kind.prompt_field: "a lighthouse in fog", **given}
    if card.requires or card.kind == "upscale":
        files = files or {"image": PICTURE}
    named: dict[str, Any] = {name: file.url for name, file in (files or {}).items()}
    named = kind.parameters(**given, **named).model_dump()
    return Request(new_id(), new_id(), new_id(), card.kind, model, named, files or {}, 120.0)


async def submitted(provider: ReplicateProvider, request: Request) -> Job:
    accepted = await provider.submit(request, NoSink())
    return Job(request.submission_id, accepted.remote_id, request.kind, request.model, request.input)


async def polled(provider: ReplicateProvider, job: Job) -> Answer | Exception:
    return (await provider.poll([job]))[job.submission_id]


async def ended(
    emulator: ReplicateEmulator, provider: ReplicateProvider, request: Request
) -> Answer | Exception:
    job = await submitted(provider, request)
    await emulator.advance(1)
    return await polled(provider, job)


def lost(request: Request, emulator: ReplicateEmulator) -> Lost:
    return Lost(request, datetime.fromtimestamp(emulator.clock.now(), UTC))


def cost(card: ModelCard, usage: Usage) -> int | None:
    return cost_of(card.price.as_json() if card.price else None, usage.units, usage.cost_nanos)


# What goes right.


@pytest.mark.parametrize("model", list(MODELS))
async def test_every_model_runs_and_costs_what_replicate_bills(
    emulator: ReplicateEmulator, provider: ReplicateProvider, model: str
) -> None:
    card = CARDS[model]
    answer = await ended(emulator, provider, a_request(model))
    assert isinstance(answer, Finished)
    mimes = {"audio": "audio/wav", "music": "audio/mpeg", "video": "video/mp4"}
    picture = "image/png" if MODELS[model].version else "image/webp"
    assert [output.mime for output in answer.outputs] == [mimes.get(card.kind, picture)]
    assert cost(card, answer.usage) == emulator.billed_nanos() > 0


@pytest.mark.parametrize(
    ("model", "given"),
    [
        ("flux-2-pro", {"size": "1536x1024", "format": "jpeg", "style": "anime"}),
        ("flux-2-flex", {"aspect_ratio": "16:9", "steps": 20, "guidance": 4.5}),
        ("flux-2-dev", {"size": "1000x1000"}),
        ("flux-1.1-pro", {"size": "1440x720", "format": "png"}),
        ("flux-schnell", {"size": "1344x768", "count": 3, "steps": 4}),
        ("sdxl", {"count": 2, "negative_prompt": "people", "steps": 30, "guidance": 7.0, "size": "500x333"}),
        ("dreamshaper", {"aspect_ratio": "3:4", "steps": 6}),
    ],
)
async def test_parameters_become_input_that_the_model_takes(
    emulator: ReplicateEmulator, provider: ReplicateProvider, model: str, given: dict[str, Any]
) -> None:
    assert CARDS[model].refusal(given) is None
    answer = await ended(emulator, provider, a_request(model, seed=42, **given))
    assert isinstance(answer, Finished)
    assert [output.details for output in answer.outputs] == [{"seed": 42}] * given.get("count", 1)
    assert emulator.seen("create")[0].json["input"]["seed"] == 42
    assert cost(CARDS[model], answer.usage) == emulator.billed_nanos()


async def test_a_create_carries_its_deadline_its_tag_and_a_seed_of_its_own(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    request = replace(a_request(), callback_url=CALLBACK)
    await submitted(provider, request)
    sent = emulator.seen("create")[0]
    assert sent.headers["cancel-after"] == "120s"
    assert sent.json["webhook"] == f"{CALLBACK}?s={request.submission_id}"
    assert sent.json["webhook_events_filter"] == ["start", "completed"]
    assert sent.json["input"]["seed"] == derived_seed(request.submission_id)


async def test_a_plain_callback_is_not_given_away(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    await submitted(provider, replace(a_request(), callback_url="http://127.0.0.1:8080/callback"))
    assert "webhook" not in emulator.seen("create")[0].json


async def test_progress_and_stages(emulator: ReplicateEmulator, provider: ReplicateProvider) -> None:
    emulator.queue_s, emulator.run_s = 10, 100
    job = await submitted(provider, a_request("sdxl"))
    assert await polled(provider, job) == Pending(running=False)
    await emulator.advance(60)
    assert await polled(provider, job) == Pending(running=True, progress=0.5)


async def test_many_are_polled_with_one_list(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    jobs = [await submitted(provider, a_request()) for _ in range(LIST_FROM)]
    await emulator.advance(1)
    answers = await provider.poll(jobs)
    assert all(isinstance(answers[job.submission_id], Finished) for job in jobs)
    assert (len(emulator.seen("list")), len(emulator.seen("get"))) == (1, 0)


async def test_one_aborted_row_does_not_spoil_the_list(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    emulator.faults.add("create", Effect.ABORT, nth=3)
    jobs = [await submitted(provider, a_request()) for _ in range(LIST_FROM)]
    await emulator.advance(1)
    answers = await provider.poll(jobs)
    kinds = [type(answers[job.submission_id]) for job in jobs]
    assert kinds == [Finished, Finished, Ended] + [Finished] * (LIST_FROM - 3)


async def test_those_missing_from_the_list_are_asked_for_alone(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    emulator.faults.add("create", Effect.LIST_LAG, seconds=60, nth=1)
    jobs = [await submitted(provider, a_request()) for _ in range(LIST_FROM)]
    await emulator.advance(1)
    answers = await provider.poll(jobs)
    assert all(isinstance(answer, Finished) for answer in answers.values())
    assert len(emulator.seen("get")) == 1


@pytest.mark.parametrize(("queue_s", "model"), [(0.0, "sdxl"), (0.0, "flux-2-pro"), (60.0, "sdxl")])
async def test_a_cancel_is_settled_by_what_was_used(
    emulator: ReplicateEmulator, provider: ReplicateProvider, queue_s: float, model: str
) -> None:
    emulator.queue_s, emulator.run_s = queue_s, 100
    job = await submitted(provider, a_request(model))
    await emulator.advance(10)
    await provider.cancel(job)
    answer = await polled(provider, job)
    assert isinstance(answer, Ended)
    assert answer.canceled
    assert cost(CARDS[model], answer.usage) == emulator.billed_nanos()
    assert (emulator.billed_nanos() > 0) == (queue_s == 0 and model == "sdxl")


@pytest.mark.parametrize(("queue_s", "ran"), [(0.0, True), (600.0, False)])
async def test_the_deadline_ends_it_there(
    emulator: ReplicateEmulator, provider: ReplicateProvider, queue_s: float, ran: bool
) -> None:
    emulator.queue_s, emulator.run_s = queue_s, 600
    job = await submitted(provider, a_request("sdxl"))
    await emulator.advance(121)
    answer = await polled(provider, job)
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.canceled, answer.curable) == ("PROVIDER_TIMEOUT", False, True)
    assert cost(CARDS["sdxl"], answer.usage) == emulator.billed_nanos() == (120 * 975_000 if ran else 0)


# How it ends badly.


@pytest.mark.parametrize("model", ["flux-2-pro", "sdxl"])
@pytest.mark.parametrize(
    ("effect", "code", "curable"),
    [
        (Effect.FAIL, "PROVIDER_FAILED", True),
        (Effect.NSFW, "CONTENT_BLOCKED", False),
        (Effect.CANCEL, "PROVIDER_FAILED", True),
        (Effect.ABORT, "PROVIDER_TIMEOUT", True),
        (Effect.OUTPUT_EXPIRED, "PROVIDER_FAILED", False),
    ],
)
async def test_bad_ends_say_why_and_cost_what_is_billed(
    emulator: ReplicateEmulator,
    provider: ReplicateProvider,
    model: str,
    effect: Effect,
    code: str,
    curable: bool,
) -> None:
    emulator.faults.add("create", effect)
    answer = await ended(emulator, provider, a_request(model))
    assert isinstance(answer, Ended)
    assert (answer.error.code, answer.curable) == (code, curable)
    assert cost(CARDS[model], answer.usage) == emulator.billed_nanos()


async def test_its_own_words_are_kept(emulator: ReplicateEmulator, provider: ReplicateProvider) -> None:
    emulator.faults.add("create", Effect.FAIL, message="CUDA out of memory. (E1001)")
    answer = await ended(emulator, provider, a_request())
    assert isinstance(answer, Ended)
    assert answer.error.message == "CUDA out of memory. (E1001)"


async def test_an_unknown_id_is_gone(provider: ReplicateProvider) -> None:
    assert await polled(provider, Job(new_id(), "nobody", "image", "sdxl", {})) == Gone()


def test_an_unknown_run_time_is_not_free() -> None:
    row = {"status": "failed", "started_at": "2026-11-20T10:00:00Z", "error": "x"}
    answer = read(row, MODELS["sdxl"])
    assert isinstance(answer, Ended)
    assert cost(CARDS["sdxl"], answer.usage) is None


def test_an_output_before_the_end_is_no_success() -> None:
    row = {"status": "processing", "output": "https://replicate.delivery/x/out.webp", "logs": None}
    assert read(row, MODELS["flux-2-pro"]) == Pending(running=True)


# Refused: nothing was accepted, nothing is billed.


@pytest.mark.parametrize(
    ("status", "code", "curable"),
    [
        (400, "PROVIDER_REJECTED", False),
        (401, "PROVIDER_AUTH", True),
        (402, "PROVIDER_AUTH", True),
        (403, "PROVIDER_AUTH", True),
        (404, "PROVIDER_REJECTED", True),
        (422, "PROVIDER_REJECTED", False),
        (429, "PROVIDER_RATE_LIMITED", True),
    ],
)
async def test_refusals(
    emulator: ReplicateEmulator, provider: ReplicateProvider, status: int, code: str, curable: bool
) -> None:
    emulator.faults.add("create", Effect.REFUSE, status=status, message="no")
    with pytest.raises(Refused) as caught:
        await submitted(provider, a_request())
    assert (caught.value.error.code, caught.value.curable) == (code, curable)
    assert (len(emulator.seen("create")), emulator.invoice()) == (1, [])


@pytest.mark.parametrize("where", ["header", "body"])
async def test_a_throttle_says_for_how_long(
    emulator: ReplicateEmulator, provider: ReplicateProvider, where: str
) -> None:
    emulator.faults.add("create", Effect.REFUSE, status=429, retry_after_s=17, retry_after_in=where)
    with pytest.raises(Refused) as caught:
        await submitted(provider, a_request())
    assert caught.value.retry_after_s == 17


async def test_wrong_input_is_refused_in_the_providers_words(provider: ReplicateProvider) -> None:
    request = a_request("flux-2-flex", steps=99)
    with pytest.raises(Refused) as caught:
        await submitted(provider, request)
    assert "input.steps" in caught.value.error.message


async def test_a_size_out_of_bounds_is_refused_before_the_call(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    with pytest.raises(Refused) as caught:
        await submitted(provider, a_request("flux-2-pro", size="4096x4096"))
    assert (caught.value.curable, emulator.seen("create")) == (True, [])


async def test_a_version_that_is_gone_is_noticed_before_the_call(
    emulator: ReplicateEmulator, provider: ReplicateProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "sdxl", replace(MODELS["sdxl"], version="0" * 64))
    with pytest.raises(Refused) as caught:
        await submitted(provider, a_request("sdxl"))
    assert (caught.value.curable, emulator.seen("create")) == (True, [])


async def test_a_version_is_checked_once(emulator: ReplicateEmulator, provider: ReplicateProvider) -> None:
    for _ in range(2):
        await submitted(provider, a_request("sdxl"))
    assert len(emulator.seen("version")) == 1


# Not sent: proven.


@pytest.mark.parametrize("model", ["flux-2-pro", "sdxl"])
async def test_a_closed_port_proves_that_nothing_was_sent(unused_tcp_port: int, model: str) -> None:
    provider = ReplicateProvider("r8_ours", f"http://127.0.0.1:{unused_tcp_port}")
    with pytest.raises(NotSent):
        await submitted(provider, a_request(model))
    await provider.close()


async def test_trouble_before_the_paid_call_is_not_sent(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    emulator.faults.add("version", Effect.REFUSE, status=503)
    with pytest.raises(NotSent):
        await submitted(provider, a_request("sdxl"))
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
async def test_an_unknown_submission_is_sent_once_and_then_found_or_absent(
    emulator: ReplicateEmulator,
    provider: ReplicateProvider,
    monkeypatch: pytest.MonkeyPatch,
    effect: Effect,
    accepted: bool,
) -> None:
    monkeypatch.setattr(wire_module, "CREATE_TIMEOUT_S", 1.5)
    emulator.faults.add("create", effect, status=500)
    request = a_request()
    with pytest.raises(Exception) as caught:  # noqa: PT011  # anything but the two that say more
        await submitted(provider, request)
    assert not isinstance(caught.value, NotSent | Refused)
    assert len(emulator.seen("create")) == 1
    found = await provider.find(lost(request, emulator))
    assert found == (Found(emulator.invoice()[0].id) if accepted else Absent())


async def test_an_answer_that_the_sdk_cannot_read_is_still_an_answer(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    # It has ended as `aborted` before its own answer was written, which the SDK raises on.
    emulator.faults.add("create", Effect.ABORT)
    emulator.faults.add("create", Effect.QUEUE_SECONDS, seconds=-1)
    job = await submitted(provider, a_request())
    assert job.remote_id == emulator.invoice()[0].id


async def test_it_is_found_among_others_and_over_pages(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    ours = a_request()
    remote_id = (await submitted(provider, ours)).remote_id
    for _ in range(120):
        await submitted(provider, a_request())
    assert await provider.find(lost(ours, emulator)) == Found(remote_id)
    assert len(emulator.seen("list")) == 2


async def test_nothing_of_someone_elses_is_adopted(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    await submitted(provider, a_request())
    await submitted(provider, a_request("flux-2-dev"))
    assert await provider.find(lost(a_request(), emulator)) == Absent()


async def test_the_same_input_with_a_users_seed_proves_nothing(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    await submitted(provider, a_request(seed=7))
    assert await provider.find(lost(a_request(seed=7), emulator)) == Unaskable()
    assert await provider.find(lost(a_request(seed=8), emulator)) == Absent()


async def test_a_seed_of_the_users_is_ours_if_nobody_else_can_have_sent_it(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    accepted = await submitted(provider, a_request(seed=7))
    missing = replace(lost(a_request(seed=7), emulator), alone=True)
    assert await provider.find(missing) == Found(accepted.remote_id)
    assert await provider.find(replace(missing, taken=frozenset({accepted.remote_id}))) == Absent()


async def test_removed_data_proves_nothing(emulator: ReplicateEmulator, provider: ReplicateProvider) -> None:
    emulator.faults.add("create", Effect.OUTPUT_EXPIRED)
    request = a_request()
    await ended(emulator, provider, request)
    assert await provider.find(lost(request, emulator)) == Unaskable()


async def test_only_the_time_around_the_intent_is_looked_through(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    request = a_request()
    await submitted(provider, request)
    late = Lost(request, datetime.fromtimestamp(emulator.clock.now(), UTC) + timedelta(minutes=10))
    assert await provider.find(late) == Absent()


async def test_a_lagging_list_shows_it_later(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    emulator.faults.add("create", Effect.LIST_LAG, seconds=5)
    request = a_request()
    remote_id = (await submitted(provider, request)).remote_id
    case = lost(request, emulator)
    assert await provider.find(case) == Absent()
    await emulator.advance(6)
    assert await provider.find(case) == Found(remote_id)


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
async def test_a_question_without_an_answer_is_an_exception_to_ask_again(
    emulator: ReplicateEmulator, provider: ReplicateProvider, script: dict[str, Any]
) -> None:
    job = await submitted(provider, a_request())
    await emulator.advance(1)
    for operation in ("get", "list", "cancel"):
        emulator.faults.add(operation, **script)
    assert isinstance(await polled(provider, job), Exception)
    with pytest.raises(Exception):  # noqa: B017, PT011  # whatever it is, it is not an answer
        await provider.cancel(job)
    with pytest.raises(Exception):  # noqa: B017, PT011
        await provider.find(lost(a_request(), emulator))
    emulator.faults.clear()
    assert isinstance(await polled(provider, job), Finished)


async def test_a_list_without_an_answer_costs_only_itself(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    emulator.faults.add("list", Effect.REFUSE, status=500)
    jobs = [await submitted(provider, a_request()) for _ in range(LIST_FROM)]
    await emulator.advance(1)
    answers = await provider.poll(jobs)
    assert all(isinstance(answer, Finished) for answer in answers.values())


# Files.


@pytest.fixture
async def serve_file() -> AsyncIterator[Callable[[bytes], str]]:
    """Serves bytes over plain HTTP, as a private object store would."""
    contents: dict[str, bytes] = {}
    headers: list[str | None] = []

    async def get(request: web.Request) -> web.Response:
        headers.append(request.headers.get("Authorization"))
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
    assert headers == [None] * len(headers), "our token went to a file's host"


async def test_a_public_file_is_named_by_its_url(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    file = InputFile("https://files.example/start.png")
    await submitted(provider, a_request("flux-1.1-pro", {"image": file}))
    assert emulator.seen("create")[0].json["input"]["image_prompt"] == file.url


@pytest.mark.parametrize(
    ("size", "begins"), [(1000, "data:image/png;base64,"), (300_000, "http://127.0.0.1")]
)
async def test_a_private_file_is_handed_over(
    emulator: ReplicateEmulator,
    provider: ReplicateProvider,
    serve_file: Callable[[bytes], str],
    size: int,
    begins: str,
) -> None:
    request = a_request("sdxl", {"image": InputFile(serve_file(bytes(size)))})
    job = await submitted(provider, request)
    assert emulator.seen("create")[0].json["input"]["image"].startswith(begins)
    assert [len(content) for content in emulator.uploads.contents.values()] == ([size] if size > 1000 else [])
    assert await provider.find(lost(request, emulator)) == Found(job.remote_id)


@pytest.mark.parametrize(
    ("theirs", "bytes_", "found"),
    [
        ("https://files.example/a.png", None, "ours"),
        ("https://files.example/a.png?of=2", None, "absent"),
        ("https://files.example/b.png", None, "absent"),
        ("https://store.example/bucket/a.png?signed=1", 10, "absent"),
    ],
)
async def test_without_a_seed_it_is_known_by_its_file(
    emulator: ReplicateEmulator, provider: ReplicateProvider, theirs: str, bytes_: int | None, found: str
) -> None:
    accepted = await submitted(provider, a_request("real-esrgan", {"image": InputFile(theirs, None, bytes_)}))
    ours = InputFile("https://files.example/a.png")
    missing = replace(lost(a_request("real-esrgan", {"image": ours}), emulator), alone=True)
    assert await provider.find(missing) == (Found(accepted.remote_id) if found == "ours" else Absent())


async def test_a_signed_file_is_the_same_whatever_its_signature(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    sent, asked = (InputFile(f"https://store.example/b/a.png?signed={n}", "image/png", 10) for n in (1, 2))
    accepted = await submitted(provider, a_request("gfpgan", {"image": sent}))
    missing = replace(lost(a_request("gfpgan", {"image": asked}), emulator), alone=True)
    assert await provider.find(missing) == Found(accepted.remote_id)
    assert await provider.find(replace(missing, alone=False)) == Unaskable()


@pytest.mark.parametrize(("size", "found"), [(1000, True), (300_000, False)])
async def test_a_private_file_is_known_by_its_content_unless_it_was_uploaded(
    emulator: ReplicateEmulator,
    provider: ReplicateProvider,
    serve_file: Callable[[bytes], str],
    size: int,
    found: bool,
) -> None:
    image = picture("png", 40, 30)
    ours, theirs = (image + bytes(size) + end for end in (b"ours", b"theirs"))
    accepted = await submitted(provider, a_request("real-esrgan", {"image": InputFile(serve_file(ours))}))
    same = a_request("real-esrgan", {"image": InputFile(serve_file(ours), None, len(ours))})
    missing = replace(lost(same, emulator), alone=True)
    assert await provider.find(missing) == (Found(accepted.remote_id) if found else Unaskable())
    other = a_request("real-esrgan", {"image": InputFile(serve_file(theirs), None, len(theirs))})
    assert await provider.find(replace(missing, request=other)) == (Absent() if found else Unaskable())


async def test_the_bill_of_an_edit_is_known_even_when_its_input_is_gone(
    emulator: ReplicateEmulator, provider: ReplicateProvider
) -> None:
    emulator.faults.add("create", Effect.OUTPUT_EXPIRED)
    answer = await ended(emulator, provider, a_request("flux-2-pro", {"image": PICTURE}, size="512x512"))
    assert isinstance(answer, Ended)
    assert cost(CARDS["flux-2-pro"], answer.usage) == emulator.billed_nanos() == 33_750_000


# The cards.


def test_without_a_token_it_says_so() -> None:
    assert ReplicateProvider(None, "https://api.replicate.com").unavailable_reason is not None
    assert ReplicateProvider("r8_ours", "https://api.replicate.com").unavailable_reason is None


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.model)
def test_cards_have_a_price_with_its_source(card: ModelCard) -> None:
    named: dict[str, Any] = {KINDS[card.kind].prompt_field: "a lighthouse"}
    estimate = card.estimate(KINDS[card.kind].parameters(**named))
    assert estimate is not None
    assert estimate > 0
    assert card.price is not None
    assert card.price.source
    assert card.limits.keys() | card.requires <= card.accepts


def test_product_names_are_known() -> None:
    names = {name for card in CARDS.values() for name in (card.model, *card.aliases)}
    assert {"flux-2", "flux-2-pro", "flux-2-flex", "flux-2-dev", "flux-1.1-pro", "flux-schnell",
            "sdxl", "stable-diffusion", "dreamshaper", "coqui", "musicgen", "minimax", "wan", "kling", "veo",
            "seedance", "real-esrgan", "gfpgan"} <= names  # fmt: skip


@pytest.mark.parametrize("model", ["xtts-v2", "musicgen"])
def test_weights_that_may_not_earn_money_say_so(model: str) -> None:
    assert "non-commercial" in (CARDS[model].licence or "")


def test_seeds_differ_and_stay() -> None:
    first, second = UUID(int=1), UUID(int=2)
    assert derived_seed(first) == derived_seed(UUID(int=1)) != derived_seed(second)
    assert 0 <= derived_seed(first) < 2**31


def test_a_megapixel_price_is_the_published_one() -> None:
    price = CARDS["flux-2-pro"].price
    assert price is not None
    assert (
        price.estimate({"run": Decimal(1), "megapixel": Decimal(2), "input_image": Decimal(0)}) == 45_000_000
    )
