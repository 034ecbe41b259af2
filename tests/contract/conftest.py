"""Fixtures of the contract suite."""

import importlib
from collections.abc import AsyncIterator

import pytest

from tests.chaos.sabotage import take_away
from tests.contract.cases import CASES
from tests.contract.scene import Scene, open_scene
from tests.pipeline import Pipeline

SHORT_S = 5.0
"""How long a paid call may take where no answer ever comes."""


@pytest.fixture
async def scene(pipeline: Pipeline) -> AsyncIterator[Scene]:
    """All emulators at once; no worker yet."""
    outsides = {case.outside.entry: case.outside for case in CASES}
    async with open_scene(pipeline, list(outsides.values())) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _not_described(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thumbnails and durations are no adapter's business, and to start their process costs a second."""
    take_away("description", monkeypatch.setattr)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paid calls are given up soon."""
    for name in {name for case in CASES for name in case.outside.timeouts}:
        module, _, constant = name.rpartition(".")
        monkeypatch.setattr(importlib.import_module(module), constant, SHORT_S)
