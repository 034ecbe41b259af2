"""Plans: what the account may have and how much of it is used; and who has which."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from gateway.actors import actor_of
from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.resources import Money, Resource, money
from shared.db import Tx
from shared.domains import plans, quotas
from shared.domains.accounts import Role, Scope
from shared.domains.ops.audit import deed
from shared.domains.plans import LIVE, Plan
from shared.errors import InvalidInput, NotFound

TAG = "Plans"

Period = Literal["day", "week", "month", "total", "live"]


class FeatureResource(Resource):
    included: bool
    limit: int | None = Field(description="Null is no limit.")
    period: Period | None = Field(description="`live` bounds how many there are at once.")


class PlanResource(Resource):
    name: str
    label: str
    price: Money = Field(description="Per month.")
    features: dict[str, FeatureResource] = Field(description="What is not named is not limited.")
    max_running: int | None = Field(description="How much runs at once; null is no limit.")
    requests_per_minute: int | None
    storage_bytes: int | None
    for_new_users: bool = Field(description="Whether people who sign up get it.")


class PlanList(Resource):
    data: list[PlanResource]


class UsageResource(Resource):
    feature: str
    period: Period
    limit: int
    used: int
    remaining: int
    resets_at: datetime | None


class OwnPlanResource(PlanResource):
    timezone: str = Field(description="Where its days, weeks and months begin.")
    usage: list[UsageResource] = Field(description="Of the features that are limited per period.")
    resets_at: datetime | None = Field(description="The earliest time at which a count begins anew.")


class PlanChoice(Body):
    plan: str = Field(min_length=1, max_length=50)


class AssignedPlan(Resource):
    account_id: UUID
    plan: str


class DefaultPlan(Resource):
    plan: str


@operation(
    "GET",
    "/api/v1/plan",
    tag=TAG,
    summary="Your plan",
    scope=Scope.READ,
    answers=(Answer(200, "What it includes, what is used, and when that begins anew", OwnPlanResource),),
)
async def get_plan(request: Request[None, None]) -> Reply:
    """`max_running` is your account's own, which an operator may have changed."""
    async with request.deps.db.transaction(request.account_id) as tx:
        return reply(await own_plan(tx, request.account_id))


async def own_plan(tx: Tx, account_id: UUID) -> dict[str, Any]:
    """The OwnPlanResource of the account."""
    row = await plans.row_of(tx, account_id)
    plan = Plan.of(row["name"], row["label"], row["features"])
    counters = await quotas.counters(tx, account_id, plan, row["timezone"], plan.features, lock=False)
    usage = [_usage(plan, used) for used in counters.rows.values()]
    resets = [used["resets_at"] for used in usage if used["resets_at"] is not None]
    return _render(row) | {
        "max_running": row["account_max_running"],
        "timezone": row["timezone"],
        "usage": usage,
        "resets_at": min(resets, default=None),
    }


@operation(
    "GET",
    "/api/v1/plans",
    tag=TAG,
    summary="List plans",
    scope=Scope.READ,
    answers=(Answer(200, "All plans, the smallest first", PlanList),),
)
async def list_plans(request: Request[None, None]) -> Reply:
    """What each includes, and what it costs."""
    return reply({"data": [_render(row) for row in await plans.listed(request.deps.db)]})


@operation(
    "PUT",
    "/api/v1/plans/for-new-users",
    tag=TAG,
    summary="Choose the plan of those who sign up",
    scope=Scope.ADMIN,
    role=Role.ADMIN,
    answers=(Answer(200, "They get it from now on", DefaultPlan),),
    errors=(InvalidInput,),
    example={"plan": "free"},
)
async def choose_default_plan(request: Request[PlanChoice, None]) -> Reply:
    """Accounts that are there keep theirs, and those that an operator makes without a user are `unlimited`."""
    db, plan = request.deps.db, request.body.plan
    async with deed(db, actor_of(request), "plan.for_new_users", f"plan:{plan}") as done:
        await plans.assign_to_new_users(done.tx, plan)
    return reply({"plan": plan})


@operation(
    "PUT",
    "/api/v1/accounts/{id}/plan",
    tag=TAG,
    summary="Give an account a plan",
    scope=Scope.ADMIN,
    role=Role.OPERATOR,
    answers=(Answer(200, "It has it", AssignedPlan),),
    errors=(InvalidInput, NotFound),
    example={"plan": "premium"},
)
async def assign_plan(request: Request[PlanChoice, None]) -> Reply:
    """With its concurrency and storage. What was used in the current periods stays counted."""
    account_id, plan = request.id(), request.body.plan
    async with deed(
        request.deps.db, actor_of(request), "plan.assign", f"account:{account_id}", plan=plan
    ) as done:
        await plans.assign(done.tx, account_id, plan)
    request.deps.rates.forget(account_id)
    return reply({"account_id": account_id, "plan": plan})


def _usage(plan: Plan, row: Mapping[str, Any]) -> dict[str, Any]:
    limit = plan.limit(row["feature"])
    most = limit.most if limit is not None else 0
    return {
        "feature": row["feature"],
        "period": row["period"],
        "limit": most,
        "used": row["used"],
        "remaining": max(most - row["used"], 0),
        "resets_at": row["resets_at"],
    }


def _render(row: Mapping[str, Any]) -> dict[str, Any]:
    features = {
        name: {
            "included": given["limit"] != 0,
            "limit": given["limit"],
            "period": given.get("period", LIVE if given["limit"] is None else "total"),
        }
        for name, given in row["features"].items()
    }
    return {
        "name": row["name"],
        "label": row["label"],
        "price": money(row["price_nanos"]),
        "features": features,
        "max_running": row["max_running"],
        "requests_per_minute": row["requests_per_minute"],
        "storage_bytes": row["storage_bytes"],
        "for_new_users": row["for_new_users"],
    }


operations = (get_plan, list_plans, choose_default_plan, assign_plan)
