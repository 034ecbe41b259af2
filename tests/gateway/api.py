"""A real gateway on a real socket, and a client that speaks to it as one account."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

import aiohttp
import orjson
from aiohttp import web
from PIL import Image

from gateway.app import create_app, open_deps
from gateway.deps import Deps
from gateway.errors import media_of
from shared.db import Database, Role
from shared.domains import accounts
from shared.domains.accounts import Scope
from shared.ids import new_id
from shared.settings import Settings
from workers.providers.base import Finished, Request, Sink, Usage

TERMINAL = {"completed", "failed", "canceled", "expired"}


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.content)

    @property
    def problem(self) -> tuple[int, str, str | None]:
        """Status, code and field of an error, its shape checked."""
        body = self.json
        assert self.headers["Content-Type"] == media_of(body["instance"])
        assert body["status"] == self.status
        assert body["success"] is False
        code: str = body.get("code", body["error"])
        assert body["type"] == "/api/errors/" + code.lower().replace("_", "-")
        assert body["detail"] == body["message"]
        assert body["request_id"] == self.headers["X-Request-Id"]
        assert isinstance(body["details"], dict)
        return self.status, code, body.get("field")


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway process' inside, serving on `url`."""

    deps: Deps
    worker: Database
    url: str
    http: aiohttp.ClientSession

    async def account(self, *scopes: Scope, **columns: Any) -> "Api":
        """A client of a fresh account with a key of these scopes (admin when none is given)."""
        account_id = new_id()
        async with self.worker.transaction() as tx:
            await accounts.create_account(tx, account_id, "test")
        return await Api(self, account_id, None).with_key(*scopes)


@dataclass(frozen=True, slots=True)
class Api:
    """Speaks to the gateway as one account; `key` None is nobody."""

    gateway: Gateway
    account_id: UUID
    key: str | None

    async def with_key(self, *scopes: Scope) -> Self:
        """The same account with another key."""
        server_key = self.gateway.deps.settings.secret_key.get_secret_value()
        async with self.gateway.worker.transaction() as tx:
            text = await accounts.insert_key(
                tx, self.account_id, server_key, name="test", scopes=scopes or [Scope.ADMIN]
            )
        return replace(self, key=text)

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Response:
        """One request; `body` is sent as JSON, `data=` as it is. Redirects are not followed."""
        sent = dict(headers or {})
        if self.key is not None:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        if body is not None:
            options["data"] = orjson.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        url = path if path.startswith("http") else self.gateway.url + path
        async with self.gateway.http.request(
            method, url, headers=sent, allow_redirects=False, **options
        ) as answer:
            return Response(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **options: Any) -> Response:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Response:
        return await self.call("POST", path, body, **options)

    async def delete(self, path: str, **options: Any) -> Response:
        return await self.call("DELETE", path, **options)

    async def submit(self, **request: Any) -> dict[str, Any]:
        """Submits an image unless told otherwise, and returns the admitted resource."""
        answer = await self.post("/api/v1/generations", image(**request))
        assert answer.status == 202, answer.content
        resource: dict[str, Any] = answer.json
        return resource

    async def until_ended(self, generation_id: str, timeout_s: float = 90) -> dict[str, Any]:
        async with asyncio.timeout(timeout_s):
            while True:
                resource: dict[str, Any] = (
                    await self.get(f"/api/v1/generations/{generation_id}?wait=20")
                ).json
                if resource["status"] in TERMINAL:
                    return resource


def image(**request: Any) -> dict[str, Any]:
    """The body of a submit that the scripted provider serves."""
    return {"kind": "image", "model": "scripted", "input": {"prompt": "a lighthouse in fog"}} | request


@asynccontextmanager
async def open_gateway(settings: Settings) -> AsyncIterator[Gateway]:
    """Serves on a free port until the block ends."""
    async with open_deps(settings) as deps:
        runner = web.AppRunner(create_app(deps), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        worker = await Database.open(settings.worker_url, Role.WORKER, max_size=4)
        try:
            # Content as it was sent; who wants it encoded says so.
            plain = {"Accept-Encoding": "identity"}
            async with aiohttp.ClientSession(auto_decompress=False, headers=plain) as http:
                yield Gateway(deps, worker, f"http://127.0.0.1:{port}", http)
        finally:
            await worker.close()
            await runner.cleanup()


class Painter:
    """The scripted provider's behaviour: one PNG per request, after `gate` is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()

    async def paint(self, request: Request, sink: Sink) -> Finished:
        await self.gate.wait()
        stored = await sink.write(0, "image/png", _chunks(picture()))
        return Finished((stored,), Usage({"run": Decimal(1)}))


def picture(side: int = 32, form: str = "PNG", **options: Any) -> bytes:
    """A small picture."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((side, side)).convert("RGB").save(out, form, **options)
    return out.getvalue()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data
