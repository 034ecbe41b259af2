"""`penstock keys`: who may ask."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.options import Connection, takes
from cli.output import local_time
from cli.periods import expiry, span
from cli.session import Session, run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Create, list, rotate and revoke API keys.",
)

KeyId = Annotated[UUID, typer.Argument(metavar="ID", help="Id of a key, as `keys ls` shows it.")]


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
        body["expires_at"] = expiry("--expires", expires, datetime.now(UTC)).isoformat()
    _show_once(session, await session.client.post("/keys", body))


@app.command()
@takes(Connection)
def rotate(
    connection: Connection,
    key_id: KeyId,
    overlap: Annotated[
        str, typer.Option(metavar="SPAN", help="How long the old key goes on working, such as 5m or 2h.")
    ] = "1h",
) -> None:
    """Replace a key by a new one. It is shown this once."""
    overlap_s = int(span("--overlap", overlap).total_seconds())
    run(connection, lambda session: _rotate(session, key_id, overlap_s))


async def _rotate(session: Session, key_id: UUID, overlap_s: int) -> None:
    _show_once(session, await session.client.post(f"/keys/{key_id}/rotate", {"overlap_s": overlap_s}))


def _show_once(session: Session, made: Mapping[str, Any]) -> None:
    if session.out.as_json:
        session.out.json(made)
        return
    session.out.line(made["key"])
    session.out.note("Keep it now: it is not shown again.")


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
            f"ps_live_{item['key_id']}…",
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
    key_id: KeyId,
) -> None:
    """End a key at once."""
    run(connection, lambda session: _revoke(session, key_id))


async def _revoke(session: Session, key_id: UUID) -> None:
    answer = await session.client.delete(f"/keys/{key_id}")
    if session.out.as_json:
        session.out.json(answer or {"id": str(key_id), "revoked": True})
    else:
        session.out.line(f"{key_id}: revoked")
