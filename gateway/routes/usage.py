"""What was spent, by whom, on what."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from gateway.http import Answer, Query, Reply, Request, operation, reply
from gateway.instants import in_utc
from gateway.pagination import PageQuery, page, position
from gateway.resources import LedgerResource, Resource, render_ledger_entry
from shared.domains import usage
from shared.domains.accounts import Scope
from shared.domains.usage import GroupBy, LedgerFilter, UsageRow
from shared.errors import InvalidInput
from shared.money import as_json
from shared.orm import orm_session

TAG = "Usage"
DEFAULT_PERIOD = timedelta(days=30)
MAX_PERIOD = timedelta(days=3 * 366)


def _moment(value: Any) -> datetime | date:
    """`2026-11-20` as a day, a time with its zone as that instant."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("Must be a day such as 2026-11-20 or a time such as 2026-11-20T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("A time needs its zone, such as Z")
    return in_utc(moment)


_MOMENT_SCHEMA = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
Moment = Annotated[
    datetime | date,
    PlainValidator(_moment),
    PlainSerializer(lambda moment: moment.isoformat(), return_type=str),
    WithJsonSchema(_MOMENT_SCHEMA),
]


class UsageGroup(Resource):
    group: str | None = Field(description="Null for what belongs to no group, such as never started work.")
    generations: int
    completed: int
    failed: int
    nanos: int
    amount: str


class UsageReport(Resource):
    from_: datetime = Field(alias="from")
    to: datetime
    group_by: GroupBy
    rows: list[UsageGroup]
    total: UsageGroup


class UsageQuery(Query):
    start: Moment | None = Field(None, alias="from", description="A day or a time; 30 days ago by default.")
    end: Moment | None = Field(None, alias="to", description="A day (included) or a time; now by default.")
    group_by: GroupBy = GroupBy.KIND


@operation(
    "GET",
    "/api/v1/usage",
    tag=TAG,
    summary="Sum up usage",
    scope=Scope.READ,
    answers=(Answer(200, "Counts and money per group, dearest first", UsageReport),),
    errors=(InvalidInput,),
)
async def get_usage(request: Request[None, UsageQuery]) -> Reply:
    """Days are those of UTC. Money is what was settled in the period; reserves are not counted."""
    asked = request.query
    end = _end(asked.end)
    start = start_of(asked.start) or end - DEFAULT_PERIOD
    if not timedelta(0) <= end - start <= MAX_PERIOD:
        raise InvalidInput("`from` must be before `to`, by three years at most.", field="from", status=422)
    async with request.deps.replica.transaction(request.account_id) as tx:
        rows = await usage.usage(tx, start, end, asked.group_by)
    return reply(
        {
            "from": start,
            "to": end,
            "group_by": asked.group_by,
            "rows": [_render(row) for row in rows],
            "total": _render(usage.total(rows)),
        }
    )


def start_of(moment: Moment | None) -> datetime | None:
    """The first instant that is meant."""
    if moment is None or isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time(), UTC)


def _end(moment: Moment | None) -> datetime:
    if moment is None:
        return datetime.now(UTC)
    if isinstance(moment, datetime):
        return moment
    try:
        return datetime.combine(moment, time(), UTC) + timedelta(days=1)
    except OverflowError:
        raise InvalidInput("This day is out of range.", field="to", status=422) from None


def _render(row: UsageRow) -> dict[str, Any]:
    return {
        "group": row.group,
        "generations": row.generations,
        "completed": row.completed,
        "failed": row.failed,
        **as_json(row.nanos),
    }


class LedgerPage(Resource):
    data: list[LedgerResource]
    next: str | None


class LedgerQuery(PageQuery):
    generation_id: UUID | None = None
    kind: Literal["reserve", "settle", "release", "adjust"] | None = None
    start: Moment | None = Field(None, alias="from")
    end: Moment | None = Field(None, alias="to")


@operation(
    "GET",
    "/api/v1/ledger",
    tag=TAG,
    summary="List ledger entries, newest first",
    scope=Scope.READ,
    answers=(Answer(200, "A page", LedgerPage, headers=("Link",)),),
    errors=(InvalidInput,),
)
async def list_ledger(request: Request[None, LedgerQuery]) -> Reply:
    """Every movement of money. The sum over a finished generation is what it cost."""
    asked, limit = request.query, request.query.limit
    end = _end(asked.end) if asked.end is not None else None
    where = LedgerFilter(asked.generation_id, asked.kind, start_of(asked.start), end)
    found = position(request)
    after = (datetime.fromisoformat(found[0]), UUID(found[1])) if found else None
    async with orm_session(request.deps.orm, request.account_id) as session:
        rows = await usage.ledger_page(session, where, after, limit + 1)
    shown = rows[:limit]
    more = [shown[-1].created_at.isoformat(), str(shown[-1].id)] if len(rows) > limit else None
    return page(request, [render_ledger_entry(row) for row in shown], more)


operations = (get_usage, list_ledger)
