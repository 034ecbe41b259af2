"""Runware's websocket and HTTP API as its documents and its SDK show it: tasks under ids that the client chooses.

    python -m tests.emulators.runware --port 9107 --run-seconds 2

Faults know a task by its type: `imageInference`, `getResponse`, `getTaskDetails`, `authentication`, `ping`; the
transports are `socket` and `ask`, a file is an `output`. A task's price is that of its model per megapixel, and
what it would bill is at `/_emulator/invoice`: pictures that were made, not those that failed. Speed, prices, how
long results are kept, and whether errors are billed are guesses.
"""

import argparse
import asyncio
import json
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar
from uuid import UUID

import orjson
from aiohttp import WSMsgType, web

from tests.emulators.base import FAULTS, Effect, Emulator, Fault, InvoiceLine, SeenRequest, answer, cut, run
from tests.emulators.media import MIME, picture
from tests.emulators.runware_tasks import PRICES, Task, complaint

Item = dict[str, Any]

KEY_REFUSED = "Invalid API key. Get one at https://runware.ai/signup"


class RunwareEmulator(Emulator):
    """`run_s` is how long each picture takes, one after another within `stagger_s`; `retention_s` how long a task
    is among those that `getResponse` knows. `credits_nanos` is what is left to spend."""

    name: ClassVar[str] = "runware"

    def __init__(
        self,
        *,
        run_s: float = 0.05,
        stagger_s: float = 0.0,
        retention_s: float = 3600.0,
        api_key: str | None = None,
        credits_nanos: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.run_s = run_s
        self.stagger_s = stagger_s
        self.retention_s = retention_s
        self.credits_nanos = credits_nanos
        self.tells_cost = True
        self.tasks: dict[str, Task] = {}
        self.sockets: set[web.WebSocketResponse] = set()
        self._api_key = api_key
        self._frames: set[asyncio.Task[None]] = set()

    @property
    def socket_url(self) -> str:
        return f"ws://{self._host}:{self._port}/v1"

    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.get("/v1", self._socket, name="socket"),
            web.post("/v1", self._ask, name="ask"),
            web.get("/image/{file}", self._output, name="output"),
        ]

    def invoice(self) -> list[InvoiceLine]:
        now = self.clock.now()
        return [task.bill(now) for task in self.tasks.values()]

    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        """`detail` may begin with a code and a colon: `rateLimitExceeded: too fast`."""
        return answer({"errors": [_error(detail)]}, status)

    async def close(self) -> None:
        await self.hang_up()
        for frame in tuple(self._frames):
            frame.cancel()
        await asyncio.gather(*self._frames, return_exceptions=True)

    async def hang_up(self) -> None:
        """Ends every connection in good order."""
        await asyncio.gather(*(socket.close() for socket in tuple(self.sockets)))

    # The two transports.

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=64 << 20)
        await socket.prepare(request)
        self.sockets.add(socket)
        session: Item = {}
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    frame = asyncio.create_task(self._frame(request, socket, session, message.data))
                    self._frames.add(frame)
                    frame.add_done_callback(self._frames.discard)
        finally:
            self.sockets.discard(socket)
        return socket

    async def _frame(
        self, request: web.Request, socket: web.WebSocketResponse, session: Item, text: str
    ) -> None:
        """Each task of a frame is answered by a frame of its own, or not at all."""
        for task in orjson.loads(text):
            said = await self._serve_task(request, task, session)
            if said is not None and not socket.closed:
                await socket.send_str(said)

    async def _ask(self, request: web.Request) -> web.Response:
        if (self._api_key or "") not in request.headers.get("Authorization", ""):
            return self.problem(401, f"invalidApiKey: {KEY_REFUSED}")
        said: dict[str, list[Item]] = {}
        for task in orjson.loads(await request.read()):
            one = await self._serve_task(request, task, {"id": "http"})
            for name, items in json.loads(one or "{}").items():
                said.setdefault(name, []).extend(items)
        return answer(said, 200 if said.get("data") or not said.get("errors") else 400)

    async def _serve_task(self, request: web.Request, task: Item, session: Item) -> str | None:
        """The frame that answers a task; None when nobody hears of it."""
        operation, text = str(task.get("taskType")), orjson.dumps(task).decode()
        entry = SeenRequest(self.clock.now(), operation, "FRAME", request.path, {}, {}, _without_key(text))
        self.requests.append(entry)
        faults = self.faults.take(operation, text)
        if fault := faults.get(Effect.SLOW):
            await asyncio.sleep(fault.seconds)
        if Effect.RESET in faults:
            cut(request)
            return None
        if fault := faults.get(Effect.REFUSE):
            return _told(errors=[_error(fault.message or "internalServerError", task)])
        said = self._do(operation, task, session, faults)
        if fault := faults.get(Effect.REFUSE_AFTER):
            return _told(errors=[_error(fault.message or "internalServerError", task)])
        if Effect.RESET_AFTER in faults:
            cut(request)
            return None
        if Effect.LOST_AFTER in faults:
            return None
        entry.status = 200
        return said[: len(said) // 2] if Effect.MALFORMED_AFTER in faults else said

    # What is asked.

    def _do(self, operation: str, task: Item, session: Item, faults: dict[Effect, Fault]) -> str:
        if operation == "authentication":
            return self._authenticate(task, session)
        if operation == "ping":
            return _told([{"taskType": "ping", "pong": True}])
        if not session:
            return _told(errors=[_error("missingApiKey: Authenticate first", task)])
        match operation:
            case "imageInference":
                return self._infer(task, faults)
            case "getResponse":
                return self._response(task)
            case "getTaskDetails":
                return self._details(task)
        return _told(errors=[_error(f"unsupportedTaskType: {operation}", task)])

    def _authenticate(self, task: Item, session: Item) -> str:
        if self._api_key is not None and task.get("apiKey") != self._api_key:
            return _told(errors=[_error(f"invalidApiKey: {KEY_REFUSED}", task)])
        session["id"] = str(uuid.uuid4())
        return _told([{"taskType": "authentication", "connectionSessionUUID": session["id"]}])

    def _infer(self, asked: Item, faults: dict[Effect, Fault]) -> str:
        if wrong := complaint(asked):
            return _told(errors=[_error(wrong, asked)])
        if asked["taskUUID"] in self.tasks:
            text = "conflictTaskUUID: This taskUUID was used before"
            return _told(errors=[_error(text, asked)])
        task = Task(asked, self.clock.now(), self.run_s, self.stagger_s, faults)
        if self.credits_nanos is not None:
            if task.full_price_nanos > self.credits_nanos:
                return _told(errors=[_error("insufficientCredits: Add credits to your account", asked)])
            self.credits_nanos -= task.full_price_nanos
        self.tasks[task.id] = task
        return _told([{"taskType": "imageInference", "taskUUID": task.id}])

    def _response(self, asked: Item) -> str:
        now, task = self.clock.now(), self.tasks.get(str(asked.get("taskUUID")))
        if task is None or not task.is_listed(now) or now > task.ended_at + self.retention_s:
            return _told(errors=[_error("taskNotFound: No such task", asked)])
        return _told(*task.items(now, self.url, tells_cost=self.tells_cost))

    def _details(self, asked: Item) -> str:
        now, task = self.clock.now(), self.tasks.get(str(asked.get("taskUUID")))
        if task is None or not task.is_listed(now) or now < task.ended_at:
            return _told(errors=[_error("taskNotFound: No such task", asked)])
        results, errors = task.items(now, self.url, tells_cost=self.tells_cost)
        kept = {name: items for name, items in (("data", results), ("errors", errors)) if items}
        record = {
            "taskType": "getTaskDetails",
            "taskUUID": task.id,
            "request": [task.asked],
            "response": kept,
        }
        return _told([record])

    async def _output(self, request: web.Request) -> web.StreamResponse:
        name, _, extension = request.match_info["file"].partition(".")
        task = self.tasks.get(name[:36])
        if task is None or Effect.OUTPUT_404 in task.faults:
            return web.Response(status=404)
        content = picture(extension, 64, 64)
        if Effect.OUTPUT_GARBAGE in task.faults:
            content = b"<html><body>Sorry</body></html>" * 100
        mime = "text/html" if Effect.OUTPUT_WRONG_TYPE in task.faults else MIME[extension]
        if Effect.OUTPUT_TRUNCATED not in {*task.faults, *request[FAULTS]}:
            return web.Response(body=content, content_type=mime)
        response = web.StreamResponse(headers={"Content-Type": mime, "Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: len(content) // 2])
        return cut(request)


def _told(results: list[Item] | None = None, errors: list[Item] | None = None) -> str:
    said = {name: items for name, items in (("data", results), ("errors", errors)) if items}
    return orjson.dumps(said).decode()


def _error(detail: str, task: Item | None = None) -> Item:
    code, _, text = detail.partition(": ")
    error: Item = {"code": code, "message": text or code}
    if task is not None:
        error["taskType"] = task.get("taskType")
        if _is_uuid(task.get("taskUUID")):
            error["taskUUID"] = task["taskUUID"]
    return error


def _is_uuid(value: Any) -> bool:
    try:
        return bool(UUID(str(value)))
    except ValueError:
        return False


def _without_key(text: str) -> str:
    return orjson.dumps({**orjson.loads(text), "apiKey": "***"}).decode() if "apiKey" in text else text


def _from_arguments(arguments: argparse.Namespace) -> Emulator:
    return RunwareEmulator(
        run_s=arguments.run_seconds, host=arguments.host, port=arguments.port, seed=arguments.seed
    )


__all__ = ["PRICES", "RunwareEmulator"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Emulates Runware's API.")
    parser.add_argument("--run-seconds", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0, help="of the chances in the scripted faults")
    run(_from_arguments, parser)
