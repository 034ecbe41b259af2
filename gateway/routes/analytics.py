"""Usage, cost, providers side by side, and where spending leads, in the workbench's envelope and as CSV."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, PlainValidator, WithJsonSchema

from gateway.envelope import enveloped, enveloped_answer
from gateway.http import Query, Reply, Request, operation
from gateway.resources import Money, Resource
from gateway.spreadsheets import CSV, spreadsheet, wants_csv
from shared.domains.accounts import Scope
from shared.domains.analytics import comparison, forecast, record, report
from shared.domains.analytics.comparison import Side, Standings
from shared.domains.analytics.forecast import Estimate, Forecast, Period
from shared.domains.analytics.report import Asked, GroupBy, Report, Sums
from shared.errors import InvalidInput, NotFound
from shared.kinds import KINDS
from shared.money import Nanos, amount, as_json, cents

TAG = "Analytics"


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("Must be a day such as 2026-11-20") from None


def _kind(value: Any) -> str:
    if not isinstance(value, str) or value not in KINDS:
        raise ValueError(f"Must be one of {', '.join(KINDS)}")
    return value


Day = Annotated[date, PlainValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Kind = Annotated[str, PlainValidator(_kind), WithJsonSchema({"type": "string", "enum": list(KINDS)})]


class PeriodQuery(Query):
    first: Day | None = Field(None, alias="from", description="The first day; 30 days up to `to` by default.")
    last: Day | None = Field(None, alias="to", description="The last day, included; today by default.")
    project: UUID | None = None
    kind: Kind | None = None
    provider: str | None = Field(None, max_length=100)
    format: Literal["json", "csv"] | None = Field(None, description="Else the Accept header decides.")


class AnalyticsQuery(PeriodQuery):
    model: str | None = Field(None, max_length=200, description="As it was asked for.")
    group_by: GroupBy = Field(GroupBy.DAY, description="Weeks begin on Monday.")


class ComparisonQuery(PeriodQuery):
    group_by: Side = Side.PROVIDER


class ForecastQuery(Query):
    period: Period = Period.MONTH
    project: UUID | None = None


class UsageSums(Resource):
    group: str | None = Field(
        description="Null for what belongs to no group, such as work without a project."
    )
    label: str | None = Field(description="The name of a project.")
    request_count: int
    success_count: int
    failure_count: int
    canceled_count: int
    open_count: int = Field(description="Not ended yet.")
    total_tokens: int
    avg_duration_ms: int | None = Field(description="From the start to the end of what succeeded.")
    total_cost_cents: int
    cost: Money


class UsageAnalyticsResource(Resource):
    from_: date = Field(alias="from")
    to: date
    timezone: str = Field(description="Days begin in the time zone of the account.")
    group_by: GroupBy
    rows: list[UsageSums]
    total: UsageSums


class CostSums(Resource):
    group: str | None
    label: str | None = Field(description="The name of a project.")
    request_count: int
    total_cost_cents: int
    cost: Money
    own_keys: Money = Field(description="What providers charge for own keys; it is no part of the cost.")
    share: float = Field(description="Of the whole cost, 0 to 1.")
    per_success: Money | None = Field(description="The cost divided by what succeeded.")


class CostAnalyticsResource(Resource):
    from_: date = Field(alias="from")
    to: date
    timezone: str
    group_by: GroupBy
    rows: list[CostSums]
    total: CostSums


class RunTime(Resource):
    p50_ms: int | None
    p95_ms: int | None


class ProviderSums(Resource):
    provider: str
    model: str | None = Field(description="The provider's own name, where models are compared.")
    call_count: int
    success_count: int
    failure_count: int
    open_count: int
    success_rate: float | None = Field(description="Of the calls that ended, 0 to 1.")
    run_time: RunTime = Field(description="From the call to the result.")
    output_count: int
    total_cost_cents: int
    cost: Money = Field(description="All that was billed, on own keys and for failures too.")
    cost_per_output: Money | None
    failures: dict[str, int] = Field(description="Failed calls by error code.")


class ProviderAnalyticsResource(Resource):
    from_: date = Field(alias="from")
    to: date
    timezone: str
    group_by: Side
    rows: list[ProviderSums]


class EstimateResource(Resource):
    total_cost_cents: int
    cost: Money = Field(description="What the period will have cost.")
    exceeded_on: date | None = Field(description="The day on which the budget will not suffice any more.")


class ForecastBudget(Resource):
    id: UUID
    mode: Literal["hard", "soft"]
    limit_cents: int
    limit: Money


class ForecastResource(Resource):
    period: Period
    from_: date = Field(alias="from")
    to: date
    today: date
    timezone: str
    spent_cents: int
    spent: Money
    linear: EstimateResource = Field(
        description="The rest of the period costs as much as the part that is over."
    )
    trend: EstimateResource = Field(description="The line through the last 14 full days goes on.")
    budget: ForecastBudget | None = Field(description="The tightest budget of such a period.")


@operation(
    "GET",
    "/api/analytics/usage",
    tag=TAG,
    summary="What was used (workbench)",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "Counts and money per group", UsageAnalyticsResource, also=(CSV,)),),
    errors=(InvalidInput, NotFound),
)
async def workbench_usage(request: Request[None, AnalyticsQuery]) -> Reply:
    """Work counts on the day on which it was asked for, money on the day on which it was settled. Days, weeks and
    months come in their order, other groups dearest first. Numbers are those of now.
    """
    told = await _report(request)
    rows, total = [_usage(row) for row in told.rows], _usage(told.total)
    return _answer(request, "usage", told, rows, total, UsageSums)


@operation(
    "GET",
    "/api/analytics/cost",
    tag=TAG,
    summary="What it cost (workbench)",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "Money per group", CostAnalyticsResource, also=(CSV,)),),
    errors=(InvalidInput, NotFound),
)
async def workbench_cost(request: Request[None, AnalyticsQuery]) -> Reply:
    """What was settled in the period, without what is only reserved."""
    told = await _report(request)
    rows = [_cost(row, told.total.cost) for row in told.rows]
    return _answer(request, "cost", told, rows, _cost(told.total, told.total.cost), CostSums)


@operation(
    "GET",
    "/api/analytics/provider",
    tag=TAG,
    summary="Compare providers (workbench)",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "The most used first", ProviderAnalyticsResource, also=(CSV,)),),
    errors=(InvalidInput, NotFound),
)
async def workbench_provider(request: Request[None, ComparisonQuery]) -> Reply:
    """Every call to a provider counts, also one after which another provider was tried. Up to 366 days."""
    asked = request.query
    async with request.deps.replica.transaction(request.account_id) as tx:
        now = await record.standing(tx, request.account_id)
        first, last = report.period(asked.first, asked.last, now.today, most_days=comparison.MAX_DAYS)
        where = Asked(first, last, asked.project, asked.kind, asked.provider)
        found = await comparison.compare(tx, request.account_id, now, where, asked.group_by)
    rows = [_compared(row) for row in found]
    if wants_csv(request, asked.format):
        flat = [row | row["run_time"] | {"failures": _classes(row["failures"])} for row in rows]
        return _csv("provider", first, last, flat, ProviderSums)
    data = _frame(now.timezone, first, last) | {"group_by": asked.group_by, "rows": rows}
    return enveloped(data, f"{len(rows)} {asked.group_by}s.")


@operation(
    "GET",
    "/api/analytics/forecast",
    tag=TAG,
    summary="Foretell the cost of this month or week (workbench)",
    scope=Scope.READ,
    answers=(enveloped_answer(200, "Two estimates, and the budget beside them", ForecastResource),),
    errors=(InvalidInput, NotFound),
)
async def workbench_forecast(request: Request[None, ForecastQuery]) -> Reply:
    """Of the account, or of one project."""
    asked = request.query
    async with request.deps.replica.transaction(request.account_id) as tx:
        now = await record.standing(tx, request.account_id)
        told = await forecast.foretell(tx, request.account_id, now, asked.period, asked.project)
    return enveloped(
        _foretold(told, asked.period), f"This {asked.period} may cost ${amount(told.trend.total)}."
    )


async def _report(request: Request[None, AnalyticsQuery]) -> Report:
    asked = request.query
    async with request.deps.replica.transaction(request.account_id) as tx:
        now = await record.standing(tx, request.account_id)
        first, last = report.period(asked.first, asked.last, now.today)
        where = Asked(first, last, asked.project, asked.kind, asked.provider, asked.model)
        return await report.report(tx, request.account_id, now, where, asked.group_by)


def _answer(
    request: Request[None, AnalyticsQuery], name: str, told: Report, rows: list[dict[str, Any]], total: dict[str, Any],
    resource: type[Resource],
) -> Reply:  # fmt: skip
    if wants_csv(request, request.query.format):
        return _csv(name, told.first, told.last, rows, resource)
    data = _frame(told.timezone, told.first, told.last) | {
        "group_by": request.query.group_by,
        "rows": rows,
        "total": total,
    }
    return enveloped(data, f"{len(rows)} rows.")


def _frame(timezone: str, first: date, last: date) -> dict[str, Any]:
    return {"from": first, "to": last, "timezone": timezone}


def _usage(row: Sums) -> dict[str, Any]:
    return {
        "group": row.group,
        "label": row.label,
        "request_count": row.requests,
        "success_count": row.successes,
        "failure_count": row.failures,
        "canceled_count": row.canceled,
        "open_count": row.unfinished,
        "total_tokens": row.tokens,
        "avg_duration_ms": row.avg_duration_ms,
        "total_cost_cents": cents(row.cost),
        "cost": as_json(row.cost),
    }


def _cost(row: Sums, whole: Nanos) -> dict[str, Any]:
    per_success = Nanos(round(row.cost / row.successes)) if row.successes else None
    return {
        "group": row.group,
        "label": row.label,
        "request_count": row.requests,
        "total_cost_cents": cents(row.cost),
        "cost": as_json(row.cost),
        "own_keys": as_json(row.own_cost),
        "share": round(row.cost / whole, 6) if whole else 0.0,
        "per_success": None if per_success is None else as_json(per_success),
    }


def _compared(row: Standings) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "model": row.model,
        "call_count": row.calls,
        "success_count": row.successes,
        "failure_count": row.failures,
        "open_count": row.unfinished,
        "success_rate": row.success_rate,
        "run_time": {"p50_ms": row.p50_ms, "p95_ms": row.p95_ms},
        "output_count": row.outputs,
        "total_cost_cents": cents(row.cost),
        "cost": as_json(row.cost),
        "cost_per_output": None if row.cost_per_output is None else as_json(row.cost_per_output),
        "failures": row.classes,
    }


def _classes(failures: Mapping[str, int]) -> str:
    return " ".join(f"{code}:{count}" for code, count in failures.items())


def _foretold(told: Forecast, period: Period) -> dict[str, Any]:
    budget = told.budget
    return _frame(told.timezone, told.first, told.last) | {
        "period": period,
        "today": told.today,
        "spent_cents": cents(told.spent),
        "spent": as_json(told.spent),
        "linear": _estimate(told.linear),
        "trend": _estimate(told.trend),
        "budget": None if budget is None else {
            "id": budget.id,
            "mode": budget.mode,
            "limit_cents": cents(budget.limit),
            "limit": as_json(budget.limit),
        },
    }  # fmt: skip


def _estimate(told: Estimate) -> dict[str, Any]:
    return {
        "total_cost_cents": cents(told.total),
        "cost": as_json(told.total),
        "exceeded_on": told.exceeded_on,
    }


def _csv(
    name: str, first: date, last: date, rows: Iterable[dict[str, Any]], resource: type[Resource]
) -> Reply:
    """One column per field; of an amount of money its nano-dollars and its dollars."""
    columns: list[str] = []
    for field, info in resource.model_fields.items():
        if info.annotation is RunTime:
            columns += RunTime.model_fields
        else:
            columns += [f"{field}_nanos", f"{field}_usd"] if _is_money(info.annotation) else [field]
    return spreadsheet(f"{name}-{first}-{last}", map(_flat, rows), columns)


def _is_money(annotation: Any) -> bool:
    return annotation in (Money, Money | None)


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat = dict(row)
    for field, value in row.items():
        known = value if isinstance(value, dict) else {}
        flat |= {f"{field}_nanos": known.get("nanos"), f"{field}_usd": known.get("amount")}
    return flat


operations = (workbench_usage, workbench_cost, workbench_provider, workbench_forecast)
