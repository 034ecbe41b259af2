"""What is not at rest: generations that run, wait, failed and were refused, a queue on pause, long words, keys."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from tests.browser.sights import ended, post
from tests.browser.stack import Stack
from tests.emulators.base import Effect

LONG = (
    "a wide view of a harbour town at first light after a night of rain, wet slate roofs, gulls over the mole, "
    "a fishing boat named Donaudampfschifffahrtsgesellschaftskapitaensmuetzenhersteller coming home, film grain"
)
PICTURE = {"kind": "image", "model": "replicate/dreamshaper"}
SLOW_S = 600.0


async def trouble(stack: Stack) -> Mapping[str, str]:
    """Makes it all; the ids of what there is to look at, by name."""
    faults = stack.replicate.faults
    faults.add("create", Effect.RUN_SECONDS, contains="slowly", seconds=SLOW_S)
    faults.add("create", Effect.REFUSE, contains="unfired", status=422, message="The kiln stays cold.")
    ids = {}
    async with aiohttp.ClientSession(stack.url) as http:
        for number in range(3):
            words = {"prompt": f"a vase of unfired clay, take {number + 1}"}
            ids["failed"] = (await post(http, "/api/v1/generations", {**PICTURE, "input": words}))["id"]
        long = {"kind": "image", "model": "local", "input": {"prompt": LONG, "seed": 7}}
        ids["long"] = (await post(http, "/api/v1/generations", long))["id"]
        for id_ in ids.values():
            await ended(http, id_)
        await _manage(http)
        await _throw_away(http)
        described = {"name": LONG[:100], "description": LONG, "budget_cents": 12_000}
        ids["project"] = (await post(http, "/api/v1/projects", described))["id"]
        slow = {**PICTURE, "input": {"prompt": f"slowly, {LONG}"}}
        ids["running"] = (await post(http, "/api/v1/generations", slow))["id"]
        await post(http, "/api/v1/ops/queues/video/pause", {"reason": "the provider asks for a rest"})
        film = {"kind": "video", "model": "local", "input": {"prompt": "clouds over a harbour"}}
        ids["waiting"] = (await post(http, "/api/v1/generations", film))["id"]
        await _running(http, ids["running"])
    return ids


async def refused(stack: Stack, project_id: str) -> None:
    """Asks for more than the project may spend, which its owner is told on every view."""
    body = {"kind": "image", "model": "flux-schnell", "input": {"prompt": "a boat"}, "project_id": project_id}
    async with aiohttp.ClientSession(stack.url) as http:
        async with http.patch(f"/api/v1/projects/{project_id}", json={"budget_nanos": 1}) as answer:
            assert answer.ok, await answer.text()
        async with http.post("/api/v1/generations", json=body) as answer:
            assert answer.status == 402, await answer.text()


async def _manage(http: aiohttp.ClientSession) -> None:
    await post(http, "/api/v1/keys", {"name": "nightly import", "scopes": ["read", "write"]})
    await post(http, "/api/v1/keys", {"name": LONG[:90], "scopes": ["read"]})
    hook = {"url": "https://hooks.example.org/penstock/events", "events": ["generation.completed"]}
    await post(http, "/api/v1/webhooks", {**hook, "description": "the editor's own"})


async def _throw_away(http: aiohttp.ClientSession) -> None:
    async with http.get("/api/v1/assets", params={"q": "mountain railway"}) as answer:
        thrown = [asset["id"] for asset in (await answer.json())["data"]]
    await post(http, "/api/v1/assets/bulk", {"action": "delete", "ids": thrown})


async def _running(http: aiohttp.ClientSession, id_: str) -> None:
    found: dict[str, Any] = {}
    async with asyncio.timeout(60):
        while found.get("progress") is None:
            async with http.get(f"/api/v1/generations/{id_}") as answer:
                found = await answer.json()
            await asyncio.sleep(0.2)
