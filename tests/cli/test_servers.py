"""The private servers: they answer, keep their data, and never outlive whoever started them."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiobotocore.session import get_session
from botocore.exceptions import ClientError
from redis.asyncio import Redis

from cli.servers import AlreadyRunning, EmbeddedServers, Lock, ServerFailed
from cli.servers.home import choose_ports, load_secrets, port_is_free
from cli.servers.postgres import copy_programs
from cli.servers.process import command_of, end_leftover
from tests.servers import temporary_home

MakeServers = Callable[..., EmbeddedServers]


async def until(condition: Callable[[], bool], timeout_s: float = 90.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as folder:
        yield folder


async def test_all_three_answer_and_keep_their_data(home: Path) -> None:
    with EmbeddedServers(home) as first:
        connection = await asyncpg.connect(first.environment()["DATABASE_OWNER_URL"])
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
        async with Redis.from_url(first.environment()["REDIS_URL"]) as redis:
            await redis.set("kept", "42")
    with EmbeddedServers(home) as second:
        assert second.environment() == first.environment()
        connection = await asyncpg.connect(second.environment()["DATABASE_OWNER_URL"])
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()
        async with Redis.from_url(second.environment()["REDIS_URL"]) as redis:
            assert await redis.get("kept") == b"42"


async def test_the_object_store_keeps_bytes_for_those_who_sign(home: Path) -> None:
    with EmbeddedServers(home, stores=("objects",)) as servers:
        async with s3_client(servers.environment()) as s3:
            await s3.create_bucket(Bucket="kept")
            await s3.put_object(Bucket="kept", Key="a/b.txt", Body=b"42")
    with EmbeddedServers(home, stores=("objects",)) as servers:
        async with s3_client(servers.environment()) as s3:
            kept = await s3.get_object(Bucket="kept", Key="a/b.txt")
            assert await kept["Body"].read() == b"42"
        async with s3_client(servers.environment() | {"S3_SECRET_ACCESS_KEY": "wrong"}) as s3:
            with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
                await s3.list_objects_v2(Bucket="kept")


def s3_client(environment: dict[str, str]) -> Any:
    return get_session().create_client(
        "s3",
        endpoint_url=environment["S3_ENDPOINT_URL"],
        aws_access_key_id=environment["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["S3_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )


async def test_passwords_are_needed(make_servers: MakeServers) -> None:
    servers = make_servers(stores=("postgres", "valkey"))
    servers.start()
    url = servers.environment()["DATABASE_URL"].replace(servers.secrets["penstock_app"], "wrong")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url)
    async with Redis(port=servers.valkey.port) as redis:
        with pytest.raises(Exception, match="Authentication required"):
            await redis.ping()


async def test_new_secrets_are_given_to_old_data(home: Path) -> None:
    with EmbeddedServers(home, stores=("postgres",)):
        pass
    (home / "secrets").unlink()
    with EmbeddedServers(home, stores=("postgres",)) as servers:
        connection = await asyncpg.connect(servers.environment()["DATABASE_URL"])
        assert await connection.fetchval("SELECT current_user") == "penstock_app"
        await connection.close()


async def test_a_killed_postgres_starts_again_with_its_data(home: Path) -> None:
    with EmbeddedServers(home, stores=("postgres",)) as servers:
        connection = await asyncpg.connect(servers.environment()["DATABASE_OWNER_URL"])
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        servers.postgres.kill()
        connection.terminate()
        servers.postgres.start()
        connection = await asyncpg.connect(servers.environment()["DATABASE_OWNER_URL"])
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()


def test_only_the_stores_asked_for(make_servers: MakeServers) -> None:
    servers = make_servers(stores=("valkey",))
    servers.start()
    assert set(servers.environment()) == {"REDIS_URL"}
    assert servers.postgres.process is None


def test_a_server_that_cannot_start_says_why(make_servers: MakeServers) -> None:
    servers = make_servers(stores=("valkey",))
    (servers.home / "valkey" / "appendonlydir").mkdir(parents=True)
    (servers.home / "valkey" / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense")
    servers.valkey.durable = True
    with pytest.raises(ServerFailed, match="AOF"):
        servers.start()
    assert servers.valkey.process is None


KEEP_SERVERS = """
import sys, time
from pathlib import Path
from typing import Any
from cli.servers import EmbeddedServers
servers = EmbeddedServers(Path(sys.argv[1]))
servers.start()
print(*(server.pid for server in servers), flush=True)
time.sleep(600)
"""


def start_elsewhere(home: Path) -> tuple[subprocess.Popen[str], list[int]]:
    """Servers started by another process; returns it and their process ids."""
    other = subprocess.Popen(
        [sys.executable, "-c", KEEP_SERVERS, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    return other, [int(pid) for pid in other.stdout.readline().split()]


async def test_servers_die_with_whoever_started_them(home: Path) -> None:
    other, pids = start_elsewhere(home)
    with other:
        assert len(pids) == 3
        other.kill()
    await until(lambda: not any(command_of(pid) for pid in pids))


def test_what_a_killed_run_left_is_ended_by_the_next(home: Path) -> None:
    servers = EmbeddedServers(home, stores=("valkey",))
    servers.start()
    left = servers.valkey.process
    assert left is not None
    servers.valkey.process = None  # as if this process had forgotten it
    with EmbeddedServers(home, stores=("valkey",)) as next_run:
        assert left.wait(10) is not None
        assert next_run.valkey.port == servers.valkey.port


async def test_a_process_id_of_another_program_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:  # noqa: ASYNC220 - it returns at once
        await until(lambda: "sleep 60" in command_of(bystander.pid))
        assert not end_leftover(bystander.pid, "valkey.conf", signal.SIGTERM, 0.1)
        assert bystander.poll() is None
        assert end_leftover(bystander.pid, "sleep 60", signal.SIGTERM, 0.1)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    first.acquire()
    first.describe(address="http://here")
    with pytest.raises(AlreadyRunning) as refused:
        second.acquire()
    assert refused.value.holder == {"address": "http://here"}
    first.release()
    second.acquire()
    second.release()


HOLD_LOCK = """
import sys, time
from pathlib import Path
from cli.servers import Lock
lock = Lock(Path(sys.argv[1]))
lock.acquire()
print(flush=True)
time.sleep(600)
"""


def test_the_lock_of_a_killed_run_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLD_LOCK, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(AlreadyRunning):
            Lock(path).acquire()
        holder.kill()
    lock = Lock(path)
    lock.acquire()
    lock.release()


def test_secrets_are_private_and_kept(tmp_path: Path) -> None:
    first = load_secrets(tmp_path / "secrets", ("one", "two"))
    assert load_secrets(tmp_path / "secrets", ("one", "two", "three")).items() > first.items()
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o600
    assert len(set(first.values())) == 2


def test_ports_are_kept_while_they_are_free(tmp_path: Path) -> None:
    first = choose_ports(tmp_path / "ports.json", ("a", "b"))
    assert choose_ports(tmp_path / "ports.json", ("a", "b")) == first
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(first["a"])],
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    ) as squatter:
        deadline = time.monotonic() + 90
        while port_is_free(first["a"]) and time.monotonic() < deadline:
            time.sleep(0.02)
        again = choose_ports(tmp_path / "ports.json", ("a", "b"))
        squatter.kill()
    assert again["b"] == first["b"]
    assert again["a"] != first["a"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as another user")
def test_root_moves_the_data_where_nobody_can_go(tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir(mode=0o700)
    servers = EmbeddedServers(tmp_path / "hidden" / "home", stores=("postgres",))
    assert servers.postgres.moved_to is not None
    assert servers.postgres.moved_to.is_relative_to("/var/lib/penstock")


def test_programs_are_copied_so_that_everyone_can_run_them(tmp_path: Path) -> None:
    (tmp_path / "from" / "wheel" / "bin").mkdir(parents=True)
    (tmp_path / "from" / "wheel.libs").mkdir()
    program = tmp_path / "from" / "wheel" / "bin" / "postgres"
    program.touch(0o700)
    copy_programs(program.parents[1], tmp_path / "to")
    assert (tmp_path / "to" / "wheel" / "bin" / "postgres").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "to" / "wheel.libs").is_dir()
