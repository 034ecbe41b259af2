"""`penstock usage`: what was spent, on what."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.options import Connection, takes
from cli.output import dollars, local_time
from cli.periods import moment
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
        str | None,
        typer.Option("--from", metavar="DATE", help="From this day or time; 30 days ago if not said."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Up to this day, included, or time.")
    ] = None,
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
    rows = [*report["rows"], {**report["total"], "group": "total"}]
    session.out.table(
        (by.value, "#generations", "#completed", "#failed", "#cost"),
        [
            (
                row["group"] or "none",
                row["generations"],
                row["completed"],
                row["failed"],
                dollars(row["nanos"]),
            )
            for row in rows
        ],
    )
