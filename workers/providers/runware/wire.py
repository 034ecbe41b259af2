"""How we talk to Runware: the SDK's websocket for the paid call, our own HTTP client for every question.

The SDK (0.5.24) repeats a call up to ten times, reconnects for ever, and waits for ever for the answer to a
login; its `getResponse` does not return before the task has ended. Here each client is one connection: what was
lost with it is asked about under the task's id, which Runware takes once only. Importing the SDK silences
asyncio's log, and websockets' shows our key when it is told to debug.
"""

import asyncio
import base64
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import aiohttp
from runware import IImageInference, Runware, RunwareAPIError
from websockets.exceptions import WebSocketException

from shared.errors import JobError
from shared.log import get_logger
from workers.providers.base import HeldBack, InputFile, NotSent, Refused, UnreadableAnswer
from workers.providers.runware.answers import CONFLICT, COOL_DOWN_S, Item, refusal
from workers.providers.throttle import retry_after_s

log = get_logger(__name__)

CONNECT_TIMEOUT_S: Final = 10.0
SUBMIT_TIMEOUT_S: Final = 20.0
ASK_TIMEOUT_S: Final = 7.0
FILE_TIMEOUT_S: Final = 15.0
FILE_BYTES: Final = 10 << 20
AT_ONCE: Final = 200
"""Calls that wait for their acknowledgement on one connection."""

NO_ANSWER: Final = (aiohttp.ClientError, OSError, TimeoutError)
"""What our own HTTP client raises when a question got no answer."""

_HTTP_URLS = {"wss://ws-api.runware.ai/v1": "https://api.runware.ai/v1"}
_SCHEMES = {"ws": "http", "wss": "https"}


class _NotConnected(Exception):
    """The connection ended before anything was sent on it."""


class _Connection(Runware):  # type: ignore[misc]  # the SDK has no types
    """The SDK's client on one connection: when that is lost, every call on it ends, and none is repeated."""

    def __init__(self, api_key: str, url: str) -> None:
        super().__init__(api_key=api_key, url=url)
        _restore_logs()
        self._request_semaphore = asyncio.Semaphore(AT_ONCE)
        self._connection_session_uuid_event = asyncio.Event()

    @property
    def refused_login(self) -> str | None:
        """What Runware said to our key, if it did not take it."""
        message: str | None = self._invalidAPIkey
        return message

    def connected(self) -> bool:
        """The SDK's own takes a connection whose key was refused for a good one."""
        return bool(self.isWebsocketReadyState() and self.isAuthenticated())

    async def ensureConnection(self) -> None:  # noqa: N802  # the SDK's name
        if not self.connected():
            raise _NotConnected

    async def handleClose(self) -> None:  # noqa: N802  # the SDK's name
        await self._cancel_pending_operations("Connection lost")
        self._connection_session_uuid_event.set()
        if self._ws is not None:
            await self._ws.close()

    async def _handle_messages(self) -> None:
        """The SDK's own does not notice when the other side closes in good order."""
        await super()._handle_messages()
        await self.handleClose()

    async def _retry_async_with_reconnect(
        self, func: Callable[[Any], Awaitable[Any]], request_model: Any, task_type: str
    ) -> Any:
        try:
            return await func(request_model)
        finally:
            await self._unregister_pending_operation(request_model.taskUUID, force=True)


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to questions about tasks, by task."""

    results: Mapping[str, Sequence[Item]]
    errors: Mapping[str, Sequence[Item]]


class Wire:
    """The connections to one Runware account, opened when first used."""

    def __init__(self, api_key: str, url: str) -> None:
        self._api_key = api_key
        self._url = url
        self._http_url = http_url(url)
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def submit(self, task: IImageInference, confirm: Callable[[], None]) -> None:
        """The paid call; returns when Runware has the task. Raises NotSent and Refused where that is proven;
        any other exception leaves the fate of the call unknown."""
        connection = await self._connected()
        confirm()
        try:
            async with asyncio.timeout(SUBMIT_TIMEOUT_S):
                await connection.imageInference(task)
        except _NotConnected as error:
            raise NotSent("the connection to Runware was lost") from error
        except RunwareAPIError as error:
            if error.code == CONFLICT:
                return
            if refused := refusal(error.error_data):
                raise refused from error
            raise UnreadableAnswer(f"Runware answered {error.code}") from error

    async def _connected(self) -> _Connection:
        """An open connection with an accepted key. Raises NotSent and Refused."""
        async with self._connecting:
            if self._connection is None or not self._connection.connected():
                await self._disconnect()
                self._connection = await self._open()
            return self._connection

    async def _open(self) -> _Connection:
        connection = _Connection(self._api_key, self._url)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await connection.connect()
        except (OSError, TimeoutError, WebSocketException) as error:
            await connection.disconnect()
            raise NotSent(f"no connection to Runware: {type(error).__name__}") from error
        if connection.connected():
            return connection
        said = connection.refused_login
        await connection.disconnect()
        if said is None:
            raise NotSent("Runware ended the connection before it took our key")
        raise Refused(JobError("PROVIDER_AUTH", said))

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(WebSocketException, OSError):
                await connection.disconnect()

    async def ask(self, task_type: str, task_ids: Sequence[str]) -> Told:
        """One question about each task, free of charge. Raises NO_ANSWER, Refused and UnreadableAnswer."""
        asked = [{"taskType": task_type, "taskUUID": task_id} for task_id in task_ids]
        headers = {"Authorization": f"Bearer {self._api_key}"}
        async with self._http().post(self._http_url, json=asked, headers=headers) as response:
            body = _parsed(await response.read())
            results, errors = _by_task(body.get("data")), _by_task(body.get("errors"))
            told = Told(results, errors)
            if (results.keys() | errors.keys()) & set(task_ids):
                return told
            if response.status == 429:
                wait_s = retry_after_s(response.headers, body, COOL_DOWN_S)
                limited = JobError("PROVIDER_RATE_LIMITED", "Runware asks to wait", retryable=True)
                raise Refused(limited, retry_after_s=wait_s)
            for error in (error for of_one in errors.values() for error in of_one):
                if refused := refusal(error):
                    raise refused
            if response.status != 200:
                raise UnreadableAnswer(f"Runware answered {response.status}")
            return told

    async def reachable(self, file: InputFile) -> str:
        """A URL at which Runware can fetch the file: its own when that is https, else its content as one.
        Raises NotSent and Refused; nothing is paid for yet."""
        if file.url.startswith("https://"):
            return file.url
        timeout = aiohttp.ClientTimeout(FILE_TIMEOUT_S, connect=5)
        try:
            async with self._http().get(file.url, timeout=timeout) as response:
                response.raise_for_status()
                content = await response.content.read(FILE_BYTES + 1)
                while len(content) <= FILE_BYTES and not response.content.at_eof():
                    content += await response.content.read(FILE_BYTES + 1 - len(content))
                mime = file.mime or response.content_type
        except NO_ANSWER as error:
            raise HeldBack(f"the input file could not be fetched: {type(error).__name__}") from error
        if len(content) > FILE_BYTES:
            text = f"Runware takes pictures of up to {FILE_BYTES >> 20} MB"
            raise Refused(JobError("PROVIDER_REJECTED", text))
        return f"data:{mime};base64,{base64.b64encode(content).decode()}"

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=20),
                timeout=aiohttp.ClientTimeout(ASK_TIMEOUT_S, connect=3),
            )
        return self._session

    async def close(self) -> None:
        await self._disconnect()
        if self._session is not None:
            await self._session.close()


def http_url(url: str) -> str:
    """Where the same server answers over HTTP. The SDK sends whatever it does not know to production.

    >>> http_url("ws://127.0.0.1:9107/v1")
    'http://127.0.0.1:9107/v1'
    """
    scheme, _, rest = url.partition("://")
    return _HTTP_URLS.get(url) or f"{_SCHEMES.get(scheme, scheme)}://{rest}"


def _parsed(raw: bytes) -> dict[str, Any]:
    """The JSON object, its fractions exact. Raises UnreadableAnswer."""
    try:
        body = json.loads(raw, parse_float=Decimal)
    except ValueError as error:
        raise UnreadableAnswer(f"not JSON: {raw[:80]!r}") from error
    if not isinstance(body, dict):
        raise UnreadableAnswer(f"not an object: {raw[:80]!r}")
    return body


def _by_task(items: Any) -> dict[str, list[Item]]:
    """The items of `data` or `errors` by their task; those of none under the empty name."""
    sorted_: dict[str, list[Item]] = {}
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            sorted_.setdefault(str(item.get("taskUUID") or ""), []).append(item)
    return sorted_


def _restore_logs() -> None:
    """Undoes what importing the SDK, and making a client of it, did to the logs of others."""
    for name, level in (("asyncio", logging.NOTSET), ("websockets", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = True
        for handler in logger.handlers[:]:
            if type(handler) is logging.StreamHandler:
                logger.removeHandler(handler)


_restore_logs()
