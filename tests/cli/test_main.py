import subprocess
import sys

from tests.cli.fake_gateway import FakeGateway
from tests.cli.terminal import Terminal

HEAVY = ("httpx", "aiohttp", "rich", "sqlalchemy", "asyncpg", "shared.settings", "cli.up", "cli.generate")


def test_help_imports_nothing_heavy() -> None:
    """So that `penstock --help` is quick."""
    code = (
        "import sys; from cli.main import app; app(['--help'], standalone_mode=False); "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Exit codes: 0 done; 1 the job failed" in done.stdout


async def test_every_command_has_help(terminal: Terminal) -> None:
    for command in ("up", "generate", "jobs", "models", "usage", "ledger", "keys", "doctor"):
        result = await terminal.run(command, "--help")
        assert result.out.startswith(f"Usage: penstock {command} "), command


async def test_version(terminal: Terminal) -> None:
    assert (await terminal.run("--version")).out.startswith("penstock ")


async def test_a_mistyped_command_is_guessed(terminal: Terminal) -> None:
    result = await terminal.run("generat")
    assert (result.code, "Did you mean 'generate'?" in result.err) == (2, True)


async def test_something_else_at_the_address_is_recognised(terminal: Terminal, gateway: FakeGateway) -> None:
    result = await terminal.run("jobs", "ls", "--url", f"{gateway.url}/elsewhere")
    assert result.code == 4
    assert "answered 404 Not Found, and not as a Penstock gateway does." in result.err


async def test_bytes_that_are_no_text_are_refused(terminal: Terminal) -> None:
    process = await terminal.start("generate", "text", "caf\udce9")
    _, said = await process.communicate()
    assert said == b"Error: What was given is no text: it has bytes that are not UTF-8.\n"
    assert process.returncode == 2


async def test_a_time_that_is_none_is_refused(terminal: Terminal) -> None:
    for words in (("queues", "pause", "image", "--until", "soon"), ("providers", "cooldown", "fal", "soon")):
        result = await terminal.run(*words)
        assert (result.code, result.err.splitlines()[0]) == (
            2,
            "Error: 'soon' is no time: say 30m, 2h or 2026-12-01T08:00.",
        )
