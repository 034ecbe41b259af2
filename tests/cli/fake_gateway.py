"""A gateway that keeps the contract of `/api/v1` in memory, and does with generations what a test says.

It can stop and start again at the same port with all that it knows, lose answers, and refuse to stream.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

KEY = "ps_live_fakefakefake"
PREFIX = "/api/v1"
TERMINAL = {"completed", "failed", "canceled", "expired"}
HEARTBEAT_S = 0.2
SHUTDOWN_S = 0.05


def now() -> str:
    return datetime.now(UTC).isoformat()


def problem(status: int, code: str, detail: str, **members: Any) -> web.Response:
    body = {
        "type": f"/api/errors/{code.lower()}",
        "title": code,
        "status": status,
        "detail": detail,
        "request_id": "req_1",
        "success": False,
        "error": code,
        "message": detail,
        "details": {},
        "retryable": False,
    }
    return web.json_response(body | members, status=status, content_type="application/problem+json")


class FakeGateway:
    """`ends` decides what becomes of a generation as soon as it is submitted; None leaves it to the test."""

    def __init__(self) -> None:
        self.generations: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.files: dict[str, list[bytes]] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, str] = {}
        self.bodies: list[Any] = []
        self.queries: list[dict[str, str]] = []
        self.lists: dict[str, list[dict[str, Any]]] = {"models": [], "ledger": [], "providers": []}
        self.usage: dict[str, Any] = {}
        self.requests: list[str] = []
        self.ends: Callable[[str], None] | None = self.complete
        self.refusals: dict[str, Callable[[], web.StreamResponse]] = {}
        self.lose_answers = 0
        self.streams = True
        self.port = 0
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application(middlewares=[self._guard])
        app.router.add_routes(self._routes())
        self._runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        assert site._server is not None
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # an asyncio.Server

    async def stop(self) -> None:
        """All connections break."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # What a test says.

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait for something that a client does."""
        async with asyncio.timeout(90), self._changed:
            await self._changed.wait_for(condition)
        return condition()

    @property
    def last(self) -> dict[str, Any]:
        return next(reversed(self.generations.values()))

    def followers(self) -> int:
        return sum(path.endswith("/events") for path in self.requests)

    def emit(self, id_: str, type_: str, *, durable: bool = True, **data: Any) -> None:
        resource = self.generations[id_]
        if durable:
            resource["seq"] += 1
            resource.update(data)
        frame = {"v": 1, "id": id_, "seq": resource["seq"], "ts": now(), "type": type_, "data": data}
        self.events[id_].append(frame)
        self._wake()

    def run(self, id_: str) -> None:
        self.emit(id_, "generation.waiting", status="running", stage="provider_running", progress=0.0)

    def progress(self, id_: str, progress: float, **data: Any) -> None:
        self.generations[id_]["progress"] = progress
        self.emit(id_, "generation.progress", durable=False, progress=progress, stage=None, **data)

    def delta(self, id_: str, offset: int, text: str) -> None:
        self.emit(id_, "generation.delta", durable=False, offset=offset, text=text)

    def complete(self, id_: str, *files: bytes, mime: str = "image/png", nanos: int = 40_000_000) -> None:
        content = files or (b"\x89PNG fake",)
        self.files[id_] = list(content)
        resource = self.generations[id_]
        if resource["kind"] == "text":
            mime = "text/plain"
        resource["outputs"] = [self._output(resource, n, data, mime) for n, data in enumerate(content)]
        resource["cost"] |= {"status": "final", "actual": {"nanos": nanos, "amount": "-"}}
        resource["resolved"] = {"provider": "local", "model": "local", "reason": "first", "fallbacks": []}
        self.emit(
            id_, "generation.completed", status="completed", progress=1.0, stage=None, completed_at=now()
        )

    def fail(self, id_: str, code: str = "PROVIDER_FAILED", message: str = "out of paint") -> None:
        resource = self.generations[id_]
        resource["cost"] |= {"status": "released"}
        error = {"code": code, "message": message, "retryable": True}
        self.emit(id_, "generation.failed", status="failed", error=error, stage=None, completed_at=now())

    def refuse(self, path: str, *answer: Any, **members: Any) -> None:
        """Answer requests for `METHOD /path` with a problem."""
        self.refusals[path] = lambda: problem(*answer, **members)

    def make(self, kind: str = "image", **members: Any) -> str:
        """A generation as if somebody had asked for it earlier."""
        id_ = str(uuid4())
        link = f"{self.url}{PREFIX}/generations/{id_}"
        self.generations[id_] = {
            "id": id_,
            "object": "generation",
            "kind": kind,
            "status": "queued",
            "stage": "routing",
            "progress": None,
            "queue_position": 1,
            "provider_queue_position": None,
            "eta_seconds": 5.0,
            "seq": 1,
            "model": "local",
            "resolved": None,
            "input": {"prompt": "a lighthouse"},
            "parent_id": None,
            "outputs": [],
            "cost": {
                "status": "reserved",
                "estimated": {"nanos": 40_000_000, "amount": "0.040000000"},
                "actual": None,
                "billed_to": "platform",
            },
            "error": None,
            "warnings": [],
            "created_at": now(),
            "started_at": None,
            "completed_at": None,
            "links": {"self": link, "events": f"{link}/events", "cancel": f"{link}/cancel"},
        } | members
        self.events[id_] = []
        self._wake()
        return id_

    def _output(self, resource: Mapping[str, Any], n: int, data: bytes, mime: str) -> dict[str, Any]:
        return {
            "n": n,
            "kind": resource["kind"],
            "url": f"{resource['links']['self']}/outputs/{n}",
            "mime": mime,
            "bytes": len(data),
            "width": 64,
            "height": 64,
            "duration_s": None,
            "sha256": hashlib.sha256(data).hexdigest(),
            "text": None,
        }

    def _wake(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        task = asyncio.get_running_loop().create_task(notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # What clients see.

    def _routes(self) -> list[web.RouteDef]:
        one = f"{PREFIX}/generations/{{id}}"
        return [
            web.get("/livez", self._health),
            web.get("/readyz", self._health),
            web.get("/healthz", self._health),
            web.post(f"{PREFIX}/generations", self._submit),
            web.get(f"{PREFIX}/generations", self._list),
            web.post(f"{PREFIX}/generations:bulk", self._bulk),
            web.get(one, self._get),
            web.post(f"{one}/retry", self._again),
            web.post(f"{one}/rerun", self._again),
            web.get(f"{one}/events", self._stream),
            web.get(f"{one}/submissions", self._submissions),
            web.get(f"{one}/outputs/{{n}}", self._file),
            web.post(f"{PREFIX}/uploads:direct", self._upload),
            web.get(f"{PREFIX}/events", self._feed),
            web.get(f"{PREFIX}/keys", self._list_keys),
            web.post(f"{PREFIX}/keys", self._create_key),
            web.delete(f"{PREFIX}/keys/{{id}}", self._revoke_key),
            web.post(f"{PREFIX}/keys/{{id}}/rotate", self._create_key),
            web.get(f"{PREFIX}/{{list:models|ledger|providers|webhooks|deliveries}}", self._list_fixed),
            web.get(f"{PREFIX}/models/{{name:.+}}", self._model),
            web.get(f"{PREFIX}/usage", self._usage),
            web.post(f"{PREFIX}/webhooks", self._create_webhook),
            web.post(f"{PREFIX}/ops/providers/{{provider}}/reset", self._reset),
        ]

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        self.requests.append(f"{request.method} {path}")
        self._wake()
        if path != request.path and request.headers.get("Authorization") != f"Bearer {KEY}":
            return problem(401, "UNAUTHENTICATED", "This key is not known.")
        if refusal := self.refusals.get(f"{request.method} {path}"):
            return refusal()
        id_ = request.match_info.get("id")
        if id_ is not None and id_ not in self.generations and id_ not in self.keys:
            return problem(404, "NOT_FOUND", f"There is no generation {id_}.")
        try:
            answer: web.StreamResponse = await handler(request)
        except ConnectionError:
            raise asyncio.CancelledError from None
        return answer

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "checks": {"postgres": "ok", "redis": "ok"}})

    async def _submit(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        key = request.headers["Idempotency-Key"]
        if key not in self.by_key:
            self.by_key[key] = self.make(body["kind"], input=body["input"])
            if self.ends is not None:
                self.ends(self.by_key[key])
        if self.lose_answers > 0:
            self.lose_answers -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(self.generations[self.by_key[key]], status=202)

    async def _list(self, request: web.Request) -> web.Response:
        wanted = request.query.getall("status", [])
        found = [item for item in self.generations.values() if not wanted or item["status"] in wanted]
        found.reverse()
        start, limit = int(request.query.get("after", 0)), int(request.query["limit"])
        more = str(start + limit) if start + limit < len(found) else None
        return web.json_response({"data": found[start : start + limit], "next": more})

    async def _get(self, request: web.Request) -> web.Response:
        resource = self.generations[request.match_info["id"]]
        if "wait" in request.query:
            with suppress(TimeoutError):
                async with asyncio.timeout(int(request.query["wait"])), self._changed:
                    await self._changed.wait_for(lambda: resource["status"] in TERMINAL)
        return web.json_response(resource)

    async def _bulk(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        results = [self._act(body["action"], id_) for id_ in body.get("ids", list(self.generations))]
        refused = sum(result["error"] is not None for result in results)
        counts = {"done": len(results) - refused, "refused": refused, "more": False}
        return web.json_response({"action": body["action"], "data": results} | counts)

    def _act(self, action: str, id_: str) -> dict[str, Any]:
        if id_ not in self.generations:
            error = {"status": 404, "error": "NOT_FOUND", "detail": f"There is no generation {id_}."}
            return {"id": id_, "status": 404, "result": None, "error": error}
        if action == "delete":
            del self.generations[id_]
            return {"id": id_, "status": 204, "result": None, "error": None}
        self.emit(id_, "generation.canceled", status="canceled", completed_at=now())
        result = {"id": id_, "status": "canceled", "changed": True, "money": {"outcome": "released"}}
        return {"id": id_, "status": 200, "result": result, "error": None}

    async def _again(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body | dict(request.query))
        parent = self.generations[request.match_info["id"]]
        id_ = self.make(parent["kind"], parent_id=parent["id"])
        if self.ends is not None:
            self.ends(id_)
        return web.json_response(self.generations[id_], status=202)

    async def _submissions(self, request: web.Request) -> web.Response:
        item = {"id": str(uuid4()), "n": 1, "provider": "local", "model": "local", "state": "done"}
        times = {
            "intent_at": now(),
            "ended_at": now(),
            "cost": {"nanos": 125_000, "amount": "-"},
            "error": None,
        }
        return web.json_response({"data": [item | times]})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["id"]][int(request.match_info["n"])])

    async def _upload(self, request: web.Request) -> web.Response:
        part = (await request.post())["file"]
        assert isinstance(part, web.FileField)
        id_ = str(uuid4())
        self.uploads[id_] = (part.filename, part.file.read())
        return web.json_response({"id": id_, "object": "upload", "status": "ready"}, status=201)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if not self.streams:
            return problem(404, "NOT_FOUND", "There is nothing here.")
        id_ = request.match_info["id"]
        seen = int(request.headers.get("Last-Event-ID", 0))
        return await self._send(request, lambda: self.events[id_], seen, id_)

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        if not self.streams:
            return problem(404, "NOT_FOUND", "There is nothing here.")

        def everything() -> list[dict[str, Any]]:
            return [frame for frames in self.events.values() for frame in frames]

        return await self._send(request, everything, 0, None)

    async def _send(
        self, request: web.Request, source: Callable[[], list[dict[str, Any]]], seen: int, only: str | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"retry: 3000\n\n")
        sent = 0
        while True:
            frames = source()[sent:]
            sent += len(frames)
            for frame in frames:
                if frame["seq"] > seen or frame["type"] in ("generation.progress", "generation.delta"):
                    await response.write(f"id: {frame['seq']}\ndata: {json.dumps(frame)}\n\n".encode())
            if frames:
                continue
            if only is not None and self.generations[only]["status"] in TERMINAL:
                return response
            await self._change_or_heartbeat()
            await response.write(b": still here\n\n")

    async def _change_or_heartbeat(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(HEARTBEAT_S), self._changed:
                await self._changed.wait()

    async def _list_keys(self, _: web.Request) -> web.Response:
        return web.json_response({"data": list(self.keys.values()), "next": None})

    async def _create_key(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.bodies.append(body)
        id_ = str(uuid4())
        self.keys[id_] = {
            "id": id_,
            "key_id": "abc123",
            "name": body.get("name", "rotated"),
            "scopes": body.get("scopes", ["write"]),
            "created_at": now(),
            "expires_at": body.get("expires_at"),
            "last_used_at": None,
        }
        return web.json_response(self.keys[id_] | {"key": "ps_live_new"}, status=201)

    async def _list_fixed(self, request: web.Request) -> web.Response:
        self.queries.append(dict(request.query))
        return web.json_response({"data": self.lists[request.match_info["list"]], "next": None})

    async def _model(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.json_response(next(item for item in self.lists["models"] if item["id"] == name))

    async def _create_webhook(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.json_response({"id": str(uuid4()), "secret": "whsec_new"}, status=201)

    async def _reset(self, request: web.Request) -> web.Response:
        name = request.match_info["provider"]
        if all(one["id"] != name for one in self.lists["providers"]):
            return problem(404, "NOT_FOUND", f"There is no provider {name}.")
        return web.json_response({"id": name, "reset": 1})

    async def _usage(self, request: web.Request) -> web.Response:
        self.queries.append(dict(request.query))
        return web.json_response(self.usage)

    async def _revoke_key(self, request: web.Request) -> web.Response:
        del self.keys[request.match_info["id"]]
        return web.Response(status=204)
