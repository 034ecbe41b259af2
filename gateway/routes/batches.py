"""Many at once: submit a batch, or cancel, retry and delete in bulk."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Self
from uuid import UUID

import orjson
from pydantic import BeforeValidator, Field, model_validator

from gateway.errors import from_failure, problem_body
from gateway.generation_request import EXAMPLE, GenerationRequest, KindName, read_request
from gateway.http import REQUEST_ID, Answer, Body, Reply, Request, encode, operation, reply, validate
from gateway.idempotency import REPLAYED, fingerprint_of, key_of, route_of
from gateway.inline_files import keep_inline
from gateway.instants import Instant
from gateway.resources import Resource, render_generation
from gateway.routes.generations import ADMISSION_ERRORS, Status, cancel_one, delete_one, read_retry
from shared.domains import history
from shared.domains.accounts import Scope
from shared.domains.admission import Idempotency, NewGeneration, StoredResponse
from shared.domains.history import PageFilter
from shared.errors import IdempotencyMismatch, InvalidInput, NotFound, PenstockError

TAG = "Generations"
MAX_ITEMS = 100
MAX_BULK = 500
AT_ONCE = 8


class BatchRequest(Body):
    items: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_ITEMS,
        description="Requests as for a single submit.",
        json_schema_extra={"items": {"$ref": "#/components/schemas/GenerationRequest"}},
    )


class ItemResult(Resource):
    index: int
    status: int = Field(description="The HTTP status that a single submit would have had.")
    generation: dict[str, Any] | None
    error: dict[str, Any] | None


class BatchResult(Resource):
    accepted: int
    refused: int
    data: list[ItemResult]


@operation(
    "POST",
    "/api/v1/generations:batch",
    tag=TAG,
    summary="Submit up to 100 generations",
    scope=Scope.WRITE,
    answers=(Answer(200, "One result per item, in order", BatchResult),),
    errors=ADMISSION_ERRORS,
    parameters=("Idempotency-Key",),
    example={"items": [EXAMPLE]},
)
async def submit_batch(request: Request[BatchRequest, None]) -> Reply:
    """Each item is admitted or refused by itself. With an Idempotency-Key each item is done once, so a batch
    whose answer was lost can be sent again.
    """
    return await BatchAdmission(request).all(request.body.items)


class BatchAdmission:
    """Admits the items of one batch under keys derived from the batch's own, in one `group` if there is one."""

    def __init__(self, request: Request[Any, None], group: UUID | None = None) -> None:
        self._request = request
        self._group = group
        self._key = key_of(request.headers)
        self._fingerprint = fingerprint_of(request) if self._key is not None else b""
        self._replayed = 0

    async def all(self, items: Sequence[dict[str, Any]], **members: Any) -> Reply:
        """One result per item, in order, beside the other `members` of the answer."""
        results = await asyncio.gather(*(self._item(n, item) for n, item in enumerate(items)))
        accepted = sum(result["error"] is None for result in results)
        body = {**members, "accepted": accepted, "refused": len(results) - accepted, "data": results}
        return reply(body, headers=REPLAYED if self._replayed and self._replayed == accepted else {})

    async def _item(self, index: int, document: dict[str, Any]) -> dict[str, Any]:
        """Raises IdempotencyMismatch only: that concerns the batch as a whole."""
        request = self._request
        try:
            asked = validate(GenerationRequest, document)
            asked = await keep_inline(request.deps, request.account_id, asked)
            new = replace(read_request(asked, request.principal), group_id=self._group)
            return await self._admit(index, new)
        except IdempotencyMismatch:
            raise
        except Exception as error:
            problem = _problem(request, error)
            return {"index": index, "status": problem["status"], "generation": None, "error": problem}

    async def _admit(self, index: int, new: NewGeneration) -> dict[str, Any]:
        deps = self._request.deps
        key = None
        if self._key is not None:
            key = Idempotency(route_of(self._request.raw), f"{self._key}#{index}", self._fingerprint)
        admission = await deps.admitter.admit(self._request.account_id, new, key, self._render)
        deps.metrics.admitted(admission)
        if admission.replayed is not None:
            self._replayed += 1
            resource: Any = orjson.Fragment(admission.replayed.body)
        else:
            assert admission.row is not None  # noqa: S101  # it is either new or replayed
            resource = render_generation(admission.row, (), deps.settings.base_url)
        return {"index": index, "status": 202, "generation": resource, "error": None}

    def _render(self, row: Any) -> StoredResponse:
        return StoredResponse(
            202, {}, encode(render_generation(row, (), self._request.deps.settings.base_url))
        )


def _problem(request: Request[Any, Any], error: Exception) -> dict[str, Any]:
    request_id = request.raw[REQUEST_ID]
    if not isinstance(error, PenstockError):
        error = from_failure(error, request.raw, request_id)
    return problem_body(error, request.raw, request_id)


def _list(value: Any) -> Any:
    return value if isinstance(value, list) or value is None else [value]


class BulkFilter(Body):
    """At least one condition; they add up."""

    kind: Annotated[list[KindName] | None, BeforeValidator(_list)] = None
    status: Annotated[list[Status] | None, BeforeValidator(_list)] = None
    model: str | None = Field(None, max_length=200, description="Exactly as it was asked for.")
    project: UUID | None = Field(None, strict=False)
    parent: UUID | None = Field(None, strict=False)
    group: UUID | None = Field(None, strict=False)
    q: str | None = Field(
        None, min_length=1, max_length=500, description="Words of the prompt, text or messages."
    )
    created_after: Instant | None = Field(None, strict=False)
    created_before: Instant | None = Field(None, strict=False)

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_dump(exclude_none=True) or self.kind == [] or self.status == []:
            raise ValueError("an empty filter would match everything; give at least one condition")
        return self


class BulkRequest(Body):
    action: Literal["cancel", "retry", "delete"]
    ids: list[Annotated[UUID, Field(strict=False)]] | None = Field(None, min_length=1, max_length=MAX_BULK)
    filter: BulkFilter | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("give either ids or filter")
        return self


class BulkItem(Resource):
    id: UUID
    status: int = Field(description="The HTTP status that the single request would have had.")
    result: dict[str, Any] | None
    error: dict[str, Any] | None


class BulkResult(Resource):
    action: Literal["cancel", "retry", "delete"]
    done: int
    refused: int
    more: bool = Field(description=f"The filter matches more than the {MAX_BULK} that were taken.")
    data: list[BulkItem]


@operation(
    "POST",
    "/api/v1/generations:bulk",
    tag=TAG,
    summary="Cancel, retry or delete many generations",
    scope=Scope.WRITE,
    answers=(Answer(200, "One result per generation", BulkResult),),
    errors=(InvalidInput,),
    parameters=("Idempotency-Key",),
    example={"action": "cancel", "filter": {"status": ["queued"]}},
    idempotent=True,
)
async def act_in_bulk(request: Request[BulkRequest, None]) -> Reply:
    """By `ids` or by `filter`, up to 500 at a time, each by itself. An empty filter is refused."""
    ids, more = await _chosen(request)
    act = _ACTIONS[request.body.action]
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(generation_id: UUID) -> dict[str, Any]:
        async with gate:
            return await _attempt(request, act, generation_id)

    results = await asyncio.gather(*(one(generation_id) for generation_id in ids))
    done = sum(result["error"] is None for result in results)
    return reply(
        {
            "action": request.body.action,
            "done": done,
            "refused": len(results) - done,
            "more": more,
            "data": results,
        }
    )


async def _chosen(request: Request[BulkRequest, None]) -> tuple[Sequence[UUID], bool]:
    """The ids to work on, and whether there are more."""
    asked = request.body
    if asked.filter is None:
        return list(dict.fromkeys(asked.ids or ())), False
    where = PageFilter(
        kinds=asked.filter.kind,
        statuses=asked.filter.status,
        model=asked.filter.model,
        project_id=asked.filter.project,
        parent_id=asked.filter.parent,
        group_id=asked.filter.group,
        q=asked.filter.q,
        created_after=asked.filter.created_after,
        created_before=asked.filter.created_before,
    )
    async with request.deps.db.transaction(request.account_id) as tx:
        ids = await history.matching_ids(tx, where, MAX_BULK + 1)
    return ids[:MAX_BULK], len(ids) > MAX_BULK


type Act = Callable[[Request[Any, Any], UUID], Awaitable[tuple[int, dict[str, Any] | None]]]


async def _attempt(request: Request[Any, Any], act: Act, generation_id: UUID) -> dict[str, Any]:
    try:
        status, result = await act(request, generation_id)
    except Exception as error:
        problem = _problem(request, error)
        return {"id": generation_id, "status": problem["status"], "result": None, "error": problem}
    return {"id": generation_id, "status": status, "result": result, "error": None}


async def _cancel(request: Request[Any, Any], generation_id: UUID) -> tuple[int, dict[str, Any]]:
    return 200, await cancel_one(request, generation_id)


async def _delete(request: Request[Any, Any], generation_id: UUID) -> tuple[int, None]:
    await delete_one(request, generation_id)
    return 204, None


async def _retry(request: Request[Any, Any], generation_id: UUID) -> tuple[int, dict[str, Any]]:
    new = await read_retry(request, generation_id, None)
    admission = await request.deps.admitter.admit(request.account_id, new)
    request.deps.metrics.admitted(admission)
    if admission.row is None:
        raise NotFound(f"There is no generation {generation_id}.")
    return 202, render_generation(admission.row, (), request.deps.settings.base_url)


_ACTIONS: dict[str, Act] = {"cancel": _cancel, "retry": _retry, "delete": _delete}

operations = (submit_batch, act_in_bulk)
