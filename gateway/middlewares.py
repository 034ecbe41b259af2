"""What happens around every request: its id, its errors, its metrics, its headers, its line in the log.

One wrapper around each endpoint does all of it and aiohttp's own middlewares are not used: each layer would
cost the accept path a few microseconds.
"""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from random import getrandbits

from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry, Counter, Histogram

from gateway.errors import from_failure, from_http, is_creative, problem
from gateway.http import CALLER, REQUEST_ID
from gateway.rates import LEVELS, add_rate_headers
from shared.errors import InvalidInput, MethodNotAllowed, NotFound, PenstockError
from shared.log import get_logger

log = get_logger("gateway.access")

SLOW_S = 1.0
UNMATCHED = "unmatched"
_SANE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}").fullmatch
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

EXPOSED = (
    "X-Request-Id, Location, Link, ETag, Retry-After, Preference-Applied, Idempotent-Replayed,"
    " Content-Disposition, RateLimit, RateLimit-Policy"
)
ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Range, X-CSRF-Token,"
    " X-Request-Id"
)
ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
API_POLICY = "default-src 'none'; frame-ancestors 'none'"

type Endpoint = Callable[[web.Request], Awaitable[web.StreamResponse]]


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

    def route(self, route: str, *, endless: bool = False) -> Callable[[str, int, float], None]:
        """The counter of one route: call it with method, status and seconds.

        Endless ones are live connections, whose length says nothing about how fast they were answered.
        """
        observe = None if endless else self._seconds.labels(route).observe
        counts: dict[tuple[str, int], Callable[[], None]] = {}

        def count(method: str, code: int, seconds: float) -> None:
            known = method if method in _METHODS else "OTHER"
            add = counts.get((known, code))
            if add is None:
                add = counts[known, code] = self._requests.labels(route, known, str(code)).inc
            add()
            if observe is not None:
                observe(seconds)

        return count


def around(endpoint: Endpoint, route: str, metrics: HttpMetrics, *, endless: bool = False) -> Endpoint:
    """The endpoint with everything around it: nothing leaves without an id, nothing fails without the one
    error object."""
    count = metrics.route(route, endless=endless)
    tells_all = log.is_enabled_for(logging.DEBUG)

    async def handle(request: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        given = request.headers.get("X-Request-Id")
        request_id = given if given is not None and _SANE_ID(given) else f"req_{getrandbits(96):024x}"
        request[REQUEST_ID] = request_id
        code = 499  # the client left, unless an answer replaces it
        try:
            response = await _answer(request, endpoint, request_id)
            code = response.status
        finally:
            seconds = time.perf_counter() - started
            count(request.method, code, seconds)
            slow = seconds > SLOW_S and not endless and not _is_patient(request)
            if code >= 400 or slow or tells_all:
                _note(request, request_id, route, code, seconds)
        return response

    return handle


def _is_patient(request: web.Request) -> bool:
    """Whether the caller asked to wait, as whoever calls a creative function does."""
    return "wait" in request.query_string or "Prefer" in request.headers or is_creative(request.path)


async def _answer(request: web.Request, endpoint: Endpoint, request_id: str) -> web.StreamResponse:
    try:
        return await endpoint(request)
    except PenstockError as error:
        return problem(error, request, request_id)
    except web.HTTPException as error:
        if error.status < 400:
            return error
        return problem(from_http(error), request, request_id)
    except web.RequestPayloadError:
        return _unreadable(request, request_id)
    except Exception as error:
        return problem(from_failure(error, request, request_id), request, request_id)


def _unreadable(request: web.Request, request_id: str) -> web.Response:
    """The answer to a body that is not what its head says; nothing further can be read from the connection."""
    request.content.feed_eof()
    error = InvalidInput(
        "The body cannot be decoded: it is not what Content-Encoding or Transfer-Encoding says."
    )
    answer = problem(error, request, request_id)
    answer.force_close()
    return answer


def _note(request: web.Request, request_id: str, route: str, code: int, seconds: float) -> None:
    """Ordinary requests are counted, not told: a line for each costs as much as answering it.

    With LOG_LEVEL=debug all are told, by default those that were slow, refused or failed. The query string is
    left out, for it may hold a ticket.
    """
    caller = request.get(CALLER)
    tell = log.error if code >= 500 else log.info
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


async def unmatched(request: web.Request) -> web.StreamResponse:
    """The endpoint of whatever no other route takes: OPTIONS, a wrong method (405), or nothing there (404)."""
    allowed = await _allowed_methods(request)
    if not allowed:
        raise NotFound(f"There is nothing at {request.path}.")
    if request.method == hdrs.METH_OPTIONS:
        return web.Response(status=204, headers={"Allow": ", ".join([*allowed, "OPTIONS"])})
    raise MethodNotAllowed(
        f"{request.path} answers {', '.join(allowed)}, not {request.method}.", allowed=allowed
    )


async def _allowed_methods(request: web.Request) -> list[str]:
    found: set[str] = set()
    for resource in request.app.router.resources():
        if resource.canonical != UNMATCHED_PATH:
            _, methods = await resource.resolve(request)
            found |= methods
    return sorted(found)


UNMATCHED_PATTERN = "/{anything:.*}"
UNMATCHED_PATH = "/{anything}"


def add_headers(
    allowed_origins: Sequence[str], *, legacy_rates: bool = False
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A hook for the moment before a response's head is sent, which streamed responses pass too."""
    origins = frozenset(allowed_origins)

    async def add(request: web.Request, response: web.StreamResponse) -> None:
        headers = response.headers
        headers["X-Request-Id"] = request.get(REQUEST_ID, "")
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Server"] = "penstock"
        levels = request.get(LEVELS)
        if levels is not None:
            add_rate_headers(headers, levels, legacy=legacy_rates)
        if "Content-Security-Policy" not in headers:
            headers["Content-Security-Policy"] = API_POLICY
        origin = request.headers.get("Origin")
        if origin is not None:
            _allow_origin(request, response, origin, origins)

    return add


def _allow_origin(
    request: web.Request, response: web.StreamResponse, origin: str, origins: frozenset[str]
) -> None:
    varies = response.headers.get("Vary")
    response.headers["Vary"] = f"{varies}, Origin" if varies else "Origin"
    if origin not in origins and "*" not in origins:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    if origin in origins:
        # Cookies too, but only for those that are named: a wildcard must not read what a cookie opens.
        response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    if request.method == hdrs.METH_OPTIONS and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = "600"
