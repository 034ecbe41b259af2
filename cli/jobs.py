"""`penstock jobs`: what was asked for, and what becomes of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer

from cli.all_jobs import COMMANDS, list_all
from cli.bulk import Selection, act
from cli.delivery import check_destination, deliver, warning_words
from cli.errors import BadUsage
from cli.feed import prompt_of, watch_all
from cli.generate import announce, text_tail
from cli.inputs import parse_parameters, upload_files
from cli.options import Connection, takes
from cli.output import bytes_words, cost_words, dollars, duration_words, local_time
from cli.session import Session, run
from cli.waiting import wait_for_end

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="List, show, watch, cancel, retry, rerun and delete generations.",
)

Id = Annotated[UUID, typer.Argument(help="Id of a generation.", metavar="ID")]
SomeIds = Annotated[list[UUID] | None, typer.Argument(help="Ids of generations.", metavar="[ID]...")]


@dataclass(frozen=True, kw_only=True)
class Again(Connection):
    """How a generation that was made out of another goes on."""

    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for its end, as `generate` does.")] = False
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="PATH", help="Wait, and save the result there.")
    ] = None


@app.command("ls")
@takes(Connection)
def list_jobs(
    connection: Connection,
    status: Annotated[
        list[str] | None,
        typer.Option(help="queued, running, completed, failed, canceled or expired; may be repeated."),
    ] = None,
    kind: Annotated[list[str] | None, typer.Option(help="image, audio, …; may be repeated.")] = None,
    model: Annotated[str | None, typer.Option(help="A part of its name.")] = None,
    search: Annotated[
        str | None, typer.Option("--search", "-q", help="Words of the prompt, or a part of the model's name.")
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Something that it made has it.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    everybodys: Annotated[bool, typer.Option("--all", help="Those of all accounts, for operators.")] = False,
    account: Annotated[
        str | None,
        typer.Option(help="With --all, whose: an id, an e-mail address, a name, or a part of one."),
    ] = None,
) -> None:
    """The latest generations."""
    if account and not everybodys:
        raise BadUsage("--account is for operators, with --all.")
    query = {"status": status, "kind": kind, "model": model, "q": search, "tag": tag, "account": account}
    show = list_all if everybodys else _list
    run(connection, lambda session: show(session, limit, query))


async def _list(session: Session, limit: int, query: Mapping[str, object]) -> None:
    found = await session.client.items("/generations", limit, **query)
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [
        (
            item["id"],
            item["kind"],
            item["model"],
            item["status"],
            "" if item.get("progress") is None else f"{item['progress']:.0%}",
            cost_words(item.get("cost")),
            local_time(item["created_at"]),
            prompt_of(item),
        )
        for item in found
    ]
    columns = ("id", "kind", "model", "status", "#done", "#cost", "created", "prompt")
    session.out.table(columns, rows, empty="There are none.")


@app.command()
@takes(Connection)
def show(connection: Connection, generation_id: Id) -> None:
    """One generation: its state, what it cost, what was tried, what it delivered."""
    run(connection, lambda session: _show(session, generation_id))


async def _show(session: Session, generation_id: UUID) -> None:
    path = f"/generations/{generation_id}"
    resource, submissions = await asyncio.gather(
        session.client.get(path), session.client.get(f"{path}/submissions")
    )
    if session.out.as_json:
        session.out.json(resource | {"submissions": submissions["data"]})
        return
    session.out.details(_facts(resource))
    if submissions["data"]:
        session.out.line("")
        session.out.table(
            ("#try", "provider", "model", "state", "#cost", "begun", "ended", "detail"),
            [_submission_row(item) for item in submissions["data"]],
        )
    if resource["outputs"]:
        session.out.line("")
        session.out.table(
            ("#output", "type", "#size", "measure", "address"),
            [_output_row(item) for item in resource["outputs"]],
        )


def _facts(resource: Mapping[str, Any]) -> list[tuple[str, object]]:
    resolved = resource.get("resolved") or {}
    error = resource.get("error") or {}
    progress = resource.get("progress")
    return [
        ("id", resource["id"]),
        ("kind", resource["kind"]),
        ("status", resource["status"]),
        ("stage", resource.get("stage")),
        ("done", None if progress is None else f"{progress:.0%}"),
        ("model", resource["model"]),
        ("runs on", f"{resolved['provider']}, {resolved['model']}" if resolved else None),
        ("because", resolved.get("reason")),
        ("cost", cost_words(resource.get("cost"))),
        ("which means", (resource.get("cost") or {}).get("explanation")),
        ("error", f"{error['message']} ({error['code']})" if error else None),
        *(("warning", warning_words(warning)) for warning in resource.get("warnings") or ()),
        ("created", local_time(resource["created_at"])),
        ("started", local_time(resource.get("started_at"))),
        ("ended", local_time(resource.get("completed_at"))),
        ("made from", resource.get("parent_id")),
        *((f"input.{name}", value) for name, value in resource["input"].items()),
    ]


def _submission_row(item: Mapping[str, Any]) -> tuple[object, ...]:
    cost, error = item.get("cost"), item.get("error") or {}
    return (
        item["n"],
        item["provider"],
        item["model"],
        item["state"],
        dollars(cost["nanos"]) if cost else "",
        local_time(item.get("intent_at")),
        local_time(item.get("ended_at")),
        error.get("message"),
    )


def _output_row(item: Mapping[str, Any]) -> tuple[object, ...]:
    size = f"{item['width']}×{item['height']}" if item.get("width") and item.get("height") else ""
    lasts = duration_words(item["duration_s"]) if item.get("duration_s") else ""
    return (item["n"], item["mime"], bytes_words(item["bytes"]), size or lasts, item["url"])


@app.command()
@takes(Connection)
def watch(
    connection: Connection,
    generation_id: Annotated[
        UUID | None, typer.Argument(help="Id of a generation; without it, everything.", metavar="[ID]")
    ] = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="PATH", help="Save the result there.")
    ] = None,
) -> None:
    """Follow one generation to its end, or everything that runs until Ctrl-C."""
    if generation_id is None:
        run(connection, watch_all)
    else:
        run(connection, lambda session: _watch(session, generation_id, output))


async def _watch(session: Session, generation_id: UUID, output: str | None) -> None:
    resource = await session.client.get(f"/generations/{generation_id}")
    await _to_the_end(session, resource, output)


async def _to_the_end(session: Session, resource: Mapping[str, Any], output: str | None) -> None:
    check_destination(output, kind=resource["kind"], as_json=session.out.as_json)
    tail = text_tail(session, resource, output)
    await deliver(session, await wait_for_end(session, resource, tail), output, tail)


@app.command()
@takes(Selection)
def cancel(selection: Selection, generation_ids: SomeIds = None) -> None:
    """Stop generations, and say what becomes of the money. By ids, or all that match."""
    act(selection, "cancel", generation_ids or [], ["queued", "running"])


@app.command()
@takes(Selection)
def delete(selection: Selection, generation_ids: SomeIds = None) -> None:
    """Remove ended generations from the lists, with their files. By ids, or all that match."""
    act(selection, "delete", generation_ids or [], ["completed", "failed", "canceled", "expired"])


@app.command()
@takes(Again)
def retry(
    again: Again,
    generation_id: Id,
    provider: Annotated[str | None, typer.Option(help="Let this provider do it.")] = None,
) -> None:
    """Do what failed again, as a new generation."""
    path = f"/generations/{generation_id}/retry"
    run(again, lambda session: _again(session, again, path, {}, provider=provider))


@app.command()
@takes(Again)
def rerun(
    again: Again,
    generation_id: Id,
    same_seed: Annotated[bool, typer.Option("--same-seed/--new-seed", help="Which seed to use.")] = False,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A parameter to change."),
    ] = None,
) -> None:
    """Ask for the same once more, as a new generation."""
    seed = "same" if same_seed else "new"
    run(again, lambda session: _rerun(session, again, generation_id, seed, parameter or []))


async def _rerun(
    session: Session, again: Again, generation_id: UUID, seed: str, parameters: list[str]
) -> None:
    overrides = await upload_files(session, parse_parameters(parameters))
    body = {"seed": seed, "overrides": overrides}
    await _again(session, again, f"/generations/{generation_id}/rerun", body)


async def _again(session: Session, again: Again, path: str, body: Mapping[str, Any], **query: object) -> None:
    resource = await session.client.act(path, body, str(uuid4()), **query)
    if again.wait or again.output is not None:
        await _to_the_end(session, resource, again.output)
    else:
        announce(session, resource)


for name, command in COMMANDS.items():
    app.command(name)(command)
