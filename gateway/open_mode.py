"""AUTH_MODE=open: whoever sits at this machine needs no credentials.

Others can still make requests of this machine: web pages that its browser shows. They are kept out by what browsers
say of them (Origin, Sec-Fetch-Site), and by the Host, which is not ours when a page has its own name lead to this
machine (DNS rebinding). A proxy before the gateway lets in others too, so what came through one is refused.
"""

import asyncio
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from gateway.auth import CACHE_S, Principal
from gateway.origins import Origins
from shared.db import Database
from shared.domains import accounts, users
from shared.domains.accounts import Role
from shared.errors import Forbidden
from shared.ids import new_id
from shared.settings import is_loopback

_OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")


@dataclass(slots=True)
class OpenMode:
    """Requests without credentials act as the oldest account, as its admin."""

    db: Database
    origins: Origins
    _making: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)
    _believed: tuple[float, Principal] | None = field(default=None, repr=False)

    async def principal(self, request: web.Request) -> Principal | None:
        """Raises Forbidden for a request that may be somebody else's doing; None while the account is suspended."""
        self._guard(request)
        if self._believed is not None and self._believed[0] > time.monotonic():
            return self._believed[1]
        person = await users.find(self.db, None) or await self._first()
        if person is None:
            return None
        caller = Principal(person.account_id, Role.ADMIN.scopes, Role.ADMIN)
        self._believed = (time.monotonic() + CACHE_S, caller)
        return caller

    def _guard(self, request: web.Request) -> None:
        try:
            host = urlsplit(f"//{request.host}").hostname or ""
        except ValueError:
            host = ""
        if not is_loopback(host) or any(name in request.headers for name in _OF_PROXIES):
            raise Forbidden(
                "AUTH_MODE=open takes requests without credentials at this machine's own address only.",
                reason="not_local",
            )
        if self.origins.is_ours(request) is False:
            raise Forbidden(
                "AUTH_MODE=open takes requests without credentials from its own pages only.",
                reason="other_origin",
            )

    async def _first(self) -> users.Person | None:
        """Makes the first account when there is none yet; a page that opens asks several things at once."""
        async with self._making:
            if not await self.db.fetchval("SELECT EXISTS (SELECT FROM auth.find_account(NULL))"):
                account_id = new_id()
                async with self.db.transaction(account_id) as tx:
                    await accounts.create_account(tx, account_id, "local")
        return await users.find(self.db, None)
