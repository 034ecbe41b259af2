"""Fixtures for tests of the workers."""

from collections.abc import AsyncIterator

import pytest

from shared.settings import Settings
from tests.pipeline import Pipeline, open_pipeline


@pytest.fixture
async def pipeline(settings: Settings) -> AsyncIterator[Pipeline]:
    async with open_pipeline(settings) as opened:
        yield opened
        await opened.worker.execute("DELETE FROM generations")
        await opened.worker.execute("DELETE FROM model_cards")
