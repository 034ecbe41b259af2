import json
import os
from pathlib import Path

import pytest

from cli.database import settings_here


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a `penstock up` leaves in its folder, while it lives."""
    for name in ("DATABASE_URL", "DATABASE_WORKER_URL", "PENSTOCK_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    home = tmp_path / ".penstock"
    home.mkdir()
    (home / "lock").write_text(json.dumps({"pid": os.getpid(), "address": "http://127.0.0.1:8080"}))
    (home / "ports.json").write_text('{"postgres": 15001}')
    (home / "secrets").write_text('{"penstock_worker": "p/w"}')
    return home


def test_the_database_is_that_of_the_run_here(home: Path) -> None:
    assert (
        settings_here(home.parent).worker_url == "postgresql://penstock_worker:p%2Fw@127.0.0.1:15001/penstock"
    )


def test_what_the_settings_name_goes_before_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/penstock")
    assert settings_here(home.parent).worker_url == "postgresql://elsewhere/penstock"


def test_a_run_that_is_over_has_none(home: Path) -> None:
    (home / "lock").write_text("")
    assert "15001" not in settings_here(home.parent).worker_url
