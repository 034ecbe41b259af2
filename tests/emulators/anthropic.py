"""Anthropic's HTTP API, as its SDK and its documentation show it, without the models.

    python -m tests.emulators.anthropic --port 9104

What it would bill is at `/_emulator/invoice`. Work is billed when it is taken in, whether or not its answer
reaches anybody, and a refusal for what it read and wrote until then; a request that is turned away is not billed.
"""

import argparse
import asyncio
import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from tests.emulators import anthropic_messages as messages
from tests.emulators.anthropic_models import MODELS, EmulatedClaude
from tests.emulators.base import Effect, Emulator, InvoiceLine, answer, run
from tests.emulators.openai_wire import THINKING, Wrong, faults_of, send

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
SPEND_LIMIT = "enforced_spend_limit_reached"
"""A fault with this message is a 429 that no waiting cures."""
MAX_BODY_BYTES = 32 << 20


class AnthropicEmulator(Emulator):
    """`run_s` is how long each call takes. `key` of None lets in anyone with a bearer token. `cached` and
    `cache_write` are the prompt tokens that the next texts find in, and leave in, the cache."""

    name: ClassVar[str] = "anthropic"

    def __init__(
        self,
        *,
        key: str | None = None,
        run_s: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.run_s = run_s
        self.cached = 0
        self.cache_write = 0
        self._key = key
        self._lines: list[InvoiceLine] = []

    def routes(self) -> Iterable[web.RouteDef]:
        return [
            web.post("/v1/messages", self._create, name="create"),
            web.get("/v1/models", self._list, name="models"),
            web.get("/v1/models/{id}", self._show, name="model"),
        ]

    def invoice(self) -> list[InvoiceLine]:
        return list(self._lines)

    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        """How long to wait is said in the header only."""
        error: dict[str, Any] = {"type": TYPES.get(status, "api_error"), "message": detail}
        if detail == SPEND_LIMIT:
            error |= {"message": "You have reached your spend limit.", "details": {"error_code": SPEND_LIMIT}}
        return _identified(answer({"type": "error", "error": error, "request_id": _id("req")}, status))

    def refusal(self, request: web.Request) -> web.Response | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        known = token == self._key if self._key is not None else bool(token)
        if kind != "Bearer" or not known:
            return self.problem(401, "invalid bearer token")
        if "anthropic-version" not in request.headers:
            return self.problem(400, "anthropic-version: header is required")
        if (request.content_length or 0) > MAX_BODY_BYTES:
            return self.problem(413, "Request exceeds the maximum size")
        return None

    async def _create(self, request: web.Request) -> web.StreamResponse:
        try:
            body, faults = await _json(request), faults_of(request)
            model = self._model(body)
            written = messages.compose(
                _id("msg"), body, model, faults, cached=self.cached, cache_write=self.cache_write
            )
        except Wrong as wrong:
            return self.problem(wrong.status, wrong.message)
        self._bill(written, body)
        fault, streams = faults.get(Effect.RUN_SECONDS), bool(body.get("stream"))
        await asyncio.sleep(fault.seconds if fault else self.run_s * (THINKING if streams else 1.0))
        if not streams:
            return _identified(answer(messages.as_json(written)))
        broken = faults.get(Effect.FAIL)
        error = (broken.message or "Overloaded") if broken else None
        events = messages.as_events(written, error=error)
        pause_s = self.run_s * (1 - THINKING) / len(events)
        return await send(request, "text/event-stream", events, identified_by="request-id", pause_s=pause_s)

    async def _list(self, _: web.Request) -> web.Response:
        data = [_card(model) for model in MODELS.values()]
        page = {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}
        return _identified(answer(page))

    async def _show(self, request: web.Request) -> web.Response:
        model = MODELS.get(request.match_info["id"])
        return (
            _identified(answer(_card(model)))
            if model
            else self.problem(404, f"model: {request.match_info['id']}")
        )

    def _model(self, body: Mapping[str, Any]) -> EmulatedClaude:
        model = MODELS.get(str(body.get("model")))
        if model is None:
            raise Wrong(f"model: {body.get('model')}", status=404)
        return model

    def _bill(self, written: messages.Written, body: Mapping[str, Any]) -> None:
        cost = written.model.cost_nanos(written.units)
        shown = {**written.units, "asked": body["messages"]}
        self._lines.append(
            InvoiceLine(
                written.id, written.model.name, "completed", cost, True, self.clock.now(), input=shown
            )
        )


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise Wrong("The request body is not valid JSON") from error
    if not isinstance(body, dict):
        raise Wrong("Input should be an object")
    return body


def _identified(response: web.Response) -> web.Response:
    response.headers["request-id"] = _id("req")
    return response


def _id(kind: str) -> str:
    return f"{kind}_{os.urandom(12).hex()}"


def _card(model: EmulatedClaude) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.name,
        "created_at": "2026-09-22T00:00:00Z",
    }


def _from_arguments(arguments: argparse.Namespace) -> Emulator:
    return AnthropicEmulator(run_s=arguments.run_seconds, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Emulates the HTTP API of Anthropic.")
    parser.add_argument("--run-seconds", type=float, default=0.5)
    run(_from_arguments, parser)
