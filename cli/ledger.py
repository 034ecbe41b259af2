"""`penstock ledger`: every movement of money."""

from typing import Annotated

import typer

from cli.options import Connection, takes
from cli.output import dollars, local_time
from cli.session import Session, run


@takes(Connection)
def ledger_command(
    connection: Connection,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on after this page's `next`.")
    ] = None,
) -> None:
    """Every movement of money, the latest first."""
    run(connection, lambda session: _ledger(session, limit, after))


async def _ledger(session: Session, limit: int, after: str | None) -> None:
    found = await session.client.items("/ledger", limit, after=after)
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
