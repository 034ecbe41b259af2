"""What `penstock up` gives its processes without being told."""

from pathlib import Path

import pytest
from rich.console import Console

from cli.stack import Plan, Stack
from shared.crypto import read_master_key
from shared.settings import Settings
from tests.servers import temporary_home

OWN = "bXkgb3duIG1hc3RlciBrZXksIDMyIGJ5dGVzIGxvbmc="


def _environment(home: Path, **settings: str) -> dict[str, str]:
    plan = Plan(home, "127.0.0.1", 8080)
    return Stack(plan, Settings.model_validate(settings), Console(quiet=True)).env


def test_a_master_key_is_made_once_and_gives_way_to_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENCRYPTION_MASTER_KEY", raising=False)
    with temporary_home() as home:
        made = _environment(home)["ENCRYPTION_MASTER_KEY"]
        assert len(read_master_key(made)) == 32
        assert _environment(home)["ENCRYPTION_MASTER_KEY"] == made
        assert _environment(home, encryption_master_key="")["ENCRYPTION_MASTER_KEY"] == made
        monkeypatch.setenv("ENCRYPTION_MASTER_KEY", OWN)
        assert _environment(home, encryption_master_key=OWN)["ENCRYPTION_MASTER_KEY"] == OWN
