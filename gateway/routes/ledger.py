"""The check of the ledger: whether what was settled, reserved and held is what it should be; and sums put right."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.actors import actor_of
from gateway.http import Answer, Query, Reply, Request, operation, reply
from gateway.resources import Money, Resource, money
from gateway.routes.usage import DEFAULT_PERIOD, TAG, Moment, start_of
from shared.domains import ledger, spending
from shared.domains.accounts import Role, Scope
from shared.errors import InvalidInput


class Difference(Resource):
    what: Literal[
        "cost",
        "bill",
        "stray",
        "reserve",
        "release",
        "held_after_end",
        "held_sum",
        "budget",
        "reconciling_long",
    ] = Field(
        description="`cost`: the generation's cost is not the sum of its settlements. `bill`: what was settled for a "
        "submission is not what it cost. `stray`: a settlement of no recorded submission. `reserve`: what was reserved "
        "is not what the generation says. `release`: the reserve was not given back exactly once at the end. "
        "`held_after_end`: an ended generation holds a reserve for nothing. `held_sum`: the account's held sum is not "
        "the sum of its ledger. `budget`: a budget's sum is not that of the entries that it counts. "
        "`reconciling_long`: the provider's bill is awaited for more than a day."
    )
    account_id: UUID
    generation_id: UUID | None
    submission_id: UUID | None
    expected: Money | None
    found: Money
    at: datetime | None


class Unsettled(Resource):
    generations: int
    reserved: Money
    since: datetime
    age_s: float = Field(description="Age of the oldest, in seconds.")
    oldest: UUID


class AuditResource(Resource):
    """A provider's own list of jobs against the record."""

    provider: str
    since: datetime
    until: datetime
    finished_at: datetime | None = Field(description="Null when it was cut off.")
    listed: int
    known: int
    foreign_jobs: int = Field(description="Jobs that do not bear our mark.")
    orphans: int = Field(description="Jobs that bear our mark and belong to nothing that is recorded.")
    missing: int = Field(description="Submissions that the list lacks.")
    findings: list[dict[str, Any]]
    error: str | None


class VerificationResource(Resource):
    ok: bool
    extent: Literal["account", "installation"]
    since: datetime
    generations: int = Field(description="How many were looked at.")
    entries: int
    budgets: int = Field(description="Accounts with a budget, whose held sums were compared.")
    total: int = Field(description="Differences, of which the first fifty are named.")
    differences: list[Difference]
    reconciling: Unsettled | None = Field(description="Ended, and the provider's bill is awaited.")
    unpriced: Unsettled | None = Field(description="Ended, and nobody knows what it cost.")
    audits: list[AuditResource] = Field(description="The last audit of each provider that lists its jobs.")


class VerifyQuery(Query):
    since: Moment | None = Field(None, description="A day or a time; 30 days ago by default.")


@operation(
    "GET",
    "/api/v1/ledger/verify",
    tag=TAG,
    summary="Check the ledger",
    scope=Scope.ADMIN,
    answers=(Answer(200, "What differs, if anything", VerificationResource),),
    errors=(InvalidInput,),
)
async def verify_ledger(request: Request[None, VerifyQuery]) -> Reply:
    """Compares generations, submissions and ledger entries since then, and the held sums of accounts with a budget.
    Reads only. Operators see all accounts and what the audits of providers found, others their own account.
    """
    everywhere = request.principal.role.covers(Role.OPERATOR)
    since = start_of(request.query.since) or datetime.now(UTC) - DEFAULT_PERIOD
    if since.year < 1970 or since > datetime.now(UTC) + timedelta(days=1):
        raise InvalidInput("`since` must be a time in the past.", field="since", status=422)
    async with request.deps.db.transaction(request.account_id) as tx:
        found = await ledger.verify(tx, since, everywhere=everywhere)
    return reply(
        {
            "ok": found.ok,
            "extent": "installation" if everywhere else "account",
            "since": since,
            "generations": found.generations,
            "entries": found.entries,
            "budgets": found.budgets,
            "total": found.total,
            "differences": [_with_money(one, "expected", "found") for one in found.differences],
            "reconciling": _unsettled(found, "reconciling"),
            "unpriced": _unsettled(found, "unpriced"),
            "audits": found.audits,
        }
    )


def _unsettled(found: ledger.Verification, status: str) -> dict[str, Any] | None:
    return _with_money(found.unsettled[status], "reserved") if status in found.unsettled else None


def _with_money(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**row, **{name: money(row[name]) for name in names}}


class RepairedProject(Resource):
    project_id: UUID
    account_id: UUID
    expected: Money = Field(description="What its entries of the ledger come to; it is so now.")
    found: Money


class ReconciledResource(Resource):
    projects: list[RepairedProject]


@operation(
    "POST",
    "/api/v1/ledger/reconcile",
    tag=TAG,
    summary="Put projects' sums right",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "What was put right", ReconciledResource),),
)
async def reconcile_ledger(request: Request[None, None]) -> Reply:
    """Does now what is done once a day: compares what each project has spent with the ledger, and where they differ
    follows the ledger, whose entries never change. Everything else that differs is told by `verify`, and needs a look.
    """
    repaired = await spending.reconcile(request.deps.db, actor_of(request))
    rows = [asdict(one) for one in repaired]
    return reply({"projects": [_with_money(row, "expected", "found") for row in rows]})


operations = (verify_ledger, reconcile_ledger)
