"""What the emulated endpoints share: errors in OpenAI's form, and streams that a fault may break off."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from tests.emulators.base import FAULTS, Effect, Fault, answer

KNOWN = {
    "moderation_blocked": ("image_generation_user_error", "Your request was rejected by the safety system."),
    "content_policy_violation": ("invalid_request_error", "Your request violates the content policy."),
    "insufficient_quota": ("insufficient_quota", "You exceeded your current quota, please check your plan."),
    "billing_hard_limit_reached": ("invalid_request_error", "Billing hard limit has been reached."),
    "rate_limit_exceeded": ("requests", "Rate limit reached for requests."),
    "invalid_api_key": ("invalid_request_error", "Incorrect API key provided."),
    "model_not_found": ("invalid_request_error", "The model does not exist or you do not have access to it."),
}
_CODES = {401: "invalid_api_key", 404: "model_not_found", 429: "rate_limit_exceeded"}

THINKING = 1 / 3
"""The share of a call's time that passes before the first word is written, when words are streamed."""


class Wrong(Exception):
    """A request that is not served."""

    def __init__(
        self, message: str, *, status: int = 400, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.code, self.param = message, status, code, param


def problem(
    status: int,
    detail: str,
    *,
    code: str | None = None,
    param: str | None = None,
    retry_after_s: float | None = None,
) -> web.Response:
    """An error; a `detail` that is the name of a known one stands for it."""
    if detail in KNOWN:
        code, (kind, message) = detail, KNOWN[detail]
    else:
        code = code or _CODES.get(status)
        kind = "server_error" if status >= 500 else KNOWN.get(code or "", ("invalid_request_error", ""))[0]
        message = detail
    error: dict[str, Any] = {"message": message, "type": kind, "param": param, "code": code}
    if retry_after_s is not None:
        error["message"] += f" Please try again in {retry_after_s:g}s."
    return answer({"error": error}, status)


def faults_of(request: web.Request) -> Mapping[Effect, Fault]:
    faults: dict[Effect, Fault] = request[FAULTS]
    return faults


def event(body: Mapping[str, Any], name: str | None = None) -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(body) + b"\n\n"


async def send(
    request: web.Request, mime: str, pieces: Sequence[bytes], *, identified_by: str = "x-request-id",
    pause_s: float = 0.0,
) -> web.StreamResponse:  # fmt: skip
    """Streams the pieces, with a pause before each. After half of them a fault may end the stream: at once and
    in order (MALFORMED_AFTER), or without its end (RESET_AFTER, LOST_AFTER, which the caller sees to)."""
    faults = faults_of(request)
    if Effect.REFUSE_AFTER in faults:
        return web.Response()
    response = web.StreamResponse(
        headers={"Content-Type": mime, identified_by: f"req_{os.urandom(12).hex()}"}
    )
    await response.prepare(request)
    broken = faults.keys() & {Effect.MALFORMED_AFTER, Effect.RESET_AFTER, Effect.LOST_AFTER}
    for piece in pieces[: len(pieces) // 2] if broken else pieces:
        await asyncio.sleep(pause_s)
        await response.write(piece)
    if not broken or Effect.MALFORMED_AFTER in broken:
        await response.write_eof()
    return response
