"""The emulated Runware: what it takes, refuses, tells and bills, over both transports."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.emulators.base import Effect
from tests.emulators.runware import RunwareEmulator

SCHNELL_NANOS = 600_000
Item = dict[str, Any]


@pytest.fixture
async def emulator() -> AsyncIterator[RunwareEmulator]:
    async with RunwareEmulator(api_key="rw") as running:
        yield running


@pytest.fixture
async def socket(emulator: RunwareEmulator) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as session, session.ws_connect(emulator.socket_url) as opened:
        yield opened


@pytest.fixture
async def http(emulator: RunwareEmulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(emulator.url, headers={"Authorization": "Bearer rw"}) as session:
        yield session


async def told(socket: aiohttp.ClientWebSocketResponse, **task: Any) -> Item:
    await socket.send_json([task])
    body: Item = await socket.receive_json(timeout=5)
    return body


async def log_in(socket: aiohttp.ClientWebSocketResponse, key: str = "rw") -> Item:
    return await told(socket, taskType="authentication", apiKey=key)


async def infer(socket: aiohttp.ClientWebSocketResponse, **changes: Any) -> Item:
    task = {
        "taskType": "imageInference", "taskUUID": str(uuid.uuid4()), "model": "runware:100@1",
        "positivePrompt": "a fox", "width": 1024, "height": 1024, "numberResults": 1, "deliveryMethod": "async",
        "outputFormat": "PNG", "includeCost": True,
    }  # fmt: skip
    return await told(socket, **{**task, **changes})


async def asked(http: aiohttp.ClientSession, *tasks: Item) -> tuple[int, Item]:
    async with http.post("/v1", json=list(tasks)) as response:
        return response.status, await response.json()


def response_of(task_id: str) -> Item:
    return {"taskType": "getResponse", "taskUUID": task_id}


async def test_a_task_is_made_fetched_and_billed(
    emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse, http: aiohttp.ClientSession
) -> None:
    await log_in(socket)
    task_id = (await infer(socket))["data"][0]["taskUUID"]
    _, working = await asked(http, response_of(task_id))
    assert working["data"][0]["status"] == "processing"
    assert emulator.billed_nanos() == 0
    await emulator.advance(1)
    _, done = await asked(http, response_of(task_id))
    (result,) = done["data"]
    assert (result["status"], result["cost"]) == ("success", 0.0006)
    async with http.get(result["imageURL"]) as response:
        assert (await response.read()).startswith(b"\x89PNG")
    assert emulator.billed_nanos() == SCHNELL_NANOS
    assert await told(socket, **response_of(task_id)) == done


async def test_an_id_is_taken_once_and_billed_once(
    emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse
) -> None:
    await log_in(socket)
    task_id = str(uuid.uuid4())
    await infer(socket, taskUUID=task_id)
    again = await infer(socket, taskUUID=task_id)
    assert (again["errors"][0]["code"], again["errors"][0]["taskUUID"]) == ("conflictTaskUUID", task_id)
    assert len(emulator.invoice()) == 1


async def test_the_key_is_asked_for_on_both_transports(
    emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse
) -> None:
    assert (await infer(socket))["errors"][0]["code"] == "missingApiKey"
    assert (await log_in(socket, "other"))["errors"][0]["code"] == "invalidApiKey"
    async with aiohttp.ClientSession(emulator.url) as stranger:
        assert (await asked(stranger, response_of("x")))[0] == 401
    assert "rw" not in emulator.seen("authentication")[0].body


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"taskUUID": "mine"}, "invalidTaskUUID"),
        ({"taskUUID": str(uuid.uuid1())}, "invalidTaskUUID"),
        ({"model": "runware:0@0"}, "modelNotFound"),
        ({"width": 1000}, "invalidWidth"),
        ({"height": 4096}, "invalidHeight"),
        ({"positivePrompt": "x" * 3001}, "invalidPositivePromptLength"),
        ({"prompt": "a fox"}, "unsupportedParameter"),
    ],
)
async def test_what_is_wrong_is_refused_and_free(
    emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse, changes: Item, code: str
) -> None:
    await log_in(socket)
    assert (await infer(socket, **changes))["errors"][0]["code"] == code
    assert emulator.tasks == {}


async def test_credits_run_out(emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse) -> None:
    emulator.credits_nanos = SCHNELL_NANOS
    await log_in(socket)
    assert "data" in await infer(socket)
    assert (await infer(socket))["errors"][0]["code"] == "insufficientCredits"


async def test_an_old_task_is_known_by_its_record_only(
    emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse, http: aiohttp.ClientSession
) -> None:
    await log_in(socket)
    task_id = (await infer(socket))["data"][0]["taskUUID"]
    details = {"taskType": "getTaskDetails", "taskUUID": task_id}
    assert (await asked(http, details))[1]["errors"][0]["code"] == "taskNotFound"
    await emulator.advance(4000)
    assert (await asked(http, response_of(task_id)))[1]["errors"][0]["code"] == "taskNotFound"
    _, body = await asked(http, details)
    (record,) = body["data"]
    assert record["response"]["data"][0]["cost"] == 0.0006
    assert record["request"][0]["taskUUID"] == task_id


async def test_many_tasks_are_asked_about_at_once(
    emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse, http: aiohttp.ClientSession
) -> None:
    await log_in(socket)
    emulator.faults.add("imageInference", Effect.FAIL, nth=2)
    ids = [(await infer(socket, numberResults=2))["data"][0]["taskUUID"] for _ in range(2)]
    await emulator.advance(1)
    status, body = await asked(http, *(response_of(task_id) for task_id in [*ids, str(uuid.uuid4())]))
    assert (status, [item["taskUUID"] for item in body["data"]]) == (200, [ids[0]] * 2)
    assert [error["code"] for error in body["errors"]] == ["providerError"] * 2 + ["taskNotFound"]
    assert [line.amount_nanos for line in emulator.invoice()] == [2 * SCHNELL_NANOS, 0]


async def test_pictures_of_one_task_are_done_one_after_another(
    emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse, http: aiohttp.ClientSession
) -> None:
    emulator.stagger_s = 100.0
    await log_in(socket)
    task_id = (await infer(socket, numberResults=2))["data"][0]["taskUUID"]
    await emulator.advance(50)
    _, body = await asked(http, response_of(task_id))
    assert [item["status"] for item in body["data"]] == ["success", "processing"]


@pytest.mark.parametrize("effect", [Effect.RESET_AFTER, Effect.REFUSE_AFTER])
async def test_a_lost_answer_is_billed_all_the_same(
    emulator: RunwareEmulator, socket: aiohttp.ClientWebSocketResponse, effect: Effect
) -> None:
    emulator.faults.add("imageInference", effect)
    await log_in(socket)
    try:
        answer = await infer(socket)
    except TypeError:  # a closed connection in place of JSON
        answer = {"errors": [{"code": "closed"}]}
    assert answer["errors"][0]["code"] in {"closed", "internalServerError"}
    await emulator.advance(1)
    assert emulator.billed_nanos() == SCHNELL_NANOS


async def test_a_ping_is_answered(socket: aiohttp.ClientWebSocketResponse) -> None:
    pong = await told(socket, taskType="ping", ping=True)
    assert pong == {"data": [{"taskType": "ping", "pong": True}]}
