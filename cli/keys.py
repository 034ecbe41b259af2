"""`penstock keys`: who may ask."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from cli.errors import BadUsage
from cli.options import Connection, takes
from cli.output import local_time
from cli.session import Session, run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Create, list and revoke API keys.",
)

UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@app.command()
@takes(Connection)
def create(
    connection: Connection,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str] | None, typer.Option(help="read, write or admin; may be repeated.")] = None,
    expires: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="A date, a time with its zone, or such as 12h, 30d, 8w."),
    ] = None,
) -> None:
    """Make a key. It is shown this once."""
    run(connection, lambda session: _create(session, name, scope, expires))


async def _create(session: Session, name: str, scopes: list[str] | None, expires: str | None) -> None:
    body: dict[str, object] = {"name": name}
    if scopes:
        body["scopes"] = scopes
    if expires is not None:
        body["expires_at"] = expiry(expires, datetime.now(UTC)).isoformat()
    made = await session.client.post("/keys", body)
    if session.out.as_json:
        session.out.json(made)
        return
    session.out.line(made["key"])
    session.out.note("Keep it now: it is not shown again.")


def expiry(text: str, now: datetime) -> datetime:
    """The moment that `text` means. Raises BadUsage when it is none, or past."""
    number, unit = text[:-1], text[-1:]
    if number.isascii() and number.isdigit() and unit in UNITS:
        return now + int(number) * UNITS[unit]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadUsage(f"--expires {text}: say a date, a time, or such as 12h, 30d, 8w.") from None
    moment = moment if moment.tzinfo is not None else moment.astimezone()
    if moment <= now:
        raise BadUsage(f"--expires {text} is in the past.")
    return moment


@app.command("ls")
@takes(Connection)
def list_keys(connection: Connection) -> None:
    """The keys of this account."""
    run(connection, _list)


async def _list(session: Session) -> None:
    found = (await session.client.get("/keys"))["data"]
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [
        (
            item["id"],
            item["name"],
            item.get("prefix") or f"ps_live_{item['key_id']}",
            ", ".join(item.get("scopes") or ()),
            local_time(item["created_at"]),
            local_time(item.get("last_used_at")),
            local_time(item.get("expires_at")),
        )
        for item in found
    ]
    session.out.table(("id", "name", "begins with", "scopes", "created", "last used", "expires"), rows)


@app.command()
@takes(Connection)
def revoke(
    connection: Connection,
    key_id: Annotated[UUID, typer.Argument(metavar="ID", help="Id of a key, as `keys ls` shows it.")],
) -> None:
    """End a key at once."""
    run(connection, lambda session: _revoke(session, key_id))


async def _revoke(session: Session, key_id: UUID) -> None:
    answer = await session.client.delete(f"/keys/{key_id}")
    if session.out.as_json:
        session.out.json(answer or {"id": str(key_id), "revoked": True})
    else:
        session.out.line(f"{key_id}: revoked")
