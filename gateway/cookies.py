"""The cookies of a session, and the guard before writes that they authenticate.

A browser sends cookies along with whatever any page makes it request. A write therefore also has to show that it
comes from a page of ours: by the Origin or Sec-Fetch-Site that browsers add, or by the token in the readable
cookie, repeated in the header X-CSRF-Token.
"""

from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Final
from uuid import UUID

from aiohttp import hdrs, web
from multidict import CIMultiDict

from gateway.access_tokens import LIFETIME_S
from gateway.origins import Origins
from shared.crypto import is_token, token
from shared.errors import Forbidden

ACCESS: Final = "penstock_access"
REFRESH: Final = "penstock_refresh"
CSRF: Final = "penstock_csrf"
CSRF_HEADER: Final = "X-CSRF-Token"
AUTH_PATH: Final = "/api/auth"
_HARMLESS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_PATHS = {ACCESS: "/", REFRESH: AUTH_PATH, CSRF: "/"}


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """`secure` when the gateway is reached by https."""

    server_key: str = field(repr=False)
    origins: Origins
    secure: bool
    lifetime_s: int
    base_path: str = ""
    """What comes before our paths in a browser: `/penstock` where we are reached at `https://host/penstock`."""

    def csrf_token(self, session_id: UUID) -> str:
        return token(self.server_key, "csrf", str(session_id))

    def given(self, access: str, refresh: str, session_id: UUID) -> CIMultiDict[str]:
        """The headers that set them; only the CSRF token can be read by scripts."""
        headers: CIMultiDict[str] = CIMultiDict()
        self._add(headers, ACCESS, access, LIFETIME_S)
        self._add(headers, REFRESH, refresh, self.lifetime_s)
        self._add(headers, CSRF, self.csrf_token(session_id), self.lifetime_s)
        return headers

    def taken_back(self) -> CIMultiDict[str]:
        """The headers that delete them."""
        headers: CIMultiDict[str] = CIMultiDict()
        for name in _PATHS:
            self._add(headers, name, "", 0)
        return headers

    def _add(self, headers: CIMultiDict[str], name: str, value: str, max_age_s: int) -> None:
        jar: SimpleCookie = SimpleCookie({name: value})
        cookie = jar[name]
        cookie["path"] = self.base_path + _PATHS[name]
        cookie["max-age"] = max_age_s
        cookie["samesite"] = "Lax"
        cookie["httponly"] = name != CSRF
        cookie["secure"] = self.secure
        headers.add(hdrs.SET_COOKIE, cookie.OutputString())

    def guard(self, request: web.Request, session_id: UUID) -> None:
        """Raises Forbidden for a write, or a websocket, that a page of somebody else may have caused."""
        live = hdrs.UPGRADE in request.headers
        if request.method in _HARMLESS and not live:
            return
        shown = request.headers.get(CSRF_HEADER)
        if shown is not None and is_token(self.server_key, "csrf", str(session_id), shown):
            return
        ours = self.origins.is_ours(request)
        if ours or (live and ours is None):
            return
        raise Forbidden(
            "A write that a cookie authenticates must come from a page of ours: it needs our Origin, or the header"
            f" {CSRF_HEADER} with the value of the cookie {CSRF}. Programs send `Authorization: Bearer …`.",
            reason="csrf",
        )
