"""From a typed command to its async work: the connection, the errors, the exit code."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from cli.client import Client
from cli.errors import CommandError, Interrupted
from cli.options import Connection
from cli.output import Output
from cli.target import find_target


@dataclass(frozen=True, slots=True)
class Session:
    """What a command's work needs."""

    client: Client
    out: Output


def run(connection: Connection, work: Callable[[Session], Awaitable[None]]) -> None:
    """Do the work. Raises typer.Exit with the code of the error that ended it, once it was shown."""
    out = Output(as_json=connection.as_json)
    finish(out, lambda: _run(connection, out, work))


def finish(out: Output, work: Callable[[], Awaitable[None]]) -> None:
    """Do work that needs no gateway, as `run` does."""

    async def main() -> None:
        await work()

    try:
        asyncio.run(main())
    except CommandError as error:
        out.fail(error)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        out.fail(Interrupted("Interrupted."))
        raise typer.Exit(Interrupted.exit_code) from None


async def _run(connection: Connection, out: Output, work: Callable[[Session], Awaitable[None]]) -> None:
    target = find_target(connection.url, connection.key, Path.cwd())
    async with Client.open(target) as client:
        await work(Session(client, out))
