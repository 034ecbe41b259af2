"""The private servers of one test run: shared by its pytest-xdist workers, with a database for each."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from cli.servers import AlreadyRunning, EmbeddedServers, Lock

PREFIX = "penstock-test-"
TEMPLATE = "penstock"
"""The database that is migrated once and then copied, which takes a tenth of a second."""

JUST_MADE_S = 60.0
"""A folder this young may not have its lock yet."""


@dataclass(frozen=True, slots=True)
class RunServers:
    """Where the servers of this run are; plain values, so that xdist can hand them to its workers."""

    superuser_url: str
    environment: dict[str, str]

    def asdict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, servers: EmbeddedServers) -> Self:
        return cls(servers.postgres.url("postgres", "postgres"), servers.environment())

    def environment_for(self, database: str) -> dict[str, str]:
        """The settings with which a process uses `database`."""
        urls = {
            name: with_database(value, database)
            for name, value in self.environment.items()
            if name.startswith("DATABASE_")
        }
        return self.environment | urls

    async def create_database(self, name: str, template: str = "template0") -> None:
        """A new database, empty or a copy of `template`; one of that name is dropped before."""
        await self._execute(
            f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
            f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER penstock_owner STRATEGY file_copy',
        )

    async def drop_database(self, name: str) -> None:
        await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.superuser_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


def with_database(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A folder for servers. Root's PostgreSQL runs as `nobody`, who could not enter pytest's `tmp_path`."""
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    home.chmod(0o711)
    lock = Lock(home / "lock")
    lock.acquire()
    try:
        yield home
    finally:
        lock.release()
        shutil.rmtree(home, ignore_errors=True)


def remove_leftovers() -> None:
    """Remove the folders of runs that were killed; their servers died with them, and so did their locks."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if time.time() - home.stat().st_mtime < JUST_MADE_S:
            continue
        lock = Lock(home / "lock")
        try:
            lock.acquire()
        except (AlreadyRunning, OSError):
            continue
        lock.release()
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def run_servers() -> Iterator[RunServers]:
    """The servers of one test run, with the template migrated."""
    remove_leftovers()
    with temporary_home() as home, EmbeddedServers(home, durable=False) as servers:
        found = RunServers.of(servers)
        migrate(found.environment_for(TEMPLATE))
        yield found


def migrate(environment: dict[str, str]) -> None:
    """Bring a database to the newest schema, as `penstock up` does. Raises CalledProcessError."""
    subprocess.run([sys.executable, "-m", "shared.migrate"], env=dict(os.environ) | environment, check=True)
