"""A proxy before a gateway that browsers reach below a path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

PATH = "/penstock"
_NOT_PASSED = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive", "upgrade"})
_LIVE = frozenset({"cookie", "origin", "host"})

type Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


@dataclass(slots=True)
class StrippingProxy:
    """Takes the path off and passes on the rest, live connections too. What was asked for without it is a stray: an
    address of ours that forgot the path."""

    http: aiohttp.ClientSession
    target: str = ""
    strays: list[str] = field(default_factory=list)

    async def pass_on(self, request: web.Request) -> web.StreamResponse:
        if not request.path.startswith(f"{PATH}/"):
            self.strays.append(request.path)
            raise web.HTTPNotFound
        url = self.target + request.path_qs.removeprefix(PATH)
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._join(request, url)
        headers = [(name, text) for name, text in request.headers.items() if name.lower() not in _NOT_PASSED]
        asked = self.http.request(
            request.method, url, headers=headers, data=await request.read(), allow_redirects=False
        )
        async with asked as answer:
            response = web.Response(status=answer.status, body=await answer.read())
            for name, text in answer.headers.items():
                if name.lower() not in _NOT_PASSED:
                    response.headers.add(name, text)
            return response

    async def _join(self, request: web.Request, url: str) -> web.WebSocketResponse:
        headers = {name: text for name, text in request.headers.items() if name.lower() in _LIVE}
        before = web.WebSocketResponse()
        await before.prepare(request)
        async with self.http.ws_connect(url, headers=headers) as behind, asyncio.TaskGroup() as both:
            both.create_task(_carry(before, behind))
            both.create_task(_carry(behind, before))
        return before


async def _carry(source: Socket, sink: Socket) -> None:
    async for message in source:
        await sink.send_str(message.data)
    await sink.close()


@asynccontextmanager
async def stripping_proxy(port: int) -> AsyncIterator[StrippingProxy]:
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        proxy = StrippingProxy(http)
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", proxy.pass_on)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        try:
            yield proxy
        finally:
            # A server that is left open keeps the loop from ending, and with it the whole run.
            await runner.cleanup()
