"""Replicate's HTTP API as its OpenAPI file and recorded traffic show it, without the GPUs.

    python -m tests.emulators.replicate --port 9100 --run-seconds 2

What it would bill is at `/_emulator/invoice`. Billing: official models for their output, so nothing unless
they succeed; community models for the seconds that they ran, however that ended; nothing for a prediction
that never started (`aborted`, or canceled in time).
"""

import argparse
import asyncio
import base64
import contextlib
import hashlib
import math
import os
import re
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import orjson
from aiohttp import web

from tests.emulators.base import FAULTS, Allowance, Effect, Emulator, Fault, InvoiceLine, answer, run
from tests.emulators.replicate_files import TooLarge, Uploads, deliver
from tests.emulators.replicate_model import EmulatedModel
from tests.emulators.replicate_models import BY_SLUG, BY_VERSION
from tests.emulators.replicate_predictions import TERMINAL, Prediction
from tests.emulators.webhooks import WebhookSender

PAGE = 100
WEBHOOK_EVENTS = frozenset({"start", "output", "logs", "completed"})

_HALF_A_MICROSECOND = 5e-7
_PREFER = re.compile(r"^wait(?:=([1-9]|[1-5][0-9]|60))?$")
_DURATION = re.compile(r"^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$")


class ReplicateEmulator(Emulator):
    """`run_s` and `queue_s` are how long a prediction runs and how long it waits before that, unless a fault
    says otherwise. `token` of None lets in any bearer token that begins with `r8_`. Webhooks to hosts other
    than the loopback go to `webhooks_to`, if anywhere; with `shows_webhooks` the API shows where they go."""

    name: ClassVar[str] = "replicate"

    def __init__(
        self,
        *,
        run_s: float = 0.05,
        queue_s: float = 0.0,
        retention_s: float = 3600.0,
        token: str | None = None,
        creates_per_minute: int | None = None,
        least_cancel_after_s: int = 5,
        webhooks_to: str | None = None,
        webhook_secret: str | None = None,
        shows_webhooks: bool = True,
        deployments: dict[str, str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self.run_s = run_s
        self.queue_s = queue_s
        self.retention_s = retention_s
        self.predictions: dict[str, Prediction] = {}
        self.uploads = Uploads()
        self.webhooks = WebhookSender(webhooks_to, webhook_secret)
        self._shows_webhooks = shows_webhooks
        self._token = token
        self._creates = Allowance(creates_per_minute, 600)
        self._least_cancel_after_s = least_cancel_after_s
        self._deployments = deployments or {"acme/sdxl": "stability-ai/sdxl"}
        self._order: list[Prediction] = []
        self._changes: dict[str, asyncio.Event] = {}
        self._watchers: set[asyncio.Task[None]] = set()

    def routes(self) -> Iterable[web.RouteDef]:
        model = "/v1/models/{owner}/{name}"
        return [
            web.post("/v1/predictions", self._create, name="create"),
            web.post(model + "/predictions", self._create_by_model),
            web.post("/v1/deployments/{owner}/{name}/predictions", self._create_by_deployment),
            web.get("/v1/predictions", self._list, name="list"),
            web.get("/v1/predictions/{id}", self._get, name="get"),
            web.post("/v1/predictions/{id}/cancel", self._cancel, name="cancel"),
            web.get(model, self._model, name="model"),
            web.get(model + "/versions/{version}", self._version, name="version"),
            web.get("/v1/account", self._account, name="account"),
            web.post("/v1/files", self._upload, name="upload"),
            web.get("/v1/files/{id}", self._uploaded, name="uploaded"),
            web.get("/v1/webhooks/default/secret", self._secret, name="secret"),
            web.get("/delivery/{id}/{file}", self._deliver, name="file"),
        ]

    def operation(self, request: web.Request) -> str:
        """All three ways to create a prediction are one operation."""
        if request.method == "POST" and request.path.endswith("/predictions"):
            return "create"
        return super().operation(request)

    def invoice(self) -> list[InvoiceLine]:
        now = self.clock.now()
        return [prediction.bill(now) for prediction in self._order]

    def problem(self, status: int, detail: str, *, retry_after_s: float | None = None) -> web.Response:
        body: dict[str, Any] = {"detail": detail, "status": status}
        if status == 401:
            body["title"] = "Unauthenticated"
        if retry_after_s is not None:
            body["retry_after"] = retry_after_s
        return answer(body, status, "application/problem+json")

    def refusal(self, request: web.Request) -> web.Response | None:
        if not request.path.startswith("/v1/"):
            return None
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        known = token == self._token if self._token is not None else token.startswith("r8_")
        if kind not in ("Bearer", "Token") or not known:
            return self.problem(401, "You did not pass a valid authentication token")
        if self.operation(request) != "create":
            return None
        wait_s = self._creates.take()
        if wait_s is None:
            return None
        detail = f"Request was throttled. Your rate limit resets in ~{math.ceil(wait_s)}s."
        refused = self.problem(429, detail, retry_after_s=math.ceil(wait_s))
        refused.headers["Retry-After"] = str(math.ceil(wait_s))
        return refused

    async def advance(self, seconds: float) -> None:
        await super().advance(seconds)
        for change in tuple(self._changes.values()):
            change.set()

    async def close(self) -> None:
        for task in tuple(self._watchers):
            task.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await self.webhooks.close()

    # Predictions.

    async def _create(self, request: web.Request) -> web.Response:
        """By version: 64 hex digits, `owner/name:version`, or `owner/name` of an official model."""
        body = await self._read_json(request)
        named = body.get("version") if body is not None else None
        if body is None or not isinstance(named, str):
            return self._invalid([("version", "version is required")])
        slug, _, version = named.rpartition(":") if ":" in named else ("", "", named)
        model = BY_VERSION.get(version) or BY_SLUG.get(version)
        if model is None or slug not in ("", model.slug) or ("/" in version and not model.official):
            return self._bad_version()
        return await self._start(request, body, model, "hidden" if model.official else version)

    async def _create_by_model(self, request: web.Request) -> web.Response:
        model = BY_SLUG.get("{owner}/{name}".format(**request.match_info))
        if model is None or not model.official:
            return self.problem(404, "The requested resource could not be found.")
        return await self._start(request, await self._read_json(request), model, "hidden")

    async def _create_by_deployment(self, request: web.Request) -> web.Response:
        name = "{owner}/{name}".format(**request.match_info)
        model = BY_SLUG.get(self._deployments.get(name, ""))
        if model is None:
            return self.problem(404, "The requested resource could not be found.")
        body = await self._read_json(request)
        return await self._start(request, body, model, model.version or "hidden", deployment=name)

    async def _start(
        self,
        request: web.Request,
        body: dict[str, Any] | None,
        model: EmulatedModel,
        version: str,
        deployment: str | None = None,
    ) -> web.Response:
        wrong = self._complaints(body, model)
        cancel_after_s = duration_s(request.headers.get("Cancel-After"))
        if cancel_after_s is not None and cancel_after_s < self._least_cancel_after_s:
            wrong.append(("Cancel-After", f"at least {self._least_cancel_after_s} seconds"))
        prefer = request.headers.get("Prefer")
        waits = _PREFER.match(prefer) if prefer is not None else None
        if prefer is not None and waits is None:
            wrong.append(("Prefer", "must be wait or wait=1 to 60"))
        if wrong or body is None:
            return self._invalid(wrong)
        now = self.clock.now()
        faults: dict[Effect, Fault] = request[FAULTS]
        prediction = Prediction(
            id=new_id(),
            model=model,
            version=version,
            input=body["input"],
            created_at=now,
            queue_s=self.queue_s,
            run_s=self.run_s,
            retention_s=self.retention_s,
            deadline=None if cancel_after_s is None else now + cancel_after_s,
            webhook=body.get("webhook"),
            webhook_events=frozenset(body.get("webhook_events_filter") or ("output", "completed")),
            shows_webhook=self._shows_webhooks,
            deployment=deployment,
            faults=faults,
        )
        self._take_in(prediction)
        if waits is not None:
            return await self._wait(prediction, prefer or "", int(waits[1] or 60))
        return self._limited(answer(prediction.as_json(now, self.url), 201), self._creates.remaining)

    def _take_in(self, prediction: Prediction) -> None:
        self.predictions[prediction.id] = prediction
        self._order.append(prediction)
        if prediction.webhook is not None and Effect.WEBHOOK_LOST not in prediction.faults:
            self._changes[prediction.id] = asyncio.Event()
            watcher = asyncio.create_task(self._watch(prediction))
            self._watchers.add(watcher)
            watcher.add_done_callback(self._watchers.discard)

    async def _wait(self, prediction: Prediction, prefer: str, wait_s: int) -> web.Response:
        """A prediction that ends while the caller waits is answered as recorded: still "processing", but with
        its output."""
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            if prediction.state(self.clock.now()).status in TERMINAL:
                break
            await asyncio.sleep(0.01)
        body = prediction.as_json(self.clock.now(), self.url)
        done = body["status"] in TERMINAL
        if body["status"] == "succeeded":
            body = {**body, "status": "processing"}
            del body["metrics"], body["completed_at"]
        response = self._limited(answer(body, 201 if done else 202), self._creates.remaining)
        response.headers["Preference-Applied"] = prefer
        return response

    def _complaints(self, body: dict[str, Any] | None, model: EmulatedModel) -> list[tuple[str, str]]:
        if body is None or not isinstance(body.get("input"), dict):
            return [("input", "input is required")]
        wrong = [(f"input.{name}", message) for name, message in model.complaints(body["input"])]
        known = {"input", "version", "webhook", "webhook_events_filter", "stream"}
        wrong += [(name, "Additional property is not allowed") for name in body if name not in known]
        if not set(body.get("webhook_events_filter") or ()) <= WEBHOOK_EVENTS:
            wrong.append(("webhook_events_filter", "must be start, output, logs or completed"))
        webhook = body.get("webhook")
        # Webhooks to the loopback may be plain HTTP here, which the real service could not reach at all.
        if webhook is not None and not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", webhook):
            wrong.append(("webhook", "must be an HTTPS URL"))
        return wrong

    async def _get(self, request: web.Request) -> web.Response:
        prediction = self.predictions.get(request.match_info["id"])
        if prediction is None:
            return self.problem(404, "The requested resource could not be found.")
        return self._limited(answer(prediction.as_json(self.clock.now(), self.url)), 59_999)

    async def _cancel(self, request: web.Request) -> web.Response:
        prediction = self.predictions.get(request.match_info["id"])
        if prediction is None:
            return self.problem(404, "The requested resource could not be found.")
        now = self.clock.now()
        if prediction.state(now).status not in TERMINAL:
            prediction.canceled_at = now
            if change := self._changes.get(prediction.id):
                change.set()
        return self._limited(answer(prediction.as_json(now, self.url)), 2_999)

    async def _list(self, request: web.Request) -> web.Response:
        """Newest first, 100 rows a page; `cursor` is the place in the order of creation to go on below."""
        now, query = self.clock.now(), request.query
        after = _moment(query.get("created_after"), -math.inf) - _HALF_A_MICROSECOND
        before = _moment(query.get("created_before"), math.inf) - _HALF_A_MICROSECOND
        place = int(base64.urlsafe_b64decode(query["cursor"])) if "cursor" in query else len(self._order)
        rows: list[dict[str, Any]] = []
        while place > 0 and len(rows) < PAGE:
            place -= 1
            prediction = self._order[place]
            if prediction.created_at < after:
                place = 0
            elif prediction.created_at < before and prediction.listed(now):
                rows.append(prediction.as_json(now, self.url, row=True))
        following = None
        if place > 0:
            cursor = base64.urlsafe_b64encode(str(place).encode()).decode()
            following = str(request.url.with_query({**query, "cursor": cursor}))
        body = {"previous": None, "next": following, "results": rows}
        return self._limited(answer(body), 2_999)

    async def _watch(self, prediction: Prediction) -> None:
        """Sends a prediction's webhooks as its state changes."""
        change, told = self._changes[prediction.id], "starting"
        while told not in TERMINAL:
            now = self.clock.now()
            state = prediction.state(now)
            if state.status != told:
                if told == "starting" and state.started_at is not None:
                    self._tell(prediction, "start")
                if state.status in TERMINAL:
                    if state.status == "succeeded":
                        self._tell(prediction, "output")
                    self._tell(prediction, "completed")
                elif prediction.model.logs:
                    self._tell(prediction, "logs")
                told = state.status
                continue
            wait_s = prediction.next_change(now) - now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(change.wait(), None if math.isinf(wait_s) else wait_s + 0.001)
            change.clear()
        del self._changes[prediction.id]

    def _tell(self, prediction: Prediction, event: str) -> None:
        if prediction.webhook is None or event not in prediction.webhook_events:
            return
        payload = orjson.dumps(prediction.as_json(self.clock.now(), self.url))
        copies = 2 if Effect.WEBHOOK_TWICE in prediction.faults else 1
        self.webhooks.send(prediction.webhook, event, payload, copies=copies)

    # Models, files, webhooks.

    async def _model(self, request: web.Request) -> web.Response:
        model = BY_SLUG.get("{owner}/{name}".format(**request.match_info))
        if model is None:
            return self.problem(404, "The requested resource could not be found.")
        version = model.version or hashlib.sha256(model.slug.encode()).hexdigest()
        body = {
            "url": f"https://replicate.com/{model.slug}",
            **request.match_info,
            "description": f"An emulation of {model.slug}",
            "visibility": "public",
            "is_official": model.official,
            "github_url": None,
            "paper_url": None,
            "license_url": None,
            "run_count": sum(prediction.model is model for prediction in self._order),
            "cover_image_url": None,
            "default_example": None,
            "latest_version": self._version_json(model, version),
        }
        return self._limited(answer(body), 2_999)

    async def _version(self, request: web.Request) -> web.Response:
        model = BY_VERSION.get(request.match_info["version"])
        if model is None or model.slug != "{owner}/{name}".format(**request.match_info):
            return self.problem(404, "The requested resource could not be found.")
        return self._limited(answer(self._version_json(model, request.match_info["version"])), 2_999)

    def _version_json(self, model: EmulatedModel, version: str) -> dict[str, Any]:
        uri = {"type": "string", "format": "uri"}
        output = {"type": "array", "items": uri} if model.as_list else uri
        schemas = {"Input": model.input_schema, "Output": {"title": "Output", **output}}
        return {
            "id": version,
            "created_at": "2025-09-01T00:00:00.000000Z",
            "cog_version": "0.16.0",
            "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": schemas}},
        }

    async def _upload(self, request: web.Request) -> web.Response:
        try:
            card = await self.uploads.take(request, new_id(), self.clock.now(), self.url)
        except TooLarge:
            return self.problem(413, "Files must be less than 100MB in size")
        if card is None:
            return self._invalid([("content", "content is required")])
        return self._limited(answer(card, 201), 2_999)

    async def _uploaded(self, request: web.Request) -> web.Response:
        card = self.uploads.card(request.match_info["id"], self.clock.now())
        if card is None:
            return self.problem(404, "File not found")
        return self._limited(answer(card), 2_999)

    async def _account(self, _: web.Request) -> web.Response:
        return answer({"type": "organization", "username": "acme", "name": "Acme", "github_url": None})

    async def _secret(self, _: web.Request) -> web.Response:
        return answer({"key": self.webhooks.secret})

    async def _deliver(self, request: web.Request) -> web.StreamResponse:
        """An output file, as replicate.delivery serves it: without authentication, until it is removed."""
        prediction = self.predictions.get(request.match_info["id"])
        now = self.clock.now()
        if prediction is None or prediction.state(now).status != "succeeded" or prediction.data_removed(now):
            return self.problem(404, "Not Found")
        met: dict[Effect, Fault] = request[FAULTS]
        faults = {**prediction.faults, **met}
        file = await deliver(request, prediction, request.match_info["file"], faults)
        return file if file is not None else self.problem(404, "Not Found")

    # Answers.

    async def _read_json(self, request: web.Request) -> dict[str, Any] | None:
        try:
            body = orjson.loads(await request.read())
        except orjson.JSONDecodeError:
            return None
        return body if isinstance(body, dict) else None

    def _bad_version(self) -> web.Response:
        body = {
            "title": "Invalid version or not permitted",
            "detail": "The specified version does not exist (or perhaps you don't have permission to use it?)",
            "status": 422,
        }
        return answer(body, 422, "application/problem+json")

    def _invalid(self, wrong: list[tuple[str, str]]) -> web.Response:
        lines = "".join(f"- {name}: {message}\n" for name, message in wrong)
        body = {
            "title": "Input validation failed",
            "detail": lines,
            "status": 422,
            "invalid_fields": [
                {"type": "required", "field": name, "description": message} for name, message in wrong
            ],
        }
        return answer(body, 422, "application/problem+json")

    def _limited(self, response: web.Response, remaining: int) -> web.Response:
        response.headers["ratelimit-remaining"] = str(remaining)
        response.headers["ratelimit-reset"] = "1"
        return response


def duration_s(text: str | None) -> int | None:
    """Seconds of `90`, `90s`, `5m` or `1h30m45s`; 0 for what is none of these."""
    if text is None:
        return None
    match = _DURATION.match(text)
    if match is None or not text:
        return 0
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def new_id() -> str:
    """26 characters of base 32, as Replicate's are."""
    return base64.b32encode(os.urandom(16)).decode().rstrip("=").lower()


def _moment(text: str | None, default: float) -> float:
    return datetime.fromisoformat(text).timestamp() if text else default


def _from_arguments(arguments: argparse.Namespace) -> Emulator:
    return ReplicateEmulator(
        run_s=arguments.run_seconds,
        queue_s=arguments.queue_seconds,
        token=arguments.token,
        webhooks_to=arguments.webhooks_to,
        webhook_secret=arguments.webhook_secret,
        host=arguments.host,
        port=arguments.port,
        seed=arguments.seed,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Emulates Replicate's HTTP API.")
    parser.add_argument("--run-seconds", type=float, default=0.05)
    parser.add_argument("--queue-seconds", type=float, default=0.0)
    parser.add_argument("--token", help="the only token to let in; any that begins with r8_ by default")
    parser.add_argument("--webhooks-to", help="origin that receives webhooks meant for other hosts")
    parser.add_argument("--webhook-secret", help="what signs webhooks; drawn by default")
    parser.add_argument("--seed", type=int, default=0, help="of the chances in the scripted faults")
    run(_from_arguments, parser)
