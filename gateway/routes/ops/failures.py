"""Failures by their cause: looked at, tried again together, set aside."""

from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import Field

from gateway.actors import actor_of
from gateway.http import Answer, Body, Query, Reply, Request, operation, reply
from gateway.resources import Resource
from gateway.routes.ops.desk import PREFIX, TAG, polled
from gateway.routes.ops.jobs import MadeJob, RefusedJob, retried, retry_all
from shared.domains.accounts import Role, Scope
from shared.domains.ops import failures
from shared.domains.ops.jobs import MOST_AT_ONCE
from shared.errors import Conflict, InvalidInput, NotFound

MOST_CAUSES = 200


class FailureResource(Resource):
    """What failed of one cause and was neither tried again nor set aside."""

    fingerprint: str
    object: Literal["failure"]
    code: str
    message: str = Field(description="Of the latest.")
    sample_id: UUID = Field(description="The latest.")
    count: int
    first_at: datetime
    last_at: datetime
    kinds: list[str]
    providers: list[str]
    models: list[str]
    accounts: int = Field(description="How many are affected.")
    retryable: bool = Field(description="Whether trying again may help.")


class FailureList(Resource):
    data: list[FailureResource]


class FailureQuery(Query):
    group: Literal["fingerprint"] = "fingerprint"
    days: int = Field(7, ge=1, le=90, description="How far back to look.")


class ConfirmRequest(Body):
    confirm_count: int = Field(ge=1, description="How many there are, as the list says.")


class FailuresRetried(Resource):
    fingerprint: str
    matched: int
    done: int
    more: bool
    made: list[MadeJob]
    refused: list[RefusedJob]


class FailuresDiscarded(Resource):
    fingerprint: str
    discarded: int


@operation(
    "GET",
    f"{PREFIX}/dead",
    tag=TAG,
    summary="List failures by cause",
    scope=Scope.READ,
    role=Role.VIEWER,
    answers=(
        Answer(200, "The causes, the latest first", FailureList, headers=("ETag",)),
        Answer(304, "Unchanged since the ETag in If-None-Match"),
    ),
    errors=(InvalidInput,),
    parameters=("If-None-Match",),
)
async def list_failures(request: Request[None, FailureQuery]) -> Reply:
    """Failures of one cause have one fingerprint: their code and their words without numbers, names and addresses."""
    since = datetime.now(UTC) - timedelta(days=request.query.days)
    rows = await failures.read(request.deps.db, request.account_id, since, MOST_CAUSES)
    return polled(request, {"data": [{"object": "failure", **row} for row in rows]})


@operation(
    "POST",
    f"{PREFIX}/dead/{{fingerprint}}/retry",
    tag=TAG,
    summary="Try all failures of one cause again",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "What was done", FailuresRetried),),
    errors=(NotFound, Conflict, InvalidInput),
    example={"confirm_count": 3},
)
async def retry_failures(request: Request[ConfirmRequest, None]) -> Reply:
    """Each is a new generation of its account, on its plan and budget. At most 1,000 at a time, the oldest first. 409
    when there are not as many as was confirmed, of whatever age.
    """
    fingerprint, confirmed = request.raw.match_info["fingerprint"], request.body.confirm_count
    async with request.deps.db.transaction(request.account_id) as tx:
        await failures.check(tx, fingerprint, confirmed)
    found = await retry_all(request, failures.of_cause(fingerprint))
    return reply(
        {
            "fingerprint": fingerprint,
            "matched": confirmed,
            "more": confirmed > MOST_AT_ONCE,
            **retried(found),
        }
    )


@operation(
    "POST",
    f"{PREFIX}/dead/{{fingerprint}}/discard",
    tag=TAG,
    summary="Set a cause aside",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "It is hidden until something fails so again", FailuresDiscarded),),
    errors=(NotFound, Conflict, InvalidInput),
    example={"confirm_count": 3},
)
async def discard_failures(request: Request[ConfirmRequest, None]) -> Reply:
    """The generations stay as they are; their cause is hidden until it shows again, and then counts anew."""
    fingerprint, confirmed = request.raw.match_info["fingerprint"], request.body.confirm_count
    await failures.discard(request.deps.db, actor_of(request), fingerprint, confirmed)
    return reply({"fingerprint": fingerprint, "discarded": confirmed})


operations = (list_failures, retry_failures, discard_failures)
