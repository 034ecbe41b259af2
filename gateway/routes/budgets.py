"""Budgets and their alerts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from gateway.changes import Changes
from gateway.http import Answer, Body, Reply, Request, operation, reply
from gateway.pagination import PageQuery, page, position
from gateway.resources import Money, Resource, money
from shared.domains import budget_alerts, budgets
from shared.domains.accounts import Scope
from shared.domains.budget_alerts import as_data
from shared.domains.budgets import MAX_BUDGETS, THRESHOLDS, NewBudget
from shared.errors import Conflict, InvalidInput, NotFound
from shared.money import NANOS_PER_CENT, cents

TAG = "Budgets"
MOST_NANOS = 2**62
EXAMPLE = {"name": "Marketing", "scope": "account", "period": "month", "limit_cents": 5000, "mode": "hard"}

ScopeName = Literal["account", "project", "key", "provider"]
Period = Literal["day", "week", "month", "total"]
Mode = Literal["hard", "soft"]


def _sorted(percents: list[int]) -> list[int]:
    return sorted(set(percents))


Percent = Annotated[int, Field(ge=1, le=1000)]
Thresholds = Annotated[
    list[Percent],
    Field(max_length=10, description="An alert is due when so many percent are spent."),
    AfterValidator(_sorted),
]
Cents = Annotated[int, Field(ge=0, le=MOST_NANOS // NANOS_PER_CENT)]
Amount = Annotated[int, Field(ge=0, le=MOST_NANOS)]


class BudgetRequest(Body):
    name: str | None = Field(None, min_length=1, max_length=255)
    scope: ScopeName = "account"
    project_id: UUID | None = Field(None, strict=False)
    api_key_id: UUID | None = Field(None, strict=False)
    provider: str | None = Field(None, min_length=1, max_length=50)
    period: Period = Field("month", description="In the account's time zone; weeks begin on Monday.")
    mode: Mode = Field("hard", description="`hard` refuses what might exceed it, `soft` only tells.")
    limit_cents: Cents | None = Field(None, description="0 lets nothing through.")
    limit_nanos: Amount | None = Field(None, description="The same, finer.")
    thresholds: Thresholds = Field(default_factory=lambda: list(THRESHOLDS))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.limit_cents is None) == (self.limit_nanos is None):
            raise ValueError("give either limit_cents or limit_nanos")
        given = {"project": self.project_id, "key": self.api_key_id, "provider": self.provider}
        if [name for name, value in given.items() if value is not None] != [self.scope] * (
            self.scope != "account"
        ):
            raise ValueError(
                "give project_id, api_key_id or provider for the scope of that name, and none else"
            )
        return self

    @property
    def new(self) -> NewBudget:
        subject = {"project": self.project_id, "key": self.api_key_id, "provider": self.provider}
        return NewBudget(
            self.scope, subject.get(self.scope), self.period, _limit(self), self.mode, self.name, self.thresholds
        )  # fmt: skip


class BudgetChanges(Changes):
    name: str | None = Field(None, min_length=1, max_length=255)
    mode: Mode = "hard"
    limit_cents: Cents = 0
    limit_nanos: Amount = 0
    thresholds: Thresholds = Field(default_factory=lambda: list(THRESHOLDS))

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if {"limit_cents", "limit_nanos"} <= self.model_fields_set:
            raise ValueError("give either limit_cents or limit_nanos")
        return self


def _limit(asked: BudgetRequest) -> int:
    return asked.limit_nanos if asked.limit_nanos is not None else (asked.limit_cents or 0) * NANOS_PER_CENT


class BudgetResource(Resource):
    id: UUID
    object: Literal["budget"]
    name: str | None
    scope: ScopeName
    project_id: UUID | None
    api_key_id: UUID | None
    provider: str | None
    period: Period
    mode: Mode
    limit_cents: int
    limit: Money
    spent: Money = Field(description="Billed for what was admitted since `starts_at`.")
    reserved: Money = Field(description="Set aside for what has not ended yet.")
    remaining: Money
    thresholds: list[int]
    origin: Literal["project", "key", "provider"] | None = Field(
        description="Where the limit is set, if not here: on the project or key, or as a provider's cap."
    )
    starts_at: datetime | None
    resets_at: datetime | None = Field(description="Null for budgets that are not periodical.")
    created_at: datetime
    updated_at: datetime


class BudgetList(Resource):
    data: list[BudgetResource]


class BudgetAlertResource(Resource):
    id: UUID
    object: Literal["budget_alert"]
    budget_id: UUID | None
    project_id: UUID | None
    alert_type: Literal["threshold_reached", "budget_exceeded"]
    threshold_percent: int
    threshold_cents: int
    current_spend_cents: int
    threshold: Money
    current_spend: Money
    triggered_at: datetime
    acknowledged_at: datetime | None
    metadata: dict[str, Any]


class BudgetAlertPage(Resource):
    data: list[BudgetAlertResource]
    next: str | None


class AlertsQuery(PageQuery):
    budget: UUID | None = None
    acknowledged: Literal["true", "false"] | None = None


@operation(
    "GET",
    "/api/v1/budgets",
    tag=TAG,
    summary="List budgets",
    scope=Scope.READ,
    answers=(Answer(200, f"All of them, newest first; {MAX_BUDGETS} at most", BudgetList),),
)
async def list_budgets(request: Request[None, None]) -> Reply:
    """Those that are set on projects, keys and providers too."""
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await budgets.listed(tx, request.account_id)
    return reply({"data": [render_budget(row) for row in rows]})


@operation(
    "POST",
    "/api/v1/budgets",
    tag=TAG,
    summary="Set a budget",
    scope=Scope.ADMIN,
    answers=(Answer(201, "It holds from now on", BudgetResource, headers=("Location",)),),
    errors=(InvalidInput, Conflict),
    parameters=("Idempotency-Key",),
    example=EXAMPLE,
    idempotent=True,
)
async def create_budget(request: Request[BudgetRequest, None]) -> Reply:
    """What was admitted in its current period counts already. Several budgets may hold for one request; the error
    of a refused one names which said no, what is left of it, and when it begins anew.
    """
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await budgets.create(tx, request.account_id, request.body.new)
        await budget_alerts.changed(tx, row["id"], request.deps.publisher)
    return reply(render_budget(row), 201, {"Location": f"/api/v1/budgets/{row['id']}"})


@operation(
    "GET",
    "/api/v1/budgets/alerts",
    tag=TAG,
    summary="List alerts, newest first",
    scope=Scope.READ,
    answers=(Answer(200, "A page", BudgetAlertPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_budget_alerts(request: Request[None, AlertsQuery]) -> Reply:
    """Each threshold once per period. They are told to webhooks (`budget.alert`), the live feed and by e-mail too."""
    asked, after = request.query, _after(request)
    acknowledged = {"true": True, "false": False}.get(asked.acknowledged or "")
    async with request.deps.db.transaction(request.account_id) as tx:
        rows = await budget_alerts.page(
            tx, request.account_id, asked.budget, acknowledged, after, asked.limit + 1
        )
    shown = rows[: asked.limit]
    more = None
    if len(rows) > asked.limit:
        more = [shown[-1]["triggered_at"].isoformat(), str(shown[-1]["id"])]
    return page(request, [as_data(row) for row in shown], more)


@operation(
    "POST",
    "/api/v1/budgets/alerts/{id}/acknowledge",
    tag=TAG,
    summary="Acknowledge an alert",
    scope=Scope.WRITE,
    answers=(Answer(200, "It has been seen", BudgetAlertResource),),
    errors=(NotFound,),
)
async def acknowledge_budget_alert(request: Request[None, None]) -> Reply:
    """Keeps the time of the first."""
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await budget_alerts.acknowledge(tx, request.account_id, request.id())
    return reply(as_data(row))


@operation(
    "GET",
    "/api/v1/budgets/{id}",
    tag=TAG,
    summary="Get a budget",
    scope=Scope.READ,
    answers=(Answer(200, "The budget, and what is left of it", BudgetResource),),
    errors=(NotFound,),
)
async def get_budget(request: Request[None, None]) -> Reply:
    """As of now."""
    async with request.deps.db.transaction(request.account_id) as tx:
        return reply(render_budget(await budgets.get(tx, request.account_id, request.id())))


@operation(
    "PATCH",
    "/api/v1/budgets/{id}",
    tag=TAG,
    summary="Change a budget",
    scope=Scope.ADMIN,
    answers=(Answer(200, "As it is now", BudgetResource),),
    errors=(NotFound, Conflict, InvalidInput),
    example={"limit_cents": 10_000},
)
async def change_budget(request: Request[BudgetChanges, None]) -> Reply:
    """What is left out stays. What a budget is for, and its period, cannot be changed: set another one."""
    asked, budget_id = request.body, request.id()
    changes = asked.model_dump(include=asked.model_fields_set, exclude={"limit_cents"})
    if asked.gives("limit_cents"):
        changes["limit_nanos"] = asked.limit_cents * NANOS_PER_CENT
    async with request.deps.db.transaction(request.account_id) as tx:
        row = await budgets.change(tx, request.account_id, budget_id, changes)
        await budget_alerts.changed(tx, budget_id, request.deps.publisher)
    return reply(render_budget(row))


@operation(
    "DELETE",
    "/api/v1/budgets/{id}",
    tag=TAG,
    summary="Delete a budget",
    scope=Scope.ADMIN,
    answers=(Answer(204, "It holds no longer"),),
    errors=(NotFound, Conflict),
)
async def delete_budget(request: Request[None, None]) -> Reply:
    """Its alerts stay. One that is set on a project, key or provider is lifted there (409)."""
    async with request.deps.db.transaction(request.account_id) as tx:
        await budgets.delete(tx, request.account_id, request.id())
    return Reply(None, 204)


def _after(request: Request[None, AlertsQuery]) -> tuple[datetime, UUID] | None:
    found = position(request)
    return None if found is None else (datetime.fromisoformat(found[0]), UUID(found[1]))


def render_budget(row: Mapping[str, Any]) -> dict[str, Any]:
    """The BudgetResource of a row."""
    limit, held, spent = row["limit_nanos"], row["held_nanos"], row["spent_nanos"]
    return {
        "id": row["id"],
        "object": "budget",
        "name": row["name"],
        "scope": row["scope"],
        "project_id": row["project_id"],
        "api_key_id": row["api_key_id"],
        "provider": row["provider"],
        "period": row["period"],
        "mode": row["mode"],
        "limit_cents": cents(limit),
        "limit": money(limit),
        "spent": money(spent),
        "reserved": money(held - spent),
        "remaining": money(max(limit - held, 0)),
        "thresholds": row["thresholds"],
        "origin": row["origin"],
        "starts_at": row["starts_at"],
        "resets_at": row["ends_at"],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


operations = (
    list_budgets,
    create_budget,
    list_budget_alerts,
    acknowledge_budget_alert,
    get_budget,
    change_budget,
    delete_budget,
)
