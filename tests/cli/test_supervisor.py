"""The supervisor: restarts, readiness, order of the end, and logs, with small children in place of ours."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.childlog import ChildLog, Record
from cli.servers.process import command_of
from cli.supervisor import Reporter, Service, StartFailed, Supervisor
from tests.cli.test_servers import until

READY = 'print(\'{"event":"ready"}\', flush=True)'
WAIT = "import time; time.sleep(600)"


def child(
    name: str, program: str, *, tier: int = 0, stop_timeout_s: float = 5.0, event: str | None = "ready"
) -> Service:
    argv = (sys.executable, "-c", program)
    return Service(name, argv, dict(os.environ), ready_event=event, tier=tier, stop_timeout_s=stop_timeout_s)


class Recorder(Reporter):
    def __init__(self) -> None:
        self.deaths: list[tuple[str, str]] = []
        self.restarts: list[str] = []
        self.notices: list[tuple[str, str, str]] = []

    def died(self, name: str, how: str, again_in_s: float, tail: Sequence[str]) -> None:
        self.deaths.append((name, how))

    def restarted(self, name: str) -> None:
        self.restarts.append(name)

    def notice(self, name: str, record: Record) -> None:
        self.notices.append((name, record.level, record.text))


def pid_of(supervisor: Supervisor, number: int = 0) -> int:
    process = supervisor.children[number].process
    assert process is not None
    return process.pid


async def test_a_child_that_dies_is_started_again_and_said_so(tmp_path: Path) -> None:
    recorder = Recorder()
    supervisor = Supervisor([child("one", f"{READY}; {WAIT}")], tmp_path, recorder)
    await supervisor.start()
    first = pid_of(supervisor)
    os.kill(first, signal.SIGKILL)
    await until(lambda: recorder.restarts == ["one"])
    assert recorder.deaths == [("one", "was killed by SIGKILL")]
    assert pid_of(supervisor) != first
    await supervisor.stop()
    assert recorder.deaths == [("one", "was killed by SIGKILL")]


async def test_a_child_that_never_comes_up_fails_the_start(tmp_path: Path) -> None:
    services = [child("good", f"{READY}; {WAIT}"), child("bad", "raise SystemExit('no such thing')")]
    supervisor = Supervisor(services, tmp_path, Recorder())
    with pytest.raises(StartFailed, match=r"bad ended with code 1(?s:.*)no such thing"):
        await supervisor.start()
    assert not command_of(pid_of(supervisor, 0))


async def test_one_that_is_never_ready_fails_the_start(tmp_path: Path) -> None:
    services = [child("good", f"{READY}; {WAIT}"), child("late", WAIT)]
    supervisor = Supervisor(services, tmp_path, Recorder(), start_timeout_s=1)
    with pytest.raises(StartFailed, match="late: not ready within 1 s"):
        await supervisor.start()
    assert not any(command_of(pid_of(supervisor, number)) for number in (0, 1))


async def test_readiness_is_waited_for(tmp_path: Path) -> None:
    asked: list[bool] = []

    async def ready() -> bool:
        asked.append(True)
        return len(asked) >= 3

    service = Service("one", (sys.executable, "-c", WAIT), dict(os.environ), ready=ready)
    supervisor = Supervisor([service], tmp_path, Reporter())
    await supervisor.start()
    assert len(asked) == 3
    await supervisor.stop()


async def test_higher_tiers_end_first(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    program = f"""
import signal, sys, time
def end(*_):
    time.sleep(float(sys.argv[2]))
    open({str(journal)!r}, "a").write(sys.argv[1] + " ")
    sys.exit()
signal.signal(signal.SIGTERM, end)
{READY}
time.sleep(600)
"""
    services = [
        Service(
            name,
            (sys.executable, "-c", program, name, delay),
            dict(os.environ),
            ready_event="ready",
            tier=tier,
        )
        for name, delay, tier in (("gateway", "0", 0), ("worker", "0.3", 1))
    ]
    supervisor = Supervisor(services, tmp_path, Reporter())
    await supervisor.start()
    await supervisor.stop()
    assert journal.read_text() == "worker gateway "


async def test_one_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    program = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {READY}; {WAIT}"
    supervisor = Supervisor([child("deaf", program, stop_timeout_s=0.2)], tmp_path, Reporter())
    await supervisor.start()
    await supervisor.stop()
    assert not command_of(pid_of(supervisor))


async def test_what_a_child_started_ends_with_it(tmp_path: Path) -> None:
    spawn = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"
    program = f"{spawn}; {READY}; {WAIT}"
    supervisor = Supervisor([child("parent", program)], tmp_path, Recorder())
    await supervisor.start()
    grandchild = int((tmp_path / "parent.log").read_text().split()[0])
    await supervisor.stop()
    await until(lambda: not command_of(grandchild))


async def test_warnings_are_shown_and_all_is_kept(tmp_path: Path) -> None:
    lines = '{"event":"slow","level":"warning","ms":7}', '{"event":"fine","level":"info"}'
    program = f"print({lines[0]!r}); print({lines[1]!r}); {READY}; {WAIT}"
    recorder = Recorder()
    supervisor = Supervisor([child("one", program)], tmp_path, recorder)
    await supervisor.start()
    assert recorder.notices == [("one", "warning", "slow  ms=7")]
    await supervisor.stop()
    assert (tmp_path / "one.log").read_text().splitlines()[:2] == list(lines)


async def test_a_line_without_end_does_not_stop_the_reading(tmp_path: Path) -> None:
    program = f"print('x' * 3_000_000); {READY}; {WAIT}"
    supervisor = Supervisor([child("one", program)], tmp_path, Reporter())
    async with asyncio.timeout(90):
        await supervisor.start()
    await supervisor.stop()


def test_a_full_log_makes_room(tmp_path: Path) -> None:
    log = ChildLog(tmp_path / "one.log", limit_bytes=100)
    for number in range(30):
        log.write(f"line {number:04d}\n".encode())
    log.close()
    assert (tmp_path / "one.log").stat().st_size <= 100
    assert (tmp_path / "one.log.1").stat().st_size <= 100
    assert (tmp_path / "one.log").read_text().endswith("line 0029\n")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b'{"event":"lost","level":"error","exception":"Trace\\nOSError: gone"}\n', "lost  OSError: gone"),
        (
            b'{"event":"lost","level":"error","exception":"Trace\\n  File x\\nOSError: gone\\nHINT: look"}\n',
            "lost  OSError: gone",
        ),
        (b'{"event":"fine","level":"info"}\n', None),
        (b"{broken\n", None),
        (b"[1]\n", None),
    ],
)
def test_what_the_operator_sees(tmp_path: Path, line: bytes, shown: str | None) -> None:
    log = ChildLog(tmp_path / "one.log")
    record = log.write(line)
    log.close()
    assert (record.text if record and record.matters else None) == shown
