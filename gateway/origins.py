"""Which web page makes a request: what browsers say of it, and no page can make them unsay."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

SAME = frozenset({"same-origin", "none"})
"""Sec-Fetch-Site of our own pages, and of what a person typed or clicked in the browser itself."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Ours, and those that the operator allows by name; a wildcard allows nobody here."""

    base_url: str
    allowed: Sequence[str] = ()

    def is_ours(self, request: web.Request) -> bool | None:
        """Whether the page is ours or allowed; None when the request does not come from a browser of today."""
        origin = request.headers.get("Origin")
        if origin is not None:
            own = urlsplit(self.base_url)
            # The address under which the browser reached us is not always the one that the settings name.
            return origin in {f"{own.scheme}://{own.netloc}", f"{own.scheme}://{request.host}", *self.allowed}
        site = request.headers.get("Sec-Fetch-Site")
        return site in SAME if site is not None else None
