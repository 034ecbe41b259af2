"""`penstock ledger`: every movement of money."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from cli.options import Connection, takes
from cli.output import dollars, local_time
from cli.periods import moment
from cli.session import Session, run


class EntryKind(StrEnum):
    RESERVE = "reserve"
    SETTLE = "settle"
    RELEASE = "release"
    ADJUST = "adjust"


@takes(Connection)
def ledger_command(
    connection: Connection,
    generation: Annotated[UUID | None, typer.Option(metavar="ID", help="Only of this generation.")] = None,
    kind: Annotated[EntryKind | None, typer.Option(help="Only entries of this kind.")] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="From this day or time.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Up to this day, included, or time.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """Every movement of money, the latest first."""
    query = {
        "generation_id": generation,
        "kind": kind.value if kind else None,
        "from": moment("--from", begin),
        "to": moment("--to", end),
    }
    run(connection, lambda session: _ledger(session, limit, query))


async def _ledger(session: Session, limit: int, query: Mapping[str, object]) -> None:
    found = await session.client.items("/ledger", limit, **query)
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [
        (
            local_time(item["created_at"]),
            item["kind"],
            dollars(item["nanos"]),
            item.get("payer"),
            item.get("provider"),
            item.get("model"),
            item.get("generation_id"),
            item.get("note"),
        )
        for item in found
    ]
    columns = ("at", "entry", "#amount", "payer", "provider", "model", "generation", "detail")
    session.out.table(columns, rows, empty="Nothing was spent yet.")
