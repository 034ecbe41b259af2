"""The baseline of the gateway: aiohttp on uvloop with one constant answer. Prints its port."""

import asyncio
import sys

import uvloop
from aiohttp import web

ANSWER = b'{"id":"%s"}' % (b"0" * 1500)
"""About as long as a generation."""


async def answer(request: web.Request) -> web.Response:
    if request.body_exists:
        await request.read()
    return web.Response(body=ANSWER, status=202 if request.method == "POST" else 200)


async def serve() -> None:
    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    sys.stdout.write(f"port {runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve())
