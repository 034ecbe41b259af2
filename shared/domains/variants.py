"""Smaller pictures: WebP by width, made when first asked for and kept beside the original.

A variant's key is made of the original's, so it is found again and goes when the original goes.
"""

from collections.abc import Sequence
from typing import Final

from shared.batch import Batcher
from shared.buckets import Bucket
from shared.errors import NotFound, PayloadTooLarge, Unavailable, UnsupportedMedia
from shared.executor import Executor, ExecutorCrashed
from shared.log import get_logger
from shared.media.errors import MediaError
from shared.storage import ObjectStore

log = get_logger(__name__)

WIDTHS: Final = (320, 640, 960, 1280, 1920)
MIME: Final = "image/webp"
SOURCES: Final = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"})
MAX_SOURCE_BYTES: Final = 50 << 20
MAX_WAITING: Final = 64
"""More than so many that wait to be made are refused for now."""
TIMEOUT_S: Final = 30.0


def variant_key(key: str, width: int) -> str:
    return f"{key}.w{width}.webp"


def with_variants(*keys: str) -> list[str]:
    """The keys and those of all their variants, for whoever deletes them."""
    return [name for key in keys for name in (key, *(variant_key(key, width) for width in WIDTHS))]


class Variants:
    """Makes variants in the executor. Requests for the same one wait for the first, which makes it once."""

    def __init__(self, store: ObjectStore, executor: Executor) -> None:
        self._store = store
        self._executor = executor
        self._waiting = 0
        self._making: Batcher[tuple[Bucket, str, int], None, int] = Batcher(self._make_once)

    async def length_of(self, key: str, width: int, bucket: Bucket = Bucket.ASSETS) -> int:
        """Makes sure that the variant lies at `variant_key(key, width)`; its length in bytes.

        It is never wider than the original. Raises NotFound, PayloadTooLarge, UnsupportedMedia, Unavailable,
        StorageError.
        """
        return await self._making((bucket, key, width), None)

    async def _make_once(
        self, wanted: tuple[Bucket, str, int], asked: list[None]
    ) -> Sequence[int | BaseException]:
        bucket, key, width = wanted
        store = self._store.within(bucket)
        try:
            found = await store.head(variant_key(key, width))
            length = found.bytes if found is not None else await self._make(store, key, width)
        except Exception as error:
            # As results, so that those who waited do not try one after the other what has just failed.
            return [error] * len(asked)
        return [length] * len(asked)

    async def _make(self, store: ObjectStore, key: str, width: int) -> int:
        original = await store.head(key)
        if original is None:
            raise NotFound("The file is no longer stored.")
        if original.bytes > MAX_SOURCE_BYTES:
            raise PayloadTooLarge("The picture is too large to be made smaller here.", field="w")
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many pictures are being made smaller just now.", retry_after_s=2)
        self._waiting += 1
        try:
            source = await store.presign_get(key)
            data: bytes = await self._executor.call(
                "shared.media.derive:variant", source, width, MAX_SOURCE_BYTES, timeout_s=TIMEOUT_S
            )
        except MediaError as error:
            raise UnsupportedMedia(
                f"The picture cannot be made smaller: {error.message}.", field="w"
            ) from None
        except (ExecutorCrashed, TimeoutError) as error:
            log.warning("variant_not_made", key=key, width=width, error=type(error).__name__)
            raise UnsupportedMedia("The picture cannot be made smaller.", field="w") from None
        finally:
            self._waiting -= 1
        await store.put_bytes(variant_key(key, width), data, MIME)
        return len(data)
