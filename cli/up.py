"""`penstock up`: everything on one machine, from the servers to the workers, kept running until Ctrl-C."""

import asyncio
import os
import signal
import time
import webbrowser
from collections.abc import Callable, Sequence
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from cli.servers import AlreadyRunning, Lock, ServerFailed
from cli.stack import GATEWAY, KINDS, STORE_SETTINGS, Plan, Stack, UpFailed
from cli.supervisor import StartFailed
from shared.settings import AuthMode, Settings, is_loopback, what_is_wrong


def make_plan(
    settings: Settings, *, host: str | None, port: int | None, workers: Sequence[str], only: Sequence[str]
) -> Plan:
    """The plan of a command line. Raises UpFailed when it names what there is not."""
    counts = dict.fromkeys((*KINDS, "maintenance"), 1)
    for choice in workers:
        kind, _, number = choice.partition("=")
        if kind not in counts or not number.isdecimal():
            raise UpFailed(f"--workers {choice}: say KIND=NUMBER, with a kind of {', '.join(counts)}")
        counts[kind] = int(number)
    unknown = set(only) - {GATEWAY, *counts}
    if unknown:
        raise UpFailed(f"--only {', '.join(sorted(unknown))}: there is gateway, {', '.join(counts)}")
    return Plan(
        home=settings.home.resolve(),
        host=host or settings.host,
        auth_mode=_auth_mode(settings, host or settings.host),
        port=port or settings.port,
        workers={kind: count for kind, count in counts.items() if not only or kind in only},
        gateway=not only or GATEWAY in only,
        drain_timeout_s=settings.drain_timeout_s,
        private=tuple(
            store for store, name in STORE_SETTINGS.items() if name not in settings.model_fields_set
        ),
    )


def _auth_mode(settings: Settings, host: str) -> AuthMode:
    """What the settings say; else open where only this machine reaches the gateway. Raises UpFailed."""
    local = is_loopback(host)
    if "auth_mode" not in settings.model_fields_set:
        alone = local and settings.public_base_url is None and not settings.is_production
        return AuthMode.OPEN if alone else AuthMode.REQUIRED
    if settings.auth_mode is AuthMode.OPEN and not local:
        raise UpFailed(
            f"AUTH_MODE=open lets in everybody who reaches the gateway, so it cannot listen on {host}:"
            " leave out --host, or set AUTH_MODE=required"
        )
    return settings.auth_mode


async def run(stack: Stack, on_ready: Callable[[str], None]) -> None:
    """Start the stack and keep it until a signal. A second signal ends it without leave to finish."""
    stopping = asyncio.Event()

    def ask_to_stop() -> None:
        if stopping.is_set():
            stack.kill()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, ask_to_stop)
    starting = asyncio.create_task(stack.start())
    waiting = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            on_ready(starting.result())
            await waiting
        stack.console.print("\n  ending …", style="dim")
    finally:
        waiting.cancel()
        starting.cancel()
        await asyncio.gather(starting, waiting, return_exceptions=True)
        await stack.stop()


def up_command(
    port: Annotated[int | None, typer.Option(help="Port of the gateway.", envvar="PORT")] = None,
    host: Annotated[
        str | None, typer.Option(help="Address that the gateway listens on.", envvar="HOST")
    ] = None,
    workers: Annotated[
        list[str] | None, typer.Option(help="Worker processes of a kind, such as image=2; 0 for none.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Start this alone: gateway, or a kind.")] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the studio.")] = False,
) -> None:
    """Run everything on this machine: servers, gateway and workers, until Ctrl-C."""
    console = Console(soft_wrap=True)
    try:
        settings = Settings()
        plan = make_plan(settings, host=host, port=port, workers=workers or (), only=only or ())
    except (UpFailed, ValidationError) as error:
        why = what_is_wrong(error) if isinstance(error, ValidationError) else str(error)
        console.print(f"[red]✗[/red] {escape(why)}", highlight=False)
        raise typer.Exit(2) from None
    raise typer.Exit(_run_locked(plan, settings, console, open_browser=open_browser))


def _run_locked(plan: Plan, settings: Settings, console: Console, *, open_browser: bool) -> int:
    """Returns the exit code."""
    lock = Lock(plan.home / "lock")
    started = time.monotonic()
    try:
        lock.acquire()
        lock.describe(pid=os.getpid(), address=plan.address)
        console.print("[bold]Penstock[/bold]")

        def on_ready(key: str) -> None:
            _greet(plan, console, key, time.monotonic() - started)
            if open_browser:
                webbrowser.open(plan.address)

        asyncio.run(run(Stack(plan, settings, console), on_ready))
    except AlreadyRunning as error:
        where, pid = error.holder.get("address", "an unknown address"), error.holder.get("pid", "?")
        console.print(
            f"Penstock is already running at [bold]{where}[/bold] (process {pid}).", highlight=False
        )
        return 1
    except (OSError, ServerFailed, StartFailed, UpFailed) as error:
        console.print(f"[red]✗[/red] {escape(str(error))}", highlight=False)
        console.print(f"  logs are in {plan.home / 'logs'}", style="dim", highlight=False)
        return 1
    finally:
        lock.release()
    return 0


def _greet(plan: Plan, console: Console, key: str, took_s: float) -> None:
    lines = [f"\n[green]✓[/green] ready in {took_s:.1f} s\n"]
    if plan.gateway:
        lines.append(f"  address   [bold]{plan.address}[/bold]")
    if key:
        lines.append(f"  API key   [bold]{escape(key)}[/bold]")
    if plan.gateway and plan.auth_mode is AuthMode.OPEN:
        lines.append("  access    open: on this machine no key is needed (AUTH_MODE=required asks for one)")
    lines += [f"  logs      {plan.home / 'logs'}", "  end       Ctrl-C\n"]
    console.print("\n".join(lines), highlight=False)


if __name__ == "__main__":
    typer.run(up_command)
