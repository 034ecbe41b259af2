"""`penstock archive`: the archive of generations by month, and moving what is old enough into it.

It works on the database itself, with the settings of the workers.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from functools import partial
from typing import Annotated

import asyncpg
import typer

from cli.database import settings_here, unreachable
from cli.errors import CommandError
from cli.output import Output
from cli.session import finish
from cli.target import here
from shared.db import CONNECTION_ERRORS, Database, Role
from shared.domains import archive
from shared.errors import PenstockError
from shared.settings import Settings

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="The archive of generations by month. Works on the database itself, with the workers' settings.",
)

type Work = Callable[[Output, Database, Settings], Awaitable[None]]

AsJson = Annotated[bool, typer.Option("--json", help="Print the result, and errors on stderr, as JSON.")]


def _month(text: str) -> date:
    """The first day of a month."""
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  # a month has no zone
    except ValueError:
        raise typer.BadParameter("Say a month such as 2026-01.") from None


Month = Annotated[date, typer.Argument(metavar="YYYY-MM", parser=_month)]


class NotDone(CommandError):
    """The archive is not such that this can be done now."""

    code = "ARCHIVE_REFUSED"


@app.command("ls")
def list_command(as_json: AsJson = False) -> None:
    """Each month: attached or detached, how many generations, how many bytes."""
    _do(as_json, list_months)


@app.command("run")
def run_command(as_json: AsJson = False) -> None:
    """Move now what is older than GENERATIONS_HOT_MONTHS, as maintenance does every hour."""
    _do(as_json, move)


@app.command("detach")
def detach_command(month: Month, as_json: AsJson = False) -> None:
    """Make a month a table of its own; it is read as before."""
    _do(as_json, partial(turn, attach=False, month=month))


@app.command("attach")
def attach_command(month: Month, as_json: AsJson = False) -> None:
    """Make a month a partition again."""
    _do(as_json, partial(turn, attach=True, month=month))


async def list_months(out: Output, db: Database, _: Settings) -> None:
    async with db.transaction() as tx:
        months = await archive.months(tx)
    rows = [
        (f"{one.first:%Y-%m}", "attached" if one.attached else "detached", one.generations, one.bytes)
        for one in months
    ]
    columns = ("month", "state", "generations", "bytes")
    if out.as_json:
        out.json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        out.table(("month", "state", "#generations", "#bytes"), rows, empty="Nothing is archived.")


async def move(out: Output, db: Database, settings: Settings) -> None:
    if not settings.generations_hot_months:
        out.note("GENERATIONS_HOT_MONTHS is 0: nothing is ever moved.")
    moved = 0
    if settings.generations_hot_months:
        async with db.transaction() as tx:
            await archive.make_months(tx)
        while batch := await archive.move(db, settings.generations_hot_months):
            moved += batch
    _tell(out, f"{moved} generations moved.", moved=moved)


async def turn(out: Output, db: Database, _: Settings, *, attach: bool, month: date) -> None:
    async with db.transaction() as tx:
        await (archive.attach if attach else archive.detach)(tx, month)
    state = "attached" if attach else "detached"
    _tell(out, f"{month:%Y-%m} is {state}.", month=f"{month:%Y-%m}", state=state)


def _tell(out: Output, words: str, **facts: object) -> None:
    if out.as_json:
        out.json(facts)
    else:
        out.line(words)


def _do(as_json: bool, work: Work) -> None:  # as the option has it
    out = Output(as_json=as_json)
    finish(out, lambda: on_database(out, work))


async def on_database(out: Output, work: Work) -> None:
    """Raises BadUsage, Unreachable, NotDone."""
    settings = settings_here(here())
    try:
        db = await Database.open(settings.worker_url, Role.WORKER, max_size=1)
    except CONNECTION_ERRORS as error:
        raise unreachable(error) from None
    try:
        await work(out, db, settings)
    except PenstockError as error:
        raise NotDone(str(error)) from None
    except asyncpg.LockNotAvailableError:
        raise NotDone("Somebody reads the archive just now; try again.") from None
    finally:
        await db.close()
