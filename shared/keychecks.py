"""Whether a provider takes a key: asked with the cheapest thing that it answers, which costs nothing.

The gateway asks when a key is saved, and a worker when a key that served is refused.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import aiohttp
import orjson

from shared.log import get_logger
from shared.settings import Settings

log = get_logger(__name__)

TIMEOUT_S: Final = 8.0
_NO_REQUEST: Final = "00000000-0000-0000-0000-000000000000"


class KeyStatus(StrEnum):
    """What a provider says of a key; `unreachable` when it says nothing clear."""

    VALID = "valid"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


Reading = Callable[[int, Any], KeyStatus]


def plainly(status: int, _: Any) -> KeyStatus:
    """A key that may not do this is a key all the same."""
    if status == 401:
        return KeyStatus.REFUSED
    return KeyStatus.VALID if 200 <= status < 300 or status == 403 else KeyStatus.UNREACHABLE


def _strictly(status: int, body: Any) -> KeyStatus:
    """For those who answer an unknown key with 403 too."""
    return KeyStatus.REFUSED if status == 403 else plainly(status, body)


def _of_unknown_request(status: int, body: Any) -> KeyStatus:
    """Who is told that there is no such request was let in."""
    return KeyStatus.VALID if status in (404, 422) else _strictly(status, body)


def _with_permissions(status: int, body: Any) -> KeyStatus:
    """ElevenLabs says 401 to a good key that lacks the permission to ask this, too."""
    detail = body.get("detail") if isinstance(body, dict) else None
    reason = detail.get("status") if isinstance(detail, dict) else None
    return KeyStatus.VALID if reason in ("missing_permissions", "quota_exceeded") else plainly(status, body)


@dataclass(frozen=True, slots=True)
class Check:
    """A GET at `url` with `headers`; `read` tells from status and body what is meant."""

    url: Callable[[Settings], str]
    headers: Callable[[str], Mapping[str, str]]
    read: Reading = plainly

    async def __call__(self, http: aiohttp.ClientSession, settings: Settings, key: str) -> KeyStatus:
        # A credential goes nowhere else, so redirects are not followed.
        async with http.get(self.url(settings), headers=self.headers(key), allow_redirects=False) as answer:
            return self.read(answer.status, _json(await answer.content.read(1 << 20)))


@dataclass(frozen=True, slots=True)
class SocketLogin:
    """Runware's: a websocket whose first message carries the key."""

    url: Callable[[Settings], str]

    async def __call__(self, http: aiohttp.ClientSession, settings: Settings, key: str) -> KeyStatus:
        async with http.ws_connect(self.url(settings)) as socket:
            await socket.send_str(orjson.dumps([{"taskType": "authentication", "apiKey": key}]).decode())
            said = _json((await socket.receive()).data)
        if not isinstance(said, dict):
            return KeyStatus.UNREACHABLE
        if any(
            isinstance(one, dict) and one.get("taskType") == "authentication"
            for one in said.get("data") or ()
        ):
            return KeyStatus.VALID
        errors = [one for one in said.get("errors") or () if isinstance(one, dict)]
        wrong = any("apikey" in str(one.get("code", "")).lower() for one in errors)
        return KeyStatus.REFUSED if wrong else KeyStatus.UNREACHABLE


def _bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _both_parts(key: str) -> Mapping[str, str]:
    customer, _, token = key.partition(":")
    return {"customer-id": customer, "access-token": token}


CHECKS: Mapping[str, Check | SocketLogin] = {
    "openai": Check(lambda settings: f"{settings.openai_base_url.rstrip('/')}/models", _bearer),
    "anthropic": Check(
        lambda settings: f"{settings.anthropic_base_url.rstrip('/')}/v1/models?limit=1",
        lambda key: {**_bearer(key), "anthropic-version": "2026-10-21"},
    ),
    "groq": Check(lambda settings: f"{settings.groq_base_url.rstrip('/')}/openai/v1/models", _bearer),
    "replicate": Check(lambda settings: f"{settings.replicate_base_url.rstrip('/')}/v1/account", _bearer),
    "elevenlabs": Check(
        lambda settings: f"{settings.elevenlabs_base_url.rstrip('/')}/v1/user",
        lambda key: {"xi-api-key": key},
        _with_permissions,
    ),
    "fal": Check(
        lambda settings: f"{settings.fal_queue_url.rstrip('/')}/fal-ai/flux/requests/{_NO_REQUEST}/status",
        lambda key: {"Authorization": f"Key {key}"},
        _of_unknown_request,
    ),
    "mubert": Check(
        lambda settings: f"{settings.mubert_base_url.rstrip('/')}/api/v3/public/tracks?limit=1",
        _both_parts,
        _strictly,
    ),
    "runware": SocketLogin(lambda settings: settings.runware_url),
}
"""By provider. Whose key cannot be asked about counts as unreachable until it was used."""


async def check_key(settings: Settings, provider: str, key: str) -> KeyStatus:
    """Asks the provider, within a few seconds. Raises nothing: an answer that does not come is one, too."""
    check = CHECKS.get(provider)
    if check is None:
        return KeyStatus.UNREACHABLE
    try:
        async with asyncio.timeout(TIMEOUT_S), aiohttp.ClientSession() as http:
            return await check(http, settings, key)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        # Its words may quote the request, and with it the key.
        log.warning("key_not_checked", provider=provider, error=type(error).__name__)
        return KeyStatus.UNREACHABLE


def _json(content: Any) -> Any:
    try:
        return orjson.loads(content)
    except (orjson.JSONDecodeError, TypeError):
        return None
