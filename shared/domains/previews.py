"""What is made from an upload to show it in the library, as from outputs: a thumbnail, a poster, peaks.

An upload is good without them: what cannot be made is left out.
"""

from pathlib import Path
from typing import Final

from shared.executor import Executor, ExecutorCrashed
from shared.log import get_logger
from shared.media.errors import MediaError
from shared.media.info import Derived
from shared.media.sniff import Family
from shared.storage import ObjectStore, StorageError, preview_key

log = get_logger(__name__)

TIMEOUT_S: Final = 60.0
NAMES: Final = {"thumbnail_key": "thumb.webp", "poster_key": "poster.webp", "peaks_key": "peaks.json"}


def preview_keys(key: str) -> list[str]:
    """All that may lie beside an upload, for whoever deletes it."""
    return [preview_key(key, name) for name in NAMES.values()]


async def make(
    executor: Executor, store: ObjectStore, path: Path, family: Family, key: str
) -> dict[str, str | None]:
    """Stores what can be made of the file at `path`; the keys by column of `uploads`."""
    try:
        derived: Derived = await executor.call(
            "shared.media.derive:derive", str(path), family.value, timeout_s=TIMEOUT_S
        )
    except (MediaError, ExecutorCrashed, TimeoutError) as error:
        log.warning("upload_without_previews", key=key, error=type(error).__name__)
        return {}
    made = (
        ("thumbnail_key", derived.thumbnail, "image/webp"),
        ("poster_key", derived.poster, "image/webp"),
        ("peaks_key", derived.peaks, "application/json"),
    )
    keys: dict[str, str | None] = {}
    for column, data, mime in made:
        if data is None:
            continue
        try:
            await store.put_bytes(preview_key(key, NAMES[column]), data, mime)
        except StorageError as error:
            log.warning("upload_without_previews", key=key, error=str(error))
        else:
            keys[column] = preview_key(key, NAMES[column])
    return keys
