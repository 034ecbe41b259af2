"""What there is to see: generations of every kind, a project, some favourites, a failure, a budget."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from tests.browser.stack import Stack

PROMPTS = (
    "a lighthouse in fog, long exposure",
    "an orchard in late September light",
    "a harbour at dawn, fishing boats coming home",
    "a glass greenhouse in the rain",
    "the old observatory on the hill, winter",
    "paper boats on a canal, overhead view",
    "a heron standing in shallow water",
    "a mountain railway above the clouds",
)
REQUESTS: Sequence[Mapping[str, Any]] = (
    *({"kind": "image", "model": "local", "input": {"prompt": prompt, "seed": n}}
      for n, prompt in enumerate(PROMPTS)),
    {"kind": "audio", "model": "local", "input": {"text": "The tide is turning, and the boats come home."}},
    {"kind": "audio", "model": "local", "input": {"text": "Fog over the harbour, light from the north."}},
    {"kind": "music", "model": "local", "input": {"prompt": "a calm evening by the water", "duration_s": 15}},
    {"kind": "music", "model": "local", "input": {"prompt": "rain on the greenhouse", "duration_s": 15}},
    {"kind": "text", "model": "local", "input": {"prompt": "a short note about lighthouses"}},
    {"kind": "video", "model": "local", "input": {"prompt": "clouds over a harbour"}},
)  # fmt: skip
ENDED = {"completed", "failed", "canceled", "expired"}


async def arrange(stack: Stack) -> list[str]:
    """Makes it all through the API, as a user would; the ids of the generations in the order above."""
    async with aiohttp.ClientSession(stack.url) as http:
        project = await post(http, "/api/v1/projects", {"name": "Spring campaign", "budget_cents": 5000})
        ids = []
        for number, request in enumerate(REQUESTS):
            body = {**request, "project_id": project["id"]} if number % 3 == 0 else dict(request)
            ids.append((await post(http, "/api/v1/generations", body))["id"])
        await post(
            http, "/api/v1/budgets", {"scope": "account", "period": "month", "limit_nanos": 20 * 10**9}
        )
        for id_ in ids:
            await ended(http, id_)
    return ids


async def post(http: aiohttp.ClientSession, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the gateway answers to a request that it must take."""
    async with http.post(path, json=body) as answer:
        found: dict[str, Any] = await answer.json()
        assert answer.ok, (path, answer.status, found)
        return found


async def ended(http: aiohttp.ClientSession, id_: str) -> None:
    """Returns when it is over, however that was. Raises TimeoutError."""
    found: dict[str, Any] = {}
    try:
        async with asyncio.timeout(120):
            while found.get("status") not in ENDED:
                async with http.get(f"/api/v1/generations/{id_}", params={"wait": "20"}) as answer:
                    found = await answer.json()
    except TimeoutError as error:
        error.add_note(str(found))
        raise
