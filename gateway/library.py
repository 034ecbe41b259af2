"""What routes share about the library: the tags that a body may give, and the news of assets for other windows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from gateway.http import Request
from shared.domains.assets import MAX_TAGS, tidy_tags
from shared.events import AccountEvent, account_frame

MAX_TOLD = 100
"""Of more than so many the ids are left out of the news: a page then reads its list anew."""

Tag = Annotated[str, Field(min_length=1, max_length=60)]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS), AfterValidator(tidy_tags)]


def tell_assets(
    request: Request[Any, Any], ids: Sequence[UUID], what: Literal["added", "changed", "deleted", "restored"]
) -> None:
    """Tells the account's open pages, after the commit, that these assets are no longer as they were."""
    if not ids:
        return
    data = {
        "object": "assets",
        "change": what,
        "count": len(ids),
        "ids": [str(id_) for id_ in ids[:MAX_TOLD]],
    }
    frame = account_frame(ids[0], datetime.now(UTC), AccountEvent.ASSETS_CHANGED, data)
    request.deps.publisher.publish_soon(request.account_id, [frame])
