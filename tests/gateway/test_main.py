"""`python -m gateway`: starts, serves, and ends cleanly."""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def gateway(environment: dict[str, str]) -> AsyncIterator[tuple[Process, str]]:
    """A gateway process that answers, and its address."""
    url = f"http://127.0.0.1:{environment['PORT']}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=dict(os.environ) | environment, stderr=PIPE
    )
    try:
        async with asyncio.timeout(90), aiohttp.ClientSession() as http:
            while not await _answers(http, url):
                await asyncio.sleep(0.05)
        yield process, url
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/livez") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def test_sigterm_ends_it_cleanly_with_code_0(environment: dict[str, str]) -> None:
    async with gateway(environment | {"PORT": str(free_port()), "LOG_FORMAT": "json"}) as (process, _):
        process.send_signal(signal.SIGTERM)
        _, logged = await asyncio.wait_for(process.communicate(), 10)
        assert process.returncode == 0
        assert b"gateway_ready" in logged
        assert b"Traceback" not in logged


async def test_bytes_that_are_no_http_are_one_line_in_the_log(environment: dict[str, str]) -> None:
    port = free_port()
    async with gateway(environment | {"PORT": str(port), "LOG_FORMAT": "json"}) as (process, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
        process.send_signal(signal.SIGTERM)
        _, logged = await asyncio.wait_for(process.communicate(), 10)
        assert logged.count(b"unreadable_request") == 1
        assert b"Traceback" not in logged


async def test_without_postgres_it_says_so_and_ends(environment: dict[str, str]) -> None:
    nowhere = {
        "DATABASE_URL": f"postgresql://penstock@127.0.0.1:{free_port()}/penstock",
        "PORT": str(free_port()),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=dict(os.environ) | environment | nowhere, stderr=PIPE
    )
    _, logged = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert b"gateway_cannot_start" in logged
    assert b"Traceback" not in logged
