"""Storage: how much the account keeps, and how much it may."""

from typing import Any

from pydantic import Field

from gateway.http import Answer, Reply, Request, operation, reply
from gateway.resources import Resource
from shared.domains import storage
from shared.domains.accounts import Scope
from shared.domains.storage import Usage

TAG = "Files"


class Kept(Resource):
    files: int
    bytes: int


class StorageResource(Resource):
    used_bytes: int = Field(description="Of outputs and uploads, with what uploads under way have announced.")
    limit_bytes: int | None = Field(description="Null is no limit.")
    left_bytes: int | None
    outputs: Kept
    uploads: Kept
    pending_bytes: int


@operation(
    "GET",
    "/api/v1/storage",
    tag=TAG,
    summary="See how much is stored",
    scope=Scope.READ,
    answers=(Answer(200, "Now", StorageResource),),
)
async def get_storage(request: Request[None, None]) -> Reply:
    """Counted from the files themselves. At the limit, uploads and new generations are refused with QUOTA_EXCEEDED.
    Thumbnails and smaller pictures are not counted.
    """
    async with request.deps.db.transaction(request.account_id) as tx:
        now = await storage.usage(tx, request.account_id)
    return reply(render_storage(now), headers={"Cache-Control": "no-store"})


def render_storage(now: Usage) -> dict[str, Any]:
    """The StorageResource."""
    return {
        "used_bytes": now.used_bytes,
        "limit_bytes": now.limit_bytes,
        "left_bytes": now.left_bytes,
        "outputs": {"files": now.output_files, "bytes": now.output_bytes},
        "uploads": {"files": now.upload_files, "bytes": now.upload_bytes},
        "pending_bytes": now.pending_bytes,
    }


operations = (get_storage,)
