"""`python -m gateway`: one gateway process."""

import asyncio
import logging
import signal
import sys

import uvloop
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import ValidationError

from gateway.app import create_app, open_deps
from gateway.deps import Deps
from shared import heap
from shared.db import CONNECTION_ERRORS
from shared.log import configure, get_logger
from shared.settings import Settings, what_is_wrong

log = get_logger(__name__)

SHUTDOWN_S = 2.0
"""For requests under way, after the live connections were given up to three seconds to close."""

BACKLOG = 1024


async def serve(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT; the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with open_deps(settings) as deps:
            await _serve_until(stop, deps)
    except CONNECTION_ERRORS as error:
        log.error("gateway_cannot_start", error=f"{type(error).__name__}: {error}")
        return 1
    return 0


async def _serve_until(stop: asyncio.Event, deps: Deps) -> None:
    settings = deps.settings
    runner = web.AppRunner(
        create_app(deps),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=75.0,
    )
    await runner.setup()
    site = web.TCPSite(
        runner, settings.host, settings.port, backlog=BACKLOG, reuse_port=settings.reuse_port or None
    )
    await site.start()
    log.info("gateway_ready", url=settings.base_url)
    await stop.wait()
    log.info("gateway_stopping")
    # No new connections; live ones are told to come back elsewhere; then requests under way may finish.
    await site.stop()
    await deps.hub.close()
    await runner.cleanup()


def shorten_unreadable(record: logging.LogRecord) -> bool:
    """Bytes that are no HTTP are the client's fault: aiohttp answers 400, and our trace would tell nothing."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg, record.args, record.exc_info = "unreadable_request", (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def main() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        sys.stderr.write(f"gateway: {what_is_wrong(error)}\n")
        return 2
    configure(settings, "gateway")
    logging.getLogger("aiohttp.server").addFilter(shorten_unreadable)
    heap.settle()
    return uvloop.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
