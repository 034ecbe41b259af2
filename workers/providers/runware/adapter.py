"""Runware: a task is submitted over its SDK's websocket under an id of ours, and asked about by that id.

The id is made of the submission's, and Runware takes each once only. So whatever is lost on the way, an answer,
a connection or a worker, the task is found again under its id, and no call for it can be billed twice.
"""

import time
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Any, ClassVar, Final
from uuid import UUID

from runware import IImageInference

from shared.catalog import ModelCard
from shared.errors import JobError
from shared.executor import Executor
from shared.settings import Settings
from workers.providers.base import (
    Absent,
    Accepted,
    Answer,
    Found,
    Gone,
    Job,
    Lost,
    Provider,
    Refused,
    Request,
    Sink,
    UnreadableAnswer,
)
from workers.providers.runware.answers import Item, read
from workers.providers.runware.models import CARDS, MODELS, RunwareModel
from workers.providers.runware.wire import (
    CONNECT_TIMEOUT_S,
    FILE_TIMEOUT_S,
    NO_ANSWER,
    SUBMIT_TIMEOUT_S,
    Told,
    Wire,
)

PER_QUESTION: Final = 50
"""Tasks that one question is asked about."""
STRANGER_S: Final = 60.0
"""A task that is younger and unknown may not have reached those who are asked yet."""
STRENGTH: Final = 0.8
"""How far the result may leave the picture that it starts from."""


class RunwareProvider(Provider):
    name: ClassVar[str] = "runware"
    submit_timeout_s: ClassVar[float] = FILE_TIMEOUT_S + CONNECT_TIMEOUT_S + SUBMIT_TIMEOUT_S
    find_window_s: ClassVar[float] = STRANGER_S

    def __init__(self, api_key: str | None, url: str) -> None:
        self._api_key = api_key
        self._wire = Wire(api_key or "", url)

    @property
    def unavailable_reason(self) -> str | None:
        return None if self._api_key else "RUNWARE_API_KEY is not set"

    @property
    def cards(self) -> Sequence[ModelCard]:
        return CARDS

    async def submit(self, request: Request, sink: Sink) -> Accepted:
        model = _model(request.model)
        task = model.task(request.input)
        if (file := request.files.get("image")) is not None:
            task |= _led_by(model, await self._wire.reachable(file))
        task_id = task_id_of(request.submission_id)
        inference = IImageInference(
            taskUUID=task_id, deliveryMethod="async", outputType="URL", includeCost=True, **task
        )
        await self._wire.submit(inference, request.confirm)
        return Accepted(task_id)

    async def poll(self, jobs: Sequence[Job]) -> Mapping[UUID, Answer | Exception]:
        answers: dict[UUID, Answer | Exception] = {}
        for some in batched(jobs, PER_QUESTION):
            answers |= await self._poll_some(some)
        return answers

    async def _poll_some(self, jobs: Sequence[Job]) -> dict[UUID, Answer | Exception]:
        """Tasks that work or have ended lately are asked for together; older ones by their record."""
        answers, strangers = await self._asked("getResponse", jobs)
        if strangers:
            recorded, unknown = await self._asked("getTaskDetails", strangers)
            answers |= recorded | {job.submission_id: _unknown(job) for job in unknown}
        return answers

    async def _asked(
        self, task_type: str, jobs: Sequence[Job]
    ) -> tuple[dict[UUID, Answer | Exception], list[Job]]:
        """What is known of each, and the jobs that Runware does not know."""
        try:
            told = await self._wire.ask(task_type, [job.remote_id for job in jobs])
        except (*NO_ANSWER, Refused, UnreadableAnswer) as error:
            return {job.submission_id: error for job in jobs}, []
        answers: dict[UUID, Answer | Exception] = {}
        strangers = []
        for job in jobs:
            try:
                answer = _read(job, told)
            except (Refused, UnreadableAnswer) as error:
                answers[job.submission_id] = error
                continue
            if answer is None:
                strangers.append(job)
            else:
                answers[job.submission_id] = answer
        return answers, strangers

    async def cancel(self, job: Job) -> None:
        """Runware has no cancel: the pictures are made and billed, and their final word is awaited."""

    async def find(self, lost: Lost) -> Found | Absent:
        request = lost.request
        task_id = task_id_of(request.submission_id)
        job = Job(request.submission_id, task_id, request.kind, request.model, request.input)
        for task_type in ("getResponse", "getTaskDetails"):
            told = await self._wire.ask(task_type, [task_id])
            if told.results.get(task_id) or _read(job, told) is not None:
                return Found(task_id)
        return Absent()

    async def close(self) -> None:
        await self._wire.close()


def create(settings: Settings, _: Executor) -> RunwareProvider:
    key = settings.runware_api_key
    return RunwareProvider(key.get_secret_value() if key else None, settings.runware_url)


def task_id_of(submission_id: UUID) -> str:
    """The submission's id as the UUID of version 4 that Runware asks for."""
    return str(UUID(int=submission_id.int, version=4))


def _read(job: Job, told: Told) -> Answer | None:
    """What Runware says of one task, now or in its record. Raises Refused and UnreadableAnswer."""
    results, errors = list(told.results.get(job.remote_id, ())), list(told.errors.get(job.remote_id, ()))
    for record in [item for item in results if item.get("taskType") == "getTaskDetails"]:
        results.remove(record)
        kept = record.get("response")
        if isinstance(kept, dict):
            results += _items(kept.get("data"))
            errors += [{**error, "status": "error"} for error in _items(kept.get("errors"))]
    return read(job, _model(job.model), results, errors)


def _items(value: Any) -> list[Item]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _unknown(job: Job) -> Answer | Exception:
    """A task that nobody knows is gone, unless it was submitted a moment ago: a UUIDv7 says when."""
    age_s = time.time() - (job.submission_id.int >> 80) / 1000
    return Gone() if age_s > STRANGER_S else UnreadableAnswer("Runware does not know the task yet")


def _led_by(model: RunwareModel, url: str) -> dict[str, Any]:
    if model.image_as == "seedImage":
        return {"seedImage": url, "strength": STRENGTH}
    if model.image_as == "referenceImages":
        return {"inputs": {"referenceImages": [url]}}
    raise Refused(JobError("PROVIDER_REJECTED", f"{model.card.label} takes no picture"))


def _model(name: str) -> RunwareModel:
    if name not in MODELS:
        raise Refused(JobError("PROVIDER_REJECTED", f"Runware's {name} is not in our catalogue"))
    return MODELS[name]


__all__ = ["RunwareProvider", "create", "task_id_of"]
