"""The studio: the web application's files, and its page for every address that the application itself draws.

These are not operations: they are no part of the API, and the API's document does not list them.
"""

import gzip
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import urlsplit

from aiohttp import web

from gateway.cookies import CSRF
from gateway.static_files import IMMUTABLE, StaticFile, read_folder, static_file
from shared.errors import NotFound
from shared.settings import AuthMode

STATIC = Path(__file__).parent.parent / "static"
HOME = "/studio"
ROOTS = (HOME, "/ops")
"""What the application draws: each of these, and all below."""

INDEX = "index.html"
ASSETS = "assets/"
PAGES = "pages/"
"""Has the pages of addresses that people arrive at, with what is shown there first."""
EMBED = "embed.js"
WORKER = "sw.js"
WORKER_POLICY = "default-src 'none'; connect-src 'self'"
FORGET = "forget"
FORGOTTEN = {"Clear-Site-Data": '"cache"', "Cache-Control": "no-store"}
"""Has a browser drop the files it kept of whoever signs out: they are good for a year, so it would still show them.
Never on the sign-out's own answer: browsers hold an answer back until they have looked through all they keep, of
every site, which takes seconds. So the studio asks for this beside it, and waits for nothing. Cookies and storage
are not named, for what else lies at this origin may have its own there.
"""

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The studio is not built</title><link rel="stylesheet" href="{root}/docs/docs.css"></head>
<body><main class="narrow"><h1>The studio is not built</h1>
<p class="lead">The API works; only the web application is missing here.</p>
<p>From a checkout run <code>make studio</code>, which needs the network once, then restart the gateway.
The container image and <code>make run</code> build it by themselves.</p>
<p><a href="{root}/docs">The API's documentation</a></p></main></body></html>
"""


class Studio:
    """Everything that is served, in memory. `base_url` is the gateway's public address, `facts` are what the
    page knows before it asks, such as whether there is anything to sign in to."""

    def __init__(
        self, folder: Path, base_url: str, allowed_origins: Sequence[str], facts: Mapping[str, str]
    ) -> None:
        self._facts = facts
        self._root = urlsplit(base_url).path.rstrip("/")
        self._embedders = named(allowed_origins)
        self._nonce = token_urlsafe(16)
        self._files = read_folder(folder)
        built = self._files.pop(INDEX, None)
        self.is_built = built is not None
        self._index = self._page(built)
        self._must_sign_in = facts.get("sign-in") == AuthMode.REQUIRED.value
        self._rendered = self._take_rendered()
        self._headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": _policy(urlsplit(base_url).netloc, allowed_origins, self._nonce),
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """A file, or the page. Raises NotFound for files that are not there."""
        name = request.match_info.get("name", "")
        # No other site's page may have our files dropped.
        if name == FORGET and request.headers.get("Sec-Fetch-Site") == "same-origin":
            return web.Response(status=204, headers=FORGOTTEN)
        file = self._files.get(name)
        if file is not None:
            return file.answer(request, self._headers_of(name))
        # The service worker asks for the page at its shortest address without going there.
        if name.startswith(ASSETS) or (name and not _is_navigation(request)):
            raise NotFound(f"There is nothing at {request.path}.")
        return self._page_of(request).answer(request, self._headers)

    def _page_of(self, request: web.Request) -> StaticFile:
        """What was rendered ahead, where it is what will be seen: a frame in another page has no navigation, what
        the service worker keeps is for every address, and who has no session signs in first.
        """
        goes_there = request.headers.get("Sec-Fetch-Mode") == "navigate"
        # "empty" when the service worker passes a person's way on.
        is_page = request.headers.get("Sec-Fetch-Dest") in {"document", "empty"}
        if not (goes_there and is_page) or (self._must_sign_in and CSRF not in request.cookies):
            return self._index
        return self._rendered.get(request.path.rstrip("/"), self._index)

    def _take_rendered(self) -> dict[str, StaticFile]:
        """The pages by their addresses; they are no files that one can ask for."""
        names = [name for name in self._files if name.startswith(PAGES)]
        return {
            f"/{name.removeprefix(PAGES).removesuffix('.html')}": self._page(self._files.pop(name))
            for name in names
        }

    def _headers_of(self, name: str) -> Mapping[str, str]:
        if name.startswith(ASSETS):
            return {"Cache-Control": IMMUTABLE}
        if name == EMBED:
            # For pages of other origins, also those that isolate themselves.
            return {
                "Cache-Control": "public, max-age=300",
                "Cross-Origin-Resource-Policy": "cross-origin",
            }
        if name == WORKER:
            # Beside the page's own path it may also serve `/studio` itself, which is not below its folder.
            return {
                "Cache-Control": "no-cache",
                "Service-Worker-Allowed": self._root + HOME,
                "Content-Security-Policy": WORKER_POLICY,
            }
        return {"Cache-Control": "no-cache"}

    async def home(self, request: web.Request) -> web.StreamResponse:
        """Leads to the studio."""
        return web.Response(status=302, headers={"Location": self._root + HOME})

    def _page(self, built: StaticFile | None) -> StaticFile:
        """The page knows where it lies, so that one build works below any path."""
        if built is None:
            return static_file(INDEX, NOT_BUILT.format(root=escape(self._root)).encode())
        head = (
            f'<head><base href="{escape(self._root)}{HOME}/">'
            f'<meta property="csp-nonce" nonce="{self._nonce}" content="{self._nonce}">'
            f'<meta name="penstock-embedders" content="{escape(" ".join(self._embedders))}">'
        )
        head += "".join(
            f'<meta name="penstock-{escape(name)}" content="{escape(value)}">'
            for name, value in self._facts.items()
        )
        page = built.content.replace(b"<head>", head.encode(), 1)
        return static_file(INDEX, page, {"gzip": gzip.compress(page, 9, mtime=0)})


def named(allowed_origins: Sequence[str]) -> list[str]:
    """Those that may hold the studio in a frame; a wildcard allows nobody to."""
    return [origin for origin in allowed_origins if origin != "*"]


def _policy(netloc: str, allowed_origins: Sequence[str], nonce: str) -> str:
    """Scripts are files of ours. Styles may also bear the page's nonce, for waveforms draw in a shadow tree; a
    page of an allowed origin may hold the studio in a frame.
    """
    ancestors = " ".join(["'self'", *named(allowed_origins)])
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "style-src-attr 'unsafe-inline'",
            f"connect-src 'self' ws://{netloc} wss://{netloc}",
            "img-src 'self' blob: data:",
            "media-src 'self' blob: data:",
            "font-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {ancestors}",
        )
    )


def _is_navigation(request: web.Request) -> bool:
    """Whether a person goes there, rather than a page that wants a file."""
    mode = request.headers.get("Sec-Fetch-Mode")
    accepted = request.headers.get("Accept", "*/*")
    # When Firefox's service worker passes a person's way on, only what is accepted still tells it.
    return "text/html" in accepted or (mode == "navigate" if mode is not None else "*/*" in accepted)


type Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


def mount(app: web.Application, studio: Studio, around: Callable[[Endpoint, str], Endpoint]) -> None:
    """Adds the routes; `around` wraps an endpoint, whose route's name is for the metrics."""
    page = around(studio.answer, HOME)
    home = around(studio.home, "/")
    for method in ("GET", "HEAD"):
        app.router.add_route(method, "/", home)
        for root in ROOTS:
            app.router.add_route(method, root, page)
            app.router.add_route(method, f"{root}/", page)
        app.router.add_route(method, f"{HOME}/{{name:.+}}", page)
        app.router.add_route(method, "/ops/{anything:.+}", page)
