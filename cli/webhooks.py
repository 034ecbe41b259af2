"""`penstock webhooks`: who is told of what, and what became of each message."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.options import Connection, takes
from cli.output import local_time, shorten
from cli.session import Session, run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Who is told of events by HTTP, and what was delivered.",
)

WebhookId = Annotated[
    UUID, typer.Argument(metavar="ID", help="Id of an endpoint, as `webhooks ls` shows it.")
]


@app.command("ls")
@takes(Connection)
def list_webhooks(connection: Connection) -> None:
    """The endpoints of this account."""
    run(connection, _list)


async def _list(session: Session) -> None:
    found = (await session.client.get("/webhooks"))["data"]
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [
        (one["id"], one["url"], ", ".join(one["events"]), _state(one), one["description"]) for one in found
    ]
    session.out.table(("id", "url", "events", "state", "detail"), rows, empty="There are none yet.")


def _state(endpoint: Mapping[str, Any]) -> str:
    if endpoint["enabled"]:
        return "enabled"
    return f"disabled: {endpoint['disabled_reason']}" if endpoint["disabled_reason"] else "disabled"


@app.command()
@takes(Connection)
def create(
    connection: Connection,
    target: Annotated[str, typer.Argument(metavar="URL", help="https, at a public address.")],
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="Such as generation.failed; may be repeated. Without it, every end of a generation."
        ),
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Make an endpoint. Its secret, with which messages are verified, is shown this once."""
    run(connection, lambda session: _create(session, target, event, description))


async def _create(session: Session, target: str, events: list[str] | None, description: str) -> None:
    body: dict[str, object] = {"url": target, "description": description}
    if events:
        body["events"] = events
    made = await session.client.post("/webhooks", body)
    if session.out.as_json:
        session.out.json(made)
        return
    session.out.line(made["secret"])
    session.out.note(f"The secret of {made['id']}. Keep it now: it is not shown again.")


@app.command()
@takes(Connection)
def test(connection: Connection, webhook_id: WebhookId) -> None:
    """Send a test message to an endpoint."""
    run(connection, lambda session: _sent(session, f"/webhooks/{webhook_id}/test"))


@app.command()
@takes(Connection)
def redeliver(
    connection: Connection,
    delivery_id: Annotated[UUID, typer.Argument(metavar="ID", help="Id of a message.")],
) -> None:
    """Send a message again, whatever became of it."""
    run(connection, lambda session: _sent(session, f"/deliveries/{delivery_id}/redeliver"))


async def _sent(session: Session, path: str) -> None:
    delivery = await session.client.post(path)
    session.out.answer(delivery, f"{delivery['id']}: {delivery['state']}")


@app.command("deliveries")
@takes(Connection)
def list_deliveries(
    connection: Connection,
    webhook_id: Annotated[UUID | None, typer.Argument(metavar="[ID]", help="One endpoint only.")] = None,
    state: Annotated[
        str | None, typer.Option(metavar="STATE", help="pending, delivered, failed or abandoned.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
) -> None:
    """What was sent, newest first."""
    run(connection, lambda session: _deliveries(session, webhook_id, state, limit))


async def _deliveries(session: Session, webhook_id: UUID | None, state: str | None, limit: int) -> None:
    path = "/deliveries" if webhook_id is None else f"/webhooks/{webhook_id}/deliveries"
    found = await session.client.items(path, limit, state=state)
    if session.out.as_json:
        session.out.json(found)
        return
    columns = ("id", "type", "state", "#attempts", "#status", "created", "next attempt", "detail")
    session.out.table(columns, [_row(one) for one in found], empty="Nothing was sent yet.")


def _row(delivery: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        delivery["id"],
        delivery["type"],
        delivery["state"],
        delivery["attempts"],
        delivery["last_status"],
        local_time(delivery["created_at"]),
        local_time(delivery["next_attempt_at"]),
        shorten(delivery["last_error"] or delivery["last_response"] or "", 80),
    )
