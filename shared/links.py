"""Addresses of stored files: `/cdn/<bucket>/<key>`, which their owner may read, and signed ones for everybody.

A signature covers the bucket, the key, the moment at which it ends and the name to save the file under. Whoever has
a signed address may read that one file, and smaller versions of it, until then.
"""

import time
from datetime import datetime
from urllib.parse import quote, urlencode

from shared.buckets import Bucket
from shared.crypto import is_token, token

PURPOSE = "cdn-link"


def file_path(bucket: Bucket, key: str) -> str:
    """The address without host; its owner's session or API key opens it. Raises ValueError for tactical files."""
    if not bucket.has_addresses:
        raise ValueError(f"the files of {bucket} have no addresses")
    return f"/cdn/{bucket}/{quote(key)}"


def signed_path(
    server_key: str, bucket: Bucket, key: str, *, expires_at: datetime, name: str | None = None
) -> str:
    """The same, for everybody until `expires_at`. With a name, that is what browsers save it under."""
    exp = int(expires_at.timestamp())
    query = {"exp": str(exp), "sig": token(server_key, PURPOSE, _signed(bucket, key, exp, name))}
    return f"{file_path(bucket, key)}?{urlencode(query | ({} if name is None else {'name': name}))}"


def is_signed(server_key: str, bucket: Bucket, key: str, *, exp: int, sig: str, name: str | None) -> bool:
    """Whether the signature is ours; that its time is not over is for `is_over` to say."""
    return is_token(server_key, PURPOSE, _signed(bucket, key, exp, name), sig)


def is_over(exp: int) -> bool:
    return exp <= time.time()


def _signed(bucket: Bucket, key: str, exp: int, name: str | None) -> str:
    # A key and a name hold no line breaks, so no two of these read alike.
    return "\n".join([bucket, key, str(exp), name or ""])
