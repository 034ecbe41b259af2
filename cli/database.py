"""The settings of commands that work on the database itself, instead of asking the gateway."""

import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from pydantic import ValidationError

from cli.errors import BadUsage, Unreachable
from cli.target import find_home, running_address
from shared.settings import Settings, what_is_wrong


def settings_here(here: Path) -> Settings:
    """As the environment and `.env` say; where they name no database, it is that of the run in `.penstock`.

    Raises BadUsage.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise BadUsage(what_is_wrong(error)) from None
    home = find_home(here)
    named = {"database_url", "database_worker_url"} & settings.model_fields_set
    own = _running_database(home) if home and not named else None
    return settings.model_copy(update={"database_worker_url": own}) if own else settings


def unreachable(error: BaseException) -> Unreachable:
    return Unreachable(
        f"The database cannot be reached: {type(error).__name__}.",
        "Set DATABASE_URL as the workers have it, or start `penstock up`.",
    )


def _running_database(home: Path) -> str | None:
    """Where a `penstock up` with this folder has its own PostgreSQL, if it still lives."""
    if running_address(home) is None:
        return None
    with suppress(OSError, ValueError, KeyError):
        port = int(json.loads((home / "ports.json").read_text())["postgres"])
        password = json.loads((home / "secrets").read_text())["penstock_worker"]
        return f"postgresql://penstock_worker:{quote(password, safe='')}@127.0.0.1:{port}/penstock"
    return None
