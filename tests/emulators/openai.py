"""OpenAI's HTTP API, as its OpenAPI file and its SDK show it, without the models; also of those who speak it.

    python -m tests.emulators.openai --port 9101 --serves groq

What it would bill is at `/_emulator/invoice`. Work is billed when it is taken in, whether or not its answer
reaches anybody; a request that is refused is not billed.
"""

import argparse
import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import orjson
from aiohttp import web

from tests.emulators import openai_images as images
from tests.emulators import openai_moderation as moderation
from tests.emulators import openai_speech as speech
from tests.emulators import openai_text as text
from tests.emulators.base import Effect, Emulator, Handler, InvoiceLine, answer, run
from tests.emulators.openai_models import GROQ, OPENAI, OWN_SERVER, EmulatedModel
from tests.emulators.openai_moderation import FORBIDDEN
from tests.emulators.openai_responses import TERMINAL, Response
from tests.emulators.openai_wire import THINKING, Wrong, faults_of, problem, send

ALL_FORMATS = frozenset({"mp3", "wav", "opus", "pcm"})


class OpenAIEmulator(Emulator):
    """`run_s` is how long each call takes. `key` of None lets in anyone with a bearer token, `open_door` anyone
    at all. Calls per minute beyond `per_minute` are refused. `cached` and `cache_write` are the prompt tokens
    that the next texts find in, and leave in, the cache."""

    name: ClassVar[str] = "openai"

    def __init__(
        self,
        *,
        models: Mapping[str, EmulatedModel] = OPENAI,
        base_path: str = "/v1",
        formats: frozenset[str] = ALL_FORMATS,
        key: str | None = None,
        open_door: bool = False,
        counts_streams: bool = True,
        run_s: float = 0.0,
        queue_s: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.models = models
        self.run_s = run_s
        self.queue_s = queue_s
        self.cached = 0
        self.cache_write = 0
        self.edited: list[dict[str, Any]] = []
        self.responses: dict[str, Response] = {}
        self._base_path = base_path
        self._formats = formats
        self._key = key
        self._open_door = open_door
        self._counts_streams = counts_streams
        self._lines: list[InvoiceLine] = []

    @property
    def base_url(self) -> str:
        """What a client is given: with the path, as OPENAI_BASE_URL has it."""
        return self.url + self._base_path

    def routes(self) -> Iterable[web.RouteDef]:
        base = self._base_path
        return [
            web.post(base + "/images/generations", self._guarded(self._generate), name="generate"),
            web.post(base + "/images/edits", self._guarded(self._edit), name="edit"),
            web.post(base + "/audio/speech", self._guarded(self._speak), name="speech"),
            web.post(base + "/chat/completions", self._guarded(self._chat), name="chat"),
            web.post(base + "/responses", self._guarded(self._respond), name="respond"),
            web.get(base + "/responses/{id}", self._response, name="response"),
            web.post(base + "/responses/{id}/cancel", self._cancel, name="cancel"),
            web.post(base + "/moderations", self._guarded(self._moderate), name="moderate"),
            web.get(base + "/models", self._list, name="models"),
            web.get(base + "/models/{id:.+}", self._show, name="model"),
        ]

    def invoice(self) -> list[InvoiceLine]:
        now = self.clock.now()
        return [*self._lines, *(self._response_line(response, now) for response in self.responses.values())]

    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        return problem(status, detail, retry_after_s=retry_after_s)

    def refusal(self, request: web.Request) -> web.Response | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        known = token == self._key if self._key is not None else bool(token)
        return None if self._open_door or (kind == "Bearer" and known) else problem(401, "invalid_api_key")

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Wrong as wrong:
                return problem(wrong.status, wrong.message, code=wrong.code, param=wrong.param)

        return guarded

    # Pictures.

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        return await self._draw(request, await _json(request), 0)

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        fields, files = await images.read_form(request)
        self.edited.append({**fields, "files": files})
        pictures = sum(name in ("image", "image[]") for name in files)
        return await self._draw(request, fields, pictures)

    async def _draw(self, request: web.Request, body: Mapping[str, Any], inputs: int) -> web.StreamResponse:
        model = self._model(body, "image")
        drawing = images.read(body, model, inputs)
        if Effect.NSFW in faults_of(request) or FORBIDDEN in drawing.prompt:
            return problem(400, "moderation_blocked")
        created = self._bill(_id("img"), model, drawing.units, drawing.prompt)
        await self._work(request)
        if drawing.stream:
            return await send(request, "text/event-stream", images.as_events(drawing, created))
        return _identified(answer(images.as_json(drawing, created)))

    # Speech.

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        body = await _json(request)
        model = self._model(body, "audio")
        recording = speech.read(body, model, self._formats)
        if FORBIDDEN in recording.text:
            return problem(400, "content_policy_violation")
        self._bill(_id("aud"), model, recording.units, recording.text)
        await self._work(request)
        mime = "text/event-stream" if recording.events else speech.MIME[recording.format]
        return await send(request, mime, recording.pieces())

    # Text.

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body, faults = await _json(request), faults_of(request)
        model = self._model(body, "text")
        written = text.compose(body, model, faults, cached=self.cached, cache_write=self.cache_write)
        id_ = _id("chatcmpl")
        created = self._bill(id_, model, written.units, body["messages"])
        streams = bool(body.get("stream"))
        await self._work(request, THINKING if streams else 1.0)
        if not streams:
            return _identified(answer(text.as_json(written, model, id_, created)))
        counted = self._counts_streams and bool((body.get("stream_options") or {}).get("include_usage"))
        fault = faults.get(Effect.FAIL)
        error = (fault.message or "The server had an error.") if fault else None
        events = text.as_events(written, model, id_, created, counted=counted, error=error)
        pause_s = self.run_s * (1 - THINKING) / len(events)
        return await send(request, "text/event-stream", events, pause_s=pause_s)

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        body, faults = await _json(request), faults_of(request)
        model = self._model(body, "text")
        given = body.get("input")
        messages = given if isinstance(given, list) else [{"role": "user", "content": given}]
        written = text.compose({"messages": messages, "reasoning_effort": "none"}, model, faults)
        background = bool(body.get("background"))
        response = Response(
            id=_id("resp"),
            model=model,
            body=body,
            written=written,
            created_at=self.clock.now(),
            queue_s=self.queue_s if background else 0.0,
            run_s=self.run_s if background else 0.0,
            faults=faults,
        )
        self.responses[response.id] = response
        if not background:
            await self._work(request)
        return _identified(answer(response.as_json(self.clock.now())))

    async def _response(self, request: web.Request) -> web.Response:
        response = self.responses.get(request.match_info["id"])
        if response is None:
            return problem(404, f"Response with id '{request.match_info['id']}' not found.")
        return _identified(answer(response.as_json(self.clock.now())))

    async def _cancel(self, request: web.Request) -> web.Response:
        response = self.responses.get(request.match_info["id"])
        if response is None or not response.body.get("background"):
            return problem(404, f"No background response with id '{request.match_info['id']}'.")
        now = self.clock.now()
        if response.status(now) not in TERMINAL:
            response.canceled_at = now
        return _identified(answer(response.as_json(now)))

    # The rest.

    async def _moderate(self, request: web.Request) -> web.StreamResponse:
        """Free of charge: it is on no invoice."""
        body = await _json(request)
        model = self._model({"model": "omni-moderation-latest", **body}, "moderation")
        found = moderation.results(body.get("input"))
        return _identified(answer({"id": _id("modr"), "model": model.name, "results": found}))

    async def _list(self, _: web.Request) -> web.Response:
        return answer({"object": "list", "data": [_card(model) for model in self.models.values()]})

    async def _show(self, request: web.Request) -> web.Response:
        model = self.models.get(request.match_info["id"])
        return answer(_card(model)) if model is not None else problem(404, "model_not_found")

    def _model(self, body: Mapping[str, Any], kind: str) -> EmulatedModel:
        model = self.models.get(str(body.get("model")))
        if model is None or model.kind != kind:
            name = body.get("model")
            raise Wrong(
                f"The model '{name}' does not exist.", status=404, code="model_not_found", param="model"
            )
        return model

    async def _work(self, request: web.Request, share: float = 1.0) -> None:
        fault = faults_of(request).get(Effect.RUN_SECONDS)
        seconds = fault.seconds if fault else self.run_s * share
        if seconds:
            await asyncio.sleep(seconds)

    def _bill(self, id_: str, model: EmulatedModel, units: Mapping[str, int], asked: Any) -> int:
        """Returns the time, in whole seconds."""
        now = self.clock.now()
        cost, shown = model.cost_nanos(units), {**units, "asked": asked}
        self._lines.append(InvoiceLine(id_, model.name, "completed", cost, True, now, input=shown))
        return int(now)

    def _response_line(self, response: Response, now: float) -> InvoiceLine:
        status = response.status(now)
        cost = response.model.cost_nanos(response.units(now))
        return InvoiceLine(
            response.id, response.model.name, status, cost, status in TERMINAL, response.created_at
        )


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise Wrong("We could not parse the JSON body of your request.") from error
    if not isinstance(body, dict):
        raise Wrong("The body must be an object.")
    return body


def _identified(response: web.Response) -> web.Response:
    response.headers["x-request-id"] = _id("req")
    return response


def _id(kind: str) -> str:
    return f"{kind}-{os.urandom(12).hex()}" if kind == "chatcmpl" else f"{kind}_{os.urandom(12).hex()}"


def _card(model: EmulatedModel) -> dict[str, Any]:
    return {"id": model.name, "object": "model", "created": 1_700_000_000, "owned_by": "system"}


def groq(**options: Any) -> OpenAIEmulator:
    """Groq: another path, other models, and speech as WAV only."""
    return OpenAIEmulator(models=GROQ, base_path="/openai/v1", formats=frozenset({"wav"}), **options)


def own_server(**options: Any) -> OpenAIEmulator:
    """A server of one's own, such as Ollama: no key, no prices."""
    return OpenAIEmulator(models=OWN_SERVER, open_door=True, **options)


SERVES: dict[str, Callable[..., OpenAIEmulator]] = {"openai": OpenAIEmulator, "groq": groq, "own": own_server}


def _from_arguments(arguments: argparse.Namespace) -> Emulator:
    build = SERVES[arguments.serves]
    return build(run_s=arguments.run_seconds, host=arguments.host, port=arguments.port)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Emulates the HTTP API of OpenAI and of those who speak it.")
    parser.add_argument("--serves", choices=sorted(SERVES), default="openai")
    parser.add_argument("--run-seconds", type=float, default=0.5)
    run(_from_arguments, parser)
