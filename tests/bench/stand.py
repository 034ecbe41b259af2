"""The test stand: the servers as `penstock up` runs them, and the processes that a measurement asks for."""

import os
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import asyncpg
from redis.asyncio import Redis
from rich.console import Console

from cli.servers import EmbeddedServers
from cli.servers.process import INHERITED
from shared.catalog import ModelCard, Price
from shared.db import Database, Role
from shared.domains import accounts
from shared.domains.accounts import Scope
from shared.ids import new_id
from shared.settings import Settings
from tests.bench.processes import Child, Cores
from tests.conftest import make_settings
from tests.pipeline import ScriptedProvider, card
from tests.servers import migrate, remove_leftovers, temporary_home
from workers.engine import publish_cards

HOME = "PENSTOCK_HOME"
PROVIDER = "bench"
PRICE = Price({"run": Decimal(5_000_000)}, date(2026, 1, 1), "for measuring")
"""Not free, so that every generation has its entries in the ledger."""


def cards() -> list[ModelCard]:
    """What the bench's provider offers."""
    return [card(PROVIDER, kind, PRICE) for kind in ("image", "text")]


@dataclass(frozen=True, slots=True)
class Stand:
    """`quick` asks for shorter rounds, whose figures are only a hint."""

    home: Path
    env: dict[str, str]
    superuser_url: str
    cores: Cores
    settings: Settings
    db: Database
    console: Console
    quick: bool

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 3

    def say(self, text: str) -> None:
        self.console.print(f"  [dim]{text}[/dim]", highlight=False)

    @asynccontextmanager
    async def child(
        self, name: str, *argv: str, pinned: bool = True, env: Mapping[str, str] | None = None
    ) -> AsyncIterator[Child]:
        """A Python process: `argv` are what Python gets. `pinned` puts it on the core of what is measured."""
        cores = self.cores.tested if pinned else self.cores.every
        child = await Child.start(argv, self.env | dict(env or {}), self.home, name, cores)
        try:
            yield child
        finally:
            await child.stop()

    @asynccontextmanager
    async def gateway(self, *, pinned: bool = True) -> AsyncIterator[tuple[Child, int]]:
        """The gateway and its port."""
        port = free_port()
        async with self.child(
            f"gateway-{port}", "-m", "gateway", pinned=pinned, env={"PORT": str(port)}
        ) as child:
            await child.logged("gateway_ready")
            yield child, port

    @asynccontextmanager
    async def bare(self) -> AsyncIterator[tuple[Child, int]]:
        """The bare aiohttp handler and its port."""
        async with self.child("bare", "-m", "tests.bench.bare") as child:
            yield child, int(await child.said("port"))

    @contextmanager
    def anywhere(self) -> Iterator[None]:
        """Lets this process and the servers use every core: for idle measurements."""
        os.sched_setaffinity(0, self.cores.every)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self.cores.others)

    async def account(self) -> tuple[UUID, str]:
        """A fresh account and a key of it."""
        account_id = new_id()
        server_key = self.settings.secret_key.get_secret_value()
        async with self.db.transaction() as tx:
            await accounts.create_account(tx, account_id, PROVIDER)
            key = await accounts.insert_key(tx, account_id, server_key, name=PROVIDER, scopes=[Scope.ADMIN])
        return account_id, key

    async def clear(self) -> None:
        """Empties the tables and the queues, as they are on a fresh machine."""
        connection = await asyncpg.connect(self.superuser_url)
        try:
            await connection.execute("SET session_replication_role = replica")  # the ledger's guard
            await connection.execute(
                "TRUNCATE generations, generation_events, submissions, outputs, ledger, idempotency_keys, workers,"
                " provider_callbacks, provider_health, run_times, assets, creative_generations"
            )
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()
        redis: Redis = Redis.from_url(self.settings.redis_url)
        await redis.flushall()
        await redis.aclose()

    async def settle(self) -> None:
        """Leaves the tables as a long-lived database has them: statistics known, nothing to clean."""
        connection = await asyncpg.connect(self.superuser_url)
        try:
            await connection.execute("VACUUM ANALYZE")
        finally:
            await connection.close()


@asynccontextmanager
async def open_stand(console: Console, *, quick: bool) -> AsyncIterator[Stand]:
    """Everything is gone when the block ends."""
    remove_leftovers()
    cores = Cores.divide()
    os.sched_setaffinity(0, cores.others)
    with temporary_home() as home, EmbeddedServers(home) as servers:
        (home / "run").mkdir(exist_ok=True)
        folder = home / "children"
        folder.mkdir()
        env = _environment(servers, folder)
        migrate(env)
        settings = make_settings({name: env[name] for name in env if name not in (*INHERITED, HOME)}, folder)
        db = await Database.open(settings.worker_url, Role.WORKER, max_size=4)
        try:
            await publish_cards(db, {PROVIDER: ScriptedProvider(cards=cards())})
            superuser = servers.postgres.url("postgres")
            yield Stand(folder, env, superuser, cores, settings, db, console, quick)
        finally:
            await db.close()
            os.sched_setaffinity(0, cores.every)


def _environment(servers: EmbeddedServers, folder: Path) -> dict[str, str]:
    """What the processes see: what `penstock up` gives its children, and nothing of this shell's settings."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | servers.environment() | {
        HOME: str(folder),
        "SECRET_KEY": servers.secrets["secret_key"],
        "LOG_FORMAT": "json",
        "MALLOC_ARENA_MAX": "2",
        "ALLOW_PRIVATE_URLS": "true",
    }  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
