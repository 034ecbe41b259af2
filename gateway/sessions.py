"""Sessions as credentials: our access token as a bearer, or in a cookie."""

import hashlib
import time
from dataclasses import dataclass, field

from aiohttp import web

from gateway.access_tokens import ISSUER, AccessTokens, claimed_issuer
from gateway.auth import Beliefs, Principal, bearer_token, principal_of_session
from gateway.cookies import ACCESS, SessionCookies
from shared.db import Database
from shared.domains import sessions
from shared.errors import Unauthenticated


@dataclass(slots=True)
class Sessions:
    """A token that was good is believed for five seconds, so a revoked session works no longer than that.

    A cookie that is good no more counts as none: browsers go on sending it, and the page knows how to refresh.
    """

    db: Database
    tokens: AccessTokens
    cookies: SessionCookies
    beliefs: Beliefs = field(default_factory=Beliefs)

    async def principal(self, request: web.Request) -> Principal | None:
        token = bearer_token(request)
        if token is not None:
            if claimed_issuer(token) != ISSUER:
                return None
            caller = await self._look_up(token)
            if caller is None:
                raise Unauthenticated("This token is not valid: it is altered, expired or revoked.")
            return caller
        cookie = request.cookies.get(ACCESS)
        caller = await self._look_up(cookie) if cookie else None
        if caller is not None and caller.session_id is not None:
            self.cookies.guard(request, caller.session_id)
        return caller

    async def _look_up(self, text: str) -> Principal | None:
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
        caller = self.beliefs.get(digest)
        if caller is not None:
            return caller
        token = self.tokens.read(text)
        if token is None:
            return None
        found = await sessions.find(self.db, token.session_id)
        if found is None or found.account_id != token.account_id:
            return None
        caller = principal_of_session(found)
        self.beliefs.keep(digest, caller, token.expires_at - time.time())
        return caller
