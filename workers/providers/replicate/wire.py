"""How we talk to Replicate: its SDK for the paid call, our own HTTP client for everything else.

The SDK's create has no timeout, no way to send `Cancel-After`, forgets the headers of an error and cannot
read every answer (facts of replicate 1.0.7), so the call is timed by the transport, and the raw answer is
kept beside what the SDK makes of it. The SDK never repeats a POST.
"""

import asyncio
import base64
import math
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import httpx
from replicate.client import Client
from replicate.exceptions import ReplicateError

from shared.errors import JobError
from workers.providers.base import HeldBack, InputFile, NotSent, Refused, UnreadableAnswer
from workers.providers.replicate.model import ReplicateModel
from workers.providers.reply import Reply
from workers.providers.throttle import retry_after_s

CREATE_TIMEOUT_S: Final = 20.0
ASK_TIMEOUT_S: Final = 7.0
LEAST_CANCEL_AFTER_S: Final = 5
WEBHOOK_EVENTS: Final = ("start", "completed")

NO_ANSWER: Final = (aiohttp.ClientError, OSError, TimeoutError)
"""What our own HTTP client raises when a question got no answer."""

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_CONNECTIONS = 20
_DATA_URL_BYTES = 256 * 1024
_UPLOAD_BYTES = 100 << 20
_DEFAULT_COOL_DOWN_S = 10.0


@dataclass(slots=True)
class _Create:
    """The paid call under way in this task, for the transport below the SDK."""

    cancel_after_s: int
    reply: Reply = field(default_factory=Reply)


_CREATE: ContextVar[_Create] = ContextVar("replicate_create")


class _CreateTransport(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.headers["Cancel-After"] = f"{_CREATE.get().cancel_after_s}s"
        request.extensions["timeout"] = {"connect": 5.0, "read": CREATE_TIMEOUT_S, "write": 10.0, "pool": 5.0}
        return await super().handle_async_request(request)


async def _keep(response: httpx.Response) -> None:
    reply = _CREATE.get().reply
    reply.body = await response.aread()
    reply.status, reply.headers = response.status_code, response.headers


class Wire:
    """The connections to one Replicate account, opened when first used."""

    def __init__(self, token: str, base_url: str) -> None:
        self._token = token
        self._base_url = base_url.rstrip("/")
        self._sdk: Client | None = None
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._sdk is not None:
            await self._sdk._async_client.aclose()
        if self._session is not None:
            await self._session.close()

    async def create(
        self, model: ReplicateModel, sent: dict[str, Any], *, cancel_after_s: float, webhook: str | None
    ) -> Reply:
        """The paid call. Raises NotSent when it provably never left; any other exception leaves its fate
        unknown."""
        call = _Create(max(LEAST_CANCEL_AFTER_S, math.ceil(cancel_after_s)))
        token = _CREATE.set(call)
        try:
            async with asyncio.timeout(CREATE_TIMEOUT_S):
                await self._create(model, sent, webhook)
        except _NOT_SENT as error:
            raise NotSent(f"no connection to Replicate: {error}") from error
        except (ReplicateError, ValueError, TypeError, KeyError, AttributeError):
            # The SDK could not read the answer, or it was an error; the raw one says what it was.
            if call.reply.status is None:
                raise
        finally:
            _CREATE.reset(token)
        return call.reply

    async def _create(self, model: ReplicateModel, sent: dict[str, Any], webhook: str | None) -> None:
        if self._sdk is None:
            self._sdk = Client(
                api_token=self._token,
                base_url=self._base_url,
                transport=_CreateTransport(),
                event_hooks={"response": [_keep]},
            )
        events = list(WEBHOOK_EVENTS)
        if model.version is None and webhook is not None:
            await self._sdk.models.predictions.async_create(
                model.slug, input=sent, webhook=webhook, webhook_events_filter=events
            )
        elif model.version is None:
            await self._sdk.models.predictions.async_create(model.slug, input=sent)
        elif webhook is not None:
            await self._sdk.predictions.async_create(
                model.version, sent, webhook=webhook, webhook_events_filter=events
            )
        else:
            await self._sdk.predictions.async_create(model.version, sent)

    async def ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        data: aiohttp.FormData | None = None,
        timeout_s: float = ASK_TIMEOUT_S,
    ) -> Reply:
        """A free call; of a whole URL in place of a path, such as a next page's, only path and query count.
        Raises NO_ANSWER."""
        url = self._base_url + urlunsplit(("", "", *urlsplit(path)[2:]))
        headers = {"Authorization": f"Bearer {self._token}"}
        timeout = aiohttp.ClientTimeout(timeout_s, connect=3)
        call = self._http().request(method, url, params=params, headers=headers, timeout=timeout, data=data)
        async with call as response:
            return Reply(response.status, response.headers, await response.read())

    async def reachable(self, file: InputFile) -> str:
        """A URL at which Replicate can fetch the file: its own when that is https, else a data URL or an
        upload. Raises NotSent, Refused and NO_ANSWER; nothing is paid for yet."""
        if file.url.startswith("https://"):
            return file.url
        content, mime = await self._read(file)
        if len(content) <= _DATA_URL_BYTES:
            return _data_url(content, mime)
        if len(content) > _UPLOAD_BYTES:
            raise Refused(JobError("PROVIDER_REJECTED", "Replicate takes files of up to 100 MB"))
        form = aiohttp.FormData()
        form.add_field("content", content, filename="input", content_type=mime)
        reply = await self.ask("POST", "/v1/files", timeout_s=30, data=form)
        if reply.status != 201:
            raise refusal(reply) or NotSent(f"Replicate answered {reply.status} to the input file")
        return str(reply.json()["urls"]["get"])

    async def told_again(self, file: InputFile) -> str | None:
        """What `reachable` has answered for this file, but for a signature in its query; None for uploads.
        Raises HeldBack."""
        if file.url.startswith("https://"):
            return file.url
        if file.bytes is not None and file.bytes > _DATA_URL_BYTES:
            return None
        content, mime = await self._read(file)
        return _data_url(content, mime) if len(content) <= _DATA_URL_BYTES else None

    async def _read(self, file: InputFile) -> tuple[bytes, str]:
        """Content and media type. Raises HeldBack."""
        try:
            async with self._http().get(file.url) as response:
                response.raise_for_status()
                return await response.read(), file.mime or response.content_type
        except NO_ANSWER as error:
            raise HeldBack(f"an input file could not be read: {type(error).__name__}") from error

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=30, connect=3),
            )
        return self._session


def _data_url(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def refusal(reply: Reply) -> Refused | None:
    """What a 4xx says; None for every other status. 408 is none of them: it says nothing about acceptance."""
    status = reply.status
    if status is None or not 400 <= status < 500 or status == 408:
        return None
    try:
        body = reply.json()
    except UnreadableAnswer:
        body = {}
    title, detail = body.get("title"), body.get("detail")
    text = ": ".join(part.strip() for part in (title, detail) if isinstance(part, str))[:500]
    if status == 429:
        error = JobError("PROVIDER_RATE_LIMITED", text or "Replicate asks to wait", retryable=True)
        return Refused(error, retry_after_s=retry_after_s(reply.headers, body, _DEFAULT_COOL_DOWN_S))
    details = {"status": status}
    if status in (401, 403):
        return Refused(JobError("PROVIDER_AUTH", text or "Replicate refuses our token", details=details))
    if status == 402:
        return Refused(
            JobError("PROVIDER_AUTH", text or "Our Replicate account has no credit", details=details)
        )
    # What another route may take: a model or version that is not there. What it may not: a bad parameter.
    curable = status == 404 or (isinstance(title, str) and "version" in title.lower())
    message = text or f"Replicate answered {status}"
    return Refused(JobError("PROVIDER_REJECTED", message, details=details), curable=curable)
