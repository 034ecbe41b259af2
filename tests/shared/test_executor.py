import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from shared.executor import Executor, ExecutorCrashed, ExecutorFailed, _Child
from shared.executor_child import PROGRESS_INTERVAL_S
from shared.media.errors import MediaError

TARGETS = "tests.shared.executor_targets"
START, CLOSE = _Child.start, Executor.close


@pytest.fixture(autouse=True)
def _own_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children begin and end with their executor here, as they do outside of tests."""
    monkeypatch.setattr(_Child, "start", START)
    monkeypatch.setattr(Executor, "close", CLOSE)


@pytest.fixture
async def executor() -> AsyncIterator[Executor]:
    async with Executor() as executor:
        yield executor


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(90):
        while not condition():
            await asyncio.sleep(0.01)


async def test_starts_at_need_and_reuses_its_child(executor: Executor) -> None:
    assert executor.pids == []
    assert await executor.call(f"{TARGETS}:add", 2, 3) == 5
    first = await executor.call(f"{TARGETS}:own_pid")
    assert await executor.call(f"{TARGETS}:own_pid") == first
    assert executor.pids == [first]
    assert first != os.getpid()


async def test_media_error_keeps_its_code(executor: Executor) -> None:
    with pytest.raises(MediaError) as caught:
        await executor.call(f"{TARGETS}:refuse")
    assert (caught.value.code, caught.value.message) == ("CORRUPT", "no good")


async def test_other_errors_keep_their_traceback(executor: Executor) -> None:
    with pytest.raises(ExecutorFailed, match="KeyError") as caught:
        await executor.call(f"{TARGETS}:stumble")
    assert "in stumble" in caught.value.remote_traceback


async def test_heals_after_its_child_dies_at_work(executor: Executor) -> None:
    with pytest.raises(ExecutorCrashed):
        await executor.call(f"{TARGETS}:die")
    assert await executor.call(f"{TARGETS}:add", 1, 1) == 2


async def test_heals_after_its_child_dies_idle(executor: Executor) -> None:
    pid = await executor.call(f"{TARGETS}:own_pid")
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not running(pid))
    assert await executor.call(f"{TARGETS}:own_pid") != pid


async def test_time_over_kills_the_work(executor: Executor, tmp_path: Path) -> None:
    pid = await executor.call(f"{TARGETS}:own_pid")
    with pytest.raises(TimeoutError):
        await executor.call(f"{TARGETS}:burn", str(tmp_path / "pid"), timeout_s=0.2)
    await until(lambda: not running(pid))
    assert await executor.call(f"{TARGETS}:add", 1, 1) == 2


async def test_cancel_kills_the_work(executor: Executor, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    task = asyncio.create_task(executor.call(f"{TARGETS}:burn", str(note)))
    await until(lambda: note.exists() and note.read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not running(int(note.read_text())))
    assert executor.pids == []


async def test_progress_rises_and_is_throttled(executor: Executor) -> None:
    seen: list[float] = []
    began = time.monotonic()
    assert await executor.call(f"{TARGETS}:count", 50, on_progress=seen.append) == 50
    assert seen == sorted(seen)
    assert 2 <= len(seen) <= 1 + (time.monotonic() - began) / PROGRESS_INTERVAL_S


async def test_memory_is_limited(executor: Executor) -> None:
    with pytest.raises(MediaError) as caught:
        await executor.call(f"{TARGETS}:gorge")
    assert caught.value.code == "TOO_LARGE"


async def test_large_values_pass(executor: Executor) -> None:
    assert len(await executor.call(f"{TARGETS}:big", 20_000_000)) == 20_000_000


async def test_prints_do_not_break_the_frames(executor: Executor) -> None:
    assert await executor.call(f"{TARGETS}:chatter") == "still framed"


async def test_inherits_neither_sockets_nor_secrets(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.set_inheritable(server.fileno(), True)
        around = await executor.call(f"{TARGETS}:surroundings")
    assert around["sockets"] == 0
    assert around["nice"] == min(19, os.nice(0) + 10)
    assert "REPLICATE_API_TOKEN" not in around["names"]


async def test_lets_idle_children_go() -> None:
    async with Executor(idle_s=0.05) as executor:
        pid = await executor.call(f"{TARGETS}:own_pid")
        await until(lambda: not running(pid))
        assert executor.pids == []
        assert await executor.call(f"{TARGETS}:add", 1, 1) == 2


async def test_runs_as_many_at_once_as_it_has_processes() -> None:
    async with Executor(processes=2) as executor:
        calls = [executor.call(f"{TARGETS}:count", 20, on_progress=lambda _: None) for _ in range(4)]
        assert await asyncio.gather(*calls) == [20] * 4
        assert len(executor.pids) == 2


async def test_close_ends_work_in_progress(tmp_path: Path) -> None:
    executor = Executor()
    note = tmp_path / "pid"
    task = asyncio.create_task(executor.call(f"{TARGETS}:burn", str(note)))
    await until(lambda: note.exists() and note.read_text())
    await executor.close()
    with pytest.raises(ExecutorCrashed):
        await task
    assert not running(int(note.read_text()))


PARENT = """
import asyncio, sys
from shared.executor import Executor
asyncio.run(Executor().call("tests.shared.executor_targets:burn", sys.argv[1]))
"""


async def test_children_die_with_their_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with subprocess.Popen([sys.executable, "-c", PARENT, str(note)]) as parent:  # noqa: ASYNC220
        await until(lambda: note.exists() and note.read_text())
        parent.kill()
    await until(lambda: not running(int(note.read_text())))


def test_parent_stays_light() -> None:
    script = "import sys, shared.executor, shared.media.sniff, shared.media.info; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {"numpy", "PIL", "av", "httpx"} & set(loaded.stdout.split())
