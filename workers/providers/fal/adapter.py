"""fal: requests are submitted to its queue through the SDK, then polled, canceled and found over plain HTTP.

A submit has no idempotency key. Where nothing proves that a request is ours (see `identity`), one of the same
input is ours if nothing else can have made it: it belongs to no submission yet, and no other submission of an
equal request waits to be found.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final
from urllib.parse import quote
from uuid import UUID

from shared.catalog import ModelCard
from shared.errors import JobError
from shared.executor import Executor
from shared.settings import Limits, Settings
from workers.providers.base import (
    Absent,
    Accepted,
    Answer,
    Found,
    Gone,
    HeldBack,
    Job,
    Lost,
    Provider,
    Refused,
    Request,
    Sink,
    Unaskable,
    UnreadableAnswer,
)
from workers.providers.fal.answers import read_result, read_status
from workers.providers.fal.identity import Likeness, likeness, sent_input
from workers.providers.fal.models import CARDS, MODELS, FalModel
from workers.providers.fal.wire import CREATE_TIMEOUT_S, NO_ANSWER, Wire, refusal
from workers.providers.reply import Reply

QUEUE_URL: Final = "https://queue.fal.run"
API_URL: Final = "https://api.fal.ai"
REQUESTS: Final = "v1/models/requests/by-endpoint"
PREPARE_TIMEOUT_S: Final = 15.0
"""For handing over files, before the paid call."""
FIND_MARGIN: Final = timedelta(minutes=2)
"""How far fal's clock may be from ours."""
FIND_PAGES: Final = 60
PAGE: Final = 100
PATIENCE_RUNS: Final = 5
PATIENCE_S: Final = 30.0
"""How long a lost request is waited for in the list, which shows what has ended: so many times as it is
expected to take, and so much on top."""


class FalProvider(Provider):
    name: ClassVar[str] = "fal"
    limits: ClassVar[Limits] = Limits(rpm=600)
    """Ten requests a second, as its FAQ says; what is more than runs at once waits in its queue."""
    submit_timeout_s: ClassVar[float] = PREPARE_TIMEOUT_S + CREATE_TIMEOUT_S
    find_window_s: ClassVar[float] = 1800.0
    """Longer than the patience with any model: that a request is not in the list never proves that it is lost."""

    def __init__(self, key: str | None, queue_url: str = QUEUE_URL) -> None:
        self._key = key
        # An address of one's own stands for the whole of fal.
        queue_url = queue_url.rstrip("/")
        self._wire = Wire(key or "", queue_url, API_URL if queue_url == QUEUE_URL else queue_url)

    @property
    def unavailable_reason(self) -> str | None:
        return None if self._key else "FAL_KEY is not set"

    @property
    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    async def submit(self, request: Request, sink: Sink) -> Accepted:
        model = _model(request.model)
        try:
            async with asyncio.timeout(PREPARE_TIMEOUT_S):
                files = {name: await self._wire.reachable(file) for name, file in request.files.items()}
        except NO_ANSWER as error:
            raise HeldBack(f"not ready to ask fal: {error or 'timeout'}") from error
        sent = sent_input(request, model, files)
        request.confirm()
        reply = await self._wire.create(
            model.endpoint_for(request.input), sent,
            start_within_s=request.time_limit_s, webhook=_reachable_callback(request),
        )  # fmt: skip
        if refused := refusal(reply):
            raise refused
        if reply.status not in (200, 201, 202):
            raise UnreadableAnswer(f"fal answered {reply.status}")
        remote_id = reply.json().get("request_id")
        if not isinstance(remote_id, str) or not remote_id:
            raise UnreadableAnswer("fal answered without an id")
        return Accepted(remote_id)

    async def poll(self, jobs: Sequence[Job]) -> Mapping[UUID, Answer | Exception]:
        """One question for each, a few at a time: the queue has no list."""
        answers = await asyncio.gather(*(self._poll_one(job) for job in jobs))
        return dict(zip((job.submission_id for job in jobs), answers, strict=True))

    async def _poll_one(self, job: Job) -> Answer | Exception:
        try:
            model, path = _model(job.model), _path(job)
            reply = await self._wire.ask("GET", f"{path}/status?logs=1")
            if reply.status == 404:
                return Gone()
            status = _body(reply)
            pending = read_status(status)
            if pending is not None:
                return pending
            return read_result(await self._wire.ask("GET", path), status, model, job.input)
        except (*NO_ANSWER, Refused, UnreadableAnswer) as error:
            return error

    async def cancel(self, job: Job) -> None:
        """In the queue it is removed; while it runs, its model decides whether it stops."""
        reply = await self._wire.ask("PUT", f"{_path(job)}/cancel")
        if reply.json().get("status") not in (
            "OK", "CANCELLATION_REQUESTED", "ALREADY_COMPLETED", "NOT_FOUND",
        ):  # fmt: skip
            raise refusal(reply) or UnreadableAnswer(f"fal answered {reply.status} to a cancel")

    async def find(self, lost: Lost) -> Found | Absent | Unaskable:
        model = _model(lost.request.model)
        equal: list[str] = []
        unclear = 0
        async for row in self._rows(lost, model):
            request_id = row.get("request_id")
            if not isinstance(request_id, str) or request_id in lost.taken:
                continue
            match likeness(row, lost.request, model):
                case Likeness.OURS:
                    return Found(request_id)
                case Likeness.EQUAL:
                    equal.append(request_id)
                case Likeness.UNCLEAR:
                    unclear += 1
        if len(equal) == 1 and not unclear and lost.alone:
            return Found(equal[0])
        if equal or unclear:
            return Unaskable()
        # It may still wait or run, unseen; after a while it is not for us to say whether it ever came.
        patience = timedelta(seconds=PATIENCE_S + PATIENCE_RUNS * model.card.expected_s)
        return Absent() if datetime.now(UTC) < lost.intent_at + patience else Unaskable()

    async def _rows(self, lost: Lost, model: FalModel) -> AsyncIterator[dict[str, Any]]:
        """The requests to the model's endpoint that were sent around the intent, page by page."""
        first = lost.intent_at - FIND_MARGIN
        last = lost.intent_at + timedelta(seconds=self.submit_timeout_s) + FIND_MARGIN
        query = {
            "endpoint_id": model.endpoint_for(lost.request.input),
            "start": first.isoformat(),
            "expand": "payloads",
            "limit": str(PAGE),
        }
        for _ in range(FIND_PAGES):
            body = _body(await self._wire.ask_platform(REQUESTS, query))
            items = body.get("items")
            if not isinstance(items, list):
                raise UnreadableAnswer("a list without items")
            for row in items:
                if first <= _moment(row.get("sent_at"), lost.intent_at) <= last:
                    yield row
            if not body.get("has_more") or not isinstance(body.get("next_cursor"), str):
                return
            query["cursor"] = body["next_cursor"]
        raise UnreadableAnswer(f"too many requests since {first} to look through")

    async def close(self) -> None:
        await self._wire.close()


def create(settings: Settings, _: Executor) -> FalProvider:
    key = settings.fal_key
    return FalProvider(key.get_secret_value() if key else None, settings.fal_queue_url)


def _reachable_callback(request: Request) -> str | None:
    """The callback, if it is one that nobody can listen to."""
    url = request.callback_url
    return url if url is not None and url.startswith("https://") else None


def _path(job: Job) -> str:
    """Where a request is asked about: at its app, without the rest of the endpoint, so that the id suffices."""
    return f"{_model(job.model).app}/requests/{quote(job.remote_id, safe='')}"


def _body(reply: Reply) -> dict[str, Any]:
    """The JSON of a 200 or 202. Raises Refused for a 4xx, UnreadableAnswer for everything else."""
    if refused := refusal(reply):
        raise refused
    if reply.status not in (200, 202):
        raise UnreadableAnswer(f"fal answered {reply.status}")
    return reply.json()


def _model(name: str) -> FalModel:
    if name not in MODELS:
        raise Refused(JobError("PROVIDER_REJECTED", f"fal's {name} is not in our catalogue"))
    return MODELS[name]


def _moment(text: object, default: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else default
    except ValueError:
        return default
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


__all__ = ["FalProvider", "create"]
