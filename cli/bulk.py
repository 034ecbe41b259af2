"""One action on several generations: those that are named, or all that match."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer

from cli.errors import BadUsage, CommandError
from cli.options import Connection
from cli.session import Session, run

COUNTED = 100
"""Matches are counted up to this many before asking whether they are meant."""

OUTCOMES = {
    "released": "nothing is charged",
    "charged": "what it cost is charged",
    "pending": "the provider decides what it costs",
}
"""What became of the money of a canceled generation."""


class PartlyRefused(CommandError):
    """Some of several were refused; each was told."""

    exit_code, code = 4, "PARTLY_REFUSED"


@dataclass(frozen=True, kw_only=True)
class Selection(Connection):
    """Which generations are meant when none is named; conditions add up."""

    status: Annotated[
        list[str] | None, typer.Option(help="All of this status, such as queued; may be repeated.")
    ] = None
    kind: Annotated[list[str] | None, typer.Option(help="All of this kind; may be repeated.")] = None
    model: Annotated[str | None, typer.Option(help="All that asked for this model.")] = None
    search: Annotated[
        str | None, typer.Option("--search", "-q", help="All with these words in the prompt.")
    ] = None
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False

    def conditions(self, statuses: list[str]) -> dict[str, Any]:
        """The filter, with `statuses` unless some were named. Empty when nothing was said."""
        said = {"status": self.status, "kind": self.kind, "model": self.model, "q": self.search}
        given = {name: value for name, value in said.items() if value}
        return {"status": statuses} | given if given or self.everything else {}


def act(selection: Selection, action: str, ids: list[UUID], statuses: list[str]) -> None:
    """`cancel`, `delete` or `retry`; a filter that names no status means `statuses`."""
    run(selection, lambda session: _act(session, selection, action, ids, statuses))


async def _act(
    session: Session, selection: Selection, action: str, ids: list[UUID], statuses: list[str]
) -> None:
    where = selection.conditions(statuses)
    if bool(where) == bool(ids):
        raise BadUsage(f"Say which to {action}: ids, or conditions such as --status, or --all.")
    body: dict[str, Any] = {"action": action}
    if ids:
        body["ids"] = [str(id_) for id_ in ids]
    else:
        await _confirm(session, selection, action, where)
        body["filter"] = where
    _report(session, action, await session.client.act("/generations:bulk", body, str(uuid4())))


async def _confirm(session: Session, selection: Selection, action: str, where: Mapping[str, Any]) -> None:
    """Ask, with the number of those that match. Raises BadUsage where nobody can answer, typer.Abort at no."""
    if selection.yes:
        return
    if session.out.as_json or not sys.stdin.isatty():
        raise BadUsage(f"This would {action} all that match.", "Add --yes when it is meant.")
    found = len(await session.client.items("/generations", COUNTED + 1, **where))
    number = f"more than {COUNTED}" if found > COUNTED else str(found)
    typer.confirm(f"{action.capitalize()} {number} generations?", abort=True, err=True)


def _report(session: Session, action: str, result: Mapping[str, Any]) -> None:
    """A line for each. Raises PartlyRefused."""
    if session.out.as_json:
        session.out.json(result)
    elif len(result["data"]) > 1 or not result["refused"]:
        for item in result["data"]:
            session.out.line(f"{item['id']}: {_words(action, item)}")
        if not result["data"]:
            session.out.note("There are none.")
    if result.get("more"):
        session.out.note("There are more; say it again to go on with them.")
    if result["refused"]:
        first = next(item["error"] for item in result["data"] if item["error"] is not None)
        count = f"{result['refused']} of {len(result['data'])} could not be done."
        raise PartlyRefused(count if len(result["data"]) > 1 else str(first.get("detail") or count))


def _words(action: str, item: Mapping[str, Any]) -> str:
    if item["error"] is not None:
        return f"not done. {item['error'].get('detail', '')}"
    if action == "delete":
        return "deleted"
    result = item["result"]
    money = OUTCOMES.get(str((result.get("money") or {}).get("outcome")), "")
    return f"{result['status']}{f'; {money}' if money else ''}"
