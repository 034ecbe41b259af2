"""Which gateway a command talks to, and with which key."""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cli.errors import BadUsage

DEFAULT_URL = "http://127.0.0.1:8080"
HOME = ".penstock"


@dataclass(frozen=True, slots=True)
class Target:
    url: str
    key: str | None


def find_target(url: str | None, key: str | None, here: Path) -> Target:
    """What was given, else what a run in `.penstock`, in `here` or above, left there.

    Raises BadUsage when the address is none, or the key cannot be one.
    """
    home = find_home(here)
    address = _address(url or (running_address(home) if home else None) or DEFAULT_URL)
    secret = key or (saved_key(home) if home else None)
    if secret is not None and not (secret.isascii() and secret.isprintable() and " " not in secret):
        raise BadUsage("The API key holds characters that no key has.", "See --key and PENSTOCK_API_KEY.")
    return Target(address, secret)


def here() -> Path:
    """The folder that the command was started in. Raises BadUsage."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise BadUsage("The folder that you are in was removed.", "Go to another one.") from None


def _address(text: str) -> str:
    full = text if "://" in text else f"http://{text}"
    try:
        parts = urlsplit(full)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise BadUsage(f"{text!r} is not the address of a gateway.", f"Say it like {DEFAULT_URL}.")
    return full.rstrip("/")


def find_home(here: Path) -> Path | None:
    """PENSTOCK_HOME, else the nearest `.penstock` folder in `here` or its parents."""
    if named := os.environ.get("PENSTOCK_HOME"):
        return Path(named)
    places = (folder / HOME for folder in (here, *here.parents))
    return next((place for place in places if place.is_dir()), None)


def saved_key(home: Path) -> str | None:
    """The key that the first run wrote."""
    with suppress(OSError, UnicodeDecodeError):
        return (home / "key").read_text().strip() or None
    return None


def running_address(home: Path) -> str | None:
    """The address that a `penstock up` with this folder says it listens on, if it still lives."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        about = json.loads((home / "lock").read_text())
        os.kill(int(about["pid"]), 0)
        return str(about["address"])
    return None
