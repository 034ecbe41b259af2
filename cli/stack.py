"""What `penstock up` runs: private servers, one gateway, workers of every kind, and the word about them."""

import asyncio
import math
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from cli.childlog import Record
from cli.servers import EmbeddedServers, Server, ServerFailed
from cli.servers.home import port_is_free
from cli.servers.process import guarded
from cli.supervisor import Reporter, Service, Supervisor
from shared.settings import AuthMode, Settings

KINDS = ("text", "image", "audio", "music", "video", "upscale")
"""Kinds that have a worker of their own; `maintenance` runs beside them."""
STORE_SETTINGS = {"postgres": "database_url", "valkey": "redis_url", "objects": "s3_endpoint_url"}
"""A server is private unless its setting names another."""
GATEWAY = "gateway"
KEY_CHECK_PATH = "/api/v1/generations?limit=1"
READY_EVENT = "worker_ready"
GATEWAY_STOP_S = 10.0
SERVER_BACKOFF_S = 0.5
SERVER_POLL_S = 0.05
REPEAT_AFTER_S = 30.0


class UpFailed(Exception):
    """It cannot run; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, and where."""

    home: Path
    host: str
    port: int
    workers: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys((*KINDS, "maintenance"), 1))
    """Processes of each kind."""
    gateway: bool = True
    drain_timeout_s: float = 30.0
    auth_mode: AuthMode = AuthMode.REQUIRED
    private: tuple[str, ...] = tuple(STORE_SETTINGS)
    """The servers to start; the settings name the others."""

    @property
    def reached_at(self) -> str:
        """The host by which this machine reaches the gateway."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared only

    @property
    def address(self) -> str:
        host = f"[{self.reached_at}]" if ":" in self.reached_at else self.reached_at
        return f"http://{host}:{self.port}"


def services(plan: Plan, env: Mapping[str, str]) -> list[Service]:
    """The processes of a plan. Workers end before the gateway, and have the time to drain."""
    found: list[Service] = []
    if plan.gateway:
        ready = _answers(plan, "/readyz")
        found.append(Service(GATEWAY, _module("gateway"), env, ready=ready, stop_timeout_s=GATEWAY_STOP_S))
    for kind, count in plan.workers.items():
        for number in range(1, count + 1):
            name = f"worker-{kind}" if count == 1 else f"worker-{kind}-{number}"
            argv, stop_timeout_s = _module("workers", kind), plan.drain_timeout_s + 2
            found.append(
                Service(name, argv, env, ready_event=READY_EVENT, tier=1, stop_timeout_s=stop_timeout_s)
            )
    return found


def _module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", name, *arguments)


def _answers(plan: Plan, path: str, key: str = "") -> Callable[[], Awaitable[bool]]:
    """Asks the gateway for `path`; a client library would cost more memory than the supervisor."""
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Connection: close\r\n\r\n"

    async def ask() -> bool:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(plan.reached_at, plan.port)
                try:
                    writer.write(request.encode())
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        return False

    return ask


class ConsoleReporter(Reporter):
    """Tells the operator what happens to the children."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._shown_at: dict[tuple[str, str], float] = {}

    def say(self, mark: str, text: str) -> None:
        self.console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {mark} {text}", highlight=False)

    def died(self, name: str, how: str, again_in_s: float, tail: Sequence[str]) -> None:
        self.say("[red]✗[/red]", f"[bold]{name}[/bold] {how}; it starts again in {again_in_s:g} s")
        for line in tail:
            self.console.print(f"           [dim]{escape(line)}[/dim]", highlight=False)

    def restarted(self, name: str) -> None:
        self.say("[green]✓[/green]", f"[bold]{name}[/bold] runs again")

    def notice(self, name: str, record: Record) -> None:
        """The same event of the same child is shown once in a while; its log has them all."""
        now = time.monotonic()
        if now - self._shown_at.get((name, record.event), -math.inf) < REPEAT_AFTER_S:
            return
        self._shown_at[name, record.event] = now
        colour = "yellow" if record.level == "warning" else "red"
        self.say(f"[{colour}]![/{colour}]", f"[bold]{name}[/bold] {escape(record.text)}")


class Stack:
    """The servers and the children of one plan. The caller holds the lock of its home."""

    def __init__(self, plan: Plan, settings: Settings, console: Console) -> None:
        self.plan = plan
        self.console = console
        self.reporter = ConsoleReporter(console)
        self.servers = EmbeddedServers(plan.home, stores=plan.private)
        self.env = self._environment(settings)
        self.supervisor: Supervisor | None = None
        self._watchers: list[asyncio.Task[None]] = []

    def _environment(self, settings: Settings) -> dict[str, str]:
        """What the children see: this process's environment, and what the plan decides."""
        env = dict(os.environ) | {
            "HOST": self.plan.host,
            "PORT": str(self.plan.port),
            "AUTH_MODE": self.plan.auth_mode.value,
            "PENSTOCK_HOME": str(self.plan.home),
            "LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # glibc's arenas for each thread double what an idle process holds
        }
        # Else nine processes would compile the same sources at every start.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        if "secret_key" not in settings.model_fields_set:
            env["SECRET_KEY"] = self.servers.secrets["secret_key"]
        if settings.encryption_master_key is None:
            env["ENCRYPTION_MASTER_KEY"] = self.servers.secrets["encryption_master_key"]
        return env

    async def start(self) -> str:
        """Bring everything up; returns the API key of this home, which the first run makes.

        Raises ServerFailed, StartFailed, UpFailed.
        """
        if self.plan.gateway and not port_is_free(self.plan.port, self.plan.host):
            raise UpFailed(
                f"Port {self.plan.port} is taken by another program. Choose one: PORT=8081 make run"
            )
        self.servers.start()
        self._watchers = [asyncio.create_task(self._keep_server(server)) for server in self.servers]
        self._say_servers()
        self.env |= self.servers.environment()
        await self._run_once("shared.migrate")
        self.supervisor = Supervisor(services(self.plan, self.env), self.plan.home / "logs", self.reporter)
        await self.supervisor.start()
        return await self._key()

    async def stop(self) -> None:
        """Workers, then the gateway, then the servers."""
        if self.supervisor is not None:
            await self.supervisor.stop()
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        self.servers.stop()

    def kill(self) -> None:
        """The children at once; the servers still end in order."""
        if self.supervisor is not None:
            self.supervisor.kill()

    def _say_servers(self) -> None:
        for server in self.servers:
            self.console.print(f"  {server.name:<9} 127.0.0.1:{server.port}", highlight=False, style="dim")
        moved_to = self.servers.postgres.moved_to
        if "postgres" in self.plan.private and moved_to is not None:
            self.console.print(
                f"  PostgreSQL does not run as root, and another user cannot reach {self.plan.home}:\n"
                f"  its data is in {moved_to}",
                highlight=False,
            )

    async def _key(self) -> str:
        """The key that the first run wrote, or a new one when that is gone or no longer good."""
        path = self.plan.home / "key"
        known = path.read_text().strip() if path.exists() else ""
        # The gateway knows at once; a process of our own to ask the database takes a second.
        if not (known and self.plan.gateway and await _answers(self.plan, KEY_CHECK_PATH, known)()):
            await self._run_once("shared.firstkey", str(path))
        return path.read_text().strip()

    async def _run_once(self, module: str, *arguments: str) -> None:
        """Run one of our modules to its end. Raises UpFailed with its last words."""
        process = await asyncio.create_subprocess_exec(
            *guarded(_module(module, *arguments), signal.SIGKILL),
            env=self.env,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            start_new_session=True,
        )
        try:
            printed, _ = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode != 0:
            tail = "\n".join(printed.decode(errors="replace").splitlines()[-12:])
            raise UpFailed(f"python -m {module} failed with code {process.returncode}\n{tail}")

    async def _keep_server(self, server: Server) -> None:
        """Start a server again whenever it dies."""
        while True:
            await _ended(server)
            self.reporter.died(server.name, "died", SERVER_BACKOFF_S, ())
            while not await _restarted(server):
                failed = f"does not start; see {server.log_path}"
                self.reporter.notice(server.name, Record("error", "start_failed", failed))
            self.reporter.restarted(server.name)


async def _restarted(server: Server) -> bool:
    """Start a server that died; whether it answers now."""
    await asyncio.sleep(SERVER_BACKOFF_S)
    with suppress(OSError, ServerFailed):
        server.launch()
        while server.alive():
            if server.ready():
                return True
            await asyncio.sleep(SERVER_POLL_S)
    return False


async def _ended(server: Server) -> None:
    """Returns when the server's process has ended; costs nothing until then where the kernel can tell."""
    if not hasattr(os, "pidfd_open"):
        while server.alive():  # noqa: ASYNC110 - no event to wait for on this system
            await asyncio.sleep(1)
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    handle = os.pidfd_open(server.pid)
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
    server.alive()
