"""Fixtures for chaos: worlds for processes to live and die in."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.chaos.acts import Remove
from tests.chaos.nursery import Nursery
from tests.chaos.sabotage import take_away
from tests.chaos.world import World, Worlds
from tests.servers import RunServers

VALKEY_DATABASES = range(1, 16)


@pytest.fixture(scope="session")
async def worlds(
    servers: RunServers, environment: Mapping[str, str], nursery: Nursery, worker_id: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Worlds:  # fmt: skip
    numbers: asyncio.Queue[int] = asyncio.Queue()
    for number in VALKEY_DATABASES:
        numbers.put_nowait(number)
    home: Path = tmp_path_factory.mktemp("chaos")
    return Worlds(servers, environment, nursery, home, worker_id, numbers)


@pytest.fixture
async def world(worlds: Worlds) -> AsyncIterator[World]:
    async with worlds.open() as opened:
        yield opened


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Remove:
    """Takes a guard away from this process until the end of the test."""
    return lambda name: take_away(name, monkeypatch.setattr)


@pytest.fixture(autouse=True)
def _not_described(without: Remove) -> None:
    """To start the process that describes pictures costs more than all the rest of a scene."""
    without("description")
