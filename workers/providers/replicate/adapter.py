"""Replicate: predictions are created through its SDK, then polled, canceled and found over plain HTTP.

Where nothing proves that a prediction is ours (see `identity`), because the user chose its seed or the model
takes none, one of the same input is ours if nothing else can have made it: it belongs to no submission yet,
and no other submission of an equal request waits to be found. Else `find` says that it cannot be asked.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final
from uuid import UUID

from shared.catalog import ModelCard
from shared.errors import JobError
from shared.executor import Executor
from shared.kinds import KINDS
from shared.settings import Limits, Settings
from workers.providers.base import (
    Absent,
    Accepted,
    Answer,
    Found,
    Gone,
    Job,
    Lost,
    NotSent,
    Provider,
    Refused,
    RemoteJob,
    Request,
    Sink,
    Unaskable,
    UnreadableAnswer,
)
from workers.providers.replicate.answers import read
from workers.providers.replicate.identity import (
    UPLOADED,
    Likeness,
    draws_seed,
    likeness,
    model_input,
    nameless_files,
    sent_input,
    webhook_url,
)
from workers.providers.replicate.model import ReplicateModel
from workers.providers.replicate.models import CARDS, MODELS
from workers.providers.replicate.wire import CREATE_TIMEOUT_S, NO_ANSWER, Wire, refusal
from workers.providers.reply import Reply

PREPARE_TIMEOUT_S: Final = 15.0
"""For what comes before the paid call: handing over files, checking the version."""
LIST_FROM: Final = 20
"""From so many jobs on, one list call is cheaper than asking for each."""
LIST_HITS: Final = 10
"""A next page is read while the last one answered for at least so many."""
FIND_MARGIN: Final = timedelta(minutes=2)
"""How far Replicate's clock may be from ours."""
FIND_PAGES: Final = 60


class ReplicateProvider(Provider):
    name: ClassVar[str] = "replicate"
    limits: ClassVar[Limits] = Limits(rpm=600)
    submit_timeout_s: ClassVar[float] = PREPARE_TIMEOUT_S + CREATE_TIMEOUT_S
    lists_jobs: ClassVar[bool] = True
    find_window_s: ClassVar[float] = 90.0

    def __init__(self, token: str | None, base_url: str) -> None:
        self._token = token
        self._wire = Wire(token or "", base_url)
        self._checked: set[str] = set()

    @property
    def unavailable_reason(self) -> str | None:
        return None if self._token else "REPLICATE_API_TOKEN is not set"

    @property
    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    async def submit(self, request: Request, sink: Sink) -> Accepted:
        model = _model(request.model)
        try:
            async with asyncio.timeout(PREPARE_TIMEOUT_S):
                files = {name: await self._wire.reachable(file) for name, file in request.files.items()}
                await self._check_version(model)
        except NO_ANSWER as error:
            raise NotSent(f"not ready to ask Replicate: {error or 'timeout'}") from error
        request.confirm()
        reply = await self._wire.create(
            model,
            sent_input(request, model, files),
            cancel_after_s=request.time_limit_s,
            webhook=webhook_url(request),
        )
        if refused := refusal(reply):
            raise refused
        if reply.status not in (200, 201, 202):
            raise UnreadableAnswer(f"Replicate answered {reply.status}")
        remote_id = reply.json().get("id")
        if not isinstance(remote_id, str) or not remote_id:
            raise UnreadableAnswer("Replicate answered without an id")
        return Accepted(remote_id)

    async def _check_version(self, model: ReplicateModel) -> None:
        """Makes sure, once and free of charge, that a pinned version is still there."""
        if model.version is None or model.version in self._checked:
            return
        reply = await self._wire.ask("GET", f"/v1/models/{model.slug}/versions/{model.version}")
        if refused := refusal(reply):
            raise refused
        if reply.status != 200:
            raise NotSent(f"Replicate answered {reply.status} before anything was asked of it")
        self._checked.add(model.version)

    async def poll(self, jobs: Sequence[Job]) -> Mapping[UUID, Answer | Exception]:
        left = {job.remote_id: job for job in jobs}
        answers: dict[UUID, Answer | Exception] = {}
        if len(left) >= LIST_FROM:
            answers = await self._poll_by_list(left)
        single = await asyncio.gather(*(self._poll_one(job) for job in left.values()))
        return answers | dict(zip((job.submission_id for job in left.values()), single, strict=True))

    async def _poll_by_list(self, left: dict[str, Job]) -> dict[UUID, Answer | Exception]:
        """Answers for the jobs on the pages from the newest of them on, and takes them out of `left`. A list row
        has no logs, so no progress."""
        answers: dict[UUID, Answer | Exception] = {}
        made = [job.accepted_at for job in left.values() if job.accepted_at is not None]
        try:
            async for rows in self._pages({"created_before": max(made).isoformat()} if made else {}):
                hits = [(row, left.pop(row["id"])) for row in rows if row.get("id") in left]
                answers |= {job.submission_id: _read_or_error(row, job) for row, job in hits}
                if len(hits) < LIST_HITS or len(left) < LIST_FROM:
                    break
        except (*NO_ANSWER, Refused, UnreadableAnswer):
            # Whoever is left is asked for alone, and each such question fails for itself.
            return answers
        return answers

    async def _poll_one(self, job: Job) -> Answer | Exception:
        try:
            reply = await self._wire.ask("GET", f"/v1/predictions/{job.remote_id}")
            if reply.status == 404:
                return Gone()
            return _read_or_error(_body(reply), job)
        except (*NO_ANSWER, Refused, UnreadableAnswer) as error:
            return error

    async def cancel(self, job: Job) -> None:
        reply = await self._wire.ask("POST", f"/v1/predictions/{job.remote_id}/cancel")
        if reply.status != 404:
            _body(reply)

    async def find(self, lost: Lost) -> Found | Absent | Unaskable:
        request, model = lost.request, _model(lost.request.model)
        sent = sent_input(request, model, await self._known_files(request, model))
        window = {
            "created_after": _iso(lost, -FIND_MARGIN),
            "created_before": _iso(lost, timedelta(seconds=self.submit_timeout_s) + FIND_MARGIN),
        }
        equal: list[str] = []
        unclear = read_pages = 0
        async for rows in self._pages(window):
            for row in rows:
                if row["id"] in lost.taken:
                    continue
                match likeness(row, request, model, sent):
                    case Likeness.OURS:
                        return Found(str(row["id"]))
                    case Likeness.EQUAL:
                        equal.append(str(row["id"]))
                    case Likeness.UNCLEAR:
                        unclear += 1
            read_pages += 1
            if read_pages >= FIND_PAGES:
                raise UnreadableAnswer(f"too many predictions around {lost.intent_at} to look through")
        if len(equal) == 1 and not unclear and lost.alone:
            return Found(equal[0])
        return Unaskable() if equal or unclear else Absent()

    async def _known_files(self, request: Request, model: ReplicateModel) -> Mapping[str, str]:
        """The URLs that a create of this request has for its files, as far as they can be told again."""
        if draws_seed(request, model):
            return dict.fromkeys(request.files, UPLOADED)
        return {name: await self._wire.told_again(file) or UPLOADED for name, file in request.files.items()}

    async def recent(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[RemoteJob]]:
        window = {"created_after": since.isoformat(), "created_before": until.isoformat()}
        async for rows in self._pages(window):
            yield [_remote_job(row) for row in rows]

    async def _pages(self, params: Mapping[str, str]) -> AsyncIterator[list[dict[str, Any]]]:
        """The list of predictions, newest first, page by page."""
        body = _body(await self._wire.ask("GET", "/v1/predictions", params))
        while True:
            rows = body.get("results")
            if not isinstance(rows, list):
                raise UnreadableAnswer("a list without results")
            yield rows
            following = body.get("next")
            if not isinstance(following, str):
                return
            body = _body(await self._wire.ask("GET", following))

    async def close(self) -> None:
        await self._wire.close()


def create(settings: Settings, _: Executor) -> ReplicateProvider:
    token = settings.replicate_api_token
    return ReplicateProvider(token.get_secret_value() if token else None, settings.replicate_base_url)


def _remote_job(row: Mapping[str, Any]) -> RemoteJob:
    made_at = datetime.fromisoformat(row["created_at"])
    return RemoteJob(str(row["id"]), made_at, row.get("webhook"), row.get("model"), row.get("status"))


def _read_or_error(row: Mapping[str, Any], job: Job) -> Answer | Exception:
    try:
        model = _model(job.model)
        if not row.get("input"):
            # Removed there by now; what was billed is known from what was sent.
            files = nameless_files(KINDS[job.kind], job.input)
            row = {**row, "input": model_input(model, job.input, files)}
        return read(row, model)
    except (UnreadableAnswer, Refused) as error:
        return error


def _body(reply: Reply) -> dict[str, Any]:
    """The JSON of a 200. Raises Refused for a 4xx, UnreadableAnswer for everything else."""
    if refused := refusal(reply):
        raise refused
    if reply.status != 200:
        raise UnreadableAnswer(f"Replicate answered {reply.status}")
    return reply.json()


def _model(name: str) -> ReplicateModel:
    if name not in MODELS:
        raise Refused(JobError("PROVIDER_REJECTED", f"Replicate's {name} is not in our catalogue"))
    return MODELS[name]


def _iso(lost: Lost, shift: timedelta) -> str:
    return (lost.intent_at + shift).isoformat()


__all__ = ["ReplicateProvider", "create"]
