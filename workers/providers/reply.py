"""A provider's answer as it came over HTTP, where an SDK says less than the answer does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from workers.providers.base import UnreadableAnswer


@dataclass(slots=True)
class Reply:
    """A raw answer; `status` is None until there is one."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """With names in any case, or in lower case."""
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """Raises UnreadableAnswer when the body is no JSON object."""
        try:
            body = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise UnreadableAnswer(f"not JSON: {self.body[:80]!r}") from error
        if not isinstance(body, dict):
            raise UnreadableAnswer(f"not an object: {self.body[:80]!r}")
        return body
