"""The emulator against the real SDK and, where it is at hand, against Replicate's OpenAPI file."""

import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import jsonschema
import pytest
from aiohttp import web
from PIL import Image
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.webhook import Webhooks, WebhookSigningSecret

from tests.emulators.base import Effect
from tests.emulators.media import sound, video
from tests.emulators.replicate import ReplicateEmulator, duration_s

SPEC = Path(__file__).parents[2].parent / "shared" / "specs" / "replicate-openapi.json"
PRO, SCHNELL, FLUX_11 = (
    f"black-forest-labs/{name}" for name in ("flux-2-pro", "flux-schnell", "flux-1.1-pro")
)
SDXL = "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"


@pytest.fixture
async def emulator() -> AsyncIterator[ReplicateEmulator]:
    async with ReplicateEmulator() as running:
        yield running


@pytest.fixture
async def client(emulator: ReplicateEmulator) -> AsyncIterator[Client]:
    client = Client(api_token="r8_test", base_url=emulator.url)
    yield client
    await client._async_client.aclose()


@pytest.fixture
async def http(emulator: ReplicateEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": "Bearer r8_test"}
    async with aiohttp.ClientSession(emulator.url, headers=headers) as session:
        yield session


async def create(http: aiohttp.ClientSession, model: str = PRO, **given: Any) -> dict[str, Any]:
    body = {"input": {"prompt": "a lighthouse", **given}}
    async with http.post(f"/v1/models/{model}/predictions", json=body) as response:
        assert response.status == 201, await response.text()
        return dict(await response.json())


async def look(http: aiohttp.ClientSession, prediction: dict[str, Any]) -> dict[str, Any]:
    async with http.get(f"/v1/predictions/{prediction['id']}") as response:
        return dict(await response.json())


async def ended(http: aiohttp.ClientSession, emulator: ReplicateEmulator, **given: Any) -> dict[str, Any]:
    prediction = await create(http, **given)
    await emulator.advance(1)
    return await look(http, prediction)


# The SDK's main calls.


async def test_an_official_model_goes_through_its_states(client: Client, emulator: ReplicateEmulator) -> None:
    prediction = await client.models.predictions.async_create(PRO, input={"prompt": "a lighthouse"})
    assert (prediction.status, prediction.version, prediction.output) == ("starting", "hidden", None)
    await prediction.async_wait()
    assert prediction.status == "succeeded"
    assert isinstance(prediction.output, str)
    assert prediction.output.endswith(".webp")
    assert emulator.billed_nanos() == 30_000_000


async def test_a_community_model_is_billed_for_its_time(client: Client, emulator: ReplicateEmulator) -> None:
    prediction = await client.predictions.async_create(SDXL, {"prompt": "a lighthouse", "num_outputs": 2})
    await prediction.async_wait()
    assert prediction.metrics is not None
    assert prediction.output is not None
    assert len(prediction.output) == 2
    assert emulator.billed_nanos() == round(prediction.metrics["predict_time"] * 975_000)
    assert prediction.progress is not None
    assert prediction.progress.percentage == 1.0


async def test_progress_shows_in_the_logs(client: Client, emulator: ReplicateEmulator) -> None:
    emulator.run_s = 100
    prediction = await client.predictions.async_create(SDXL, {"prompt": "a lighthouse"})
    await emulator.advance(50)
    await prediction.async_reload()
    assert prediction.progress is not None
    assert (prediction.status, prediction.progress.percentage) == ("processing", 0.5)


async def test_cancel_bills_the_time_used(client: Client, emulator: ReplicateEmulator) -> None:
    emulator.run_s = 100
    prediction = await client.predictions.async_create(SDXL, {"prompt": "a lighthouse"})
    await emulator.advance(10)
    await client.predictions.async_cancel(prediction.id)
    await prediction.async_reload()
    assert prediction.status == "canceled"
    assert 10 * 975_000 <= emulator.billed_nanos() < 11 * 975_000


async def test_cancel_before_the_start_is_free(client: Client, emulator: ReplicateEmulator) -> None:
    emulator.queue_s = 100
    prediction = await client.predictions.async_create(SDXL, {"prompt": "a lighthouse"})
    canceled = await client.predictions.async_cancel(prediction.id)
    assert canceled.metrics is not None
    assert (canceled.status, canceled.logs, canceled.metrics["predict_time"]) == ("canceled", None, 3e-06)
    assert emulator.billed_nanos() == 0


async def test_a_deployment_runs_its_model(client: Client, emulator: ReplicateEmulator) -> None:
    prediction = await client.deployments.predictions.async_create(
        "acme/sdxl", input={"prompt": "a lighthouse"}
    )
    assert prediction.model == "stability-ai/sdxl"
    assert emulator.seen("create")[0].path == "/v1/deployments/acme/sdxl/predictions"


async def test_a_waiting_create_answers_processing_with_its_output(client: Client) -> None:
    prediction = await client.models.predictions.async_create(PRO, input={"prompt": "a lighthouse"}, wait=5)
    assert prediction.status == "processing"
    assert prediction.output is not None


async def test_files_are_taken_and_put_into_the_input(client: Client, emulator: ReplicateEmulator) -> None:
    picture = io.BytesIO(b"not really a picture")
    picture.name = "start.png"
    await client.predictions.async_create(SDXL, {"prompt": "a lighthouse", "image": picture})
    assert emulator.uploads.contents.popitem()[1] == b"not really a picture"
    assert "/v1/files/" in emulator.seen("create")[0].json["input"]["image"]


async def test_models_carry_their_schema(client: Client) -> None:
    model = await client.models.async_get("stability-ai/sdxl")
    assert model.latest_version is not None
    assert model.latest_version.id == SDXL
    schema = model.latest_version.openapi_schema["components"]["schemas"]["Input"]
    jsonschema.validate({"prompt": "a lighthouse"}, schema)


async def test_lists_are_newest_first_and_in_pages_of_a_hundred(
    client: Client, emulator: ReplicateEmulator
) -> None:
    for n in range(103):
        await client.models.predictions.async_create(PRO, input={"prompt": "a lighthouse", "seed": n})
    page = await client.predictions.async_list()
    assert page.next is not None
    rest = await client.predictions.async_list(page.next)
    seeds = [row.input["seed"] for row in [*page.results, *rest.results] if row.input]
    assert (len(page.results), seeds, rest.next) == (100, list(range(102, -1, -1)), None)


async def test_lists_can_be_cut_by_time(http: aiohttp.ClientSession, emulator: ReplicateEmulator) -> None:
    old, _, new = [await ended(http, emulator, seed=n) for n in range(3)]
    window = {"created_after": old["created_at"], "created_before": new["created_at"]}
    async with http.get("/v1/predictions", params=window) as response:
        rows = (await response.json())["results"]
    assert [row["input"]["seed"] for row in rows] == [1, 0]
    assert "logs" not in rows[0]


# Deadlines, retention, refusals.


@pytest.mark.parametrize(("queue_s", "status"), [(60.0, "aborted"), (1.0, "canceled")])
async def test_a_deadline_ends_a_prediction(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession, queue_s: float, status: str
) -> None:
    emulator.queue_s, emulator.run_s = queue_s, 600
    body = {"version": SDXL, "input": {"prompt": "a lighthouse"}}
    async with http.post("/v1/predictions", json=body, headers={"Cancel-After": "30s"}) as response:
        prediction = await response.json()
    await emulator.advance(31)
    now = await look(http, prediction)
    assert now["status"] == status
    assert emulator.billed_nanos() == (0 if status == "aborted" else 29 * 975_000)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("5m", 300), ("1h30m45s", 5445), ("soon", 0)])
def test_durations(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds


async def test_data_is_removed_after_an_hour(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession
) -> None:
    prediction = await ended(http, emulator)
    assert (await http.get(prediction["output"])).status == 200
    await emulator.advance(3601)
    later = await look(http, prediction)
    assert (later["output"], later["input"], later["data_removed"]) == (None, {}, True)
    assert (await http.get(prediction["output"])).status == 404


async def test_a_stranger_is_refused(emulator: ReplicateEmulator) -> None:
    stranger = Client(api_token="guess", base_url=emulator.url)
    with pytest.raises(ReplicateError) as caught:
        await stranger.predictions.async_list()
    await stranger._async_client.aclose()
    assert (caught.value.status, caught.value.title) == (401, "Unauthenticated")


@pytest.mark.parametrize(
    ("model", "given"),
    [(PRO, {}), (PRO, {"prompt": "x", "steps": 4}), (SCHNELL, {"prompt": "x", "num_outputs": 9})],
)
async def test_wrong_input_is_refused_by_field(
    client: Client, emulator: ReplicateEmulator, model: str, given: dict[str, Any]
) -> None:
    with pytest.raises(ReplicateError) as caught:
        await client.models.predictions.async_create(model, input=given)
    assert caught.value.status == 422
    assert emulator.invoice() == []


async def test_an_unknown_version_is_refused(client: Client) -> None:
    with pytest.raises(ReplicateError) as caught:
        await client.predictions.async_create("0" * 64, {"prompt": "a lighthouse"})
    assert (caught.value.status, caught.value.title) == (422, "Invalid version or not permitted")


async def test_creates_are_limited_per_minute() -> None:
    async with ReplicateEmulator(creates_per_minute=1) as emulator:
        client = Client(api_token="r8_test", base_url=emulator.url)
        await client.models.predictions.async_create(PRO, input={"prompt": "a lighthouse"})
        with pytest.raises(ReplicateError) as caught:
            await client.models.predictions.async_create(PRO, input={"prompt": "a lighthouse"})
        await client._async_client.aclose()
    assert caught.value.status == 429


# Scripted faults.


@pytest.mark.parametrize(
    ("effect", "error", "accepted"),
    [
        (Effect.REFUSE, ReplicateError, 0),
        (Effect.RESET, httpx.ReadError, 0),
        (Effect.REFUSE_AFTER, ReplicateError, 1),
        (Effect.RESET_AFTER, httpx.ReadError, 1),
        (Effect.MALFORMED_AFTER, json.JSONDecodeError, 1),
    ],
)
async def test_spoiled_creates(
    client: Client, emulator: ReplicateEmulator, effect: Effect, error: type[Exception], accepted: int
) -> None:
    emulator.faults.add("create", effect)
    with pytest.raises(error):
        await client.models.predictions.async_create(PRO, input={"prompt": "a lighthouse"})
    assert len(emulator.invoice()) == accepted


async def test_a_lost_answer(client: Client, emulator: ReplicateEmulator) -> None:
    emulator.faults.add("create", Effect.LOST_AFTER)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await client.models.predictions.async_create(PRO, input={"prompt": "a lighthouse"})
    assert len(emulator.invoice()) == 1


@pytest.mark.parametrize(
    ("where", "header", "in_body"), [("header", "7", None), ("body", None, 7.0), ("both", "7", 7.0)]
)
async def test_throttling(
    emulator: ReplicateEmulator,
    http: aiohttp.ClientSession,
    where: str,
    header: str | None,
    in_body: float | None,
) -> None:
    emulator.faults.add("get", Effect.REFUSE, status=429, retry_after_s=7.0, retry_after_in=where)
    async with http.get("/v1/predictions/any") as response:
        body = await response.json()
        assert (response.status, response.headers.get("Retry-After")) == (429, header)
    assert body.get("retry_after") == in_body


@pytest.mark.parametrize(
    ("effect", "status"),
    [
        (Effect.FAIL, "failed"),
        (Effect.NSFW, "failed"),
        (Effect.CANCEL, "canceled"),
        (Effect.ABORT, "aborted"),
    ],
)
async def test_bad_ends(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession, effect: Effect, status: str
) -> None:
    emulator.faults.add("create", effect)
    prediction = await ended(http, emulator)
    assert (prediction["status"], prediction["output"]) == (status, None)
    assert bool(prediction["error"]) == (status == "failed")
    assert emulator.billed_nanos() == 0


async def test_a_prediction_that_never_finishes(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession
) -> None:
    emulator.faults.add("create", Effect.STUCK)
    prediction = await create(http)
    await emulator.advance(1e6)
    assert (await look(http, prediction))["status"] == "processing"


@pytest.mark.parametrize(
    ("effect", "outcome"),
    [
        (Effect.OUTPUT_404, (404, "application/problem+json")),
        (Effect.OUTPUT_WRONG_TYPE, (200, "text/html")),
        (Effect.OUTPUT_GARBAGE, (200, "image/webp")),
        (Effect.OUTPUT_HUGE, (200, "image/webp")),
    ],
)
async def test_bad_outputs(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession, effect: Effect, outcome: tuple[int, str]
) -> None:
    emulator.faults.add("create", effect, bytes=5_000_000)
    prediction = await ended(http, emulator)
    async with http.get(prediction["output"]) as response:
        body = await response.read()
    assert (response.status, response.content_type) == outcome
    assert (len(body) == 5_000_000) == (effect is Effect.OUTPUT_HUGE)


async def test_a_truncated_output(emulator: ReplicateEmulator, http: aiohttp.ClientSession) -> None:
    emulator.faults.add("create", Effect.OUTPUT_TRUNCATED)
    prediction = await ended(http, emulator)
    async with http.get(prediction["output"]) as response:
        with pytest.raises(aiohttp.ClientError):
            await response.read()


async def test_a_new_prediction_may_be_missing_from_the_list(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession
) -> None:
    emulator.faults.add("create", Effect.LIST_LAG, seconds=5)
    await create(http)
    assert (await (await http.get("/v1/predictions")).json())["results"] == []
    await emulator.advance(5)
    assert len((await (await http.get("/v1/predictions")).json())["results"]) == 1


async def test_faults_are_scripted_over_http(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession
) -> None:
    fault = {"operation": "create", "effect": "fail", "contains": "dragon", "nth": 2, "message": "E9999"}
    assert (await http.post("/_emulator/faults", json=fault)).status == 200
    prompts = ("dragon", "lamb", "dragon")
    ends = [(await ended(http, emulator, prompt=prompt))["status"] for prompt in prompts]
    assert ends == ["succeeded", "succeeded", "failed"]


async def test_requests_and_invoice_can_be_read(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession
) -> None:
    await ended(http, emulator, seed=7)
    requests = await (await http.get("/_emulator/requests", params={"operation": "create"})).json()
    invoice = await (await http.get("/_emulator/invoice")).json()
    assert requests[0]["headers"]["authorization"] == "Bearer ***"
    assert invoice["total_nanos"] == invoice["lines"][0]["amount_nanos"] == 30_000_000
    assert invoice["lines"][0]["input"]["seed"] == 7


# Outputs are what they say they are.


@pytest.mark.parametrize(("extension", "kind"), [("png", "PNG"), ("webp", "WEBP"), ("jpg", "JPEG")])
async def test_pictures_are_pictures(
    emulator: ReplicateEmulator, http: aiohttp.ClientSession, extension: str, kind: str
) -> None:
    prediction = await ended(http, emulator, output_format=extension, aspect_ratio="16:9")
    async with http.get(prediction["output"]) as response:
        picture = Image.open(io.BytesIO(await response.read()))
    assert (picture.format, picture.size) == (kind, (1376, 768))


def test_clips_and_tones() -> None:
    assert video()[4:8] == b"ftyp"
    assert sound("mp3")[:3] == b"ID3"
    assert sound("wav")[:4] == b"RIFF"


# Webhooks.


@pytest.fixture
async def inbox() -> AsyncIterator[tuple[str, asyncio.Queue[tuple[dict[str, str], str]]]]:
    received: asyncio.Queue[tuple[dict[str, str], str]] = asyncio.Queue()

    async def take(request: web.Request) -> web.Response:
        received.put_nowait(
            ({name.lower(): value for name, value in request.headers.items()}, await request.text())
        )
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/hook", take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", received
    await runner.cleanup()


async def test_webhooks_are_signed(inbox: tuple[str, asyncio.Queue[tuple[dict[str, str], str]]]) -> None:
    origin, received = inbox
    async with ReplicateEmulator(webhooks_to=origin, queue_s=0.01) as emulator:
        client = Client(api_token="r8_test", base_url=emulator.url)
        await client.models.predictions.async_create(
            PRO,
            input={"prompt": "a lighthouse"},
            webhook="https://penstock.example/hook?s=tag",
            webhook_events_filter=["start", "completed"],
        )
        secret = await client.webhooks.default.async_secret()
        statuses = []
        for _ in range(2):
            headers, body = await received.get()
            Webhooks.validate(
                headers=headers, body=body, secret=WebhookSigningSecret(key=secret.key), tolerance=60
            )
            statuses.append(json.loads(body)["status"])
        await client._async_client.aclose()
    assert statuses == ["processing", "succeeded"]
    assert emulator.invoice()[0].webhook == "https://penstock.example/hook?s=tag"


@pytest.mark.parametrize("cancel", [True, False])
async def test_webhooks_follow_cancels_and_the_clock(
    inbox: tuple[str, asyncio.Queue[tuple[dict[str, str], str]]], cancel: bool
) -> None:
    origin, received = inbox
    async with (
        ReplicateEmulator(run_s=600) as emulator,
        aiohttp.ClientSession(emulator.url, headers={"Authorization": "Bearer r8_test"}) as http,
    ):
        emulator.faults.add("create", Effect.WEBHOOK_TWICE)
        body = {"input": {"prompt": "x"}, "webhook": f"{origin}/hook", "webhook_events_filter": ["completed"]}
        prediction = await (await http.post(f"/v1/models/{PRO}/predictions", json=body)).json()
        if cancel:
            await http.post(f"/v1/predictions/{prediction['id']}/cancel")
        else:
            await emulator.advance(601)
        statuses = [json.loads((await received.get())[1])["status"] for _ in range(2)]
    assert statuses == ["canceled" if cancel else "succeeded"] * 2


# As a process.


async def test_it_runs_as_a_process_until_sigterm() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.emulators.replicate",
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().split()[-1]
    async with aiohttp.ClientSession(url, headers={"Authorization": "Bearer r8_test"}) as http:
        await create(http)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


# The published description.


@pytest.fixture(scope="module")
def conforms() -> Callable[[str, Any], None]:
    """Checks a body against a component of Replicate's OpenAPI file. Recorded answers leave out `output` and
    `completed_at` until the end, `nullable` is no word of JSON Schema, and "hidden" is both of what `version`
    may be only one of, so those rules are relaxed."""
    if not SPEC.exists():
        pytest.skip("Replicate's OpenAPI file is not here")
    spec = json.loads(SPEC.read_text())
    schemas = spec["components"]["schemas"]
    schemas["schemas_prediction_response"]["required"].remove("output")
    schemas["schemas_prediction_response"]["properties"]["version"] = {"type": "string"}
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            if field.get("nullable") or field.get("description") == "The log output from the model":
                field["type"] = [field["type"], "null"]

    def check(name: str, body: Any) -> None:
        jsonschema.validate(body, {"$ref": f"#/components/schemas/{name}", **spec})

    return check


@pytest.mark.parametrize("effect", [None, Effect.FAIL, Effect.CANCEL, Effect.ABORT, Effect.STUCK])
async def test_predictions_conform(
    emulator: ReplicateEmulator,
    http: aiohttp.ClientSession,
    conforms: Callable[[str, Any], None],
    effect: Effect | None,
) -> None:
    if effect is not None:
        emulator.faults.add("create", effect)
    conforms("schemas_prediction_response", await create(http))
    conforms("schemas_prediction_response", await ended(http, emulator))
    page = await (await http.get("/v1/predictions")).json()
    conforms("schemas_paginated_prediction_response", page)


async def test_models_and_files_conform(
    http: aiohttp.ClientSession, conforms: Callable[[str, Any], None]
) -> None:
    model = await (await http.get("/v1/models/stability-ai/sdxl")).json()
    conforms("schemas_model_response", model)
    conforms("schemas_version_response", model["latest_version"])
    form = aiohttp.FormData()
    form.add_field("content", b"bytes", filename="a.bin")
    async with http.post("/v1/files", data=form) as response:
        card = await response.json()
    conforms("schemas_file_response", card)
