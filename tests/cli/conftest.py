"""A gateway that the tests of the commands talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.nursery import Nursery
from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    fake = FakeGateway()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
async def terminal(gateway: FakeGateway, nursery: Nursery, tmp_path: Path) -> AsyncIterator[Terminal]:
    used = Terminal(gateway, nursery, tmp_path)
    yield used
    await used.close()
