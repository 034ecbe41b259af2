"""Somebody's webhook receiver, on a real socket, which verifies with the `standardwebhooks` package."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    def signed_with(self, secret: str) -> bool:
        try:
            Webhook(secret).verify(self.body, dict(self.headers))
        except WebhookVerificationError:
            return False
        return True


@dataclass
class Receiver:
    """Answers with `statuses` in turn, the last one for ever; while `gate` is closed it takes and says nothing."""

    url: str = ""
    statuses: Sequence[int] = (200,)
    text: str = "thanks"
    headers: Mapping[str, str] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, count: int, timeout_s: float = 90) -> list[Received]:
        """What was received once there is so much of it."""
        async with asyncio.timeout(timeout_s):
            while len(self.received) < count:
                await asyncio.sleep(0.01)
        return self.received

    async def take(self, request: web.Request) -> web.Response:
        seen = len(self.received)
        self.received.append(Received(request.path, dict(request.headers), await request.read()))
        await self.gate.wait()
        status = self.statuses[min(seen, len(self.statuses) - 1)]
        return web.Response(status=status, text=self.text, headers=self.headers)


@asynccontextmanager
async def open_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.gate.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        receiver.gate.set()
        await runner.cleanup()
