"""`penstock prices`: what models are billed by."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import Refused
from cli.models import price_words
from cli.options import Connection, takes
from cli.pricefile import PriceFile, as_toml, read_price_file
from cli.session import Session, run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="Show what models are billed by, and import prices from a file.",
)

File = Annotated[Path, typer.Argument(help="A price file in TOML; see docs/prices.example.toml.")]
ENTRY = "prices."
HOW = {"new": "had no price", "changed": "changes", "same": "stays", "reset": "back to its own"}


@app.command()
@takes(Connection)
def show(
    connection: Connection,
    model: Annotated[str | None, typer.Argument(help="Only models whose id contains this.")] = None,
    toml: Annotated[
        bool, typer.Option("--toml", help="As a price file, to be changed and imported.")
    ] = False,
) -> None:
    """Today's price of every model, where it comes from, and what was imported."""
    run(connection, lambda session: _show(session, model, toml=toml))


async def _show(session: Session, model: str | None, *, toml: bool) -> None:
    found = [
        item
        for item in (await session.client.get("/prices"))["data"]
        if model is None or model in item["card"]
    ]
    if session.out.as_json:
        session.out.json(found)
    elif toml:
        session.out.text(as_toml(found))
    else:
        columns = ("model", "price", "since", "set by", "detail")
        session.out.table(columns, _rows(found), empty="There are none: is a worker running?")


def _rows(found: Sequence[Mapping[str, Any]]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for item in found:
        price = item["price"] or {}
        set_by = {"card": "the model's card", "import": "an import"}.get(item["origin"], "")
        rows.append(
            (
                item["card"],
                price_words(item["price"]),
                price.get("effective_from"),
                set_by,
                price.get("source"),
            )
        )
        rows += [
            (item["card"], price_words(later["price"]) if later["price"] else "its own", later["effective_from"],
             "an import, still to come", later["source"])
            for later in item["imported"]
            if later["is_to_come"]
        ]  # fmt: skip
    return rows


@app.command()
@takes(Connection)
def diff(connection: Connection, file: File) -> None:
    """What importing a file would change. Writes nothing."""
    run(connection, lambda session: _send(session, file, "/prices:diff", "would change"))


@app.command("import")
@takes(Connection)
def import_(connection: Connection, file: File) -> None:
    """Import a price file: all of it, or nothing when anything in it is wrong."""
    run(connection, lambda session: _send(session, file, "/prices", "changed"))


async def _send(session: Session, path: Path, route: str, verb: str) -> None:
    file = read_price_file(path)
    try:
        answer = await session.client.post(route, {"prices": file.entries})
    except Refused as error:
        raise _located(error, file) from None
    if session.out.as_json:
        session.out.json(answer)
        return
    rows = [
        (item["card"], item["effective_from"], HOW[item["change"]], price_words(item["before"]),
         price_words(item["after"]), _step(item["before"], item["after"]))
        for item in answer["data"]
    ]  # fmt: skip
    session.out.table(("model", "from", "how", "before", "after", "#by"), rows)
    session.out.note(f"{answer['changed']} of {len(rows)} prices {verb}.")


def _step(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """`+25 %`, where both are told for the same one unit."""
    if (
        before is None
        or after is None
        or before["units"].keys() != after["units"].keys()
        or len(after["units"]) != 1
    ):
        return ""
    (old,), (new,) = (map(Decimal, price["units"].values()) for price in (before, after))
    return f"{(new - old) / old:+.0%}" if old and new != old else ""


def _located(error: Refused, file: PriceFile) -> Refused:
    """The refusal with the line of the entry that it is about."""
    number, _, field = (error.field or "").removeprefix(ENTRY).partition(".")
    if not (error.field or "").startswith(ENTRY) or not number.isdigit() or int(number) >= len(file.lines):
        return error
    _, _, message = error.message.partition(": ")
    return Refused(
        f"{file.path}, entry in line {file.lines[int(number)]}, {field or 'entry'}: {message or error.message}",
        status=error.status,
        code=error.code,
        hint="Nothing was imported.",
        field=error.field,
        body=error.body,
    )
