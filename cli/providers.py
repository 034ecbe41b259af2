"""`penstock providers`: how providers do, asking one, letting one rest, and trying one again."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.options import Connection, takes
from cli.output import local_time, shorten
from cli.queues import moment
from cli.session import Session, run

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help="How providers do, asking one, letting one rest, and trying one again.",
)

ProviderName = Annotated[str, typer.Argument(help="A provider, as `providers list` shows it.")]


@app.command("list")
@takes(Connection)
def list_providers(connection: Connection) -> None:
    """Providers with their health, cool-downs and limits, in your order."""
    run(connection, _list)


async def _list(session: Session) -> None:
    found = (await session.client.get("/providers"))["data"]
    if session.out.as_json:
        session.out.json(found)
        return
    rows = [_row(one, credential) for one in found for credential in one["credentials"] or [{}]]
    columns = ("provider", "credential", "kinds", "state", "#errors", "#answers in", "cool-down until", "limits",
               "detail")  # fmt: skip
    session.out.table(columns, rows, empty="There are none: is a worker running?")


def _row(provider: Mapping[str, Any], credential: Mapping[str, Any]) -> tuple[str, ...]:
    state = credential.get("status", "unknown") if provider["available"] else "not available"
    answers_ms = credential.get("response_ms")
    return (
        provider["id"],
        credential.get("credential", ""),
        ", ".join(provider["kinds"]),
        state if provider["enabled"] else f"{state}, disabled by you",
        f"{credential.get('error_rate', 0):.0%}",
        "" if answers_ms is None else f"{answers_ms:.0f} ms",
        local_time(credential.get("cooldown_until")),
        limits_words(credential.get("limits") or {}),
        shorten(credential.get("reason") or provider.get("reason") or "", 80),
    )


def limits_words(limits: Mapping[str, int | None]) -> str:
    """`600 per minute, 50 at once`, or nothing."""
    parts = [(limits.get("rpm"), "per minute"), (limits.get("concurrent"), "at once")]
    return ", ".join(f"{count} {word}" for count, word in parts if count is not None)


@app.command()
@takes(Connection)
def reset(
    connection: Connection,
    provider: ProviderName,
) -> None:
    """Forget a provider's failures and cool-downs, so that it is tried again at once."""
    run(connection, lambda session: _reset(session, provider))


async def _reset(session: Session, provider: str) -> None:
    answer = await session.client.post(f"/ops/providers/{quote(provider, safe='')}/reset")
    session.out.answer(answer, f"{provider}: reset")


@app.command()
@takes(Connection)
def cooldown(
    connection: Connection,
    provider: ProviderName,
    until: Annotated[str, typer.Argument(metavar="TIME", help="30m, 2h, or 2026-12-01T08:00.")],
    reason: Annotated[str | None, typer.Option(help="Why, for whoever looks.")] = None,
) -> None:
    """Submit nothing to a provider until then; what is under way there is still followed."""
    run(connection, lambda session: _cool_down(session, provider, until, reason))


async def _cool_down(session: Session, provider: str, until: str, reason: str | None) -> None:
    body = {"until": moment(until), "reason": reason}
    answer = await session.client.post(f"/ops/providers/{quote(provider, safe='')}/cooldown", body)
    session.out.answer(answer, f"{provider}: rests until {local_time(answer['cooldown_until'])}")


CHECKED = {
    "valid": "answers",
    "refused": "refuses the key",
    "unreachable": "says nothing clear",
    "unset": "is not set up",
    None: "was not asked yet: is a maintenance worker running?",
}


@app.command()
@takes(Connection)
def check(connection: Connection, provider: ProviderName) -> None:
    """Ask a provider whether it answers and takes the key; that costs nothing."""
    run(connection, lambda session: _check(session, provider))


async def _check(session: Session, provider: str) -> None:
    answer = await session.client.post(f"/ops/providers/{quote(provider, safe='')}/check")
    took = f" ({answer['took_ms']:.0f} ms)" if answer["took_ms"] else ""
    session.out.answer(answer, f"{provider}: {CHECKED[answer['outcome']]}{took}")
    if answer["outcome"] in ("refused", "unreachable"):
        raise typer.Exit(1)
