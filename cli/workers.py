"""`penstock workers`: which processes there are, and having one begin nothing new, or end."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.options import Connection, takes
from cli.output import duration_words, local_time
from cli.session import Session, run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Which worker processes there are, and having one begin nothing new, or end.",
)

WorkerId = Annotated[UUID, typer.Argument(metavar="ID", help="A worker, as `workers ls` shows it.")]


@app.command("ls")
@takes(Connection)
def list_workers(connection: Connection) -> None:
    """All worker processes with their heartbeats and slots."""
    run(connection, _list)


async def _list(session: Session) -> None:
    found = (await session.client.get("/ops/workers"))["data"]
    if session.out.as_json:
        session.out.json(found)
        return
    columns = (
        "id",
        "state",
        "kinds",
        "host",
        "#pid",
        "#used",
        "#free",
        "#quiet",
        "#heard",
        "started",
        "version",
    )
    session.out.table(columns, [_row(one) for one in found], empty="No worker runs.")


def _row(worker: Mapping[str, Any]) -> tuple[object, ...]:
    slots = worker["slots"]
    return (
        worker["id"],
        worker["state"],
        ", ".join(worker["kinds"]) or "maintenance",
        worker["host"],
        worker["pid"],
        f"{slots['used']}/{slots['total']}",
        slots["free"],
        slots["quiet"],
        f"{duration_words(worker['heartbeat_age_s'])} ago",
        local_time(worker["started_at"]),
        worker["version"],
    )


@app.command()
@takes(Connection)
def quiet(connection: Connection, worker_id: WorkerId) -> None:
    """Have a worker begin nothing new; what it has begun it carries on."""
    run(connection, lambda session: _set(session, worker_id, "quiet"))


@app.command()
@takes(Connection)
def unquiet(connection: Connection, worker_id: WorkerId) -> None:
    """Have a quiet worker begin work again."""
    run(connection, lambda session: _set(session, worker_id, "unquiet"))


@app.command()
@takes(Connection)
def stop(connection: Connection, worker_id: WorkerId) -> None:
    """Have a worker end what it does, and itself; whatever keeps it running starts another."""
    run(connection, lambda session: _set(session, worker_id, "stop"))


async def _set(session: Session, worker_id: UUID, action: str) -> None:
    found = await session.client.post(f"/ops/workers/{worker_id}/{action}")
    session.out.answer(found, f"{found['id']}: {found['state']}")
