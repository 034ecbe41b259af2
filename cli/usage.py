"""`penstock usage`: what was spent, on what."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from cli.errors import BadUsage
from cli.options import Connection, takes
from cli.output import dollars, local_time
from cli.session import Session, run


class GroupBy(StrEnum):
    KIND = "kind"
    MODEL = "model"
    PROVIDER = "provider"
    DAY = "day"


@takes(Connection)
def usage_command(
    connection: Connection,
    by: Annotated[GroupBy, typer.Option(help="What each row is about.")] = GroupBy.KIND,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="From this date or time.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Up to this date or time.")] = None,
) -> None:
    """What was spent, by kind, model, provider or day."""
    run(connection, lambda session: _usage(session, by, begin, end))


async def _usage(session: Session, by: GroupBy, begin: str | None, end: str | None) -> None:
    query = {"group_by": by.value, "from": moment("--from", begin), "to": moment("--to", end)}
    report = await session.client.get("/usage", **query)
    if session.out.as_json:
        session.out.json(report)
        return
    session.out.note(f"{local_time(report.get('from'))} to {local_time(report.get('to'))}", "dim")
    rows = [*report["rows"], {"group": "total", **report["total"]}]
    session.out.table(
        (by.value, "#generations", "#completed", "#failed", "#cost"),
        [
            (row["group"], row["generations"], row["completed"], row["failed"], dollars(row["nanos"]))
            for row in rows
        ],
    )


def moment(option: str, text: str | None) -> str | None:
    """A date or time in this machine's zone unless it names its own, for the API. Raises BadUsage."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage(f"{option} {text}: say a date or a time, such as 2026-05-01.") from None
    return (found if found.tzinfo is not None else found.astimezone()).isoformat()
