"""Our addresses when a browser reaches us below a path: `https://host/penstock`, which a proxy takes off."""

import re
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

BASE_PATH = web.AppKey("base_path", str)

_LINK = re.compile(r"</(?!/)")


def base_path_of(request: web.Request) -> str:
    """What comes before the request's path where its sender sees it; empty when nothing does."""
    base_path: str = request.config_dict.get(BASE_PATH, "")
    return base_path


def below(base_path: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A hook for the moment before a response's head is sent: paths of ours get what comes before them,
    unless they have it."""

    async def prefix(_: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        location, link = headers.get(hdrs.LOCATION), headers.get("Link")
        if location is not None and location.startswith("/") and not location.startswith(f"{base_path}/"):
            headers[hdrs.LOCATION] = base_path + location
        if link is not None:
            headers["Link"] = _LINK.sub(f"<{base_path}/", link)

    return prefix
