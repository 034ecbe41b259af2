"""All at a glance, for pages that stay open: who asks, what runs, what is left, what wants to be seen."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from gateway.http import Answer, Reply, Request, operation, reply
from gateway.resources import Money, Resource, money
from gateway.routes.budgets import BudgetAlertResource, BudgetResource, render_budget
from gateway.routes.plans import OwnPlanResource, own_plan
from gateway.routes.profile import NOT_KEPT, UserResource, render_user
from gateway.routes.storage import StorageResource, render_storage
from shared.domains import activity, budget_alerts, budgets, storage, users
from shared.domains.accounts import Scope
from shared.domains.budget_alerts import as_data

TAG = "Overview"
SHOWN_ALERTS = 20


class Active(Resource):
    queued: int
    running: int
    by_kind: dict[str, int] = Field(description="Both together; kinds with none are left out.")


class Overview(Resource):
    user: UserResource
    auth_mode: Literal["open", "required"] = Field(
        description="`open`: one person, and nothing to sign in to."
    )
    active: Active
    plan: OwnPlanResource
    budget_left: Money | None = Field(description="Of the account's own limit; null is no limit.")
    budgets: list[BudgetResource] = Field(description="Newest first.")
    alerts: list[BudgetAlertResource] = Field(
        description=f"Nobody has acknowledged them, newest first; {SHOWN_ALERTS} at most."
    )
    storage: StorageResource
    now: datetime


@operation(
    "GET",
    "/api/v1/overview",
    tag=TAG,
    summary="See all at a glance",
    scope=Scope.READ,
    answers=(Answer(200, "As of now", Overview),),
)
async def get_overview(request: Request[None, None]) -> Reply:
    """One call for the frame of a page. What runs in detail: `GET /api/v1/generations?status=queued,running`."""
    caller, account_id = request.principal, request.account_id
    async with request.deps.db.transaction(account_id) as tx:
        found = await activity.now(tx, account_id)
        body = {
            "user": render_user(await users.profile(tx, account_id), caller.role, caller.scopes),
            "auth_mode": request.deps.settings.auth_mode,
            "active": {"queued": found.queued, "running": found.running, "by_kind": found.by_kind},
            "plan": await own_plan(tx, account_id),
            "budget_left": money(found.budget_left),
            "budgets": [render_budget(row) for row in await budgets.listed(tx, account_id)],
            "alerts": [
                as_data(row)
                for row in await budget_alerts.page(tx, account_id, None, False, None, SHOWN_ALERTS)
            ],
            "storage": render_storage(await storage.usage(tx, account_id)),
            "now": datetime.now(UTC),
        }
    return reply(body, headers=NOT_KEPT)


operations = (get_overview,)
