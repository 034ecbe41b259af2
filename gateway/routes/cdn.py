"""Stored files by bucket and key: for their owner, and for whoever was given a signed address."""

import time

from aiohttp import web
from pydantic import ConfigDict, Field

from gateway.files import (
    FILE_ANSWERS,
    FILE_PARAMETERS,
    FOREVER,
    PictureQuery,
    StoredFile,
    narrowed,
    send_file,
    type_of,
)
from gateway.http import CALLER, Reply, Request, operation
from shared.buckets import Bucket, is_safe_key
from shared.domains import files
from shared.domains.accounts import Scope
from shared.domains.files import KnownFile
from shared.errors import (
    Forbidden,
    InvalidInput,
    NotFound,
    PayloadTooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)
from shared.links import is_over, is_signed
from shared.storage import STAGED

TAG = "Files"
MUTABLE_S = 300
"""How long others may keep what may be replaced under its key."""


class CdnQuery(PictureQuery):
    """Others' parameters are let through: caches and players add their own."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    exp: int | None = Field(None, description="When a signed address ends, in Unix time.")
    sig: str | None = Field(None, max_length=100, description="Its signature.")
    name: str | None = Field(None, max_length=200, description="What it is saved under; signed too.")


@operation(
    "GET",
    "/cdn/{bucket}/{key:.+}",
    tag=TAG,
    summary="Read a stored file",
    scope=None,
    answers=FILE_ANSWERS,
    errors=(
        InvalidInput,
        Unauthenticated,
        Forbidden,
        NotFound,
        PayloadTooLarge,
        UnsupportedMedia,
        Unavailable,
    ),
    parameters=FILE_PARAMETERS,
)
async def read_file(request: Request[None, CdnQuery]) -> Reply | web.StreamResponse:
    """With the session or API key of its owner, or with a signature (`POST /api/v1/links`) for anybody until it
    ends. Only media, plain text, JSON and PDF are shown by browsers; everything else is saved.
    """
    bucket, key = _named(request)
    seconds_left = _seconds_left(request.query, _server_key(request), bucket, key)
    owner = files.owner_of(key)
    if seconds_left is None:
        caller = await request.deps.authenticator.authenticate(request.raw)
        request.raw[CALLER] = caller
        caller.require(Scope.READ)
        if caller.account_id != owner:
            raise _nothing(bucket, key)
    known = None
    if bucket is Bucket.ASSETS:
        known = await files.find(request.deps.db, owner, key) if owner is not None else None
        if known is None:
            raise _nothing(bucket, key)
    file = await _file(request, bucket, key, known, seconds_left)
    if request.query.w is not None:
        file = await narrowed(request.deps.variants, file, request.query.w)
    return await send_file(request, file, download=request.query.download)


def _named(request: Request[None, CdnQuery]) -> tuple[Bucket, str]:
    """Raises NotFound for what no address can name."""
    named, key = request.raw.match_info["bucket"], request.raw.match_info["key"]
    if named not in Bucket or not Bucket(named).has_addresses or not is_safe_key(key):
        raise _nothing(named, key)
    if key.endswith(f".{STAGED}"):
        raise _nothing(named, key)  # nobody has looked at it yet
    return Bucket(named), key


def _seconds_left(query: CdnQuery, server_key: str, bucket: Bucket, key: str) -> int | None:
    """How long the signature lasts; None without one. Raises Forbidden when it is no good or over."""
    if query.sig is None:
        return None
    if query.exp is None or not is_signed(
        server_key, bucket, key, exp=query.exp, sig=query.sig, name=query.name
    ):
        raise Forbidden("The signature of this address is not good: it is altered or cut off.")
    if is_over(query.exp):
        raise Forbidden("This address has expired; ask for a new one.", expired_at=query.exp)
    return max(1, int(query.exp - time.time()))


def _server_key(request: Request[None, CdnQuery]) -> str:
    return request.deps.settings.secret_key.get_secret_value()


async def _file(
    request: Request[None, CdnQuery], bucket: Bucket, key: str, known: KnownFile | None, left_s: int | None
) -> StoredFile:
    last = key.rpartition("/")[2]
    signed_name = request.query.name if left_s is not None else None
    if known is not None:
        cache = FOREVER if left_s is None else f"public, max-age={left_s}, immutable"
        return StoredFile(
            key, known.mime or type_of(last), known.tag, signed_name or last, known.bytes, known.width, bucket, cache
        )  # fmt: skip
    info = await request.deps.store.within(bucket).head(key)
    if info is None:
        raise _nothing(bucket, key)
    cache = "private, no-cache" if left_s is None else f"public, max-age={min(left_s, MUTABLE_S)}"
    return StoredFile(key, type_of(last), info.etag, signed_name or last, info.bytes, None, bucket, cache)


def _nothing(bucket: str, key: str) -> NotFound:
    return NotFound(f"There is no file {key[:200]!r} in {bucket[:64]!r}.")


operations = (read_file,)
