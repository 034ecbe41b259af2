"""Worker processes: which there are, and having one begin nothing new, or end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.actors import actor_of
from gateway.http import Answer, Reply, Request, operation, reply
from gateway.resources import Resource
from gateway.routes.ops.desk import PREFIX, TAG, polled
from shared.domains.accounts import Role, Scope
from shared.domains.ops import workers
from shared.errors import NotFound


class WorkerSlots(Resource):
    total: int = Field(description="Over all its kinds.")
    used: int
    free: int = Field(
        description="In which it begins something when there is something: none while it is not up."
    )
    quiet: int = Field(description="Not used, and left so because the worker is quiet.")


class WorkerResource(Resource):
    id: UUID
    object: Literal["worker"]
    state: Literal["up", "quiet", "draining", "down"]
    kinds: list[str] = Field(description="Empty for one that only does maintenance.")
    host: str
    pid: int
    version: str
    slots: WorkerSlots
    polling: int = Field(description="Generations that it is asking a provider about just now.")
    heartbeat_at: datetime
    heartbeat_age_s: float
    started_at: datetime


class WorkerList(Resource):
    data: list[WorkerResource]


@operation(
    "GET",
    f"{PREFIX}/workers",
    tag=TAG,
    summary="List workers",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(
        Answer(200, "All processes", WorkerList, headers=("ETag",)),
        Answer(304, "Unchanged since the ETag in If-None-Match"),
    ),
    parameters=("If-None-Match",),
)
async def list_workers(request: Request[None, None]) -> Reply:
    """With their heartbeats. One that is `down` is buried by the others within seconds."""
    rows = await workers.read(request.deps.db, request.deps.settings.lease_ttl_s)
    return polled(request, {"data": [_worker(row) for row in rows]})


@operation(
    "POST",
    f"{PREFIX}/workers/{{id}}/quiet",
    tag=TAG,
    summary="Have a worker begin nothing new",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "The worker", WorkerResource),),
    errors=(NotFound,),
)
async def quiet_worker(request: Request[None, None]) -> Reply:
    """At once, until it ends or is told otherwise: before a deploy, or to look at it. What it has begun, and what waits
    at providers, it carries on.
    """
    return await _set(request, on=True)


@operation(
    "POST",
    f"{PREFIX}/workers/{{id}}/unquiet",
    tag=TAG,
    summary="Have a worker begin work again",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "The worker", WorkerResource),),
    errors=(NotFound,),
)
async def unquiet_worker(request: Request[None, None]) -> Reply:
    """Within two seconds. Harmless when it is not quiet."""
    return await _set(request, on=False)


@operation(
    "POST",
    f"{PREFIX}/workers/{{id}}/stop",
    tag=TAG,
    summary="Have a worker end",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "The worker, on its way out", WorkerResource),),
    errors=(NotFound,),
)
async def stop_worker(request: Request[None, None]) -> Reply:
    """Within two seconds, as by SIGTERM: it begins nothing new, lets paid calls that are under way finish, and gives
    the rest back to the others. What keeps workers running starts another in its place.
    """
    await workers.stop(request.deps.db, actor_of(request), request.id())
    return await _shown(request)


async def _set(request: Request[None, None], *, on: bool) -> Reply:
    """Raises NotFound."""
    await workers.quiet(request.deps.db, actor_of(request), request.id(), on=on)
    return await _shown(request)


async def _shown(request: Request[None, None]) -> Reply:
    """Raises NotFound."""
    deps, worker_id = request.deps, request.id()
    deps.board.forget()
    rows = await workers.read(deps.db, deps.settings.lease_ttl_s)
    found = next((row for row in rows if row["id"] == worker_id), None)
    if found is None:
        raise NotFound(f"The worker {worker_id} has ended.")
    return reply(_worker(found))


def _worker(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "object": "worker",
        "state": _state(row),
        "kinds": row["kinds"],
        "host": row["host"],
        "pid": row["pid"],
        "version": row["version"],
        "slots": _slots(row),
        "polling": row["stats"].get("polling", 0),
        "heartbeat_at": row["beat_at"],
        "heartbeat_age_s": round(row["beat_age_s"], 1),
        "started_at": row["started_at"],
    }


def _slots(row: Mapping[str, Any]) -> dict[str, int]:
    total, used, state = row["slots"] * len(row["kinds"]), row["stats"].get("running", 0), _state(row)
    left = max(0, total - used)
    return {
        "total": total,
        "used": used,
        "free": left if state == "up" else 0,
        "quiet": left if state == "quiet" else 0,
    }


def _state(row: Mapping[str, Any]) -> str:
    if not row["up"]:
        return "down"
    return "draining" if row["draining"] else "quiet" if row["quiet"] else "up"


operations = (list_workers, quiet_worker, unquiet_worker, stop_worker)
