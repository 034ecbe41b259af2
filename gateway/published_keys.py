"""Public keys that somebody publishes as a JSON Web Key Set (RFC 7517, 8037)."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import aiohttp
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.errors import Unavailable
from shared.log import get_logger
from shared.netguard import public_connector

log = get_logger(__name__)

KEPT_S: Final = 24 * 3600.0
PAUSE_S: Final = 60.0
"""The least time between two fetches for one reason, so that bad signatures make us no nuisance to the publisher."""
MOST_IN_A_PAUSE: Final = 10
"""Fetches within that time, whatever the reasons."""
TIMEOUT_S: Final = 3.0
MAX_BYTES: Final = 64 << 10


type Get = Callable[[str], Awaitable[bytes]]
"""Fetches a document. Raises ValueError for one that is too long or not there, aiohttp's and OSErrors."""


class PublishedKeys[Key]:
    """Fetched when first needed, kept for `kept_s`, and longer while their publisher cannot be reached.

    `read` makes keys of the key set, or raises ValueError. `locate` finds out where that is, when `url` is not it.
    """

    def __init__(
        self,
        url: str,
        read: Callable[[bytes], Sequence[Key]],
        *,
        kept_s: float = KEPT_S,
        locate: Callable[[str, Get], Awaitable[str]] | None = None,
        allow_private: bool = False,
    ) -> None:
        self._url = url
        self._read = read
        self._kept_s = kept_s
        self._locate = locate
        self._allow_private = allow_private
        self._keys: Sequence[Key] = ()
        self._stale_at = float("-inf")
        self._asked: dict[str, float] = {}
        """When the keys were last fetched for each reason; forgotten after the pause."""
        self._fetching = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def current(self) -> Sequence[Key]:
        """The keys as they are known. Raises Unavailable when none could be fetched."""
        if asyncio.get_running_loop().time() >= self._stale_at:
            await self.newer()
        if not self._keys:
            raise Unavailable("The keys of the sender cannot be read now.", retry_after_s=PAUSE_S)
        return self._keys

    async def newer(self, reason: str = "") -> Sequence[Key]:
        """The keys as they are now, or as they were when somebody asked for the same `reason` less than a minute
        ago. The id of a key that is not among them is a reason."""
        clock = asyncio.get_running_loop().time
        async with self._fetching:
            self._asked = {why: at for why, at in self._asked.items() if clock() < at + PAUSE_S}
            if reason not in self._asked and len(self._asked) < MOST_IN_A_PAUSE:
                self._asked[reason] = clock()
                try:
                    self._keys = await self._fetch()
                    self._stale_at = clock() + self._kept_s
                except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                    log.warning("keys_not_fetched", url=self._url, error=repr(error))
        return self._keys

    async def _fetch(self) -> Sequence[Key]:
        """Raises ValueError for an answer that is no key set, aiohttp's and OSErrors when there is none."""
        url = self._url if self._locate is None else await self._locate(self._url, self._get)
        keys = self._read(await self._get(url))
        if not keys:
            raise ValueError("there is no key for us in it")
        return keys

    async def _get(self, url: str) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=public_connector(allow_private=self._allow_private),
                timeout=aiohttp.ClientTimeout(TIMEOUT_S),
            )
        async with self._session.get(url, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ValueError(f"it answered {answer.status}")
            content = b""
            async for chunk in answer.content.iter_any():
                content += chunk
                if len(content) > MAX_BYTES:
                    raise ValueError("it is too long for a key set")
        return content

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


def ed25519_keys(content: bytes) -> Sequence[Ed25519PublicKey]:
    """The Ed25519 keys of a key set; those of other kinds are not for us."""
    document = orjson.loads(content)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is no key set")
    return [
        Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(str(key.get("x", "")) + "=="))
        for key in listed
        if isinstance(key, dict) and key.get("crv", "Ed25519") == "Ed25519"
    ]
