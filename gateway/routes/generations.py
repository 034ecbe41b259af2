"""Generations: submit, look, wait, cancel, do again, delete."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, ValidationError

from gateway.changes import Changes
from gateway.deps import Deps
from gateway.generation_request import EXAMPLE, GenerationRequest, KindName, read_request
from gateway.http import Answer, Body, Query, Reply, Request, encode, invalid_fields, operation, reply
from gateway.idempotency import REPLAYED, fingerprint_of, key_of, route_of
from gateway.inline_files import keep_inline
from gateway.instants import Instant
from gateway.library import Tags, tell_assets
from gateway.pagination import PageQuery, page, position_id
from gateway.resources import (
    GenerationResource,
    Resource,
    SubmissionResource,
    generation_path,
    render_generation,
    render_submission,
)
from gateway.waiting import preferred_wait_s, wait_for_change, wait_for_end
from shared.domains import assets, cancels, history, trash
from shared.domains.accounts import Scope
from shared.domains.admission import Idempotency, NewGeneration, StoredResponse
from shared.domains.eta import Wait
from shared.domains.history import PageFilter
from shared.domains.repeats import rerun_of, retry_of
from shared.domains.states import TERMINAL, status_of
from shared.errors import (
    BudgetExceeded,
    Conflict,
    Forbidden,
    IdempotencyInProgress,
    IdempotencyMismatch,
    InvalidInput,
    ModelRetired,
    NoProvider,
    NotFound,
    QuotaExceeded,
    TierRequired,
)

TAG = "Generations"
SETTLED = frozenset({"final", "released", "unpriced"})
ENDED_MAX_AGE_S = 60

ADMISSION_ERRORS = (
    InvalidInput,
    BudgetExceeded,
    QuotaExceeded,
    Forbidden,
    TierRequired,
    ModelRetired,
    NoProvider,
    IdempotencyInProgress,
    IdempotencyMismatch,
)

Status = Literal["queued", "running", "completed", "failed", "canceled", "expired"]
ADMITTED = Answer(202, "Admitted", GenerationResource, headers=("Location", "Retry-After"))


def words(value: Any) -> Any:
    """`a,b` or a repeated parameter as a list."""
    parts = value if isinstance(value, list) else [value]
    return [word for part in parts for word in str(part).split(",") if word]


class GenerationPage(Resource):
    data: list[GenerationResource]
    next: str | None


class CancelResource(Resource):
    class Money(Resource):
        outcome: Literal["released", "charged", "pending"]

    id: UUID
    status: Status
    changed: bool = Field(description="False when it had ended or was being canceled already.")
    money: Money


class Decision(Resource):
    card: str | None = Field(description="The model that it went to, or goes to next.")
    reason: str | None = Field(description="Why there: its place in the order, and how its provider did.")
    fallbacks: list[str] = Field(description="Providers that may serve next, if they may cure a failure.")
    tried: list[str] = Field(description="Models that failed for it before.")
    skipped: list[dict[str, Any]] = Field(description="Models passed over: `card`, `provider`, `why`.")


class SubmissionList(Resource):
    decision: Decision
    data: list[SubmissionResource]


@operation(
    "POST",
    "/api/v1/generations",
    tag=TAG,
    summary="Submit a generation",
    scope=Scope.WRITE,
    answers=(
        ADMITTED,
        Answer(200, "It ended within `Prefer: wait=N`", GenerationResource, headers=("Preference-Applied",)),
    ),
    errors=ADMISSION_ERRORS,
    parameters=("Idempotency-Key", "Prefer"),
    example=EXAMPLE,
)
async def submit_generation(request: Request[GenerationRequest, None]) -> Reply:
    """Admits the request: its price is reserved and it is queued. Watch it by its links."""
    asked = await keep_inline(request.deps, request.account_id, request.body)
    new = read_request(asked, request.principal)
    return await admit(request, new)


type Show = Callable[[Deps, Mapping[str, Any]], bytes]
"""The body of an answer, made of a row that may have its `outputs` with it."""


def _resource(deps: Deps, row: Mapping[str, Any]) -> bytes:
    return encode(
        render_generation(row, row.get("outputs", ()), deps.settings.base_url, eta=deps.etas.of(row))
    )


async def admit(
    request: Request[Any, Any], new: NewGeneration, show: Show = _resource, *, implicit: bool = False
) -> Reply:
    """202 with the resource, the stored answer of a repeated key, or 200 when it ends while the caller waits.

    With `implicit`, a request without a key that repeats one under way, or of the last ten seconds, gets what that
    one made, as it is now.
    """
    deps, account_id = request.deps, request.account_id
    idempotency = idempotency_of(request, implicit)
    admission = await deps.admitter.admit(
        account_id, new, idempotency, lambda row: _admitted(deps, row, show)
    )
    deps.metrics.admitted(admission)
    wait_s = preferred_wait_s(request.headers, deps.settings.max_wait_s)
    if admission.replayed is not None:
        stored, row = admission.replayed, None
        if idempotency is not None and idempotency.implicit and stored.generation_id is not None:
            row = await wait_for_end(deps, account_id, stored.generation_id, wait_s or 0)
        again = (
            _as_it_is(deps, row, show)
            if row is not None
            else Reply(stored.body, stored.status, stored.headers)
        )
        return Reply(again.body, again.status, {**again.headers, **REPLAYED})
    assert admission.row is not None  # noqa: S101  # it is either new or replayed
    if wait_s is None:
        answer = _admitted(deps, admission.row, show)
        return Reply(answer.body, answer.status, answer.headers)
    return await _admitted_and_waited(request, admission.row, wait_s, show)


def idempotency_of(request: Request[Any, Any], implicit: bool) -> Idempotency | None:
    """By the caller's key; without one by the request itself if `implicit`, else None."""
    key = key_of(request.headers)
    if key is None and not implicit:
        return None
    asked = fingerprint_of(request)
    return Idempotency(route_of(request.raw), key or asked.hex(), asked, implicit=key is None)


def _admitted(deps: Deps, row: Mapping[str, Any], show: Show) -> StoredResponse:
    headers = {"Location": generation_path(row["id"]), "Retry-After": look_again_s(row)}
    return StoredResponse(202, headers, show(deps, row))


async def _admitted_and_waited(
    request: Request[Any, Any], admitted: Mapping[str, Any], wait_s: int, show: Show
) -> Reply:
    row = await wait_for_end(request.deps, request.account_id, admitted["id"], wait_s) or admitted
    answer = _as_it_is(request.deps, row, show)
    return Reply(answer.body, answer.status, {**answer.headers, "Preference-Applied": f"wait={wait_s}"})


def _as_it_is(deps: Deps, row: Mapping[str, Any], show: Show) -> Reply:
    """200 for what has ended, else 202."""
    headers = {"Location": generation_path(row["id"])}
    ended = row["state"] in TERMINAL
    if not ended:
        headers["Retry-After"] = look_again_s(row)
    return Reply(show(deps, row), 200 if ended else 202, headers)


def look_again_s(row: Mapping[str, Any]) -> str:
    """Retry-After: about a quarter of the expected time, 1 to 10 seconds."""
    routes = row["routes"]
    expected_s = routes[0].get("expected_s", 1.0) if routes else 1.0
    return str(max(1, min(10, round(expected_s / 4))))


class FilterQuery(Query):
    """Which generations; a list takes several words, comma-separated or repeated."""

    kind: Annotated[list[KindName] | None, BeforeValidator(words)] = None
    status: Annotated[list[Status] | None, BeforeValidator(words)] = None
    model: str | None = Field(
        None,
        max_length=200,
        description="A part of its name: as it was asked for, as its provider calls it, or its label.",
    )
    project: UUID | None = None
    parent: UUID | None = None
    group: UUID | None = None
    q: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="Words of the prompt, text or messages, or a part of the model's name.",
    )
    id: Annotated[list[UUID] | None, Field(max_length=100), BeforeValidator(words)] = None
    provider: str | None = Field(None, max_length=200, description="Who ran it.")
    seed: int | None = Field(None, ge=0, le=2**63 - 1, description="Asked for, or drawn by its maker.")
    size: str | None = Field(
        None, pattern=r"^\d{1,5}x\d{1,5}$", description="Asked for, or an output's: `1024x768`."
    )
    favorite: bool | None = Field(None, description="Whether an output is a favourite.")
    tag: str | None = Field(None, min_length=1, max_length=60, description="An output has it.")
    rating: int | None = Field(None, ge=1, le=5, description="An output has at least so many stars.")
    created_after: Instant | None = None
    created_before: Instant | None = None


class ListQuery(FilterQuery, PageQuery):
    pass


def page_filter(asked: FilterQuery) -> PageFilter:
    return PageFilter(
        kinds=asked.kind,
        statuses=asked.status,
        model_part=asked.model,
        project_id=asked.project,
        parent_id=asked.parent,
        group_id=asked.group,
        words=asked.q,
        ids=asked.id,
        provider=asked.provider,
        seed=asked.seed,
        size=asked.size,
        favorite=asked.favorite,
        tag=asked.tag,
        rating=asked.rating,
        created_after=asked.created_after,
        created_before=asked.created_before,
    )


@operation(
    "GET",
    "/api/v1/generations",
    tag=TAG,
    summary="List generations, newest first",
    scope=Scope.READ,
    answers=(Answer(200, "A page", GenerationPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_generations(request: Request[None, ListQuery]) -> Reply:
    """Filters add up; `next` is the cursor of the page after."""
    limit, after = request.query.limit, position_id(request)
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await history.page(tx, page_filter(request.query), after, limit + 1)
    shown = rows[:limit]
    more = [str(shown[-1]["id"])] if len(rows) > limit else None
    return page(request, [await _look(request.deps, row) for row in shown], more)


class GetQuery(Query):
    wait: int = Field(0, ge=0, le=3600, description="Seconds to hold the answer until there is an end.")


@operation(
    "GET",
    "/api/v1/generations/{id}",
    tag=TAG,
    summary="Get a generation",
    scope=Scope.READ,
    answers=(
        Answer(200, "The generation", GenerationResource, headers=("ETag", "Retry-After")),
        Answer(304, "Unchanged since the ETag in If-None-Match"),
    ),
    errors=(NotFound, InvalidInput),
    parameters=("If-None-Match", "Prefer"),
)
async def get_generation(request: Request[None, GetQuery]) -> Reply:
    """With `?wait=N` the answer comes when it has ended, or after N seconds as it is then; with If-None-Match
    besides, as soon as anything has changed. The server caps N.
    """
    generation_id, known = request.id(), request.headers.get("If-None-Match", "")
    row, waited_s = await _read(request, generation_id, known)
    if row is None:
        raise _missing(generation_id)
    if row["state"] not in TERMINAL:
        await request.deps.etas.refresh()
    headers = _state_headers(row, request.deps.etas.wait(row))
    if waited_s:
        headers["Preference-Applied"] = f"wait={waited_s}"
    if headers["ETag"] in _tags(known):
        return Reply(None, 304, headers)
    return reply(await _look(request.deps, row), 200, headers)


async def _look(deps: Deps, row: Mapping[str, Any]) -> dict[str, Any]:
    """The resource with its place in the queue and its ETA."""
    if row["state"] not in TERMINAL:
        await deps.etas.refresh()
    position = await deps.positions.of(row)
    return render_generation(
        row, row["outputs"], deps.settings.base_url, queue_position=position, eta=deps.etas.of(row, position)
    )


async def _read(
    request: Request[None, GetQuery], generation_id: UUID, known: str
) -> tuple[Mapping[str, Any] | None, int]:
    """The row, and the seconds that the caller was ready to wait for it."""
    deps, account_id, limit_s = request.deps, request.account_id, request.deps.settings.max_wait_s
    wait_s = min(request.query.wait, limit_s) or preferred_wait_s(request.headers, limit_s) or 0
    if not wait_s:
        return await deps.reader.get(account_id, generation_id), 0
    if _ETAG(known) is not None:
        tags = _tags(known)
        row = await wait_for_change(
            deps, account_id, generation_id, lambda row: _etag(row, deps.etas.wait(row)) in tags, wait_s
        )
        return row, wait_s
    return await wait_for_end(deps, account_id, generation_id, wait_s), wait_s


def _etag(row: Mapping[str, Any], wait: Wait | None) -> str:
    """The position in its history, and what changes without one: how outputs are marked, and what it waits for."""
    marked = [
        output["asset_changed_at"] for output in row["outputs"] if output["asset_changed_at"] is not None
    ]
    mark = f"-{max(marked).timestamp() * 1000:.0f}-{len(marked)}" if marked else ""
    waits = f"-{wait.reason}" if wait is not None else ""
    return f'W/"{row["seq"]}{mark}{waits}"'


def _state_headers(row: Mapping[str, Any], wait: Wait | None) -> dict[str, str]:
    """ETag, and how long the answer stays good: not at all while anything may still change."""
    headers = {"ETag": _etag(row, wait)}
    if row["state"] in TERMINAL:
        settled = row["cost_status"] in SETTLED and not row["outputs"]
        headers["Cache-Control"] = f"private, max-age={ENDED_MAX_AGE_S}" if settled else "private, no-cache"
    else:
        headers["Cache-Control"] = "no-store"
        headers["Retry-After"] = look_again_s(row)
    return headers


_ETAG = re.compile(r'(?:W/)?"\d{1,18}[-\w]*"').search


def _tags(header: str) -> list[str]:
    """The entity tags in If-None-Match; ours are weak, whatever they were made of on the way."""
    return [f"W/{tag.strip().removeprefix('W/')}" for tag in header.split(",")]


def _missing(generation_id: UUID) -> NotFound:
    return NotFound(f"There is no generation {generation_id}.")


@operation(
    "POST",
    "/api/v1/generations/{id}/cancel",
    tag=TAG,
    summary="Cancel a generation",
    scope=Scope.WRITE,
    answers=(Answer(200, "What became of it and of the money", CancelResource),),
    errors=(NotFound,),
)
async def cancel_generation(request: Request[None, None]) -> Reply:
    """What only queues ends at once. What runs is asked to stop: `money` is `pending` until the provider has
    said what it charges. Repeating it is harmless.
    """
    return reply(await cancel_one(request, request.id()))


async def cancel_one(request: Request[Any, Any], generation_id: UUID) -> dict[str, Any]:
    """Raises NotFound."""
    deps = request.deps
    async with deps.db.transaction(request.account_id) as tx:
        result = await cancels.request_cancel(tx, generation_id, deps.publisher, deps.bell)
    if result is None:
        raise _missing(generation_id)
    deps.metrics.canceled(result)
    return {
        "id": generation_id,
        "status": status_of(result.state),
        "changed": result.changed,
        "money": {"outcome": result.money},
    }


class RetryQuery(Query):
    provider: str | None = Field(None, min_length=1, max_length=100, description="Try this one first.")


@operation(
    "POST",
    "/api/v1/generations/{id}/retry",
    tag=TAG,
    summary="Try a failed generation again",
    scope=Scope.WRITE,
    answers=(ADMITTED,),
    errors=(NotFound, Conflict, *ADMISSION_ERRORS),
    parameters=("Idempotency-Key", "Prefer"),
)
async def retry_generation(request: Request[None, RetryQuery]) -> Reply:
    """A new generation with the same request, whose `parent_id` is this one. For what failed, was canceled or
    expired.
    """
    return await admit(request, await read_retry(request, request.id(), request.query.provider))


async def read_retry(request: Request[Any, Any], generation_id: UUID, provider: str | None) -> NewGeneration:
    """Raises NotFound, Conflict, InvalidInput for a provider that does not serve the model."""
    row = await of_caller(request, generation_id)
    _check_key(request, row)
    try:
        new = retry_of(row, provider=provider, api_key_id=request.principal.api_key_id)
    except ValidationError as invalid:
        # Its kind has become stricter since.
        raise invalid_fields(invalid, prefix="input") from None
    if provider is not None:
        plan = await request.deps.admitter.plan(request.account_id, new)
        if all(route.card.provider != provider for route in plan.routes):
            raise InvalidInput(
                f"{provider} does not serve {row['model']} here.", field="provider", status=422
            )
    return new


class RerunRequest(Body):
    seed: Literal["same", "new"] = Field("new", description="`new` draws another seed where there is one.")
    overrides: dict[str, Any] = Field({}, description="Parameters to change; null removes one.")


@operation(
    "POST",
    "/api/v1/generations/{id}/rerun",
    tag=TAG,
    summary="Make a variation of a generation",
    scope=Scope.WRITE,
    answers=(ADMITTED,),
    errors=(NotFound, *ADMISSION_ERRORS),
    parameters=("Idempotency-Key", "Prefer"),
    example={"seed": "new", "overrides": {"prompt": "the same lighthouse at dawn"}},
)
async def rerun_generation(request: Request[RerunRequest, None]) -> Reply:
    """A new generation with the same request and some of it changed, whose `parent_id` is this one."""
    row = await of_caller(request, request.id())
    _check_key(request, row)
    try:
        new = rerun_of(
            row,
            new_seed=request.body.seed == "new",
            overrides=request.body.overrides,
            api_key_id=request.principal.api_key_id,
        )
    except ValidationError as invalid:
        raise invalid_fields(invalid, prefix="overrides") from None
    return await admit(request, new)


def _check_key(request: Request[Any, Any], row: Mapping[str, Any]) -> None:
    """Raises Forbidden when the caller's key is not for such a generation."""
    request.principal.require_kind(row["kind"])
    if request.principal.project_id is not None:
        request.principal.project_for(row["project_id"])


async def of_caller(request: Request[Any, Any], generation_id: UUID) -> Mapping[str, Any]:
    """The row with its outputs. Raises NotFound."""
    row = await request.deps.reader.get(request.account_id, generation_id)
    if row is None:
        raise _missing(generation_id)
    return row


class GenerationChanges(Changes):
    """What the outputs are marked with; what is left out stays."""

    favorite: bool = False
    rating: int | None = Field(None, ge=1, le=5, description="Null takes the stars away.")
    tags: Tags = Field([], description="In place of those that there are; kept in lower case.")
    project_id: UUID | None = Field(
        None,
        strict=False,
        description="Where its assets belong; what it cost stays with the project it was made in.",
    )


@operation(
    "PATCH",
    "/api/v1/generations/{id}",
    tag=TAG,
    summary="Mark what a generation made",
    scope=Scope.WRITE,
    answers=(Answer(200, "As it is now", GenerationResource),),
    errors=(NotFound, Conflict, InvalidInput),
    example={"favorite": True, "rating": 5},
)
async def mark_generation(request: Request[GenerationChanges, None]) -> Reply:
    """Changes its assets, all of them alike; `PATCH /api/v1/assets/{id}` changes one. 409 while there are none."""
    asked, generation_id = request.body, request.id()
    columns = asked.model_dump(include=asked.model_fields_set)
    if asked.gives("rating"):
        columns["rating"] = asked.rating or 0
    row = await of_caller(request, generation_id)
    async with request.deps.db.transaction(request.account_id) as tx:
        marked = await assets.update_of_generation(tx, generation_id, columns)
    if not marked:
        raise Conflict(f"It is {status_of(row['state'])} and has nothing in the library.", state=row["state"])
    tell_assets(request, marked, "changed")
    return reply(await _look(request.deps, await of_caller(request, generation_id)))


@operation(
    "DELETE",
    "/api/v1/generations/{id}",
    tag=TAG,
    summary="Delete a generation",
    scope=Scope.WRITE,
    answers=(Answer(204, "It is hidden"),),
    errors=(NotFound, Conflict),
)
async def delete_generation(request: Request[None, None]) -> Reply:
    """Hides it and its outputs; what it cost stays in the ledger. One that has not ended must be canceled first
    (409). It can be restored for thirty days.
    """
    await delete_one(request, request.id())
    return Reply(None, 204)


@operation(
    "POST",
    "/api/v1/generations/{id}/restore",
    tag=TAG,
    summary="Take a deleted generation back",
    scope=Scope.WRITE,
    answers=(Answer(200, "It is back, with what went into the trash with it", GenerationResource),),
    errors=(NotFound,),
)
async def restore_generation(request: Request[None, None]) -> Reply:
    """Repeating it is harmless. What was in the trash before it was deleted stays there."""
    generation_id = request.id()
    async with request.deps.db.transaction(request.account_id) as tx:
        if not await trash.restore(tx, generation_id):
            raise _missing(generation_id)
    row = await of_caller(request, generation_id)
    tell_assets(request, [output["asset_id"] for output in row["outputs"] if output["asset_id"]], "restored")
    return reply(await _look(request.deps, row))


async def delete_one(request: Request[Any, Any], generation_id: UUID) -> None:
    """Raises NotFound, Conflict."""
    async with request.deps.db.transaction(request.account_id) as tx:
        done = await trash.soft_delete(tx, generation_id)
    if done is None:
        raise _missing(generation_id)
    if not done:
        raise Conflict(
            "It has not ended yet: cancel it first, then delete it.",
            cancel=f"{generation_path(generation_id)}/cancel",
        )


@operation(
    "GET",
    "/api/v1/generations/{id}/submissions",
    tag=TAG,
    summary="See what was asked of providers",
    scope=Scope.READ,
    answers=(Answer(200, "The routing decision and every paid call", SubmissionList),),
    errors=(NotFound,),
)
async def list_submissions(request: Request[None, None]) -> Reply:
    """In order, with upstream ids, times and costs; credentials and raw answers are left out."""
    row = await of_caller(request, request.id())
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await history.submissions(tx, row["id"])
    decision = row["decision"]
    return reply(
        {
            "decision": {
                "card": decision.get("card"),
                "reason": decision.get("reason"),
                "fallbacks": decision.get("fallbacks", []),
                "tried": decision.get("tried", []),
                "skipped": decision.get("skipped", []),
            },
            "data": [render_submission(found) for found in rows],
        }
    )


operations = (
    submit_generation,
    list_generations,
    get_generation,
    cancel_generation,
    retry_generation,
    rerun_generation,
    mark_generation,
    delete_generation,
    restore_generation,
    list_submissions,
)
