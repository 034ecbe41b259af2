"""Generations of all accounts: found, looked into, canceled, tried again, run now."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator

from gateway.actors import actor_of
from gateway.generation_request import KindName
from gateway.http import Answer, Body, Query, Reply, Request, operation, reply
from gateway.instants import Instant
from gateway.pagination import PageQuery, page, position_id
from gateway.resources import (
    GenerationResource,
    Money,
    Resource,
    SubmissionResource,
    money,
    render_generation,
    render_submission,
)
from gateway.routes.generations import Status, words
from gateway.routes.ops.desk import PREFIX, TAG
from shared.db import Tx
from shared.domains.accounts import Role, Scope
from shared.domains.history import STATES_OF_STATUS
from shared.domains.ops import jobs, people, workers
from shared.domains.ops.jobs import MOST_AT_ONCE, JobFilter, Retried, by_state
from shared.domains.ops.redaction import redacted
from shared.domains.repeats import RETRIABLE
from shared.domains.states import TERMINAL, status_of
from shared.errors import Conflict, InvalidInput, NotFound

OPEN_STATES = frozenset(STATES_OF_STATUS["queued"] + STATES_OF_STATUS["running"])
ACTIONS = {"cancel": OPEN_STATES, "retry": RETRIABLE, "run_now": frozenset({"queued"}), "delete": TERMINAL}
"""What each action is for."""

Text = Annotated[str | None, Field(min_length=1, max_length=200)]
Tag = Annotated[str | None, Field(min_length=1, max_length=60)]
Action = Literal["cancel", "retry", "run_now", "delete"]


class ErrorSummary(Resource):
    code: str
    message: str
    retryable: bool


class AccountSummary(Resource):
    id: UUID
    name: str


class JobResource(Resource):
    """A generation as a list of all accounts' shows it."""

    id: UUID
    object: Literal["job"]
    account: AccountSummary
    kind: str
    model: str
    status: Status
    stage: str | None
    provider: str | None
    provider_model: str | None
    priority: int
    prompt: str | None = Field(description="Its first 300 characters.")
    progress: float | None
    attempts: int
    crashes: int = Field(description="How many workers died over it.")
    worker: UUID | None = Field(description="Who holds it now.")
    run_now: bool
    cancel_requested: bool
    error: ErrorSummary | None
    fingerprint: str | None = Field(description="The same for failures of one cause.")
    cost_status: str
    cost: Money | None
    reserved: Money | None
    parent_id: UUID | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    wake_at: datetime | None = Field(description="When it is looked at next.")


class JobPage(Resource):
    data: list[JobResource]
    next: str | None


class EventResource(Resource):
    seq: int
    type: str
    at: datetime
    data: dict[str, Any]


class HolderResource(Resource):
    id: UUID
    host: str
    pid: int


class JobDetail(JobResource):
    """All that is known of it. Secrets in what was asked for are hidden."""

    generation: GenerationResource
    input: dict[str, Any]
    files: dict[str, Any]
    decision: dict[str, Any] = Field(description="Why that provider, what was passed over, what was tried.")
    events: list[EventResource]
    submissions: list[SubmissionResource]
    holder: HolderResource | None = Field(description="The worker that holds it, while it is alive.")


class FilterFields(Query):
    kind: Annotated[list[KindName] | None, BeforeValidator(words)] = None
    status: Annotated[list[Status] | None, BeforeValidator(words)] = None
    stage: Text = None
    provider: Text = None
    model: Text = Field(None, description="As it was asked for, or as its provider calls it.")
    account: Text = Field(
        None, description="An id, an e-mail address or a name; if nobody has just that, a part of them."
    )
    tag: Tag = Field(None, description="Something that it made has it.")
    code: Text = Field(None, description="Of the error.")
    fingerprint: Text = None
    q: Text = Field(None, description="The beginning of an id, or words of the prompt or the error.")
    created_after: Instant | None = None
    created_before: Instant | None = None


class JobQuery(FilterFields, PageQuery):
    pass


class JobsBulkFilter(Body):
    """At least one condition; they add up."""

    kind: list[KindName] | None = None
    status: list[Status] | None = None
    stage: Text = None
    provider: Text = None
    model: Text = None
    account: Text = Field(None, description="An id, or a whole e-mail address or name.")
    tag: Tag = None
    code: Text = None
    fingerprint: Text = None
    q: Text = None
    created_after: Instant | None = Field(None, strict=False)
    created_before: Instant | None = Field(None, strict=False)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_dump(exclude_none=True) or self.kind == [] or self.status == []:
            raise ValueError("an empty filter would match everything; give at least one condition")
        return self


class JobsBulk(Body):
    action: Action
    ids: Annotated[
        list[Annotated[UUID, Field(strict=False)]] | None, Field(min_length=1, max_length=MOST_AT_ONCE)
    ] = None
    filter: JobsBulkFilter | None = None
    dry_run: bool = Field(False, description="Only count.")
    confirm_count: int | None = Field(
        None, ge=0, description="How many match, as a dry run said; needed with a filter."
    )

    @model_validator(mode="after")
    def _ids_or_filter(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give either ids or filter")
        return self


class RefusedJob(Resource):
    id: UUID
    code: str
    message: str


class MadeJob(Resource):
    id: UUID
    parent_id: UUID


class BulkResource(Resource):
    action: Action
    dry_run: bool
    matched: int = Field(description="How many match and are such that the action makes sense.")
    done: int
    asked: int = Field(description="Of these: asked to stop, while somebody works on them.")
    more: bool = Field(description="Whether some are left; say it again to go on.")
    made: list[MadeJob] = Field(description="The new generations of a retry.")
    refused: list[RefusedJob]


class RetryQuery(Query):
    provider: str | None = Field(None, min_length=1, max_length=100, description="Try this one first.")


@operation(
    "GET",
    f"{PREFIX}/jobs",
    tag=TAG,
    summary="List generations of all accounts",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(Answer(200, "A page, newest first", JobPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_jobs(request: Request[None, JobQuery]) -> Reply:
    """Filters add up; `next` is the cursor of the page after."""
    limit, after = request.query.limit, position_id(request)
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await jobs.page(tx, await _filter(tx, request.query), after, limit + 1)
    shown = rows[:limit]
    more = [str(shown[-1]["id"])] if len(rows) > limit else None
    return page(request, [render_job(row) for row in shown], more)


@operation(
    "GET",
    f"{PREFIX}/jobs/{{id}}",
    tag=TAG,
    summary="Look into a generation of any account",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(Answer(200, "All that is known of it", JobDetail),),
    errors=(NotFound,),
)
async def get_job(request: Request[None, None]) -> Reply:
    """What was asked, every change, every paid call with the provider's own id, the error and what it cost."""
    deps = request.deps
    found = await jobs.find(deps.db, request.account_id, request.id())
    fleet = {worker["id"]: worker for worker in await workers.read(deps.db, deps.settings.lease_ttl_s)}
    holder = fleet.get(found.listed["owner"])
    row = {**found.row, "input": redacted(found.row["input"])}
    return reply(
        {
            **render_job(found.listed),
            "generation": render_generation(row, row["outputs"], deps.settings.base_url),
            "input": row["input"],
            "files": redacted(row["files"]),
            "decision": redacted(row["decision"]),
            "events": [_event(event) for event in found.events],
            "submissions": [render_submission(one) for one in found.submissions],
            "holder": None
            if holder is None
            else {"id": holder["id"], "host": holder["host"], "pid": holder["pid"]},
        }
    )


@operation(
    "POST",
    f"{PREFIX}/jobs:bulk",
    tag=TAG,
    summary="Cancel, retry, run or delete many generations",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "What was done", BulkResource),),
    errors=(InvalidInput, Conflict),
    parameters=("Idempotency-Key",),
    idempotent=True,
    example={"action": "cancel", "filter": {"kind": ["video"], "status": ["queued"]}, "dry_run": True},
)
async def bulk_jobs(request: Request[JobsBulk, None]) -> Reply:
    """Those that are named, or all that match. A filter needs `confirm_count`: ask with `dry_run` first. At most 1,000
    at a time, the oldest first. `retry` passes over what was tried again already; each is paid for by its account.
    `delete` is for what has ended, and puts it into its account's trash.
    """
    asked = request.body
    async with request.deps.db.transaction(request.account_id) as tx:
        where = await _bulk_filter(tx, asked)
        matched = await jobs.count(tx, where)
    answer: dict[str, Any] = {
        "action": asked.action, "dry_run": asked.dry_run, "matched": matched, "done": 0, "asked": 0,
        "more": matched > MOST_AT_ONCE, "made": [], "refused": [],
    }  # fmt: skip
    if asked.dry_run:
        return reply(answer)
    _check_count(asked, matched)
    return reply(answer | await _act(request, asked.action, where))


async def _act(request: Request[Any, Any], action: Action, where: JobFilter) -> dict[str, Any]:
    if action == "retry":
        return retried(await retry_all(request, where))
    if action == "cancel":
        return await _cancel(request, where)
    if action == "delete":
        return {"done": await jobs.delete(request.deps.db, actor_of(request), where)}
    async with request.deps.db.transaction(request.account_id) as tx:
        ids = [row["id"] for row in await jobs.page(tx, where, None, MOST_AT_ONCE)]
    ran = await jobs.run_now(request.deps.db, actor_of(request), ids, request.deps.bell) if ids else []
    return {"done": len(ran)}


async def _cancel(request: Request[Any, Any], where: JobFilter) -> dict[str, Any]:
    deps = request.deps
    results = await jobs.cancel(deps.db, actor_of(request), where, deps.publisher, deps.bell)
    for result in results:
        deps.metrics.canceled(result)
    counted = by_state(results)
    return {"done": sum(counted.values()), "asked": counted["asked"]}


async def retry_all(request: Request[Any, Any], where: JobFilter, provider: str | None = None) -> Retried:
    deps = request.deps
    found = await jobs.retry(deps.db, actor_of(request), where, deps.admitter, provider=provider)
    for admission in found.admissions:
        deps.metrics.admitted(admission)
    return found


def retried(found: Retried) -> dict[str, Any]:
    return {
        "done": len(found.made),
        "made": [{"id": new, "parent_id": old} for old, new in found.made.items()],
        "refused": [
            {"id": one.id, "code": one.error.code, "message": one.error.message} for one in found.refused
        ],
    }


def _check_count(asked: JobsBulk, matched: int) -> None:
    """Raises InvalidInput when a filter comes without a number, Conflict when the number is another."""
    if asked.confirm_count is None and asked.filter is not None:
        raise InvalidInput(
            "Say with confirm_count how many are meant; a dry run tells.", field="confirm_count", status=422
        )
    if asked.confirm_count is not None and asked.confirm_count != matched:
        raise Conflict(
            f"{matched} match, not {asked.confirm_count}. Look again, and confirm that number.", count=matched
        )


@operation(
    "POST",
    f"{PREFIX}/jobs/{{id}}/run-now",
    tag=TAG,
    summary="Run a generation now",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "The job", JobResource),),
    errors=(NotFound, Conflict),
)
async def run_job_now(request: Request[None, None]) -> Reply:
    """Before all others, also while its queue is paused or drained. Only what queues (409 otherwise); if it has to be
    tried again, it queues like any other.
    """
    await jobs.run_now(request.deps.db, actor_of(request), [request.id()], request.deps.bell)
    return await _job(request)


@operation(
    "POST",
    f"{PREFIX}/jobs/{{id}}/cancel",
    tag=TAG,
    summary="Cancel a generation of any account",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "The job", JobResource),),
    errors=(NotFound, Conflict),
)
async def cancel_job(request: Request[None, None]) -> Reply:
    """What queues ends at once; what runs is asked to stop. Harmless when it has ended."""
    await _job(request)
    await _cancel(request, JobFilter(ids=[request.id()]))
    return await _job(request)


@operation(
    "POST",
    f"{PREFIX}/jobs/{{id}}/retry",
    tag=TAG,
    summary="Try a failed generation of any account again",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(202, "The new job", JobResource),),
    errors=(NotFound, Conflict, InvalidInput),
    parameters=("Idempotency-Key",),
    idempotent=True,
)
async def retry_job(request: Request[None, RetryQuery]) -> Reply:
    """A new generation of the same account, on its plan and budget, whose `parent_id` is this one."""
    row = await _find(request, request.id())
    if row["state"] not in RETRIABLE:
        raise Conflict("Only what failed, expired or was canceled can be tried again.", state=row["state"])
    found = await retry_all(request, JobFilter(ids=[row["id"]]), request.query.provider)
    if found.refused:
        refusal = found.refused[0].error
        raise Conflict(f"Its account may not have it made again: {refusal.message}", code=refusal.code)
    if not found.made:
        raise Conflict("Somebody is changing it just now; try again.")
    return reply(render_job(await _find(request, found.made[row["id"]])), 202)


@operation(
    "DELETE",
    f"{PREFIX}/jobs/{{id}}",
    tag=TAG,
    summary="Delete an ended generation of any account",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(204, "It is in its account's trash, with what it made"),),
    errors=(NotFound, Conflict),
)
async def delete_job(request: Request[None, None]) -> Reply:
    """Its account can take it back for thirty days, and what it cost stays in the ledger. Cancel first what runs."""
    row = await _find(request, request.id())
    if row["state"] not in TERMINAL:
        raise Conflict("It has not ended yet: cancel it first, then delete it.", state=row["state"])
    await jobs.delete(request.deps.db, actor_of(request), JobFilter(ids=[row["id"]]))
    return Reply(None, 204)


async def _job(request: Request[Any, Any]) -> Reply:
    return reply(render_job(await _find(request, request.id())))


async def _find(request: Request[Any, Any], generation_id: UUID) -> Mapping[str, Any]:
    """Raises NotFound."""
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await jobs.page(tx, JobFilter(ids=[generation_id]), None, 1)
    if not rows:
        raise NotFound(f"There is no generation {generation_id}.")
    return rows[0]


async def _filter(tx: Tx, asked: FilterFields) -> JobFilter:
    accounts = None if asked.account is None else await people.meant_by(tx, asked.account)
    return _conditions(asked, accounts)


async def _bulk_filter(tx: Tx, asked: JobsBulk) -> JobFilter:
    """What is meant, as far as the action makes sense for it. It is done to nobody who only has a name like that."""
    possible = ACTIONS[asked.action]
    if asked.filter is None:
        return JobFilter(ids=asked.ids, states=sorted(possible))
    said, accounts = asked.filter.account, None
    if said is not None:
        accounts = await people.meant_by(tx, said, field="filter.account", whole=True)
    meant = _conditions(asked.filter, accounts)
    states = possible if meant.states is None else possible & frozenset(meant.states)
    return replace(meant, states=sorted(states), untried=asked.action == "retry")


def _conditions(asked: FilterFields | JobsBulkFilter, accounts: Sequence[UUID] | None) -> JobFilter:
    states = [state for status in asked.status or () for state in STATES_OF_STATUS[status]]
    return JobFilter(
        kinds=asked.kind,
        states=states if asked.status is not None else None,
        stage=asked.stage,
        provider=asked.provider,
        model=asked.model,
        accounts=accounts,
        code=asked.code,
        fingerprint=asked.fingerprint,
        q=asked.q,
        tag=asked.tag and asked.tag.lower(),
        created_after=asked.created_after,
        created_before=asked.created_before,
    )


def render_job(row: Mapping[str, Any]) -> dict[str, Any]:
    error = row["error"]
    return {
        "id": row["id"],
        "object": "job",
        "account": {"id": row["account_id"], "name": row["account"]},
        "kind": row["kind"],
        "model": row["model"],
        "status": status_of(row["state"]),
        "stage": row["stage"],
        "provider": row["provider"],
        "provider_model": row["provider_model"],
        "priority": row["priority"],
        "prompt": row["prompt"],
        "progress": row["progress"],
        "attempts": row["attempts"],
        "crashes": row["crashes"],
        "worker": row["owner"],
        "run_now": row["run_now"],
        "cancel_requested": row["cancel_requested_at"] is not None and row["state"] not in TERMINAL,
        "error": None
        if error is None
        else {
            "code": error["code"],
            "message": error["message"],
            "retryable": bool(error.get("retryable")),
        },
        "fingerprint": row["fingerprint"],
        "cost_status": row["cost_status"],
        "cost": money(row["cost_nanos"]),
        "reserved": money(row["reserved_nanos"]),
        "parent_id": row["parent_id"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "started_at": row["started_at"],
        "completed_at": row["completed_at"],
        "wake_at": row["wake_at"],
    }


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"seq": row["seq"], "type": row["type"], "at": row["created_at"], "data": row["data"]}


operations = (list_jobs, get_job, bulk_jobs, run_job_now, cancel_job, retry_job, delete_job)
