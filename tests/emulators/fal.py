"""fal's queue and its list of requests, as its pages and its SDK show them, without the GPUs.

    python -m tests.emulators.fal --port 9106 --run-seconds 2

What it would bill is at `/_emulator/invoice`. Billing: outputs; nothing for what was canceled or failed with an
error of the 500s; a refused prompt in full, because a machine worked on it.
"""

import argparse
import asyncio
import base64
import math
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import orjson
from aiohttp import web

from tests.emulators.base import FAULTS, Allowance, Effect, Emulator, Fault, InvoiceLine, answer, cut, run
from tests.emulators.fal_models import BY_ENDPOINT
from tests.emulators.fal_requests import FalRequest
from tests.emulators.media import MIME

_GARBAGE = b"<!doctype html><title>Not what you asked for</title>" * 20
_NGINX = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"


class FalEmulator(Emulator):
    """`run_s` and `queue_s` are how long a request runs and how long it waits before that. `key` of None lets
    in any. `reports_units` and `keeps_payloads` are what differs between models and between accounts."""

    name: ClassVar[str] = "fal"

    def __init__(
        self,
        *,
        run_s: float = 0.05,
        queue_s: float = 0.0,
        retention_s: float = 3600.0,
        key: str | None = None,
        submits_per_minute: int | None = None,
        reports_units: bool = True,
        keeps_payloads: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.run_s = run_s
        self.queue_s = queue_s
        self.retention_s = retention_s
        self.reports_units = reports_units
        self.keeps_payloads = keeps_payloads
        self.queue: dict[str, FalRequest] = {}
        self._key = key
        self._submits = Allowance(submits_per_minute, 600)

    def routes(self) -> Iterable[web.RouteDef]:
        request = "/{owner}/{app}/requests/{id}"
        return [
            web.get("/v1/models/requests/by-endpoint", self._list, name="list"),
            web.get("/files/{id}/{file}", self._deliver, name="file"),
            web.get(request + "/status", self._status, name="status"),
            web.get(request, self._result, name="result"),
            web.put(request + "/cancel", self._cancel, name="cancel"),
            web.post("/{endpoint:.+}", self._submit, name="create"),
        ]

    def invoice(self) -> list[InvoiceLine]:
        now = self.clock.now()
        return [request.bill(now) for request in self.queue.values()]

    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        """An error of the 500s is the proxy's, which the queue is behind."""
        if status >= 500:
            return web.Response(text=_NGINX.format(detail), status=status, content_type="text/html")
        body: dict[str, Any] = {"detail": detail}
        if retry_after_s is not None:
            body["retry_after"] = retry_after_s
        return answer(body, status)

    def refusal(self, request: web.Request) -> web.Response | None:
        operation = self.operation(request)
        if operation == "file":
            return None
        kind, _, key = request.headers.get("Authorization", "").partition(" ")
        if kind != "Key" or not key or key != (self._key or key):
            return self.problem(401, "No user found for Key ID and Secret")
        wait_s = self._submits.take() if operation == "create" else None
        if wait_s is None:
            return None
        refused = self.problem(429, "Too many requests")
        refused.headers["Retry-After"] = str(math.ceil(wait_s))
        return refused

    async def _submit(self, request: web.Request) -> web.Response:
        """The queue takes whatever is JSON; the model looks at it when it runs."""
        model = BY_ENDPOINT.get(request.match_info["endpoint"])
        if model is None:
            return self.problem(404, f"Application '{request.match_info['endpoint']}' not found")
        body = orjson.loads(await request.read())
        made = FalRequest(
            id=str(uuid.uuid4()),
            model=model,
            input=body,
            created_at=self.clock.now(),
            queue_s=self.queue_s,
            run_s=self.run_s,
            headers={
                name.lower(): value
                for name, value in request.headers.items()
                if name.lower().startswith("x-fal-")
            },
            webhook=request.query.get("fal_webhook"),
            faults=request[FAULTS],
        )
        self.queue[made.id] = made
        url = f"{self.url}/{model.app}/requests/{made.id}"
        return _fals(
            made,
            {
                "status": "IN_QUEUE",
                "request_id": made.id,
                "response_url": url,
                "status_url": f"{url}/status",
                "cancel_url": f"{url}/cancel",
                "queue_position": self._ahead_of(made),
            },
        )

    async def _status(self, request: web.Request) -> web.Response:
        found = self._find(request)
        if found is None:
            return self._unknown()
        now = self.clock.now()
        body = found.status(now, self._ahead_of(found), request.query.get("logs") in ("1", "true"))
        url = f"{self.url}/{found.model.app}/requests/{found.id}"
        return _fals(found, {**body, "request_id": found.id, "response_url": url},
                     200 if body["status"] == "COMPLETED" else 202)  # fmt: skip

    async def _result(self, request: web.Request) -> web.Response:
        found, now = self._find(request), self.clock.now()
        if found is None:
            return self._unknown()
        verdict = found.ended(now)
        if verdict is None:
            return _fals(found, {"detail": "Request is still in progress"}, 400)
        if now > found.end()[0] + self.retention_s or Effect.OUTPUT_EXPIRED in found.faults:
            return self._unknown()
        if verdict.error is not None:
            body = {"detail": verdict.error.replace("_", " "), "error_type": verdict.error}
            response = _fals(found, body, verdict.status)
            response.headers["X-Fal-Error-Type"] = verdict.error
        elif verdict.detail is not None:
            response = _fals(found, {"detail": verdict.detail}, verdict.status)
        else:
            response = _fals(found, found.result(self.url))
        if verdict.billed and found.model.reports and self.reports_units:
            response.headers["x-fal-billable-units"] = str(found.model.units(found.input))
        return response

    async def _cancel(self, request: web.Request) -> web.Response:
        found, now = self._find(request), self.clock.now()
        if found is None:
            return answer({"status": "NOT_FOUND"}, 404)
        if found.ended(now) is not None:
            return _fals(found, {"status": "ALREADY_COMPLETED"}, 409)
        running = found.running(now)
        found.canceled_at = now
        if running:
            return _fals(found, {"status": "CANCELLATION_REQUESTED"}, 202)
        return _fals(found, {"status": "OK"})

    async def _list(self, request: web.Request) -> web.Response:
        """Latest end first; `cursor` is the number of the page."""
        query, now = request.query, self.clock.now()
        endpoint, limit = query.get("endpoint_id"), int(query.get("limit", "50"))
        if not endpoint or not 1 <= limit <= 100:
            return self.problem(400, "endpoint_id and a limit of 1 to 100")
        since = datetime.fromisoformat(query["start"]).timestamp() if "start" in query else now - 86_400
        rows = [
            made
            for made in self.queue.values()
            if made.model.endpoint == endpoint and made.listed(now) and made.end()[0] >= since
        ]
        rows.sort(key=lambda made: made.end()[0], reverse=True)
        page = int(base64.b64decode(query["cursor"])) if "cursor" in query else 1
        more = len(rows) > page * limit
        payloads = "payloads" in query.get("expand", "") and self.keeps_payloads
        return answer(
            {
                "items": [made.row(now, payloads) for made in rows[(page - 1) * limit : page * limit]],
                "next_cursor": base64.b64encode(str(page + 1).encode()).decode() if more else None,
                "has_more": more,
            }
        )

    async def _deliver(self, request: web.Request) -> web.StreamResponse:
        """A file as the CDN serves it; its faults are those of the request that made it, or its own."""
        made = self.queue.get(request.match_info["id"])
        files = made.model.output(made.input) if made is not None else []
        n = int(request.match_info["file"].partition(".")[0])
        own: dict[Effect, Fault] = request[FAULTS]
        faults = {**(made.faults if made is not None else {}), **own}
        if n >= len(files) or Effect.OUTPUT_404 in faults:
            return web.Response(status=404, text="not found")
        content, mime = files[n].content, MIME[files[n].extension]
        if fault := faults.get(Effect.OUTPUT_HUGE):
            return await _huge(request, mime, content, fault.bytes)
        if Effect.OUTPUT_TRUNCATED in faults:
            return await _half(request, mime, content)
        if Effect.OUTPUT_GARBAGE in faults:
            content = _GARBAGE
        return web.Response(
            body=content, content_type="text/html" if Effect.OUTPUT_WRONG_TYPE in faults else mime
        )

    def _find(self, request: web.Request) -> FalRequest | None:
        found = self.queue.get(request.match_info["id"])
        app = "{owner}/{app}".format(**request.match_info)
        return found if found is not None and found.model.app == app else None

    def _unknown(self) -> web.Response:
        return self.problem(404, "Request not found")

    def _ahead_of(self, made: FalRequest) -> int:
        now = self.clock.now()
        return sum(
            other.created_at < made.created_at and other.ended(now) is None and not other.running(now)
            for other in self.queue.values()
        )


def _fals(made: FalRequest, body: Any, status: int = 200) -> web.Response:
    response = answer(body, status)
    response.headers["x-fal-request-id"] = made.id
    return response


async def _huge(request: web.Request, mime: str, head: bytes, size: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": mime})
    await response.prepare(request)
    await response.write(head)
    block = bytes(1 << 16)
    for _ in range(size // len(block)):
        await response.write(block)
    return response


async def _half(request: web.Request, mime: str, content: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": mime, "Content-Length": str(len(content))})
    await response.prepare(request)
    await response.write(content[: len(content) // 2])
    # Long enough for the half to leave the socket's buffer, which a reset would drop.
    await asyncio.sleep(0.05)
    return cut(request)


def _from_arguments(arguments: argparse.Namespace) -> Emulator:
    return FalEmulator(
        run_s=arguments.run_seconds,
        queue_s=arguments.queue_seconds,
        key=arguments.key,
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Emulates fal's queue.")
    parser.add_argument("--run-seconds", type=float, default=0.05)
    parser.add_argument("--queue-seconds", type=float, default=0.0)
    parser.add_argument("--key", help="the only key to let in; any by default")
    parser.add_argument("--seed", type=int, default=0, help="of the chances in the scripted faults")
    run(_from_arguments, parser)
