"""`penstock`: the whole command line. Each command lives in a module that is imported when it is used."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from cli.lazy import Entry, LazyGroup

EPILOG = (
    "Exit codes: 0 done; 1 the job failed, or a check of `doctor` or `ledger verify`; 2 wrong usage; "
    "3 the gateway cannot be reached; 4 the API refused; 130 interrupted."
)


class Commands(LazyGroup):
    entries = (
        Entry("up", "Run everything on this machine until Ctrl-C.", "cli.up:up_command"),
        Entry(
            "generate", "Make an image, speech, music, video, text, or a larger picture.", "cli.generate:app"
        ),
        Entry("jobs", "List, show, watch, cancel, retry, rerun and delete generations.", "cli.jobs:app"),
        Entry("models", "What can be generated with, and at what price.", "cli.models:app"),
        Entry("prices", "Show what models are billed by, and import prices from a file.", "cli.prices:app"),
        Entry("providers", "How providers do; ask one, let one rest, or try one again.", "cli.providers:app"),
        Entry("queues", "How deep each queue is; pause, drain, resume or empty one.", "cli.queues:app"),
        Entry("workers", "Which worker processes there are; have one begin nothing new.", "cli.workers:app"),
        Entry("audit", "Who did what to the installation.", "cli.audit:audit_command"),
        Entry("usage", "What was spent, by kind, model, provider or day.", "cli.usage:usage_command"),
        Entry("ledger", "Every movement of money, and whether it adds up.", "cli.ledger:app"),
        Entry("webhooks", "Who is told of events, and what was delivered.", "cli.webhooks:app"),
        Entry("keys", "Create, list, rotate and revoke API keys.", "cli.keys:app"),
        Entry("archive", "The archive of generations by month; move, detach and attach.", "cli.archive:app"),
        Entry("doctor", "Check the gateway, the key and this machine.", "cli.doctor:doctor_command"),
    )


app = typer.Typer(
    cls=Commands,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
)


def show_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"penstock {version('penstock')}")
        except PackageNotFoundError:
            typer.echo("penstock (not installed as a package)")
        raise typer.Exit


@app.callback()
def penstock(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=show_version, is_eager=True),
    ] = False,
) -> None:
    """Generate media through a Penstock gateway, and look after what was asked of it.

    The gateway is that of --url or PENSTOCK_URL, else the one that runs from the `.penstock` folder here or
    above, else http://127.0.0.1:8080. The API key is that of --key or PENSTOCK_API_KEY, else `.penstock/key`.
    """
