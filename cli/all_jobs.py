"""The commands of `penstock jobs` with which operators look after everybody's generations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID, uuid4

import typer

from cli.bulk import PartlyRefused
from cli.confirming import confirm
from cli.errors import BadUsage, CommandError
from cli.options import Connection, takes
from cli.output import dollars, local_time, shorten
from cli.session import Session, run

ACTIONS = ("cancel", "retry", "run-now", "delete")

Id = Annotated[UUID, typer.Argument(help="Id of a generation.", metavar="ID")]
Fingerprint = Annotated[str, typer.Argument(help="As `jobs failures` shows it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, kw_only=True)
class Conditions(Connection):
    """Which generations of all accounts; conditions add up."""

    status: Annotated[list[str] | None, typer.Option(help="Such as queued; may be repeated.")] = None
    kind: Annotated[list[str] | None, typer.Option(help="image, audio, …; may be repeated.")] = None
    provider: Annotated[str | None, typer.Option()] = None
    model: Annotated[str | None, typer.Option()] = None
    account: Annotated[str | None, typer.Option(help="Whose: an id, an e-mail address or a name.")] = None
    tag: Annotated[str | None, typer.Option(help="Something that it made has it.")] = None
    code: Annotated[str | None, typer.Option(help="With this error.")] = None
    fingerprint: Annotated[str | None, typer.Option(help="Failures of this cause.")] = None
    search: Annotated[
        str | None,
        typer.Option("--search", "-q", help="Words of the prompt or error, or the beginning of an id."),
    ] = None

    def given(self) -> dict[str, Any]:
        said = {
            "status": self.status, "kind": self.kind, "provider": self.provider, "model": self.model,
            "account": self.account, "tag": self.tag, "code": self.code, "fingerprint": self.fingerprint,
            "q": self.search,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}


async def list_all(session: Session, limit: int, query: Mapping[str, object]) -> None:
    """A table of everybody's generations."""
    found = await session.client.items("/ops/jobs", limit, **query)
    if session.out.as_json:
        session.out.json(found)
        return
    columns = ("id", "account", "kind", "provider", "status", "stage", "#tries", "#cost", "created", "detail")
    session.out.table(columns, [_row(one) for one in found], empty="There are none.")


def _row(job: Mapping[str, Any]) -> tuple[object, ...]:
    error = job["error"]
    return (
        job["id"],
        job["account"]["name"],
        job["kind"],
        job["provider"],
        job["status"],
        job["stage"],
        job["attempts"],
        dollars(job["cost"]["nanos"]) if job["cost"] else "",
        local_time(job["created_at"]),
        shorten(f"{error['code']}: {error['message']}" if error else job["prompt"] or "", 60),
    )


@takes(Connection)
def inspect(connection: Connection, generation_id: Id) -> None:
    """All that is known of a generation of any account: its changes, paid calls, worker and error."""
    run(connection, lambda session: _inspect(session, generation_id))


async def _inspect(session: Session, generation_id: UUID) -> None:
    job = await session.client.get(f"/ops/jobs/{generation_id}")
    if session.out.as_json:
        session.out.json(job)
        return
    holder, error = job["holder"], job["error"]
    session.out.details(
        [
            ("id", job["id"]), ("account", f"{job['account']['name']} ({job['account']['id']})"),
            ("kind", job["kind"]), ("model", job["model"]), ("status", job["status"]), ("stage", job["stage"]),
            ("provider", job["provider"]), ("because", job["decision"].get("reason")),
            ("worker", f"{holder['host']}, pid {holder['pid']}" if holder else None), ("tries", job["attempts"]),
            ("crashes", job["crashes"]), ("error", f"{error['message']} ({error['code']})" if error else None),
            ("fingerprint", job["fingerprint"]), ("created", local_time(job["created_at"])),
            ("ended", local_time(job["completed_at"])),
            *((f"input.{name}", value) for name, value in job["input"].items()),
        ]
    )  # fmt: skip
    session.out.line("")
    session.out.table(
        ("#try", "provider", "state", "upstream id", "#cost", "begun", "ended", "detail"),
        [_call(one) for one in job["submissions"]],
    )
    session.out.line("")
    session.out.table(
        ("#seq", "when", "event"), [(one["seq"], local_time(one["at"]), one["type"]) for one in job["events"]]
    )


def _call(item: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        item["n"], item["provider"], item["state"], item["remote_id"],
        dollars(item["cost"]["nanos"]) if item["cost"] else "", local_time(item["intent_at"]),
        local_time(item["ended_at"]), (item["error"] or {}).get("message"),
    )  # fmt: skip


@takes(Connection)
def run_now(connection: Connection, generation_id: Id) -> None:
    """Run a generation of any account before all others, also while its queue is paused."""
    run(connection, lambda session: _run_now(session, generation_id))


async def _run_now(session: Session, generation_id: UUID) -> None:
    job = await session.client.post(f"/ops/jobs/{generation_id}/run-now")
    session.out.answer(job, f"{job['id']}: goes next")


@takes(Conditions)
def bulk(
    conditions: Conditions,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="cancel, retry, run-now or delete.")],
    generation_ids: Annotated[list[UUID] | None, typer.Argument(metavar="[ID]...")] = None,
    yes: Yes = False,
) -> None:
    """Cancel, retry, run now or delete generations of all accounts: by ids, or all that match."""
    run(conditions, lambda session: _bulk(session, conditions, action, generation_ids or [], yes))


async def _bulk(
    session: Session, conditions: Conditions, action: str, ids: Sequence[UUID], yes: bool
) -> None:
    where = conditions.given()
    if action not in ACTIONS or bool(where) == bool(ids):
        raise BadUsage(f"Say one of {', '.join(ACTIONS)}, and which: ids, or conditions such as --status.")
    body: dict[str, Any] = {"action": action.replace("-", "_")}
    body |= {"ids": [str(id_) for id_ in ids]} if ids else {"filter": where}
    counted = await session.client.post("/ops/jobs:bulk", {**body, "dry_run": True})
    if not counted["matched"]:
        session.out.note("There are none.")
        return
    confirm(session, f"{action.capitalize()} {counted['matched']} generations of all accounts?", yes=yes)
    body["confirm_count"] = counted["matched"]
    _report(session, action, await session.client.act("/ops/jobs:bulk", body, str(uuid4())))


def _report(session: Session, action: str, result: Mapping[str, Any]) -> None:
    """Raises PartlyRefused."""
    lines = [f"{action}: {result['done']} of {result['matched']}"]
    lines += [f"{one['id']}: not done. {one['message']}" for one in result["refused"]]
    session.out.answer(result, "\n".join(lines))
    if result.get("more"):
        session.out.note("There are more; say it again to go on with them.")
    if result["refused"]:
        raise PartlyRefused(f"{len(result['refused'])} of {result['matched']} could not be done.")


@takes(Connection)
def failures(
    connection: Connection,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back to look.")] = 7,
) -> None:
    """What failed and was neither tried again nor set aside, by cause."""
    run(connection, lambda session: _failures(session, days))


async def _failures(session: Session, days: int) -> None:
    found = (await session.client.get("/ops/dead", days=days))["data"]
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [
        (one["fingerprint"], one["count"], one["accounts"], ", ".join(one["kinds"]), ", ".join(one["providers"]),
         local_time(one["first_at"]), local_time(one["last_at"]), shorten(f"{one['code']}: {one['message']}", 80))
        for one in found
    ]  # fmt: skip
    columns = ("fingerprint", "#count", "#accounts", "kinds", "providers", "first", "last", "detail")
    session.out.table(columns, rows, empty="Nothing has failed.")


@takes(Connection)
def requeue_dead(connection: Connection, fingerprint: Fingerprint, yes: Yes = False) -> None:
    """Try all failures of one cause again."""
    run(connection, lambda session: _settle(session, fingerprint, "retry", yes))


@takes(Connection)
def discard_dead(connection: Connection, fingerprint: Fingerprint, yes: Yes = False) -> None:
    """Set a cause aside until something fails so again."""
    run(connection, lambda session: _settle(session, fingerprint, "discard", yes))


async def _settle(session: Session, fingerprint: str, action: str, yes: bool) -> None:
    found = (await session.client.get("/ops/dead", days=90))["data"]
    count = next((one["count"] for one in found if one["fingerprint"] == fingerprint), None)
    if count is None:
        raise CommandError(
            f"Nothing has failed with the fingerprint {fingerprint}.", "`penstock jobs failures` shows all."
        )
    confirm(session, f"{action.capitalize()} {count} failures?", yes=yes)
    path = f"/ops/dead/{quote(fingerprint, safe='')}/{action}"
    result = await session.client.post(path, {"confirm_count": count})
    if action == "retry":
        _report(session, action, result)
    else:
        session.out.answer(result, f"{fingerprint}: {result['discarded']} set aside")


COMMANDS = {
    "inspect": inspect,
    "run-now": run_now,
    "bulk": bulk,
    "failures": failures,
    "requeue-dead": requeue_dead,
    "discard-dead": discard_dead,
}
