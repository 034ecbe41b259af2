"""Real servers for every test that asks: one PostgreSQL and one S3 server for the run, the rest per worker.

A pytest-xdist worker has a database of its own (a copy of the migrated template), a Valkey of its own and a
bucket of its own, so workers never see each other. Everything ends with pytest, even when it is killed.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import uvloop

from cli.servers import EmbeddedServers
from shared.catalog import Catalog
from shared.domains.admission import Admitter
from shared.settings import Settings
from tests import summary
from tests.chaos.nursery import Nursery
from tests.pipeline import Pipeline, open_pipeline
from tests.servers import TEMPLATE, RunServers, run_servers, temporary_home, with_database
from tests.warm import Children, keep_clients

RUNNING = pytest.StashKey[RunServers]()
CLEANUP = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    # Every child that a test starts would compile all of our code again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    # Tests run on the loop that our processes run on.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    config.stash[CLEANUP] = ExitStack()
    distributes = config.getoption("numprocesses", None) and not config.getoption("collectonly")
    if distributes and not hasattr(config, "workerinput"):
        _running(config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors, for tests also wait."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by xdist in the first process, for each worker that it starts."""
    node.workerinput["servers"] = _running(node.config).asdict()


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[CLEANUP].close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Iterator[None]:
    """After all the details, just before pytest's own last line; a run of few tests in one process needs none."""
    yield
    if config.getoption("numprocesses", None):
        terminalreporter.section("what was tested", sep="─")
        for line in summary.lines(terminalreporter.stats):
            terminalreporter.line(line)


def _running(config: pytest.Config) -> RunServers:
    """The servers of this run, started by whoever asks first."""
    if RUNNING not in config.stash:
        given = getattr(config, "workerinput", {}).get("servers")
        config.stash[RUNNING] = (
            RunServers(**given) if given else config.stash[CLEANUP].enter_context(run_servers())
        )
    return config.stash[RUNNING]


@pytest.fixture(scope="session", autouse=True)
async def _warm() -> AsyncIterator[None]:
    """What is dear to make and the same for every test is made once."""
    children = Children()
    with pytest.MonkeyPatch.context() as patched:
        keep_clients(patched.setattr)
        children.keep(patched.setattr)
        yield
        await children.end()


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> RunServers:
    """The servers that all workers share."""
    return _running(request.config)


@pytest.fixture(scope="session")
def valkey() -> Iterator[EmbeddedServers]:
    """A Valkey for this worker alone: channels and queues have no namespace that a test could choose."""
    with temporary_home() as home, EmbeddedServers(home, stores=("valkey",), durable=False) as own:
        yield own


@pytest.fixture(scope="session")
async def environment(
    servers: RunServers, valkey: EmbeddedServers, worker_id: str
) -> AsyncIterator[dict[str, str]]:
    """The variables by which a child process finds this worker's database, Valkey and bucket."""
    database = f"penstock_{worker_id}"
    await servers.create_database(database, TEMPLATE)
    yield {
        **servers.environment_for(database),
        **valkey.environment(),
        "S3_BUCKET": f"penstock-{worker_id}",
        "PENSTOCK_ENV": "test",
        "SECRET_KEY": "a-secret-for-tests-that-is-long-enough",
        "ENCRYPTION_MASTER_KEY": "dGhlIG1hc3RlciBrZXkgb2YgdGhlc2UgdGVzdHMgaGE=",
        "CHEAP_PASSWORDS": "true",
        "SIGNUPS_PER_ADDRESS": "1000000",
    }
    await servers.drop_database(database)


@pytest.fixture(scope="session")
def settings(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """This worker's settings, whatever the machine's environment or `.env` say. Vary by `model_copy`."""
    return make_settings(environment, tmp_path_factory.mktemp("home"))


def make_settings(environment: dict[str, str], home: Path) -> Settings:
    """Settings from `environment` alone."""
    return Settings(_env_file=None, PENSTOCK_HOME=home, **_as_fields(environment))


def _as_fields(environment: dict[str, str]) -> dict[str, Any]:
    """Fields are given by name, those with an alias by the alias."""
    return {
        name if name.startswith("PENSTOCK_") else name.lower(): value for name, value in environment.items()
    }


@pytest.fixture(scope="session")
async def nursery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nursery]:
    """Where real processes of ours are forked, so that a test does not wait for their imports."""
    opened = await Nursery.open(tmp_path_factory.mktemp("logs"))
    yield opened
    await opened.close()


@pytest.fixture
async def empty_database(servers: RunServers) -> AsyncIterator[str]:
    """The owner's URL of a database without a schema, for migrations."""
    name = f"penstock_empty_{uuid4().hex[:8]}"
    await servers.create_database(name)
    yield with_database(servers.environment["DATABASE_OWNER_URL"], name)
    await servers.drop_database(name)


@pytest.fixture
def make_servers() -> Iterator[Callable[..., EmbeddedServers]]:
    """Private servers for one test, which starts them, and may kill, stop and restart them.

    Options are those of EmbeddedServers, such as `stores=("valkey",)`; each has a folder of its own.
    """
    with ExitStack() as cleanup:

        def make(**options: Any) -> EmbeddedServers:
            home = cleanup.enter_context(temporary_home())
            made = EmbeddedServers(home, **({"durable": False} | options))
            cleanup.callback(made.stop)
            return made

        yield make


# On top of the servers: what a test needs of our own code (databases, stores, bells, a running gateway).


@pytest.fixture(scope="session")
async def connected(settings: Settings) -> AsyncIterator[Pipeline]:
    """The connections of all this worker's pipelines."""
    async with open_pipeline(settings) as opened:
        yield opened


@pytest.fixture
async def pipeline(connected: Pipeline) -> AsyncIterator[Pipeline]:
    """An account that admits requests, and what a worker process is made of; the tables are empty after it."""
    opened = await connected.with_account()
    admitter = Admitter(opened.app, Catalog(opened.app), opened.bell, opened.publisher, opened.settings)
    yield replace(opened, admitter=admitter)
    await admitter.close()
    await opened.worker.execute("DELETE FROM generations")
    await opened.worker.execute("DELETE FROM model_cards")
    await opened.worker.execute("DELETE FROM provider_health")
    await opened.worker.execute("DELETE FROM run_times")
