"""How we talk to fal: its SDK for the paid call, our own HTTP client for everything else.

The SDK's `submit` repeats the POST up to ten times, also after a dropped connection, when the first may have
been accepted, and no argument turns that off (facts of fal-client 1.0.3). So the transport below it lets one
POST through and refuses the next, and keeps the raw answer, because the SDK raises for an accepted request
whose answer lacks a URL. The transport also leads to the configured address: the SDK's own is a constant with
`https://` in it.
"""

import asyncio
import base64
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import httpx
from fal_client import AsyncClient, FalClientHTTPError
from fal_client.client import USER_AGENT

from shared.errors import JobError
from workers.providers.base import InputFile, NotSent, Refused, UnreadableAnswer
from workers.providers.reply import Reply
from workers.providers.throttle import retry_after_s

CREATE_TIMEOUT_S: Final = 20.0
ASK_TIMEOUT_S: Final = 7.0
LEAST_START_S: Final = 2.0

NO_ANSWER: Final = (aiohttp.ClientError, OSError, TimeoutError)
"""What our own HTTP client raises when a question got no answer."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_CONNECTIONS = 20
_DATA_URL_BYTES = 8 << 20
_COOL_DOWN_S = 5.0


class _SentBefore(Exception):
    """The SDK tried to send the paid call again. Not one of httpx's, which it would try to mend."""


@dataclass(slots=True)
class _Create:
    """The paid call under way in this task, for the transport below the SDK."""

    sent: bool = False
    error: BaseException | None = None
    reply: Reply = field(default_factory=Reply)


_CREATE: ContextVar[_Create] = ContextVar("fal_create")


class _CreateTransport(httpx.AsyncHTTPTransport):
    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base = httpx.URL(base_url)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        call = _CREATE.get()
        if call.sent:
            raise _SentBefore
        call.sent = True
        path = self._base.raw_path.rstrip(b"/") + request.url.raw_path
        request.url = self._base.copy_with(raw_path=path)
        request.headers["Host"] = request.url.netloc.decode()
        request.extensions["timeout"] = {"connect": 5.0, "read": CREATE_TIMEOUT_S, "write": 10.0, "pool": 5.0}
        try:
            response = await super().handle_async_request(request)
            call.reply.body = await response.aread()
        except BaseException as error:
            call.error = error
            raise
        call.reply.status, call.reply.headers = response.status_code, _lower(response.headers)
        return response


class _Sdk(AsyncClient):
    def __init__(self, key: str, base_url: str) -> None:
        super().__init__(key=key)
        self.http = httpx.AsyncClient(
            transport=_CreateTransport(base_url),
            headers={"Authorization": f"Key {key}", "User-Agent": USER_AGENT},
        )

    @property
    async def _client(self) -> httpx.AsyncClient:
        return self.http


class Wire:
    """The connections to one fal account, opened when first used."""

    def __init__(self, key: str, queue_url: str, api_url: str) -> None:
        self._key = key
        self._queue_url = queue_url
        self._api_url = api_url
        self._sdk: _Sdk | None = None
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._sdk is not None:
            await self._sdk.http.aclose()
        if self._session is not None:
            await self._session.close()

    async def create(
        self, endpoint: str, sent: dict[str, Any], *, start_within_s: float, webhook: str | None
    ) -> Reply:
        """The paid call, sent once. Raises NotSent when it provably never left; any other exception leaves its
        fate unknown."""
        if self._sdk is None:
            self._sdk = _Sdk(self._key, self._queue_url)
        call = _Create()
        token = _CREATE.set(call)
        try:
            async with asyncio.timeout(CREATE_TIMEOUT_S):
                await self._sdk.submit(
                    endpoint,
                    sent,
                    webhook_url=webhook,
                    headers={"x-fal-no-retry": "1"},
                    start_timeout=max(LEAST_START_S, start_within_s),
                )
        except (_SentBefore, httpx.HTTPError):
            if isinstance(call.error, _NOT_SENT):
                raise NotSent(f"no connection to fal: {call.error}") from call.error
            if call.error is not None:
                raise call.error from None
        except (FalClientHTTPError, ValueError, TypeError, KeyError):
            # An error, or an answer that the SDK cannot read; the raw one says what it was.
            if call.reply.status is None:
                raise
        finally:
            _CREATE.reset(token)
        return call.reply

    async def ask(self, method: str, path: str) -> Reply:
        """A free question to the queue. Raises NO_ANSWER."""
        return await self._ask(method, f"{self._queue_url}/{path}")

    async def ask_platform(self, path: str, params: Mapping[str, str]) -> Reply:
        """A free question to the API of the account, which is another host than the queue. Raises NO_ANSWER."""
        return await self._ask("GET", f"{self._api_url}/{path}", params)

    async def _ask(self, method: str, url: str, params: Mapping[str, str] | None = None) -> Reply:
        headers = {"Authorization": f"Key {self._key}"}
        timeout = aiohttp.ClientTimeout(ASK_TIMEOUT_S, connect=3)
        call = self._http().request(method, url, params=params, headers=headers, timeout=timeout)
        async with call as response:
            return Reply(response.status, _lower(response.headers), await response.read())

    async def reachable(self, file: InputFile) -> str:
        """A URL at which fal can fetch the file: its own when that is https, else a data URL. Raises Refused and
        NO_ANSWER; nothing is paid for yet."""
        if file.url.startswith("https://"):
            return file.url
        async with self._http().get(file.url, timeout=aiohttp.ClientTimeout(30, connect=3)) as response:
            response.raise_for_status()
            content = await response.content.read(_DATA_URL_BYTES + 1)
            while len(content) <= _DATA_URL_BYTES and (more := await response.content.read(_DATA_URL_BYTES)):
                content += more
        if len(content) > _DATA_URL_BYTES:
            message = "fal takes files of up to 8 MB from a store that it cannot reach"
            raise Refused(JobError("PROVIDER_REJECTED", message))
        mime = file.mime or response.content_type
        return f"data:{mime};base64,{base64.b64encode(content).decode()}"

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_CONNECTIONS))
        return self._session


def refusal(reply: Reply) -> Refused | None:
    """What a 4xx to a question or a submit says; None for every other status, and for 408, which says nothing
    about acceptance."""
    status = reply.status
    if status is None or not 400 <= status < 500 or status == 408:
        return None
    text, types = said(reply)
    if status == 429:
        error = JobError("PROVIDER_RATE_LIMITED", text or "fal asks to wait", retryable=True)
        return Refused(error, retry_after_s=retry_after_s(reply.headers, _body(reply), _COOL_DOWN_S))
    details = {"status": status}
    if status in (401, 402, 403):
        # 403 is also what an account without credit gets.
        return Refused(JobError("PROVIDER_AUTH", text or "fal refuses our key", details=details))
    if CONTENT_POLICY in types:
        return Refused(JobError("CONTENT_BLOCKED", text, details=details), curable=False)
    error = JobError("PROVIDER_REJECTED", text or f"fal answered {status}", details=details)
    # What another route may take: a model that is not there. What it may not: a bad parameter.
    return Refused(error, curable=status == 404)


CONTENT_POLICY: Final = "content_policy_violation"


def said(reply: Reply) -> tuple[str, frozenset[str]]:
    """(message, types) of an error. A model's `detail` is a list of typed errors, the platform's is a sentence
    beside one `error_type`."""
    body = _body(reply)
    detail = body.get("detail")
    errors = [error for error in detail if isinstance(error, dict)] if isinstance(detail, list) else []
    types = {error.get("type") for error in errors} | {
        body.get("error_type"), reply.headers.get("x-fal-error-type"),
    }  # fmt: skip
    text = detail if isinstance(detail, str) else "; ".join(map(_sentence, errors))
    return text[:500], frozenset(kind for kind in types if isinstance(kind, str))


def _sentence(error: Mapping[str, Any]) -> str:
    place = error.get("loc")
    names = [str(part) for part in place if part != "body"] if isinstance(place, list) else []
    return ": ".join([*([".".join(names)] if names else []), str(error.get("msg") or error.get("type"))])


def _body(reply: Reply) -> dict[str, Any]:
    try:
        return reply.json()
    except UnreadableAnswer:
        return {}


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
