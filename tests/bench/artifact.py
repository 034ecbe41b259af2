"""Goal 7: a 21 MB output on its way from the provider to the object store, through a process of its own.

Beside it: the same bytes with aiohttp alone, neither hashed nor checked. Run as a module it is that process:

    python -m tests.bench.artifact URL
"""

import asyncio
import hashlib
import io
import sys
import time
import wave
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import orjson
import uvloop
from aiohttp import web

from shared.executor import Executor
from shared.ids import new_id
from shared.settings import Settings
from shared.storage import ObjectStore
from tests.bench.figures import Figure, middle, most
from tests.bench.stand import Stand
from workers.artifacts import Artifacts, Place
from workers.metrics import WorkerMetrics
from workers.providers.base import RemoteFile

SIZE = 21_000_000
UPLOADS = 8
QUICK_UPLOADS = 3


async def measure(stand: Stand) -> list[Figure]:
    runner = await _serve({"big": _sound(SIZE), "small": _sound(100_000)})
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        count = QUICK_UPLOADS if stand.quick else UPLOADS
        async with stand.child("uploader", "-m", "tests.bench.artifact", url, str(count)) as child:
            found: dict[str, Any] = orjson.loads(await child.said("found"))
    finally:
        await runner.cleanup()
    ours, sound, plain = found["ours"], found["sound"], found["plain"]
    beside = "aiohttp alone, not hashed"
    return [
        Figure(
            7, "processor per upload", middle(ours["cpu_ms"]), "ms", most(25), middle(plain["cpu_ms"]), beside
        ),
        Figure(7, "of it: SHA-256 of the bytes", middle(found["hash_ms"]), "ms"),
        Figure(7, "memory beyond idle", max(ours["peak_mb"]), "MB", most(8), max(plain["peak_mb"]), beside),
        Figure(7, "processor, described as a sound too", middle(sound["cpu_ms"]), "ms"),
        Figure(
            7, "time of an upload", middle(ours["taken_ms"]), "ms", None, middle(plain["taken_ms"]), beside
        ),
    ]


def _sound(size: int) -> bytes:
    """A WAV file of so many bytes."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        period = b"".join(
            int(8000 * (n % 100 - 50) / 50).to_bytes(2, "little", signed=True) * 2 for n in range(100)
        )
        sound.writeframes((period * (size // len(period) + 1))[: size // 4 * 4])
    return out.getvalue()


async def _serve(files: Mapping[str, bytes]) -> web.AppRunner:
    async def deliver(request: web.Request) -> web.Response:
        return web.Response(body=files[request.match_info["name"]], content_type="audio/wav")

    app = web.Application()
    app.router.add_get("/{name}", deliver)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


# --- The process that is measured


async def upload(settings: Settings, url: str, count: int) -> None:
    executor, store = Executor(1), ObjectStore.open(settings)
    artifacts = Artifacts(store, executor, settings, WorkerMetrics.open())
    account_id = new_id()

    async def collect(kind: str, name: str) -> None:
        await artifacts.collect(Place(account_id, new_id(), kind), 0, RemoteFile(f"{url}/{name}"))

    async with aiohttp.ClientSession(auto_decompress=False) as http:

        async def plain(name: str) -> None:
            await _copy(http, store, f"{url}/{name}", account_id)

        # A text is stored as it comes; of a sound there is more to be made.
        kinds: dict[str, Callable[[str], Awaitable[None]]] = {
            "ours": partial(collect, "text"),
            "sound": partial(collect, "audio"),
            "plain": plain,
        }
        found: dict[str, Any] = {name: {"cpu_ms": [], "peak_mb": [], "taken_ms": []} for name in kinds}
        for copy in kinds.values():
            await copy("small")  # opens connections, sessions, the executor's child
        for _ in range(count):
            for name, copy in kinds.items():
                for what, value in (await _cost(partial(copy, "big"))).items():
                    found[name][what].append(value)
        found["hash_ms"] = [_hash_ms() for _ in range(3)]
    await artifacts.close()
    await store.close()
    await executor.close()
    sys.stdout.write(f"found {orjson.dumps(found).decode()}\n")


async def _copy(http: aiohttp.ClientSession, store: ObjectStore, url: str, account_id: UUID) -> None:
    target = await store.presign_put(f"users/{account_id}/{new_id()}")
    async with http.get(url) as source:
        headers = {"Content-Length": str(source.content_length)}
        async with http.put(target, data=source.content.iter_chunked(1 << 16), headers=headers) as answer:
            answer.raise_for_status()


async def _cost(copy: Callable[[], Awaitable[None]]) -> dict[str, float]:
    """Processor and time in milliseconds, memory at its peak beyond before, of one copy."""
    await asyncio.sleep(0.05)
    before_mb = _reset_peak_mb()
    cpu, start = time.process_time(), time.perf_counter()
    await copy()
    return {
        "cpu_ms": (time.process_time() - cpu) * 1000,
        "taken_ms": (time.perf_counter() - start) * 1000,
        "peak_mb": _status_mb("VmHWM") - before_mb,
    }


def _hash_ms() -> float:
    from_here = bytes(1 << 16)
    digest = hashlib.sha256()
    start = time.process_time()
    for _ in range(SIZE // len(from_here)):
        digest.update(from_here)
    return (time.process_time() - start) * 1000


def _reset_peak_mb() -> float:
    """Starts the kernel's peak of resident memory anew; what is resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status_mb("VmRSS")


def _status_mb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


if __name__ == "__main__":
    uvloop.run(upload(Settings(), sys.argv[1], int(sys.argv[2])))
