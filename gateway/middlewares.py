"""What happens around every request: its id, its errors, its metrics, its headers, its line in the log.

One middleware does all of it, because each layer costs the accept path a few microseconds.
"""

import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.errors import from_failure, from_http, problem
from gateway.http import CALLER, REQUEST_ID
from shared.errors import PenstockError
from shared.log import get_logger

log = get_logger("gateway.access")

SLOW_S = 1.0
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

EXPOSED = (
    "X-Request-Id, Location, Link, ETag, Retry-After, Preference-Applied, Idempotent-Replayed,"
    " Content-Disposition"
)
ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Range, X-Request-Id"
)
ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"

type Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpMetrics:
    """Requests and their times by route template, so the number of series is bounded by the code."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "penstock_http_requests_total", "HTTP requests.", ("route", "method", "code"), registry=registry
        )
        self._seconds = Histogram(
            "penstock_http_request_seconds",
            "Time to answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._count: dict[tuple[str, str, int], Callable[[], None]] = {}
        self._time: dict[str, Callable[[float], None]] = {}

    def observe(self, route: str, method: str, code: int, seconds: float) -> None:
        key = (route, method, code)
        count = self._count.get(key)
        if count is None:
            known = method if method in _METHODS else "OTHER"
            count = self._requests.labels(route, known, str(code)).inc
            if method in _METHODS:
                self._count[key] = count
        count()
        time_of = self._time.get(route)
        if time_of is None:
            time_of = self._time[route] = self._seconds.labels(route).observe
        time_of(seconds)


def boundary(metrics: HttpMetrics) -> Middleware:
    """Around every request: nothing leaves without an id, nothing fails without the one error object."""

    @web.middleware
    async def around(request: web.Request, handler: Next) -> web.StreamResponse:
        started = time.perf_counter()
        given = request.headers.get("X-Request-Id")
        request_id = given if given is not None and _SANE_ID(given) else f"req_{secrets.token_hex(12)}"
        request[REQUEST_ID] = request_id
        code = 499  # the client left, unless an answer replaces it
        try:
            response = await _answer(request, handler, request_id)
            code = response.status
        finally:
            seconds = time.perf_counter() - started
            resource = request.match_info.route.resource
            route = "unmatched" if resource is None else resource.canonical
            metrics.observe(route, request.method, code, seconds)
            _note(request, request_id, route, code, seconds)
        return response

    return around


async def _answer(request: web.Request, handler: Next, request_id: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except PenstockError as error:
        return problem(error, request, request_id)
    except web.HTTPException as error:
        if error.status < 400:
            return error
        if request.method == hdrs.METH_OPTIONS and isinstance(error, web.HTTPMethodNotAllowed):
            return web.Response(status=204, headers={"Allow": ", ".join(sorted(error.allowed_methods))})
        return problem(from_http(error, request), request, request_id)
    except Exception as error:
        return problem(from_failure(error, request, request_id), request, request_id)


def _note(request: web.Request, request_id: str, route: str, code: int, seconds: float) -> None:
    """Ordinary requests are counted, not told: a line for each costs as much as answering it.

    LOG_LEVEL=debug tells of all, the default of slow and refused ones. The query string is left out, for it
    may hold a ticket.
    """
    tell = log.debug
    if code >= 500:
        tell = log.error
    elif (seconds > SLOW_S and request.headers.get(hdrs.UPGRADE) is None) or code >= 400:
        tell = log.info
    caller = request.get(CALLER)
    tell(
        "request",
        request_id=request_id,
        method=request.method,
        path=request.path,
        route=route,
        status=code,
        ms=round(seconds * 1000, 2),
        account_id=str(caller.account_id) if caller is not None else None,
    )


def add_headers(
    allowed_origins: Sequence[str],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A hook for the moment before a response's head is sent, which streamed responses pass too."""
    origins = frozenset(allowed_origins)

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers["X-Request-Id"] = request.get(REQUEST_ID, "")
        headers["X-Content-Type-Options"] = "nosniff"
        if "Content-Security-Policy" not in headers:
            headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
            headers["Referrer-Policy"] = "no-referrer"
        origin = request.headers.get("Origin")
        if origin is not None:
            _allow_origin(request, response, origin, origins)

    return add


def _allow_origin(
    request: web.Request, response: web.StreamResponse, origin: str, origins: frozenset[str]
) -> None:
    response.headers.add("Vary", "Origin")
    if origin not in origins and "*" not in origins:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == hdrs.METH_OPTIONS and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = "600"
