import json
import os
from pathlib import Path

import pytest

from cli.errors import BadUsage
from cli.target import DEFAULT_URL, Target, find_target


@pytest.fixture(autouse=True)
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_HOME", raising=False)


def make_home(folder: Path, **lock: object) -> None:
    home = folder / ".penstock"
    home.mkdir()
    (home / "key").write_text("ps_live_saved\n")
    (home / "lock").write_text(json.dumps(lock))


def test_without_anything_it_is_the_default(tmp_path: Path) -> None:
    assert find_target(None, None, tmp_path) == Target(DEFAULT_URL, None)


def test_the_run_of_a_folder_above_is_found(tmp_path: Path) -> None:
    make_home(tmp_path, pid=os.getpid(), address="http://127.0.0.1:9999")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_target(None, None, below) == Target("http://127.0.0.1:9999", "ps_live_saved")


def test_a_run_that_ended_is_not_believed(tmp_path: Path) -> None:
    make_home(tmp_path, pid=2**22 + 1, address="http://127.0.0.1:9999")
    assert find_target(None, None, tmp_path).url == DEFAULT_URL


def test_what_is_said_wins(tmp_path: Path) -> None:
    make_home(tmp_path, pid=os.getpid(), address="http://127.0.0.1:9999")
    said = find_target("https://media.example/", "ps_live_said", tmp_path)
    assert said == Target("https://media.example", "ps_live_said")


@pytest.mark.parametrize("url", ["ftp://example.org", "http://", "://x", "http://here:port", "http://[::"])
def test_what_is_no_address_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(BadUsage):
        find_target(url, None, tmp_path)


def test_what_cannot_be_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadUsage):
        find_target(None, "ps_live_\nx", tmp_path)
