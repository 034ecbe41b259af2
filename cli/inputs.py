"""The input of a generation from a command line: parameters, prompts from stdin, local files."""

import json
import mimetypes
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from cli.errors import BadUsage
from cli.session import Session

FILE_FIELDS = ("image", "voice_sample")
"""Parameters whose value is an upload id, a generation id or an https URL; here also a local file."""

STDIN = "-"


def parse_parameters(pairs: Sequence[str]) -> dict[str, Any]:
    """`name=value` each; a value that is JSON is taken as JSON, any other as text. Raises BadUsage."""
    parsed: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise BadUsage(f"-p {pair}: say NAME=VALUE.")
        if name in parsed:
            raise BadUsage(f"-p {name} is given twice.")
        parsed[name.strip()] = _value(value)
    return parsed


def merge(own: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given and the `-p` parameters. Raises BadUsage when both name the same."""
    given = {name: value for name, value in own.items() if value is not None}
    twice = sorted(given.keys() & parameters.keys())
    if twice:
        raise BadUsage(f"{twice[0]} is given as an option and with -p.", "Choose one of them.")
    return given | dict(parameters)


def read_prompt(text: str) -> str:
    """The prompt itself, or stdin for `-`."""
    return sys.stdin.read().strip() if text == STDIN else text


async def upload_files(session: Session, values: Mapping[str, Any]) -> dict[str, Any]:
    """The input with uploads in place of local files. Raises BadUsage, Refused, Unreachable."""
    ready = dict(values)
    for name in FILE_FIELDS:
        if isinstance(ready.get(name), str) and _is_path(ready[name]):
            ready[name] = await _upload(session, name, local_file(name, ready[name]))
    return ready


def local_file(field: str, value: str) -> Path:
    """The file that a parameter names. Raises BadUsage when there is none."""
    path = Path(value).expanduser()
    if not path.is_file():
        raise BadUsage(
            f"{field}: there is no file {value}.",
            "Give a local file, the id of an upload or of a generation, or an https address.",
        )
    return path


def _is_path(value: str) -> bool:
    """Whether it is neither an id nor an address."""
    try:
        UUID(value)
    except ValueError:
        return "://" not in value
    return False


async def _upload(session: Session, field: str, path: Path) -> str:
    session.out.note(f"Uploading {path.name}")
    try:
        upload = await session.client.upload(
            path, mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        )
    except OSError as error:
        raise BadUsage(f"{field}: cannot read {path}: {error.strerror or error}.") from None
    return str(upload["id"])


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError:
        return text


def _no_number(word: str) -> NoReturn:
    """NaN and Infinity are words here, as they are no JSON."""
    raise ValueError(word)
