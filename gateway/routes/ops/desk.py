"""What the operators' routes share: answers that are polled, and queues in paths."""

from typing import Any

from gateway.http import Reply, Request, encode
from shared.crypto import fingerprint
from shared.errors import NotFound
from shared.kinds import KINDS

TAG = "Operations"
PREFIX = "/api/v1/ops"


def polled(request: Request[Any, Any], data: Any) -> Reply:
    """The answer with its ETag, or 304 for who has it already: dashboards ask again and again."""
    body = encode(data)
    tag = f'W/"{fingerprint(body).hex()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = [word.strip() for word in request.headers.get("If-None-Match", "").split(",")]
    return Reply(None, 304, headers) if tag in known else Reply(body, 200, headers)


def queue_of(request: Request[Any, Any]) -> str:
    """The kind in the path. Raises NotFound."""
    name = request.raw.match_info["queue"]
    if name not in KINDS:
        raise NotFound(f"There is no queue {name[:64]!r}.", queues=list(KINDS))
    return name
