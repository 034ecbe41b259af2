"""A gateway and a worker as processes of their own, for a browser to talk to, and providers to break."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from shared.db import Database, Role
from shared.settings import Settings
from shared.storage import ObjectStore
from tests.bench.processes import Child, Cores
from tests.emulators.elevenlabs import ElevenLabsEmulator
from tests.emulators.fal import FalEmulator
from tests.emulators.openai import OpenAIEmulator
from tests.emulators.replicate import ReplicateEmulator

KINDS = ("text", "image", "audio", "music", "video", "upscale")
HOST = "127.0.0.1"


@dataclass(slots=True)
class Stack:
    """`url` is the gateway's address; children may be stopped and started by a test that says so.

    A page at `friend` may embed the studio; nobody is there unless a test puts a page there.
    """

    url: str
    friend: str
    db: Database
    replicate: ReplicateEmulator
    fal: FalEmulator
    openai: OpenAIEmulator
    elevenlabs: ElevenLabsEmulator
    environment: Mapping[str, str]
    folder: Path
    cores: Cores
    gateway: Child
    worker: Child

    async def start_gateway(self) -> None:
        self.gateway = await _gateway(self.environment, self.folder, self.cores)

    async def another_gateway(self, **changes: str) -> tuple[str, Child]:
        """One more beside it, with other settings, and its address; whoever starts it stops it."""
        port = free_port()
        url = f"http://{HOST}:{port}"
        own = {**self.environment, "PORT": str(port), **changes}
        child = await _gateway(own, self.folder, self.cores, f"gateway-{port}")
        await _answers(url)
        return url, child

    async def start_worker(self) -> None:
        self.worker = await _worker(self.environment, self.folder, self.cores)


@asynccontextmanager
async def open_stack(
    environment: Mapping[str, str], settings: Settings, folder: Path, **changes: str
) -> AsyncIterator[Stack]:
    """`changes` are settings; providers that need a key are emulated, and answer within a second or so."""
    async with AsyncExitStack() as stack:
        replicate = await stack.enter_async_context(ReplicateEmulator(run_s=0.8))
        fal = await stack.enter_async_context(FalEmulator(run_s=0.8))
        openai = await stack.enter_async_context(OpenAIEmulator(run_s=0.5))
        elevenlabs = await stack.enter_async_context(ElevenLabsEmulator(speak_s=0.3))
        port = free_port()
        # Another name for this machine is another site to a browser.
        friend = f"http://localhost:{free_port()}"
        own = {
            **os.environ,
            **environment,
            "AUTH_MODE": "open",
            "HOST": HOST,
            "PORT": str(port),
            "ALLOWED_ORIGINS": friend,
            "ALLOW_PRIVATE_URLS": "true",
            "HEARTBEAT_INTERVAL_S": "0.5",
            "LOG_FORMAT": "json",
            "REPLICATE_API_TOKEN": "r8_browser-test",
            "REPLICATE_BASE_URL": replicate.url,
            "FAL_KEY": "browser-test",
            "FAL_QUEUE_URL": fal.url,
            "FAL_WEBHOOK_JWKS_URL": "",
            "OPENAI_API_KEY": "sk-browser-test",
            "OPENAI_BASE_URL": f"{openai.url}/v1",
            "ELEVENLABS_API_KEY": "sk_browser-test",
            "ELEVENLABS_BASE_URL": elevenlabs.url,
            **changes,
        }
        store = ObjectStore.open(settings)
        await store.ensure_bucket()
        await store.close()
        db = await Database.open(settings.worker_url, Role.WORKER)
        stack.push_async_callback(db.close)
        cores = Cores.divide()
        gateway = await _gateway(own, folder, cores)
        opened = Stack(
            f"http://{HOST}:{port}", friend, db, replicate, fal, openai, elevenlabs, own, folder, cores, gateway,
            await _worker(own, folder, cores),
        )  # fmt: skip
        try:
            await _answers(opened.url)
            yield opened
        finally:
            await opened.worker.stop()
            await opened.gateway.stop()


async def _gateway(
    environment: Mapping[str, str], folder: Path, cores: Cores, name: str = "gateway"
) -> Child:
    return await Child.start(("-m", "gateway"), environment, folder, name, cores.every)


async def _worker(environment: Mapping[str, str], folder: Path, cores: Cores) -> Child:
    worker = await Child.start(
        ("-m", "workers", *KINDS, "maintenance"), environment, folder, "worker", cores.every
    )
    await worker.logged("worker_ready")
    return worker


async def _answers(url: str) -> None:
    """Once the gateway is ready. Raises TimeoutError."""
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
