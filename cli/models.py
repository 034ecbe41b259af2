"""`penstock models`: what can be generated with."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.options import Connection, takes
from cli.output import dollars, duration_words, shorten
from cli.session import Session, run
from shared.money import NANOS_PER_USD

app = typer.Typer(
    rich_markup_mode=None, add_completion=False, help="What can be generated with, and at what price."
)

Kind = Annotated[str | None, typer.Option(help="Only models of this kind.")]


@app.callback(invoke_without_command=True)
@takes(Connection)
def models(connection: Connection, context: typer.Context, kind: Kind = None) -> None:
    """What can be generated with, and at what price."""
    if context.invoked_subcommand is None:
        run(connection, lambda session: _list(session, kind))


@app.command("ls")
@takes(Connection)
def list_models(connection: Connection, kind: Kind = None) -> None:
    """All models; the same as without a word."""
    run(connection, lambda session: _list(session, kind))


async def _list(session: Session, kind: str | None) -> None:
    found = (await session.client.get("/models", kind=kind))["data"]
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [
        (
            item["id"],
            item["kind"],
            ", ".join(item.get("aliases") or ()),
            item["provider"],
            price_words(item.get("price")),
            duration_words(item["expected_s"]) if item.get("expected_s") else "",
            "ready" if item["available"] else item.get("reason") or "not available",
        )
        for item in found
    ]
    columns = ("model", "kind", "also called", "provider", "price", "#takes", "state")
    session.out.table(columns, rows, empty="There are none: is a worker running?")


@app.command()
@takes(Connection)
def show(
    connection: Connection,
    model: Annotated[str, typer.Argument(help="A model, as `models` shows it.")],
    kind: Annotated[str | None, typer.Option(help="For a name that several kinds share.")] = None,
) -> None:
    """One model and its parameters."""
    run(connection, lambda session: _show(session, model, kind))


async def _show(session: Session, model: str, kind: str | None) -> None:
    item = await session.client.get(f"/models/{quote(model)}", kind=kind)
    if session.out.as_json:
        session.out.json(item)
        return
    session.out.details(
        [
            ("model", item["id"]),
            ("kind", item["kind"]),
            ("label", item.get("label")),
            ("about", item.get("description")),
            ("also called", ", ".join(item.get("aliases") or ())),
            ("runs on", f"{item['provider']}, {item['model']}"),
            ("or on", ", ".join((item.get("routes") or ())[1:])),
            ("price", price_words(item.get("price"))),
            ("price of", price_source(item.get("price"))),
            ("takes", duration_words(item["expected_s"]) if item.get("expected_s") else None),
            ("licence", item.get("licence")),
            ("ends on", item.get("shutdown_date")),
            ("successor", item.get("successor")),
            ("state", "ready" if item["available"] else item.get("reason") or "not available"),
        ]
    )
    session.out.line("")
    session.out.table(("parameter", "type", "detail"), list(parameter_rows(item.get("parameters") or {})))


def price_words(price: Mapping[str, Any] | None) -> str:
    """`$0.04 per image`, from nano-dollars per unit."""
    if price is None:
        return "unknown"
    units = price.get("units") or {}
    rates = {unit.replace("_", " "): Decimal(rate) for unit, rate in units.items()}
    parts = [f"{_rate(rate)} per {unit}" for unit, rate in rates.items() if rate]
    return " + ".join(parts) or "free"


def price_source(price: Mapping[str, Any] | None) -> str:
    """`2026-12-01, Replicate's pricing page`."""
    if price is None:
        return ""
    return ", ".join(str(price[name]) for name in ("effective_from", "source") if price.get(name))


def _rate(nanos: Decimal) -> str:
    """A rate may be finer than a nano-dollar: tokens cost little."""
    if nanos == nanos.to_integral_value():
        return dollars(int(nanos))
    return f"${(nanos / NANOS_PER_USD).normalize():f}"


def parameter_rows(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Name, type and the rest of each parameter of a JSON Schema."""
    required = schema.get("required") or ()
    for name, spec in (schema.get("properties") or {}).items():
        variants = [part for part in spec.get("anyOf", (spec,)) if part.get("type") != "null"]
        kind = " or ".join(str(part.get("type", "object")) for part in variants)
        yield name, f"{kind}{', required' if name in required else ''}", _limits(spec, variants)


def _limits(spec: Mapping[str, Any], variants: list[Mapping[str, Any]]) -> str:
    known = {key: value for part in (*variants, spec) for key, value in part.items()}
    parts = [str(known["description"]).rstrip(".")] if known.get("description") else []
    if "enum" in known:
        parts.append("one of " + ", ".join(map(str, known["enum"])))
    if "minimum" in known or "maximum" in known:
        parts.append(f"{known.get('minimum', '…')} to {known.get('maximum', '…')}")
    if known.get("default") is not None:
        parts.append(f"default {known['default']}")
    return shorten("; ".join(parts), 160)
