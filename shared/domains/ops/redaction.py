"""What an operator is shown of somebody's request: all of it but what opens doors."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

HIDDEN = "[hidden]"

_SECRET_NAME = re.compile(
    r"secret|token|passw|api_?key|authorization|credential|signature|cookie", re.IGNORECASE
)
_URL = re.compile(r"https?://\S+")
_KEY = re.compile(r"\b(?:ps_live_|sk-|r8_|whsec_|Bearer\s+)[\w.=+/-]{6,}")
LONGEST_TEXT = 20_000


def redacted(value: Any) -> Any:
    """The same without secrets: values of telling names, keys in texts, and whatever URLs carry behind their path."""
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _is_secret(str(name), item) else redacted(item) for name, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redacted(item) for item in value]
    if isinstance(value, str):
        return _KEY.sub(HIDDEN, _URL.sub(lambda found: _plain(found[0]), value[:LONGEST_TEXT]))
    return value


def _is_secret(name: str, value: Any) -> bool:
    """By its name; how many tokens a text may have is none."""
    counts = name.endswith("tokens") and isinstance(value, int)
    return _SECRET_NAME.search(name) is not None and value is not None and not counts


def _plain(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return HIDDEN
    more = f"?{HIDDEN}" if parts.query or parts.fragment else ""
    return f"{parts.scheme}://{host}{port}{parts.path}{more}"
