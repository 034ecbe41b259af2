"""`penstock queues`: how deep and how old each is, and letting one rest, run, drain or be emptied."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import typer

from cli.bulk import PartlyRefused
from cli.confirming import confirm
from cli.errors import BadUsage
from cli.options import Connection, takes
from cli.output import duration_words, local_time, shorten
from cli.session import Session, run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="How deep and old each queue is, and letting one rest, run, drain or be emptied.",
)

QueueName = Annotated[str, typer.Argument(metavar="QUEUE", help="A kind, such as image.")]
Reason = Annotated[str | None, typer.Option(help="Why, for whoever looks.")]


@app.command("ls")
@takes(Connection)
def list_queues(connection: Connection) -> None:
    """All queues with their depth, age, speed and slots."""
    run(connection, _list)


async def _list(session: Session) -> None:
    found = (await session.client.get("/ops/queues"))["data"]
    if session.out.as_json:
        session.out.json(found)
        return
    columns = ("queue", "state", "#due", "#later", "#running", "#at provider", "#oldest", "#wait p95", "#run p95",
               "#in/min", "#out/min", "#slots", "detail")  # fmt: skip
    session.out.table(columns, [_row(one) for one in found])


def _row(queue: Mapping[str, Any]) -> tuple[object, ...]:
    depth, rate, slots = queue["depth"], queue["rate"], queue["slots"]
    return (
        queue["id"],
        queue["state"],
        depth["due"],
        depth["later"],
        depth["running"],
        depth["waiting"],
        _seconds(queue["oldest_s"] or None),
        _seconds(queue["wait"]["p95_s"]),
        _seconds(queue["run"]["p95_s"]),
        rate["accepted_per_min"],
        rate["finished_per_min"],
        f"{slots['busy']}/{slots['total']}",
        _pause_words(queue["pause"]),
    )


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else duration_words(seconds)


def _pause_words(pause: Mapping[str, Any] | None) -> str:
    if pause is None:
        return ""
    until = f"until {local_time(pause['until'])}" if pause["until"] else ""
    parts = (until, f"by {pause['by']}" if pause["by"] else "", pause["reason"] or "")
    return shorten(", ".join(part for part in parts if part), 80)


@app.command()
@takes(Connection)
def pause(
    connection: Connection,
    queue: QueueName,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="30m, 2h, or 2026-12-01T08:00; it resumes by itself then."),
    ] = None,
    reason: Reason = None,
) -> None:
    """Begin no paid call of this kind. What waits at a provider is still fetched."""
    run(connection, lambda session: _pause(session, queue, until, reason))


async def _pause(session: Session, queue: str, until: str | None, reason: str | None) -> None:
    await _steer(session, queue, "pause", {"until": until and moment(until), "reason": reason})


@app.command()
@takes(Connection)
def drain(connection: Connection, queue: QueueName, reason: Reason = None) -> None:
    """Begin nothing new, but carry what was begun to its end."""
    run(connection, lambda session: _steer(session, queue, "drain", {"reason": reason}))


@app.command()
@takes(Connection)
def resume(connection: Connection, queue: QueueName) -> None:
    """End a pause or a drain."""
    run(connection, lambda session: _steer(session, queue, "resume", {}))


async def _steer(session: Session, queue: str, action: str, body: Mapping[str, Any]) -> None:
    given = {name: value for name, value in body.items() if value is not None}
    found = await session.client.post(f"{_path(queue)}/{action}", given)
    words = _pause_words(found["pause"])
    session.out.answer(found, f"{found['id']}: {found['state']}{f' ({words})' if words else ''}")


@app.command()
@takes(Connection)
def purge(
    connection: Connection,
    queue: QueueName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Cancel all that queues; what a provider was ever asked for stays."""
    run(connection, lambda session: _purge(session, queue, yes))


async def _purge(session: Session, queue: str, yes: bool) -> None:
    path = f"{_path(queue)}/purge"
    found = await session.client.post(path, {})
    if found["count"]:
        confirm(session, f"Cancel {found['count']} that queue for {queue}?", yes=yes)
        found = await session.client.post(path, {"confirm_count": found["count"]})
    session.out.answer(found, f"{queue}: {found['canceled']} canceled")
    if found["purge"]:
        until = local_time(found["undo_until"])
        session.out.note(f"Until {until} this takes it back: penstock queues undo-purge {found['purge']}")


@app.command()
@takes(Connection)
def undo_purge(
    connection: Connection,
    purge_id: Annotated[UUID, typer.Argument(metavar="PURGE", help="As `queues purge` told.")],
) -> None:
    """Ask again for all that a purge canceled, once; within an hour."""
    run(connection, lambda session: _undo_purge(session, purge_id))


async def _undo_purge(session: Session, purge_id: UUID) -> None:
    """Raises PartlyRefused."""
    parts: list[Mapping[str, Any]] = []
    while not parts or parts[-1]["more"]:
        parts.append(await session.client.post(f"/ops/purges/{purge_id}/undo"))
    done, passed = (sum(part[name] for part in parts) for name in ("done", "passed_over"))
    refused = [one for part in parts for one in part["refused"]]
    lines = [f"{done} asked for again{f', {passed} passed over' if passed else ''}"]
    lines += [f"{one['id']}: not done. {one['message']}" for one in refused]
    session.out.answer(
        {**parts[-1], "done": done, "passed_over": passed, "refused": refused}, "\n".join(lines)
    )
    if refused:
        raise PartlyRefused(f"{len(refused)} of {done + len(refused)} could not be asked for again.")


def _path(queue: str) -> str:
    return f"/ops/queues/{quote(queue, safe='')}"


def moment(text: str) -> str:
    """`90s`, `30m`, `2h` or `3d` from now, or a time, which is local unless it names its zone. Raises BadUsage."""
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = text[:-1], units.get(text[-1:])
    if unit and number.isdecimal() and len(number) < 7:
        return (datetime.now(UTC) + timedelta(**{unit: int(number)})).isoformat()
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise BadUsage(f"{text!r} is no time: say 30m, 2h or 2026-12-01T08:00.") from None
