"""What processes do not carry, and that it can be had all the same."""

import subprocess
import sys

import jwt
import pytest

UNUSED = {"rich", "pygments", "greenlet", "jwt.algorithms", "cryptography.hazmat", "alembic", "sqlalchemy"}
NEEDED_BY_THE_GATEWAY = {"greenlet", "cryptography.hazmat", "sqlalchemy"}


@pytest.mark.parametrize(
    ("process", "unused"),
    [("workers.__main__", UNUSED), ("gateway.__main__", UNUSED - NEEDED_BY_THE_GATEWAY)],
)
def test_a_process_loads_nothing_that_it_never_uses(process: str, unused: set[str]) -> None:
    code = f"import sys, {process}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert unused & set(loaded.stdout.split()) == set()


def test_a_deferred_module_is_there_when_something_of_it_is_wanted() -> None:
    secret = "s" * 32
    token = jwt.encode({"sub": "someone"}, secret, "HS256")
    assert jwt.decode(token, secret, ["HS256"]) == {"sub": "someone"}


def test_a_library_that_went_without_another_leaves_it_to_others() -> None:
    code = (
        "import shared.log, structlog, rich.console; print(structlog.dev.rich, rich.console.Console.__name__)"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["None", "Console"]
