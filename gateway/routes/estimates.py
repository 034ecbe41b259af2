"""What a generation would cost, whether it would be admitted, and what is left, without submitting it."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.drafts import Draft, read_draft
from gateway.errors import problem_body
from gateway.generation_request import EXAMPLE, GenerationRequest, read_request
from gateway.http import REQUEST_ID, Answer, Query, Reply, Request, operation, reply
from gateway.resources import Money, Resource, money
from shared.domains.accounts import Scope
from shared.domains.admission import Outlook
from shared.domains.budgets import title
from shared.domains.provider_keys import billed_to
from shared.domains.routing import Route
from shared.errors import Forbidden, InvalidInput, ModelRetired, NoProvider, PenstockError

TAG = "Generations"


class Candidate(Resource):
    provider: str
    model: str
    card: str
    price_id: str | None
    estimated: Money | None
    expected_s: float
    billed_to: Literal["platform", "byok"] = Field(description="`byok`: your own key for the provider pays.")


class QuotaLeft(Resource):
    feature: str
    period: str
    limit: int
    used: int
    remaining: int
    resets_at: datetime | None


class BudgetLeft(Resource):
    """A budget that would count the request."""

    id: UUID | None = Field(description="Null for the limit of the account itself.")
    name: str = Field(description="In words: `the monthly budget of the project`.")
    scope: str
    mode: Literal["hard", "soft"]
    limit: Money | None
    remaining: Money
    resets_at: datetime | None


class Left(Resource):
    """Before this request."""

    plan: str
    quota: QuotaLeft | None = Field(description="Of what it counts as in the plan; null is no limit.")
    budgets: list[BudgetLeft]


class Problem(Resource):
    field: str
    message: str
    missing: bool


class Estimate(Resource):
    model: str | None
    estimated: Money | None
    reserved: Money
    currency: str
    candidates: list[Candidate]
    allowed: bool
    refusal: dict[str, Any] | None
    warnings: list[dict[str, Any]]
    left: Left | None
    problems: list[Problem] = Field(
        description="With `draft=true`: what a submit would refuse; the price is of the rest."
    )


class EstimateQuery(Query):
    draft: bool = Field(
        False,
        description="The form is still being filled in: say what is missing or wrong, and price the rest.",
    )


class Validation(Resource):
    valid: bool
    model: str
    warnings: list[dict[str, Any]]


@operation(
    "POST",
    "/api/v1/generations:estimate",
    tag=TAG,
    summary="Price a generation",
    scope=Scope.READ,
    answers=(Answer(200, "Price per candidate, whether it would be admitted, and what is left", Estimate),),
    errors=(InvalidInput, ModelRetired, NoProvider, Forbidden),
    example=EXAMPLE,
)
async def estimate_generation(request: Request[GenerationRequest, EstimateQuery]) -> Reply:
    """Takes what a submit takes and writes nothing. `reserved` is what a submit would set aside: the dearest
    candidate's price.
    """
    try:
        draft = await _read(request)
    except (ModelRetired, NoProvider) as refusal:
        if not request.query.draft:
            raise
        return reply(_unserved(request, refusal))
    outlook = await request.deps.admitter.outlook(request.account_id, draft.new, draft.plan)
    return reply(
        {
            "model": draft.plan.model,
            "estimated": money(draft.plan.estimate),
            "reserved": money(draft.plan.reserve),
            "currency": "USD",
            "candidates": [_candidate(route) for route in draft.plan.routes],
            "allowed": outlook.refusal is None and not draft.problems,
            "refusal": _problem(request, outlook.refusal),
            "warnings": draft.plan.warnings,
            "left": _left(outlook),
            "problems": draft.problems,
        }
    )


async def _read(request: Request[GenerationRequest, EstimateQuery]) -> Draft:
    admitter, asked, caller = request.deps.admitter, request.body, request.principal
    if request.query.draft:
        return await read_draft(admitter, asked, caller)
    new = read_request(asked, caller)
    return Draft(new, await admitter.plan(request.account_id, new))


def _unserved(request: Request[GenerationRequest, Any], refusal: PenstockError) -> dict[str, Any]:
    """The estimate of what nobody can do now."""
    return {
        "model": request.body.model,
        "estimated": None,
        "reserved": money(0),
        "currency": "USD",
        "candidates": [],
        "allowed": False,
        "refusal": _problem(request, refusal),
        "warnings": [],
        "left": None,
        "problems": [],
    }


def _problem(request: Request[Any, Any], refusal: PenstockError | None) -> dict[str, Any] | None:
    if refusal is None:
        return None
    return problem_body(refusal, request.raw, request.raw[REQUEST_ID])


def _left(outlook: Outlook) -> dict[str, Any]:
    budgets = [
        {
            "id": row["id"],
            "name": title(row),
            "scope": row["scope"],
            "mode": row["mode"],
            "limit": money(row["limit_nanos"]),
            "remaining": money(left),
            "resets_at": row["ends_at"],
        }
        for row, left in outlook.budgets
    ]
    if outlook.account_left is not None:
        own = {
            "id": None,
            "name": "the account's own limit",
            "scope": "account",
            "mode": "hard",
            "limit": None,
        }
        budgets.insert(0, own | {"remaining": money(max(outlook.account_left, 0)), "resets_at": None})
    return {"plan": outlook.plan, "quota": _quota(outlook), "budgets": budgets}


def _quota(outlook: Outlook) -> dict[str, Any] | None:
    row, limit = outlook.counter, outlook.limit
    if row is None or limit is None:
        return None
    return {
        "feature": row["feature"],
        "period": limit.period,
        "limit": limit.most,
        "used": row["used"],
        "remaining": max(limit.most - row["used"], 0),
        "resets_at": row["resets_at"],
    }


def _candidate(route: Route) -> dict[str, Any]:
    return {
        "provider": route.card.provider,
        "model": route.card.model,
        "card": route.card.id,
        "price_id": route.card.price_id,
        "estimated": money(route.estimate),
        "expected_s": route.card.expected_s,
        "billed_to": billed_to(route.credential),
    }


@operation(
    "POST",
    "/api/v1/generations:validate",
    tag=TAG,
    summary="Check a generation request",
    scope=Scope.READ,
    answers=(Answer(200, "A submit would take it", Validation),),
    errors=(InvalidInput, ModelRetired, NoProvider),
    example=EXAMPLE,
)
async def validate_generation(request: Request[GenerationRequest, None]) -> Reply:
    """A dry run: the same errors as a submit, budget and account apart. Writes nothing."""
    new = read_request(request.body, request.principal)
    plan = await request.deps.admitter.plan(request.account_id, new)
    await request.deps.admitter.resolve_files(request.account_id, new)
    return reply({"valid": True, "model": plan.model, "warnings": plan.warnings})


operations = (estimate_generation, validate_generation)
