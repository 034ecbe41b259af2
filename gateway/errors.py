"""The one error object: RFC 9457 with Penstock's members, on every route and for every failure."""

import re
from typing import Any

import orjson
from aiohttp import web
from redis.exceptions import RedisError

from gateway.subpath import base_path_of
from shared.db import CONNECTION_ERRORS
from shared.errors import (
    Conflict,
    Forbidden,
    Internal,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    PenstockError,
    RateLimited,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from shared.log import get_logger
from shared.storage import StorageError

log = get_logger(__name__)

PROBLEM = "application/problem+json"
PLAIN = "application/json"
ERROR_PATH = "/api/errors/"
_CREATIVE = re.compile(r"/(?:\.?netlify/functions|api)/creative[-/]").match


def error_page(code: str) -> str:
    """The address of the page about a code: `/api/errors/not-found`."""
    return ERROR_PATH + code.lower().replace("_", "-")


def is_creative(path: str) -> bool:
    """Whether it is one of the Creative Studio's, whose page shows `error` to people."""
    return _CREATIVE(path) is not None


def media_of(path: str) -> str:
    """The media type of an error: what the seeds' routes answer is plain JSON, all else is RFC 9457's."""
    if is_creative(path):
        return PLAIN
    return PLAIN if path.startswith("/api/") and not path.startswith("/api/v1/") else PROBLEM


def problem_body(error: PenstockError, request: web.Request, request_id: str) -> dict[str, Any]:
    """The members of RFC 9457 and, beside them, those that plain clients look for."""
    base_path = base_path_of(request)
    body: dict[str, Any] = {
        "type": base_path + error_page(error.code),
        "title": error.title,
        "status": error.http_status,
        "detail": error.message,
        "instance": base_path + request.path,
        "request_id": request_id,
        "success": False,
        "error": error.code,
        "message": error.message,
        "details": error.context,
        "retryable": error.retryable,
    }
    if error.field is not None:
        body["field"] = error.field
    if is_creative(request.path):
        body |= {"code": error.code, "error": error.message}
    return body


def problem(error: PenstockError, request: web.Request, request_id: str) -> web.Response:
    body = problem_body(error, request, request_id)
    response = web.Response(
        body=orjson.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS),
        status=error.http_status,
        headers={"Content-Type": media_of(request.path), "Cache-Control": "no-store"},
    )
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="penstock"'
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(error.context["allowed"])
    return response


_BY_STATUS: dict[int, type[PenstockError]] = {
    400: InvalidInput,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: PayloadTooLarge,
    415: UnsupportedMedia,
    429: RateLimited,
    503: Unavailable,
}


def from_http(error: web.HTTPException) -> PenstockError:
    """What aiohttp itself refuses, as one of our errors."""
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return PayloadTooLarge("The body is larger than this route accepts.")
    named = _BY_STATUS.get(error.status)
    if named is not None:
        return named(error.reason)
    if 400 <= error.status < 500:
        return InvalidInput(error.reason, status=error.status)
    return Internal("Something went wrong on our side.")


def from_failure(error: Exception, request: web.Request, request_id: str) -> PenstockError:
    """What nobody expected: told to the log with its trace, to the caller with its id only."""
    where = {"request_id": request_id, "method": request.method, "path": request.path}
    if isinstance(error, (*CONNECTION_ERRORS, RedisError, StorageError)):
        log.warning("store_unavailable", error=f"{type(error).__name__}: {error}", **where)
        return Unavailable("A store that this needs cannot be reached just now; try again.", retry_after_s=1)
    log.error("request_failed", exc_info=error, **where)
    return Internal(f"Something went wrong on our side; quote {request_id} when you report it.")
