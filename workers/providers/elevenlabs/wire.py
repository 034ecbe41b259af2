"""How we talk to ElevenLabs: its SDK for what is made, our own HTTP client for what is asked.

The SDK repeats a failed clone without the voice's name, so its retries are off; its streams never repeat. It
names no id of its own for a call, so what became of a lost one is read from the history.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp
import httpx
import orjson
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions

from shared.errors import JobError
from workers.providers.base import NotSent, Refused, UnreadableAnswer
from workers.providers.throttle import retry_after_s

ASK_TIMEOUT_S: Final = 10.0
CHUNK_BYTES: Final = 1 << 14

NO_ANSWER: Final = (aiohttp.ClientError, OSError, TimeoutError)
"""What our own HTTP client raises when a question got no answer."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_BUSY_S = {"too_many_concurrent_requests": 1.0, "concurrent_limit_exceeded": 1.0, "system_busy": 5.0}
_COOL_DOWN_S = 5.0
_CONNECTING_S = {"connect": 5.0, "pool": 5.0}
_BLOCKED = frozenset(
    {"bad_prompt", "content_policy_violation", "content_blocked", "moderation_blocked", "tos_violation"}
)
_QUOTA = frozenset({"quota_exceeded", "insufficient_credits", "payment_required"})
_UNKNOWN_MODEL = frozenset({"model_not_found", "model_id_not_found", "unsupported_model"})


class _Transport(httpx.AsyncHTTPTransport):
    """The SDK gives one timeout for everything; whether anybody is there is known much sooner."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["timeout"] = request.extensions.get("timeout", {}) | _CONNECTING_S
        return await super().handle_async_request(request)


class Wire:
    """The connections to one ElevenLabs account, opened when first used."""

    def __init__(self, api_key: str, base_url: str) -> None:
        self._api_key = api_key
        self.base_url = base_url.rstrip("/")
        self._client: httpx.AsyncClient | None = None
        self._sdk: AsyncElevenLabs | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What every call of ours must carry."""
        return {"xi-api-key": self._api_key}

    @property
    def sdk(self) -> AsyncElevenLabs:
        if self._sdk is None:
            self._client = httpx.AsyncClient(transport=_Transport())
            self._sdk = AsyncElevenLabs(
                api_key=self._api_key, base_url=self.base_url, httpx_client=self._client
            )
        return self._sdk

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=20),
                timeout=aiohttp.ClientTimeout(ASK_TIMEOUT_S, connect=5),
            )
        return self._session

    async def ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None
    ) -> dict[str, Any] | None:
        """The JSON of a free call, None for a 404. Raises NO_ANSWER, Refused and UnreadableAnswer."""
        call = self.http.request(method, self.base_url + path, params=query, headers=self.headers)
        async with call as response:
            raw = await response.read()
            if response.status == 404:
                return None
            body = _json(raw)
            if refused := refusal(response.status, response.headers, body):
                raise refused
            if response.status != 200 or not isinstance(body, dict):
                raise UnreadableAnswer(f"ElevenLabs answered {response.status}")
            return body

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
        if self._session is not None:
            await self._session.close()


def options(timeout_s: float) -> RequestOptions:
    """No retries; `timeout_s` is for each single read."""
    return {"max_retries": 0, "timeout_in_seconds": int(timeout_s), "chunk_size": CHUNK_BYTES}


@asynccontextmanager
async def paid(timeout_s: float) -> AsyncIterator[None]:
    """Around a paid call. Raises NotSent and Refused where the SDK's error proves it; any other exception
    leaves the fate of the call unknown."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except _NOT_SENT as error:
        raise NotSent(f"no connection to ElevenLabs: {error}") from error
    except ApiError as error:
        if refused := refusal(error.status_code, error.headers or {}, error.body):
            raise refused from error
        raise UnreadableAnswer(f"ElevenLabs answered {error.status_code}") from error


def refusal(status: int | None, headers: Mapping[str, str], body: Any) -> Refused | None:
    """What a 4xx says; None for every other status. 408 is none of them: it says nothing about acceptance."""
    if status is None or not 400 <= status < 500 or status == 408:
        return None
    reason, text = _reason(body)
    text = text or f"ElevenLabs answered {status}"
    details = {"status": status} | ({"reason": reason} if reason else {})
    if reason in _QUOTA or status == 402:
        return Refused(JobError("PROVIDER_AUTH", text, details=details))
    if status == 429:
        error = JobError("PROVIDER_RATE_LIMITED", text, retryable=True, details=details)
        # Concurrency frees up within a second; a busy system asks for more patience.
        wait_s = retry_after_s(headers, body, _BUSY_S.get(reason, _COOL_DOWN_S))
        return Refused(error, retry_after_s=wait_s)
    if reason == "voice_limit_reached":
        # Other clones of ours hold the places and give them back within minutes.
        return Refused(JobError("PROVIDER_RATE_LIMITED", text, retryable=True, details=details))
    if status in (401, 403):
        return Refused(JobError("PROVIDER_AUTH", text, details=details))
    if reason in _BLOCKED:
        return Refused(JobError("CONTENT_BLOCKED", text, details=details), curable=False)
    # What another route may take: a model that is not there. What it may not: a bad parameter.
    return Refused(JobError("PROVIDER_REJECTED", text, details=details), curable=reason in _UNKNOWN_MODEL)


def _reason(body: Any) -> tuple[str, str]:
    """The machine's word and the people's text of an error body, in any of its three forms."""
    detail = body.get("detail") if isinstance(body, dict) else None
    if isinstance(detail, dict):
        return str(detail.get("status") or detail.get("code") or ""), str(detail.get("message") or "")[:500]
    if isinstance(detail, list):
        said = (item for item in detail if isinstance(item, dict))
        lines = (f"{'.'.join(map(str, item.get('loc', ())))}: {item.get('msg')}" for item in said)
        return "", "; ".join(lines)[:500]
    return "", detail[:500] if isinstance(detail, str) else ""


def _json(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
