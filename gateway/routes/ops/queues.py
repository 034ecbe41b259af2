"""Queues: how they do, and letting them rest, run, drain and be emptied."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from gateway.actors import actor_of
from gateway.http import Answer, Body, Query, Reply, Request, operation, reply
from gateway.instants import Instant
from gateway.resources import Resource
from gateway.routes.ops.desk import PREFIX, TAG, polled, queue_of
from shared.domains.accounts import Role, Scope
from shared.domains.ops import purges, queues
from shared.domains.ops.queues import Rest, desired_workers, state_of
from shared.errors import InvalidInput, NotFound


class Depth(Resource):
    due: int = Field(description="Wait for a slot.")
    later: int = Field(description="Queue, but not yet: backing off, or waiting for a provider's limits.")
    running: int = Field(description="Are being submitted or stored, in a worker's slot.")
    waiting: int = Field(description="Wait at their provider, in nobody's slot.")


class Percentiles(Resource):
    p50_s: float | None
    p95_s: float | None


class Rate(Resource):
    accepted_per_min: float
    finished_per_min: float


class Pause(Resource):
    mode: Literal["pause", "drain"]
    until: datetime | None
    reason: str | None
    by: str | None
    at: datetime


class Slots(Resource):
    total: int
    busy: int
    quiet: int = Field(description="Of workers that are quiet; not in `total`.")


class QueueResource(Resource):
    id: str
    object: Literal["queue"]
    state: Literal["running", "paused", "draining", "drained"]
    depth: Depth
    oldest_s: float = Field(
        description="How long the one that queues longest has been queuing; 0 when none does."
    )
    wait: Percentiles = Field(description="From admission to the first paid call, of the last hour's.")
    run: Percentiles = Field(
        description="From the first paid call to completion, of those completed in the last hour."
    )
    rate: Rate = Field(description="Of the last five minutes.")
    pause: Pause | None
    slots: Slots
    workers: int
    desired_workers: int = Field(description="Processes that would take on at once all that is due.")


class QueueList(Resource):
    data: list[QueueResource]


class Series(Resource):
    kind: str
    accepted: list[int]
    completed: list[int]
    failed: list[int]
    canceled: list[int]
    expired: list[int]


class Throughput(Resource):
    """Counts by minute, oldest first; the last minute has only begun."""

    start: datetime
    step_s: int
    minutes: int
    data: list[Series]


class QueueDetail(QueueResource):
    throughput: Throughput = Field(description="Of the last hour.")
    purgeable: int = Field(description="How many a purge would cancel.")


class ThroughputQuery(Query):
    minutes: int = Field(60, ge=1, le=180)


class PauseRequest(Body):
    until: Instant | None = Field(None, strict=False, description="It resumes by itself then.")
    reason: str | None = Field(None, max_length=300)


class DrainRequest(Body):
    reason: str | None = Field(None, max_length=300)


@operation(
    "GET",
    f"{PREFIX}/queues",
    tag=TAG,
    summary="List queues",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(
        Answer(200, "Every kind's queue", QueueList, headers=("ETag",)),
        Answer(304, "Unchanged since the ETag in If-None-Match"),
    ),
    parameters=("If-None-Match",),
)
async def list_queues(request: Request[None, None]) -> Reply:
    """How deep they are, how old, how fast, and whether they rest. At most a second old."""
    rows = await request.deps.board.queues(request.account_id)
    return polled(request, {"data": [_queue(request, row) for row in rows]})


@operation(
    "GET",
    f"{PREFIX}/throughput",
    tag=TAG,
    summary="See what was accepted and what ended, by minute",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(
        Answer(200, "A series for each kind", Throughput, headers=("ETag",)),
        Answer(304, "Unchanged since the ETag in If-None-Match"),
    ),
    errors=(InvalidInput,),
    parameters=("If-None-Match",),
)
async def get_throughput(request: Request[None, ThroughputQuery]) -> Reply:
    """At most five seconds old."""
    return polled(request, await request.deps.board.throughput(request.account_id, request.query.minutes))


@operation(
    "GET",
    f"{PREFIX}/queues/{{queue}}",
    tag=TAG,
    summary="Get a queue",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(Answer(200, "The queue with its last hour", QueueDetail),),
    errors=(NotFound,),
)
async def get_queue(request: Request[None, None]) -> Reply:
    """A queue is named after its kind."""
    kind, deps = queue_of(request), request.deps
    (row,) = [row for row in await deps.board.queues(request.account_id) if row["kind"] == kind]
    hour = await deps.board.throughput(request.account_id, 60)
    mine = {**hour, "data": [series for series in hour["data"] if series["kind"] == kind]}
    purgeable = await purges.purgeable(deps.db, request.account_id, kind)
    return reply({**_queue(request, row), "throughput": mine, "purgeable": purgeable})


@operation(
    "POST",
    f"{PREFIX}/queues/{{queue}}/pause",
    tag=TAG,
    summary="Pause a queue",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "The queue", QueueResource),),
    errors=(NotFound, InvalidInput),
    example={"reason": "the provider is in trouble"},
)
async def pause_queue(request: Request[PauseRequest, None]) -> Reply:
    """No paid call of this kind is begun any more, at once and everywhere; requests are still accepted and queue.
    What waits at a provider is polled, stored and settled all the same. Single jobs can be run meanwhile (`run-now`).
    """
    kind, asked = queue_of(request), request.body
    if asked.until is not None and asked.until <= datetime.now(UTC):
        raise InvalidInput("That time is over.", field="until", status=422)
    await queues.rest(request.deps.db, actor_of(request), kind, Rest.PAUSE, asked.until, asked.reason)
    return await _now(request, kind)


@operation(
    "POST",
    f"{PREFIX}/queues/{{queue}}/drain",
    tag=TAG,
    summary="Drain a queue",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "The queue", QueueResource),),
    errors=(NotFound, InvalidInput),
)
async def drain_queue(request: Request[DrainRequest, None]) -> Reply:
    """Begins nothing new, like a pause, but carries what was begun to its end, further attempts and fallbacks
    included. `state` is `drained` once nothing is left. It stays so until somebody resumes the queue.
    """
    kind = queue_of(request)
    await queues.rest(request.deps.db, actor_of(request), kind, Rest.DRAIN, reason=request.body.reason)
    return await _now(request, kind)


@operation(
    "POST",
    f"{PREFIX}/queues/{{queue}}/resume",
    tag=TAG,
    summary="Resume a queue",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "The queue", QueueResource),),
    errors=(NotFound,),
)
async def resume_queue(request: Request[None, None]) -> Reply:
    """Ends a pause or a drain. Harmless when it runs."""
    kind = queue_of(request)
    await queues.resume(request.deps.db, actor_of(request), kind, request.deps.bell)
    return await _now(request, kind)


async def _now(request: Request[Any, Any], kind: str) -> Reply:
    request.deps.board.forget()
    rows = await request.deps.board.queues(request.account_id)
    return reply(next(_queue(request, row) for row in rows if row["kind"] == kind))


def _queue(request: Request[Any, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    pause = {
        "mode": row["mode"], "until": row["paused_until"], "reason": row["reason"], "by": row["changed_by"],
        "at": row["changed_at"],
    }  # fmt: skip
    return {
        "id": row["kind"],
        "object": "queue",
        "state": state_of(row),
        "depth": {name: row[name] for name in ("due", "later", "running", "waiting")},
        "oldest_s": round(row["oldest_s"], 1),
        "wait": {"p50_s": _tenths(row["wait_p50_s"]), "p95_s": _tenths(row["wait_p95_s"])},
        "run": {"p50_s": _tenths(row["run_p50_s"]), "p95_s": _tenths(row["run_p95_s"])},
        "rate": {name: round(row[name], 1) for name in ("accepted_per_min", "finished_per_min")},
        "pause": pause if row["paused"] else None,
        "slots": {"total": row["slots"], "busy": row["busy"], "quiet": row["quiet_slots"]},
        "workers": row["workers"],
        "desired_workers": desired_workers(row, request.deps.settings.worker_slots),
    }


def _tenths(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


operations = (
    list_queues,
    get_throughput,
    get_queue,
    pause_queue,
    drain_queue,
    resume_queue,
)
