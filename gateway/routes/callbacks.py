"""Callbacks: where providers tell of news, with the token in the URL that they were given."""

import hashlib
from collections.abc import Mapping

from pydantic import ConfigDict, Field

from gateway.http import Answer, Query, Reply, Request, operation, reply
from gateway.resources import Resource
from shared.domains import callbacks
from shared.domains.callbacks import PATH, Callback, is_genuine
from shared.errors import NotFound, PayloadTooLarge, Unauthenticated, Unavailable

KEPT_HEADERS = ("content-type", "user-agent")
MAX_HEADER = 500


class CallbackQuery(Query):
    """Providers may add parameters of their own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    t: str = Field("", description="The token in the URL that the provider was given.")


class CallbackReceipt(Resource):
    received: bool
    duplicate: bool = Field(description="It was here before, and nothing follows from it.")


@operation(
    "POST",
    PATH + "/{provider}/{submission}",
    tag="Callbacks",
    summary="Take a provider's callback",
    scope=None,
    answers=(Answer(200, "It was taken", CallbackReceipt),),
    errors=(Unauthenticated, NotFound, PayloadTooLarge, Unavailable),
)
async def take_callback(request: Request[None, CallbackQuery]) -> Reply:
    """For providers only. A callback says that there is news of a submission, which is then asked about at once;
    what its body says is kept and not believed. Repeating it is harmless."""
    deps, provider, submission_id = request.deps, request.raw.match_info["provider"], request.id("submission")
    server_key = deps.settings.secret_key.get_secret_value()
    # Before the body is read and before Postgres is asked: anybody may call here.
    if not is_genuine(server_key, provider, submission_id, request.query.t):
        raise Unauthenticated("This is not the URL that the provider was given.")
    body = await request.raw.read()
    signature = deps.signatures.get(provider)
    event_id = (
        await signature.event_id(request.headers, body)
        if signature is not None
        else f"sha256:{hashlib.sha256(body).hexdigest()}"
    )
    fresh = await callbacks.take(
        deps.db,
        deps.bell,
        Callback(provider, submission_id, event_id, _kept(request.headers), body, signature is not None),
    )
    if fresh is None:
        raise NotFound(f"{provider} has no submission {submission_id}.")
    return reply({"received": True, "duplicate": not fresh})


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """What identifies and describes the event; a header that is no text keeps its place."""
    return {
        name.lower(): value.encode(errors="replace").decode()[:MAX_HEADER]
        for name, value in headers.items()
        if name.lower() in KEPT_HEADERS or "webhook-" in name.lower()
    }


operations = (take_callback,)
