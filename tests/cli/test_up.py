"""`penstock up`: its plan, and the whole stack brought up, broken and ended for real."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from cli.childlog import Record
from cli.servers.home import free_port
from cli.servers.process import command_of
from cli.stack import ConsoleReporter, Plan, UpFailed, services
from cli.up import _greet, make_plan
from shared.settings import AuthMode, Settings
from tests.cli.test_servers import until
from tests.servers import temporary_home

STORE_NAMES = ("DATABASE_URL", "DATABASE_WORKER_URL", "DATABASE_OWNER_URL", "REDIS_URL", "S3_ENDPOINT_URL")


def plan(settings: Settings | None = None, **chosen: Any) -> Plan:
    options: dict[str, Any] = {"host": None, "port": None, "workers": (), "only": ()}
    return make_plan(settings or Settings(_env_file=None), **(options | chosen))


@pytest.fixture(autouse=True)
def _no_servers_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in STORE_NAMES:
        monkeypatch.delenv(name, raising=False)


def test_one_gateway_and_one_worker_of_each_kind() -> None:
    names = [service.name for service in services(plan(), {})]
    kinds = ("text", "image", "audio", "music", "video", "upscale", "maintenance")
    assert names == ["gateway", *(f"worker-{kind}" for kind in kinds)]


def test_workers_scale_by_kind() -> None:
    names = [service.name for service in services(plan(workers=["image=2", "video=0"]), {})]
    assert {"worker-image-1", "worker-image-2"} <= set(names)
    assert not any(name.startswith("worker-video") for name in names)


def test_only_what_is_asked_for() -> None:
    assert [service.name for service in services(plan(only=["gateway"]), {})] == ["gateway"]
    assert [service.name for service in services(plan(only=["image"]), {})] == ["worker-image"]


@pytest.mark.parametrize("chosen", [{"workers": ["image"]}, {"workers": ["cats=2"]}, {"only": ["cats"]}])
def test_a_kind_that_there_is_not_is_refused(chosen: dict[str, Any]) -> None:
    with pytest.raises(UpFailed, match="image"):
        plan(**chosen)


def test_a_server_that_the_settings_name_is_not_started() -> None:
    settings = Settings(_env_file=None, redis_url="redis://elsewhere")
    assert plan(settings).private == ("postgres", "objects")


@pytest.mark.parametrize(
    ("chosen", "given", "mode"),
    [
        ({}, {}, AuthMode.OPEN),
        ({"host": "::1"}, {}, AuthMode.OPEN),
        ({"host": "0.0.0.0"}, {}, AuthMode.REQUIRED),  # noqa: S104  # as somebody would say it
        ({}, {"auth_mode": "required"}, AuthMode.REQUIRED),
        ({}, {"public_base_url": "https://penstock.example"}, AuthMode.REQUIRED),
        ({"host": "127.0.0.1"}, {"auth_mode": "open"}, AuthMode.OPEN),
    ],
)
def test_only_this_machine_comes_in_without_a_key(
    chosen: dict[str, Any], given: dict[str, Any], mode: AuthMode
) -> None:
    made = plan(Settings(_env_file=None, **given), **chosen)
    assert made.auth_mode is mode
    greeting = Console(file=io.StringIO(), width=200)
    _greet(made, greeting, "ps_live_x", 1.0)
    shown = greeting.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO above
    assert ("no key is needed" in shown) is (mode is AuthMode.OPEN)


def test_open_to_the_network_is_refused() -> None:
    with pytest.raises(UpFailed, match=r"AUTH_MODE=open .* cannot listen on 0\.0\.0\.0"):
        plan(Settings(_env_file=None, auth_mode="open"), host="0.0.0.0")  # noqa: S104  # as above


def test_the_same_trouble_is_shown_once_in_a_while() -> None:
    console = Console(file=io.StringIO(), width=200)
    reporter = ConsoleReporter(console)
    for number in range(3):
        reporter.notice("gateway", Record("warning", "slow", f"slow ms={number}"))
    reporter.notice("gateway", Record("error", "lost", "lost [it]"))
    shown = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # it is the StringIO above
    assert [line.split("! ")[1] for line in shown] == ["gateway slow ms=0", "gateway lost [it]"]


class Run:
    """`penstock up` in a folder of its own, and what it prints."""

    def __init__(self, home: Path, port: int, *options: str) -> None:
        self.home, self.port = home, port
        self.output = home / "output"
        environment = {name: value for name, value in os.environ.items() if name not in STORE_NAMES}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli", "up", *options],
                cwd=home,
                env=environment | {"PENSTOCK_HOME": str(home / ".penstock"), "PORT": str(port)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    async def ready(self) -> None:
        await until(lambda: "ready in" in self.said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said

    def descendants(self) -> list[int]:
        """Every process of this run, by the home folder in its environment or its command line."""
        mark = str(self.home).encode()
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal() and int(folder.name) not in (os.getpid(), self.process.pid):
                try:
                    about = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                if mark in about:
                    found.append(int(folder.name))
        return found

    async def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        await until(lambda: self.process.poll() is not None)
        return self.process.returncode


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as folder:
        yield folder


@pytest.fixture
def starts() -> Iterator[list[Run]]:
    """The runs of a test; what is left of them ends with it."""
    runs: list[Run] = []
    yield runs
    for run in runs:
        run.process.kill()
        run.process.wait()


async def test_up_comes_up_heals_refuses_a_second_and_ends_cleanly(home: Path, starts: list[Run]) -> None:
    run = Run(home, free_port())
    starts.append(run)
    await run.ready()
    key = (home / ".penstock" / "key").read_text().strip()
    assert key.startswith("ps_live_")
    assert key in run.said
    assert "no key is needed" in run.said
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{run.port}") as client:
        assert (await client.get("/api/v1/models", headers=headers)).status_code == 200
        by_key, open_to_all = [
            (await client.get("/api/auth/me", headers=sent)).json()["data"]["id"] for sent in (headers, {})
        ]
        assert by_key == open_to_all
        foreign = {"Origin": "https://evil.example"}
        assert (await client.get("/api/v1/models", headers=foreign)).status_code == 403

    second = subprocess.run(
        [sys.executable, "-m", "cli", "up"],
        env=os.environ | {"PENSTOCK_HOME": str(home / ".penstock")},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"already running at http://127.0.0.1:{run.port}" in second.stdout

    image = next(pid for pid in run.descendants() if "-m workers image" in command_of(pid))
    os.kill(image, signal.SIGKILL)
    await until(lambda: "worker-image runs again" in run.said)
    assert "worker-image was killed by SIGKILL" in run.said

    assert await run.end() == 0
    assert run.descendants() == []


async def test_nothing_outlives_a_killed_up_and_the_next_one_starts(home: Path, starts: list[Run]) -> None:
    port = free_port()
    run = Run(home, port, "--workers", "video=0", "--only", "gateway", "--only", "image")
    starts.append(run)
    await run.ready()
    key = (home / ".penstock" / "key").read_text()
    run.process.kill()
    run.process.wait()
    await until(lambda: not run.descendants())

    again = Run(home, port, "--only", "gateway")
    starts.append(again)
    await again.ready()
    assert (home / ".penstock" / "key").read_text() == key
    assert await again.end() == 0

    (home / ".penstock" / "key").write_text("ps_live_no_longer_good")
    renewed = Run(home, port, "--only", "gateway")
    starts.append(renewed)
    await renewed.ready()
    assert (home / ".penstock" / "key").read_text() not in (key, "ps_live_no_longer_good")
    assert await renewed.end() == 0


async def test_a_port_that_is_taken_is_said(home: Path, starts: list[Run]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        run = Run(home, other.getsockname()[1])
        starts.append(run)
        assert run.process.wait(30) == 1
        assert "is taken by another program" in run.said


async def test_bad_settings_are_said(home: Path, starts: list[Run]) -> None:
    (home / ".env").write_text("PENSTOCK_ENV=production\n")
    run = Run(home, free_port())
    starts.append(run)
    assert run.process.wait(30) == 2
    assert re.search(r"unsafe in production: .*secret_key", run.said)
    assert not (home / ".penstock" / "postgres").exists()
