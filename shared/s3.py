"""The S3 clients that all buckets share, and how long they may be kept waiting.

A store may be slow, but not silent: whatever waits for it ends, so that no step is held by a store that hangs.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.handlers import add_expect_header

from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a store may take. A healthy one answers in well under a second."""

    connect_s: float = 5.0
    silence_s: float = 20.0
    """Without a byte from the store where one is due, or without its taking one. Nothing else ends a stream."""
    call_s: float = 45.0
    """For one call with its repetitions, but for the time that its body takes."""
    joining_s: float = 300.0
    """For making one object of many parts. Some stores say nothing until it is made, AWS sends white space."""
    slowest_bytes_s: int = 1 << 17
    """A body that is sent at once may take as long as on a line of 1 Mbit/s."""

    def for_body(self, size: int) -> float:
        """For a call that sends a body of so many bytes at once."""
        return self.call_s + size / self.slowest_bytes_s


class Connection:
    """Each client is made when first used."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self.stack = AsyncExitStack()
        self.patience = patience
        self._settings = settings
        self._client: Any = None
        self._http: aiohttp.ClientSession | None = None
        self._opening = asyncio.Lock()

    async def s3(self) -> Any:
        if self._client is None:
            async with self._opening:
                if self._client is None:
                    client = await self.stack.enter_async_context(self._make_client())
                    self._attune(client.meta.events)
                    self._client = client
        return self._client

    async def http(self) -> aiohttp.ClientSession:
        if self._http is None:
            timeout = aiohttp.ClientTimeout(
                total=None,
                connect=self.patience.call_s,
                sock_connect=self.patience.connect_s,
                sock_read=self.patience.silence_s,
            )
            # Redirects and cookies have no place between us and our store.
            self._http = await self.stack.enter_async_context(
                aiohttp.ClientSession(
                    timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
                )
            )
        return self._http

    def _attune(self, events: Any) -> None:
        # With it, aiohttp waits for a "100 Continue" without any limit, and every PUT for one more round trip.
        events.unregister("before-call.s3", add_expect_header)
        events.register("before-call.s3.CompleteMultipartUpload", self._be_patient)

    def _be_patient(self, params: dict[str, Any], **_: Any) -> None:
        params["context"]["read_timeout"] = self.patience.joining_s

    def _make_client(self) -> Any:
        settings = self._settings
        config = AioConfig(
            signature_version="s3v4",
            s3={"addressing_style": "path" if settings.s3_endpoint_url else "auto"},
            connect_timeout=self.patience.connect_s,
            read_timeout=self.patience.silence_s,
            retries={"max_attempts": 3, "mode": "standard"},
            # S3-likes and ranged reads fail botocore's default checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return get_session().create_client(
            "s3",
            region_name=settings.s3_region,
            endpoint_url=settings.s3_endpoint_url,
            aws_access_key_id=settings.s3_access_key_id,
            aws_secret_access_key=settings.s3_secret_access_key.get_secret_value(),
            config=config,
        )
