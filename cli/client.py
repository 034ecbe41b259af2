"""The HTTP client of `/api/v1`. Answers are decoded JSON; errors are `cli.errors`."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import httpx

from cli.errors import Refused, Unreachable
from cli.problems import refusal
from cli.sse import read_events
from cli.target import Target

PREFIX = "/api/v1"
PAGE = 100
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 30.0
UPLOAD_TIMEOUT_S = 600.0
SILENCE_TIMEOUT_S = 25.0
"""A stream sends a heartbeat every 15 s; one that is silent for longer is dead."""

REPEAT_FOR_S = 30.0
REPEAT_AFTER_S = 0.5
DIRECT: dict[str, httpx.AsyncBaseTransport | None] = {
    "all://127.0.0.1": None,
    "all://localhost": None,
    "all://[::1]": None,
}
"""Addresses that no proxy of the environment may stand before."""


class NoStream(Exception):
    """The gateway, or what stands before it, does not stream; polling still works."""


class Client:
    """One gateway, one key."""

    def __init__(self, http: httpx.AsyncClient, target: Target) -> None:
        self.target = target
        self._http = http

    @classmethod
    @asynccontextmanager
    async def open(cls, target: Target) -> AsyncIterator["Client"]:
        headers = {"User-Agent": f"penstock-cli/{_version()}", "Accept": "application/json"}
        if target.key:
            headers["Authorization"] = f"Bearer {target.key}"
        timeout = httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        async with httpx.AsyncClient(headers=headers, timeout=timeout, mounts=DIRECT) as http:
            yield cls(http, target)

    async def get(self, path: str, **query: object) -> Any:
        """Raises Refused, Unreachable."""
        return await self._json("GET", path, params=_given(query))

    async def items(self, path: str, limit: int, **query: object) -> list[Any]:
        """The first `limit` items of a list, over as many pages as that takes. Raises Refused, Unreachable."""
        found: list[Any] = []
        after = query.pop("after", None)
        while len(found) < limit:
            size = min(limit - len(found), PAGE)
            page = await self.get(path, limit=size, after=after, **query)
            found += page["data"]
            after = page.get("next")
            if not after:
                break
        return found

    async def post(self, path: str, body: Mapping[str, Any] | None = None, **query: object) -> Any:
        """Raises Refused, Unreachable."""
        return await self._json("POST", path, json=body or {}, params=_given(query))

    async def delete(self, path: str) -> Any:
        """Raises Refused, Unreachable."""
        return await self._json("DELETE", path)

    async def long_poll(self, path: str, wait_s: int) -> Any:
        """A GET that the gateway holds for up to `wait_s`. Raises Refused, Unreachable."""
        timeout = httpx.Timeout(wait_s + 10.0, connect=CONNECT_TIMEOUT_S)
        return await self._json("GET", path, params={"wait": str(wait_s)}, timeout=timeout)

    async def submit(self, body: Mapping[str, Any], idempotency_key: str) -> Any:
        """The generation that `body` asks for.

        A lost answer is asked for again under the same key, so that there is one generation and one bill.
        Raises Refused, Unreachable.
        """
        return await self.act("/generations", body, idempotency_key)

    async def act(self, path: str, body: Mapping[str, Any], idempotency_key: str, **query: object) -> Any:
        """A POST that makes something new, safe to repeat like `submit`."""
        headers = {"Idempotency-Key": idempotency_key}
        return await self._repeat(path, json=dict(body), headers=headers, params=_given(query))

    async def upload(self, path: Path, mime: str) -> Any:
        """The upload that a local file becomes. Raises Refused, Unreachable, OSError."""
        with path.open("rb") as file:
            return await self._json(
                "POST",
                "/uploads:direct",
                files={"file": (path.name, file, mime)},
                timeout=httpx.Timeout(UPLOAD_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            )

    @asynccontextmanager
    async def download(self, path: str) -> AsyncIterator[httpx.Response]:
        """A file, to be read while this lasts; redirects to the object store are followed without the key.

        Raises Refused, Unreachable; also out of the reading.
        """
        try:
            async with self._http.stream("GET", self._url(path), follow_redirects=True) as response:
                if response.is_error:
                    await response.aread()
                    raise refusal(response)
                yield response
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    async def events(self, path: str, last_event_id: str | None) -> AsyncIterator[str]:
        """The data of server-sent events; an empty text stands for a sign of life without data.

        Raises NoStream, Refused, Unreachable.
        """
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        timeout = httpx.Timeout(SILENCE_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        try:
            async with self._http.stream(
                "GET", self._url(path), headers=headers, timeout=timeout
            ) as response:
                await self._check_stream(response)
                async for data in read_events(response.aiter_bytes()):
                    yield data
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    async def probe(self, path: str) -> httpx.Response:
        """Any answer of a path outside the API. Raises Unreachable."""
        try:
            return await self._http.get(f"{self.target.url}{path}")
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    async def _check_stream(self, response: httpx.Response) -> None:
        if response.status_code in (404, 405, 406, 501):
            raise NoStream
        if response.is_error:
            await response.aread()
            raise refusal(response)
        if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
            raise NoStream

    async def _repeat(self, path: str, **request: Any) -> Any:
        """A first refused connection is final (nothing runs there); whatever was lost later is repeated."""
        loop = asyncio.get_running_loop()
        until = loop.time() + REPEAT_FOR_S
        lost = False
        while True:
            wait_s = REPEAT_AFTER_S
            try:
                return await self._json("POST", path, **request)
            except Unreachable as error:
                lost = lost or not isinstance(error.__cause__, (httpx.ConnectError, httpx.ConnectTimeout))
                if not lost or loop.time() > until:
                    raise
            except Refused as error:
                if error.code != "IDEMPOTENCY_IN_PROGRESS" or loop.time() > until:
                    raise
                wait_s = error.retry_after_s or REPEAT_AFTER_S
            await asyncio.sleep(wait_s)

    async def _json(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = await self._http.request(method, self._url(path), **request)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if not response.is_success:
            raise refusal(response)
        if not response.content:
            return None
        try:
            return response.json()
        except ValueError:
            raise refusal(response) from None

    def _url(self, path: str) -> str:
        return f"{self.target.url}{PREFIX}{path}"

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else _reason(error)
        return Unreachable(
            f"Cannot reach the gateway at {self.target.url}: {reason}.",
            "Is it running? Start it with `penstock up`, or say where it is with --url or PENSTOCK_URL.",
        )


def _given(query: Mapping[str, object]) -> dict[str, str | list[str]]:
    """Query parameters without those that were not given; a list is repeated."""
    return {
        name: [str(item) for item in value] if isinstance(value, list) else str(value)
        for name, value in query.items()
        if value is not None and value != []
    }


def _reason(error: Exception) -> str:
    text = str(error).rstrip(".")
    if "All connection attempts failed" in text or "refused" in text:
        return "nothing listens there"
    return text or type(error).__name__


def _version() -> str:
    try:
        return version("penstock")
    except PackageNotFoundError:
        return "0"
