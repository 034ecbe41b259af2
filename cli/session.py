"""From a typed command to its async work: the connection, the errors, the exit code."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

import typer

from cli.client import Client
from cli.errors import BadUsage, CommandError, Interrupted
from cli.options import Connection
from cli.output import Output
from cli.target import find_target, here


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
        out.flush()
    except KeyboardInterrupt:
        _end(out, Interrupted("Interrupted."))
    except BrokenPipeError:
        raise  # Typer ends quietly then
    except UnicodeEncodeError:
        _end(out, BadUsage("What was given is no text: it has bytes that are not UTF-8."))
    except OSError as error:
        out.abandon()
        why = error.strerror or type(error).__name__
        _end(out, CommandError(f"{error.filename or 'The result cannot be written'}: {why}."))
    except CommandError as error:
        _end(out, error)


def _end(out: Output, error: CommandError) -> NoReturn:
    out.fail(error)
    raise typer.Exit(error.exit_code) from None


async def _run(connection: Connection, out: Output, work: Callable[[Session], Awaitable[None]]) -> None:
    target = find_target(connection.url, connection.key, here())
    async with Client.open(target) as client:
        await work(Session(client, out))
