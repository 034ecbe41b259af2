"""What every provider's emulator is made of: a clock, scripted faults, a request log, an invoice, a runner.

An emulator keeps its own account of what it would bill and never asks Penstock, so that the two can be
compared. It runs inside a test (`async with`) or as a process of its own (`run`).
"""

import argparse
import asyncio
import contextlib
import random
import signal
import socket
import struct
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar, Self

import orjson
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS_OF_INTEREST = (
    "authorization",
    "cancel-after",
    "content-type",
    "idempotency-key",
    "prefer",
    "user-agent",
)
_LOG_LENGTH = 100_000
_FOREVER_S = 3600.0


class Clock:
    """Unix time that a test can move forward, so that hours of retention need no waiting."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        self._ahead_s += seconds


class Effect(StrEnum):
    """What a fault does. The first two groups spoil the answer, whatever the provider."""

    # Before the request is accepted.
    SLOW = "slow"
    """Waits `seconds`, then goes on as usual."""
    REFUSE = "refuse"
    """Answers `status` with `message`, and Retry-After in header and body as told."""
    RESET = "reset"
    """Cuts the connection before the request is read."""

    # After it is accepted: the work is done and billed, but the caller does not hear of it.
    REFUSE_AFTER = "refuse_after"
    RESET_AFTER = "reset_after"
    LOST_AFTER = "lost_after"
    """Never answers."""
    MALFORMED_AFTER = "malformed_after"
    """Answers half of the JSON body."""

    # What becomes of the work.
    FAIL = "fail"
    """Ends as failed, with `message` as its error."""
    NSFW = "nsfw"
    """Ends as failed, because the content was refused."""
    CANCEL = "cancel"
    """Is canceled by someone else at the end of its run time."""
    ABORT = "abort"
    """Is ended before it starts."""
    STUCK = "stuck"
    """Never ends by itself."""
    RUN_SECONDS = "run_seconds"
    """Runs for `seconds`."""
    QUEUE_SECONDS = "queue_seconds"
    """Starts after `seconds`."""
    LIST_LAG = "list_lag"
    """Shows up in lists after `seconds` only."""

    # What becomes of its output.
    OUTPUT_404 = "output_404"
    OUTPUT_EXPIRED = "output_expired"
    """Succeeds, but its data is removed at once."""
    OUTPUT_HUGE = "output_huge"
    """Streams `bytes` bytes without a length."""
    OUTPUT_GARBAGE = "output_garbage"
    """HTML under the content type of an image."""
    OUTPUT_WRONG_TYPE = "output_wrong_type"
    """The right bytes as text/html."""
    OUTPUT_TRUNCATED = "output_truncated"
    """Cuts the connection after half of the announced length."""

    # What becomes of its webhooks.
    WEBHOOK_LOST = "webhook_lost"
    WEBHOOK_TWICE = "webhook_twice"


@dataclass(slots=True)
class Fault:
    """One line of the script: which requests it meets, and what happens to them.

    `operation` is a route's name (`create`, `get`, `list`, `cancel`, `file`, `output`, ...) or `*`. `nth`
    counts the requests that `operation` and `contains` (a part of the body, such as a prompt) let through;
    `times` ends the fault after so many hits.
    """

    operation: str
    effect: Effect
    nth: int | None = None
    probability: float = 1.0
    contains: str | None = None
    times: int | None = None
    seconds: float = 0.0
    status: int = 500
    message: str | None = None
    retry_after_s: float | None = None
    retry_after_in: str = "both"
    """`header`, `milliseconds` (the header of that unit), `body`, or `both` header and body."""
    bytes: int = 1 << 30
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        self.effect = Effect(self.effect)

    def meets(self, operation: str, text: str, chance: random.Random) -> bool:
        if self.operation not in (operation, "*") or (
            self.contains is not None and self.contains not in text
        ):
            return False
        self.seen += 1
        if (self.nth is not None and self.seen != self.nth) or (
            self.times is not None and self.hits >= self.times
        ):
            return False
        if self.probability < 1.0 and chance.random() >= self.probability:
            return False
        self.hits += 1
        return True


FAULTS = web.RequestKey("faults", dict[Effect, Fault])
"""Where a handler finds the faults that its request met."""


class FaultScript:
    """The scripted faults; chance comes from a seed, so that a run can be repeated."""

    def __init__(self, seed: int = 0) -> None:
        self.faults: list[Fault] = []
        self._chance = random.Random(seed)

    def add(self, operation: str, effect: Effect, **details: Any) -> Fault:
        fault = Fault(operation, effect, **details)
        self.faults.append(fault)
        return fault

    def clear(self) -> None:
        self.faults.clear()

    def reads_bodies(self) -> bool:
        return any(fault.contains is not None for fault in self.faults)

    def take(self, operation: str, text: str) -> dict[Effect, Fault]:
        """The faults that this request meets; of one effect the first."""
        met = [fault for fault in self.faults if fault.meets(operation, text, self._chance)]
        return {fault.effect: fault for fault in reversed(met)}


@dataclass(slots=True)
class SeenRequest:
    at: float
    operation: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str = ""
    status: int | None = None
    """None when the caller got no answer."""

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """What one piece of work costs. `final` is false while it may still grow."""

    id: str
    model: str
    status: str
    amount_nanos: int
    final: bool
    created_at: float
    webhook: str | None = None
    input: dict[str, Any] = field(default_factory=dict)


class Allowance:
    """So many requests per minute, refilled evenly; None is no limit."""

    def __init__(self, per_minute: int | None, shown: int) -> None:
        self._per_minute = per_minute
        self._left = float(per_minute or shown)
        self._shown = shown
        self._filled_at = time.monotonic()

    def take(self) -> float | None:
        """None when the request may pass, else the seconds until the next may."""
        if self._per_minute is None:
            return None
        now = time.monotonic()
        rate = self._per_minute / 60
        self._left = min(self._per_minute, self._left + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._left < 1:
            return (1 - self._left) / rate
        self._left -= 1
        return None

    @property
    def remaining(self) -> int:
        return self._shown - 1 if self._per_minute is None else int(self._left)


class Emulator(ABC):
    """Base of the emulators. `routes` are named by operation; the names are what faults refer to."""

    name: ClassVar[str]

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, seed: int = 0) -> None:
        self.clock = Clock()
        self.faults = FaultScript(seed)
        self.requests: deque[SeenRequest] = deque(maxlen=_LOG_LENGTH)
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]: ...

    @abstractmethod
    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        """An error answer in the provider's own form; `retry_after_s` is for the body only."""

    @abstractmethod
    def invoice(self) -> list[InvoiceLine]: ...

    def operation(self, request: web.Request) -> str:
        """The name by which faults and the log know this request: its route's."""
        return request.match_info.route.name or "unknown"

    def refusal(self, request: web.Request) -> web.Response | None:
        """The answer to a request that is not let in (authentication, rate limits), or None."""
        return None

    def billed_nanos(self) -> int:
        return sum(line.amount_nanos for line in self.invoice() if line.final)

    def seen(self, operation: str) -> list[SeenRequest]:
        return [entry for entry in self.requests if entry.operation == operation]

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def start(self) -> None:
        """Listens; after a stop, where it listened before."""
        if self._runner is not None:
            return
        self._runner = web.AppRunner(
            self._app(), handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=1024)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()
        await self.stop()

    async def stop(self) -> None:
        """Nothing answers any more, as when a provider is down; what it knows stays."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def close(self) -> None:  # noqa: B027  # most emulators have nothing to end
        """Ends what runs beside the requests."""

    async def advance(self, seconds: float) -> None:
        """Moves the emulator's time forward."""
        self.clock.advance(seconds)

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[self._serve], client_max_size=128 << 20)
        app.add_routes(
            [
                web.get("/_emulator/invoice", self._show_invoice),
                web.get("/_emulator/requests", self._show_requests),
                web.get("/_emulator/faults", self._show_faults),
                web.post("/_emulator/faults", self._add_faults),
                web.delete("/_emulator/faults", self._clear_faults),
                web.post("/_emulator/advance", self._advance),
            ]
        )
        app.add_routes(self.routes())
        return app

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_emulator/"):
            return await handler(request)
        operation = self.operation(request)
        entry = self._record(operation, request)
        if self.faults.reads_bodies() or request.method == "POST":
            entry.body = await self._body(operation, request)
        faults = self.faults.take(operation, entry.body)
        request[FAULTS] = faults
        response = await self._answer(request, handler, faults)
        entry.status = response.status if request.transport is not None else None
        return response

    async def _body(self, operation: str, request: web.Request) -> str:
        """The body as text; empty for uploads, and where a reset is scripted to come before it is read."""
        early = any(
            fault.effect is Effect.RESET and fault.contains is None and fault.operation in (operation, "*")
            for fault in self.faults.faults
        )
        if early or request.content_type.startswith("multipart/"):
            return ""
        return await request.text()

    def _record(self, operation: str, request: web.Request) -> SeenRequest:
        headers = {name: request.headers[name] for name in _HEADERS_OF_INTEREST if name in request.headers}
        if "authorization" in headers:
            headers["authorization"] = headers["authorization"].split(" ")[0] + " ***"
        entry = SeenRequest(
            self.clock.now(), operation, request.method, request.path, dict(request.query), headers
        )
        self.requests.append(entry)
        return entry

    async def _answer(
        self, request: web.Request, handler: Handler, faults: dict[Effect, Fault]
    ) -> web.StreamResponse:
        if fault := faults.get(Effect.SLOW):
            await asyncio.sleep(fault.seconds)
        if Effect.RESET in faults:
            return cut(request)
        if fault := faults.get(Effect.REFUSE):
            return self._refuse(fault)
        if refusal := self.refusal(request):
            return refusal
        response = await handler(request)
        if fault := faults.get(Effect.REFUSE_AFTER):
            return self._refuse(fault)
        if Effect.RESET_AFTER in faults:
            return cut(request)
        if fault := faults.get(Effect.LOST_AFTER):
            await asyncio.sleep(fault.seconds or _FOREVER_S)
            return cut(request)
        if Effect.MALFORMED_AFTER in faults and isinstance(response, web.Response):
            body = response.body
            assert isinstance(body, bytes)
            response.body = body[: len(body) // 2]
        return response

    def _refuse(self, fault: Fault) -> web.Response:
        known = fault.status in HTTPStatus  # 529 is Anthropic's own
        message = fault.message or (HTTPStatus(fault.status).phrase if known else "Overloaded")
        in_body = fault.retry_after_s if fault.retry_after_in in ("body", "both") else None
        response = self.problem(fault.status, message, retry_after_s=in_body)
        if fault.retry_after_s is not None and fault.retry_after_in in ("header", "both"):
            response.headers["Retry-After"] = f"{fault.retry_after_s:g}"
        if fault.retry_after_s is not None and fault.retry_after_in == "milliseconds":
            response.headers["retry-after-ms"] = f"{fault.retry_after_s * 1000:g}"
        return response

    async def _show_invoice(self, _: web.Request) -> web.Response:
        lines = self.invoice()
        total = sum(line.amount_nanos for line in lines if line.final)
        return answer({"total_nanos": total, "lines": [asdict(line) for line in lines]})

    async def _show_requests(self, request: web.Request) -> web.Response:
        operation = request.query.get("operation")
        return answer([asdict(entry) for entry in self.requests if operation in (None, entry.operation)])

    async def _show_faults(self, _: web.Request) -> web.Response:
        return answer([asdict(fault) for fault in self.faults.faults])

    async def _add_faults(self, request: web.Request) -> web.Response:
        """Takes one fault or a list of them."""
        body = orjson.loads(await request.read())
        for fault in body if isinstance(body, list) else [body]:
            self.faults.add(**fault)
        return await self._show_faults(request)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self.faults.clear()
        return await self._show_faults(request)

    async def _advance(self, request: web.Request) -> web.Response:
        await self.advance(float(orjson.loads(await request.read())["seconds"]))
        return answer({"now": self.clock.now()})


def answer(body: Any, status: int = 200, content_type: str = "application/json") -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, content_type=content_type)


def cut(request: web.Request) -> web.Response:
    """Resets the connection (RST, not FIN); the response that it returns reaches nobody."""
    transport = request.transport
    if transport is not None:
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()


def run(build: Callable[[argparse.Namespace], Emulator], parser: argparse.ArgumentParser) -> None:
    """Runs an emulator as a process until SIGTERM or SIGINT; prints its address when it listens."""
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    asyncio.run(_run(build(parser.parse_args())))


async def _run(emulator: Emulator) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with emulator:
        print(f"{emulator.name} listens at {emulator.url}", flush=True)  # noqa: T201
        with contextlib.suppress(asyncio.CancelledError):
            await ended.wait()
