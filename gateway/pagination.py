"""Pages: opaque cursors that cannot be made up, altered, or carried to another list."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from pydantic import Field
from yarl import URL

from gateway.http import Query, Reply, Request, reply
from shared.crypto import fingerprint, seal, unseal
from shared.errors import InvalidInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


class PageQuery(Query):
    """The parameters of every list."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="How many at most.")
    after: str | None = Field(None, max_length=500, description="The `next` of the page before.")


def position[Q: PageQuery](request: Request[Any, Q]) -> list[Any] | None:
    """Where the page starts, as `page` was given it. Raises InvalidInput for a cursor of anything else."""
    if request.query.after is None:
        return None
    payload = unseal(_server_key(request), _purpose(request), request.query.after)
    if payload is None:
        raise InvalidInput(
            "This cursor belongs to another list or is altered; start again without `after`.",
            field="after",
            status=422,
        )
    return orjson.loads(payload)  # type: ignore[no-any-return]  # sealed by `page`


def position_id[Q: PageQuery](request: Request[Any, Q]) -> UUID | None:
    """Where the page starts, for lists that are in the order of their ids."""
    found = position(request)
    return UUID(found[0]) if found else None


def page[Q: PageQuery](
    request: Request[Any, Q],
    items: Sequence[Mapping[str, Any]],
    more: Sequence[Any] | None,
    **members: Any,
) -> Reply:
    """`{data, next}` with its Link header; `more` is the position after the last item, None at the end."""
    cursor, headers = following(request, more)
    return reply({"data": items, "next": cursor, **members}, headers=headers)


def following[Q: PageQuery](
    request: Request[Any, Q], more: Sequence[Any] | None
) -> tuple[str | None, dict[str, str]]:
    """The cursor of the page after, and the Link header that leads there; None and nothing at the end."""
    if more is None:
        return None, {}
    cursor = seal(_server_key(request), _purpose(request), orjson.dumps(list(more)))
    target = URL(request.raw.path_qs, encoded=True).update_query(after=cursor)
    return cursor, {"Link": f'<{target}>; rel="next"'}


def _server_key(request: Request[Any, Any]) -> str:
    return request.deps.settings.secret_key.get_secret_value()


def _purpose[Q: PageQuery](request: Request[Any, Q]) -> str:
    """A cursor is good for one account, one path and one set of filters."""
    filters = request.query.model_dump(mode="json", exclude={"after", "limit"}, exclude_none=True)
    digest = fingerprint(orjson.dumps(filters, option=orjson.OPT_SORT_KEYS)).hex()[:16]
    return f"cursor:{request.account_id}:{request.raw.path}:{digest}"
