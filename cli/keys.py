"""`penstock keys`: who may ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from importlib import import_module
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.errors import BadUsage
from cli.options import Connection, takes
from cli.output import Output, dollars, local_time
from cli.periods import expiry, span
from cli.session import Session, finish, run
from shared.money import NANOS_PER_USD

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Create, list, rotate and revoke API keys; seal the accounts' own keys for providers anew.",
)

KeyId = Annotated[UUID, typer.Argument(metavar="ID", help="Id of a key, as `keys ls` shows it.")]


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


@dataclass(frozen=True, kw_only=True)
class Limits(Connection):
    """What a new key may do, and where it is made."""

    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="read, write or admin; may be repeated.")
    ] = None
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires", metavar="WHEN", help="A date, a time with its zone, or such as 12h, 30d, 8w."
        ),
    ] = None
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Only media of this kind; may be repeated.")
    ] = None
    project: Annotated[
        UUID | None, typer.Option("--project", metavar="ID", help="What is made with it belongs there.")
    ] = None
    budget: Annotated[
        str | None, typer.Option("--budget", metavar="DOLLARS", help="What it may spend, such as 25 or 0.50.")
    ] = None
    per: Annotated[
        Period | None, typer.Option("--per", help="Per which period it may spend that; in all by default.")
    ] = None

    def body(self) -> dict[str, object]:
        """Of the request. Raises BadUsage."""
        if self.per is not None and self.budget is None:
            raise BadUsage("--per goes with --budget.")
        given: dict[str, object] = {
            "scopes": self.scope,
            "kinds": self.kind,
            "project_id": str(self.project) if self.project else None,
        }
        body = {name: value for name, value in given.items() if value}
        if self.expires is not None:
            body["expires_at"] = expiry("--expires", self.expires, datetime.now(UTC)).isoformat()
        if self.budget is not None:
            body["budget_nanos"] = _nanos("--budget", self.budget)
            body["budget_period"] = (self.per or Period.TOTAL).value
        return body


def _nanos(option: str, text: str) -> int:
    """Dollars as nano-dollars. Raises BadUsage."""
    try:
        nanos = Decimal(text.removeprefix("$")) * NANOS_PER_USD
    except InvalidOperation:
        nanos = Decimal("NaN")
    if not nanos.is_finite() or nanos < 0 or nanos > 2**62 or nanos != int(nanos):
        raise BadUsage(f"{option} {text}: say dollars, such as 25 or 0.50.")
    return int(nanos)


@app.command()
@takes(Limits)
def create(limits: Limits, name: Annotated[str, typer.Argument(help="What it is for.")]) -> None:
    """Make a key. It is shown this once."""
    run(limits, lambda session: _create(session, name, limits))


async def _create(session: Session, name: str, limits: Limits) -> None:
    _show_once(session, await session.client.post("/keys", {"name": name, **limits.body()}))


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
            ", ".join(item.get("kinds") or ()) or "all",
            _budget(item),
            local_time(item["created_at"]),
            local_time(item.get("last_used_at")),
            local_time(item.get("expires_at")),
        )
        for item in found
    ]
    heads = ("id", "name", "begins with", "scopes", "kinds", "budget", "created", "last used", "expires")
    session.out.table(heads, rows)


def _budget(item: Mapping[str, Any]) -> str:
    if item.get("budget_nanos") is None:
        return ""
    period = item.get("budget_period", "total")
    return dollars(item["budget_nanos"]) + ("" if period == "total" else f" a {period}")


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
    session.out.answer(answer or {"id": str(key_id), "revoked": True}, f"{key_id}: revoked")


@app.command("rotate-master")
def rotate_master(
    as_json: Annotated[bool, typer.Option("--json", help="Print errors as JSON on stderr.")] = False,
) -> None:
    """Seal accounts' own keys for providers anew, under ENCRYPTION_MASTER_KEY.

    Run it with the gateway's settings, once every process has the new key, and the old one in
    ENCRYPTION_MASTER_KEYS_BEFORE. It may be ended and run again at any time.
    """
    # It needs the database and what comes with it; no other command here does.
    module = import_module("cli.master_key")
    out = Output(as_json=as_json)
    finish(out, lambda: module.rotate(out))
