"""`penstock ledger`: every movement of money, and whether it adds up."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import typer

from cli.errors import CommandError
from cli.options import Connection, takes
from cli.output import dollars, duration_words, local_time
from cli.periods import UNITS, moment, span
from cli.session import Session, run

app = typer.Typer(
    rich_markup_mode=None, add_completion=False, help="Every movement of money, and whether it adds up."
)

WORDS = {
    "cost": "the cost shown is not what was settled",
    "bill": "what was settled is not what the submission cost",
    "stray": "settled for no recorded submission",
    "reserve": "what was reserved is not what the generation says",
    "release": "the reserve was not given back exactly once",
    "held_after_end": "it has ended and still holds a reserve",
    "held_sum": "the account's held sum is not that of its ledger",
    "budget": "a budget's sum is not that of the ledger",
    "reconciling_long": "the provider's bill is awaited for more than a day",
}


class NotInOrder(CommandError):
    """The ledger, or an audit of a provider, differs from the record."""

    code = "LEDGER_DIFFERS"


class EntryKind(StrEnum):
    RESERVE = "reserve"
    SETTLE = "settle"
    RELEASE = "release"
    ADJUST = "adjust"


@app.callback(invoke_without_command=True)
@takes(Connection)
def ledger_command(
    connection: Connection,
    context: typer.Context,
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
    if context.invoked_subcommand is not None:
        return
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


@app.command()
@takes(Connection)
def verify(
    connection: Connection,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="A date, a time, or such as 12h, 90d; 30 days ago if not said."),
    ] = None,
) -> None:
    """Check that what was settled, reserved and held is right. Exits with 1 when something differs.

    An operator's key checks all accounts, and tells what the last audits of providers found.
    """
    run(connection, lambda session: _verify(session, since))


async def _verify(session: Session, since: str | None) -> None:
    report = await session.client.get("/ledger/verify", since=_past("--since", since))
    out = session.out
    if out.as_json:
        out.json(report)
    else:
        if report["differences"]:
            out.table(("id", "at", "#expected", "#found", "detail"), _rows(report))
        for remark in _remarks(report):
            out.note(remark)
    if not report["ok"]:
        left = report["total"] - len(report["differences"])
        raise NotInOrder(
            f"The ledger differs from the record: {report['total']} found."
            if report["total"]
            else "An audit found jobs at a provider that the record does not account for.",
            f"{left} more are not shown." if left else "",
        )


@app.command()
@takes(Connection)
def reconcile(connection: Connection) -> None:
    """Put right what projects have spent where the ledger says otherwise, as is done once a day. For operators.

    `verify` tells of everything else that differs; nothing else is ever mended by itself.
    """
    run(connection, _reconcile)


async def _reconcile(session: Session) -> None:
    repaired = (await session.client.post("/ledger/reconcile"))["projects"]
    if session.out.as_json:
        session.out.json(repaired)
        return
    rows = [
        (
            one["project_id"],
            one["account_id"],
            dollars(one["found"]["nanos"]),
            dollars(one["expected"]["nanos"]),
        )
        for one in repaired
    ]
    columns = ("project", "account", "#found", "#put right to")
    session.out.table(columns, rows, empty="What every project has spent is what the ledger says.")


def _past(option: str, text: str | None) -> str | None:
    """A span before now, or a date or time. Raises BadUsage."""
    if text is not None and text[-1:] in UNITS:
        return (datetime.now(UTC) - span(option, text)).isoformat()
    return moment(option, text)


def _rows(report: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """By the generation's id, or the account's where it is about none."""
    for item in report["differences"]:
        words = WORDS.get(item["what"], item["what"])
        yield (
            item["generation_id"] or item["account_id"],
            local_time(item["at"]),
            dollars(item["expected"]["nanos"]) if item["expected"] else None,
            dollars(item["found"]["nanos"]),
            f"{words}: submission {item['submission_id']}" if item["submission_id"] else words,
        )


def _remarks(report: Mapping[str, Any]) -> Iterator[str]:
    whose = "all accounts" if report["extent"] == "installation" else "this account"
    yield (
        f"{report['generations']} generations and {report['entries']} entries of {whose} since"
        f" {local_time(report['since'])}, {report['budgets']} held sums."
    )
    for status, awaited in (("reconciling", "for the provider's bill"), ("unpriced", "for a price")):
        if found := report[status]:
            yield (
                f"{found['generations']} wait {awaited} ({dollars(found['reserved']['nanos'])} reserved), the oldest"
                f" for {duration_words(found['age_s'])}: {found['oldest']}"
            )
    for audit in report["audits"]:
        if audit["finished_at"] is None:
            yield f"The last audit of {audit['provider']} was cut off: {audit['error']}"
            continue
        yield (
            f"{audit['provider']} was audited at {local_time(audit['finished_at'])}: {audit['listed']} jobs listed,"
            f" {audit['orphans']} without a record, {audit['missing']} missing."
        )
        for finding in audit["findings"]:
            yield "  " + ", ".join(f"{name} {value}" for name, value in finding.items() if value is not None)
