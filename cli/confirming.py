"""Numbers that are shown before something is done to that many, and confirmed with it."""

import sys

import typer

from cli.errors import BadUsage
from cli.session import Session


def confirm(session: Session, question: str, *, yes: bool) -> None:
    """Asks, unless `--yes` said so. Raises BadUsage where nobody can answer, typer.Abort at no."""
    if yes:
        return
    if session.out.as_json or not sys.stdin.isatty():
        raise BadUsage(f"Not confirmed: {question}", "Add --yes when it is meant.")
    typer.confirm(question, abort=True, err=True)
