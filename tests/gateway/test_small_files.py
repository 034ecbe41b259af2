"""Small files that are kept in memory: which, and for how long."""

from gateway.small_files import SmallFiles
from shared.storage import ObjectMissing, ObjectStore
from tests.gateway.api import Api


async def test_the_last_small_ones_are_kept(api: Api) -> None:
    store = api.gateway.deps.store
    for name in ("a", "b", "c"):
        await store.put_bytes(name, name.encode() * 40, "text/plain")
    files = SmallFiles(each_bytes=50, all_bytes=100)
    assert await files.read(store, "a") == b"a" * 40
    assert await files.read(store, "b") == b"b" * 40
    assert await files.read(store, "a") == b"a" * 40
    await files.read(store, "c")
    await store.delete(["a", "b", "c"])
    assert [await _is_kept(files, store, name) for name in ("a", "b", "c")] == [True, False, True]


async def test_a_large_one_is_not_held(api: Api) -> None:
    store = api.gateway.deps.store
    await store.put_bytes("large", bytes(51), "text/plain")
    assert await SmallFiles(each_bytes=50).read(store, "large") is None


async def _is_kept(files: SmallFiles, store: ObjectStore, key: str) -> bool:
    try:
        return await files.read(store, key) is not None
    except ObjectMissing:
        return False
