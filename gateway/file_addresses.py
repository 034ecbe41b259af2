"""Addresses of stored files that pages can show without credentials, and the files that such addresses are of."""

import re
import time
from collections.abc import Collection
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from shared.buckets import Bucket
from shared.links import signed_path
from shared.settings import Settings

HOUR_S = 3600
LASTS_HOURS = 24

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OUTPUT = re.compile(
    rf"(?:/.*)?/api/v1/generations/(?P<id>{_ID})/outputs/(?P<n>\d{{1,3}})(?:/download)?/?"
).fullmatch
_STORED = re.compile(
    rf"(?:/.*)?/cdn/{Bucket.ASSETS}/users/{_ID}/(?:generations/(?P<id>{_ID})/(?P<n>\d{{1,3}})(?:-\w+)?|uploads/(?P<upload>{_ID}))\.\w+"
).fullmatch


def signed_url(settings: Settings, key: str) -> str:
    """The address of a file of ours, good for a day at least; it is the same for an hour, so that browsers keep
    what they have read."""
    end = (int(time.time()) // HOUR_S + 1 + LASTS_HOURS) * HOUR_S
    secret = settings.secret_key.get_secret_value()
    path = signed_path(secret, Bucket.ASSETS, key, expires_at=datetime.fromtimestamp(end, UTC))
    return settings.base_url + path


def reference_of(url: str, origins: Collection[str]) -> str:
    """What a file input calls the output or upload that lies at this address of ours; any other URL is itself.

    `origins` are the ways in which the gateway is reached.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.netloc and f"{parts.scheme}://{parts.netloc}" not in origins:
        return url
    path = unquote(parts.path)
    found = _OUTPUT(path) or _STORED(path)
    if found is None:
        return url
    names = found.groupdict()
    return names.get("upload") or f"{names['id']}/{names['n']}"
