"""What a generation would cost and whether it would be admitted, without submitting it."""

from typing import Any, Literal

from pydantic import Field

from gateway.errors import problem_body
from gateway.generation_request import EXAMPLE, GenerationRequest, read_request
from gateway.http import REQUEST_ID, Answer, Reply, Request, operation, reply
from gateway.resources import Money, Resource, money
from shared.domains.accounts import Scope
from shared.domains.provider_keys import billed_to
from shared.domains.routing import Route
from shared.errors import InvalidInput, ModelRetired, NoProvider

TAG = "Generations"


class Candidate(Resource):
    provider: str
    model: str
    card: str
    price_id: str | None
    estimated: Money | None
    expected_s: float
    billed_to: Literal["platform", "byok"] = Field(description="`byok`: your own key for the provider pays.")


class Estimate(Resource):
    model: str
    estimated: Money | None
    reserved: Money
    currency: str
    candidates: list[Candidate]
    allowed: bool
    refusal: dict[str, Any] | None
    warnings: list[dict[str, Any]]


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
    answers=(Answer(200, "Price per candidate, and whether it would be admitted", Estimate),),
    errors=(InvalidInput, ModelRetired, NoProvider),
    example=EXAMPLE,
)
async def estimate_generation(request: Request[GenerationRequest, None]) -> Reply:
    """Takes what a submit takes and writes nothing. `reserved` is what a submit would set aside: the dearest
    candidate's price.
    """
    deps = request.deps
    new = read_request(request.body, request.principal)
    plan = await deps.admitter.plan(request.account_id, new)
    refusal = await deps.admitter.refusal(request.account_id, new, plan)
    instance, request_id = request.raw.path, request.raw[REQUEST_ID]
    return reply(
        {
            "model": plan.model,
            "estimated": money(plan.estimate),
            "reserved": money(plan.reserve),
            "currency": "USD",
            "candidates": [_candidate(route) for route in plan.routes],
            "allowed": refusal is None,
            "refusal": None
            if refusal is None
            else problem_body(refusal, instance=instance, request_id=request_id),
            "warnings": plan.warnings,
        }
    )


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
