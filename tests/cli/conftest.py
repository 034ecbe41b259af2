"""A gateway that the tests of the commands talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal


@pytest.fixture
async def gateway() -> AsyncIterator[FakeGateway]:
    fake = FakeGateway()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def terminal(gateway: FakeGateway, tmp_path: Path) -> Terminal:
    return Terminal(gateway, tmp_path)
