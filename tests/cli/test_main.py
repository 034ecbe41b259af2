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
