"""`penstock audit`: who did what to the installation."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli.options import Connection, takes
from cli.output import local_time, shorten
from cli.session import Session, run


@takes(Connection)
def audit_command(
    connection: Connection,
    action: Annotated[str | None, typer.Option(help="queue.pause, or queue for all about queues.")] = None,
    target: Annotated[str | None, typer.Option(help="Such as queue:image or job:ID.")] = None,
    actor: Annotated[str | None, typer.Option(help="Whose, by name or id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """Who did what to the installation, newest first."""
    query = {"action": action, "target": target, "actor": actor}
    run(connection, lambda session: _list(session, limit, query))


async def _list(session: Session, limit: int, query: Mapping[str, object]) -> None:
    found = await session.client.items("/ops/audit", limit, **query)
    if session.out.as_json:
        session.out.json(found)
        return
    columns = ("when", "who", "from", "action", "target", "detail")
    session.out.table(columns, [_row(one) for one in found], empty="Nothing was done yet.")


def _row(entry: Mapping[str, Any]) -> tuple[object, ...]:
    details = {name: value for name, value in entry["details"].items() if value is not None and name != "ids"}
    return (
        local_time(entry["at"]),
        entry["actor"]["name"],
        entry["actor"]["address"],
        entry["action"],
        entry["target"],
        shorten(json.dumps(details, ensure_ascii=False), 100) if details else "",
    )
