"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): the same request twice is done once.

Scope: the caller's account, the method and the path. Admissions record the key in their own transaction;
every other idempotent operation goes through `guard`.
"""

import asyncio
import re
from typing import Any

import orjson
from aiohttp import web
from multidict import MultiMapping

from gateway.http import Operation, Reply, Request
from shared.crypto import fingerprint
from shared.domains import idempotency
from shared.domains.idempotency import Claim, StoredReply
from shared.errors import InvalidInput

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotent-Replayed": "true"}
_VISIBLE = re.compile(r"[\x20-\x7e]{1,255}").fullmatch


def key_of(headers: MultiMapping[str]) -> str | None:
    """The key, quoted or bare. Raises InvalidInput (400) when it is empty, too long or not printable."""
    given = headers.get(HEADER)
    if given is None:
        return None
    key = given.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = re.sub(r"\\(.)", r"\1", key[1:-1])
    if not _VISIBLE(key):
        raise InvalidInput(f"{HEADER} must be 1 to 255 printable ASCII characters.", field=HEADER)
    return key


def route_of(request: web.Request) -> str:
    """Method and path: the path's ids are part of what is asked."""
    return f"{request.method} {request.path.rstrip('/')}"


def fingerprint_of(request: Request[Any, Any]) -> bytes:
    """SHA-256 of what is asked: the canonical body, the query, and the length of a body that is streamed."""
    streamed = request.raw.content_length if request.document is None else None
    return fingerprint(
        orjson.dumps([request.document, request.raw.query_string, streamed], option=orjson.OPT_SORT_KEYS)
    )


async def guard(op: Operation, request: Request[Any, Any]) -> Reply | web.StreamResponse:
    """Runs the operation once per key: a repetition gets the first answer, or 409 while there is none.

    A request that fails leaves its key free, for nothing was done that a repetition would do twice.
    """
    key = key_of(request.headers)
    if key is None:
        return await op.handler(request)
    db = request.deps.db
    won = await idempotency.claim(db, request.account_id, route_of(request.raw), key, fingerprint_of(request))
    if isinstance(won, StoredReply):
        request.deps.metrics.replays.inc()
        return Reply(won.body, won.status, {**won.headers, **REPLAYED})
    try:
        answer = await op.handler(request)
    except BaseException:
        await asyncio.shield(idempotency.release(db, won))
        raise
    await _keep(request, won, answer)
    return answer


async def _keep(request: Request[Any, Any], won: Claim, answer: Reply | web.StreamResponse) -> None:
    if isinstance(answer, Reply):
        body = answer.body if answer.kept is None else answer.kept
        await idempotency.finish(request.deps.db, won, StoredReply(answer.status, answer.headers, body))
    else:
        await idempotency.release(request.deps.db, won)
