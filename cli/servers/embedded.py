"""The three private servers of a folder, started together."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Self

from cli.servers.home import choose_ports, load_secrets
from cli.servers.objects import Objects
from cli.servers.postgres import ROLES, SUPERUSER, Postgres
from cli.servers.process import Server
from cli.servers.valkey import Valkey

STORES = ("postgres", "valkey", "objects")
SECRETS = (SUPERUSER, *ROLES, "valkey", "s3_access_key_id", "s3_secret_access_key", "secret_key",
           "encryption_master_key")  # fmt: skip


class EmbeddedServers:
    """PostgreSQL, Valkey and an S3 server under `home`, those of `stores` only.

    Ports and passwords are kept from run to run. `durable=False` trades safety for speed, for tests. The
    caller holds the folder's lock, or has the folder to itself. Blocking; a warm start takes under 2 s.
    """

    def __init__(self, home: Path, *, stores: Collection[str] = STORES, durable: bool = True) -> None:
        self.home = home.resolve()
        self.home.mkdir(parents=True, exist_ok=True)
        self.secrets = load_secrets(self.home / "secrets", SECRETS)
        self.postgres = Postgres(self.home, self.secrets, durable=durable)
        self.valkey = Valkey(self.home, self.secrets["valkey"], durable=durable)
        self.objects = Objects(
            self.home, self.secrets["s3_access_key_id"], self.secrets["s3_secret_access_key"]
        )
        self.stores = tuple(name for name in STORES if name in stores)

    def __iter__(self) -> Iterator[Server]:
        for server in (self.postgres, self.valkey, self.objects):
            if server.name in self.stores:
                yield server

    def start(self) -> None:
        """Raises ServerFailed, with none left running, when one does not come up."""
        self.launch()
        try:
            for server in self:
                server.wait_ready()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Start the processes without waiting for them."""
        for server in self:
            server.end_leftover()
        ports = choose_ports(self.home / "ports.json", self.stores)
        try:
            for server in self:
                server.port = ports[server.name]
                server.launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """In the reverse order: what others depend on ends last."""
        for server in reversed(list(self)):
            server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """The settings by which other processes find these servers."""
        found: dict[str, str] = {}
        if "postgres" in self.stores:
            found["DATABASE_URL"] = self.postgres.url("penstock_app")
            found["DATABASE_WORKER_URL"] = self.postgres.url("penstock_worker")
            found["DATABASE_OWNER_URL"] = self.postgres.url("penstock_owner")
        if "valkey" in self.stores:
            found["REDIS_URL"] = self.valkey.url
        if "objects" in self.stores:
            found["S3_ENDPOINT_URL"] = self.objects.url
            found["S3_ACCESS_KEY_ID"] = self.objects.key_id
            found["S3_SECRET_ACCESS_KEY"] = self.objects.secret
        return found
