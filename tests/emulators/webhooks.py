"""Outgoing webhooks of emulated providers, signed as Standard Webhooks 1.0.0 says."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import aiohttp

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Delivery:
    url: str
    event: str
    status: int | None
    """What the receiver answered, None when it could not be reached."""


class WebhookSender:
    """Posts webhooks from background tasks; only terminal ones are retried.

    Nothing ever leaves this machine: a webhook goes to its URL when that is on the loopback, else to the
    origin `redirect_to` with its path and query, else nowhere.
    """

    def __init__(self, redirect_to: str | None = None, secret: str | None = None) -> None:
        self.secret = secret or "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self.deliveries: list[Delivery] = []
        self._redirect_to = redirect_to
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    def send(self, url: str, event: str, payload: bytes, *, copies: int = 1) -> None:
        """Copies are the same message, as retries are."""
        message_id = f"msg_{secrets.token_urlsafe(18)}"
        for _ in range(copies):
            task = asyncio.create_task(self._send(url, event, message_id, payload))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def sign(self, message_id: str, timestamp: int, body: bytes) -> str:
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signed = f"{message_id}.{timestamp}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()

    async def _send(self, url: str, event: str, message_id: str, payload: bytes) -> None:
        target = self._target(url)
        if target is None:
            self.deliveries.append(Delivery(url, event, None))
            return
        for attempt in range(_TRIES if event == "completed" else 1):
            await asyncio.sleep(0.05 * 4**attempt if attempt else 0)
            status = await self._post(target, message_id, payload)
            self.deliveries.append(Delivery(url, event, status))
            if status is not None and status < 300:
                return

    async def _post(self, url: str, message_id: str, payload: bytes) -> int | None:
        timestamp = int(time.time())
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": self.sign(message_id, timestamp, payload),
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10))
        try:
            async with self._session.post(
                url, data=payload, headers=headers, allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    def _target(self, url: str) -> str | None:
        parts = urlsplit(url)
        if parts.hostname in _LOOPBACK:
            return url
        if self._redirect_to is None:
            return None
        origin = urlsplit(self._redirect_to)
        return urlunsplit((origin.scheme, origin.netloc, parts.path, parts.query, ""))
