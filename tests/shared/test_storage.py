"""Buckets by name, wherever the settings put them; uploads that nobody finished."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.buckets import Bucket, Place, is_safe_key
from shared.domains.stale_uploads import drop_stale
from shared.ids import new_id
from shared.migrate import make_buckets
from shared.s3 import Patience
from shared.settings import Settings
from shared.storage import (
    ObjectMissing,
    ObjectStore,
    Part,
    StorageError,
    place_of,
    staging_key,
    upload_key,
)
from tests.pipeline import Pipeline

IMPATIENT = Patience(connect_s=1.0, silence_s=0.2, call_s=1.0, joining_s=0.3, slowest_bytes_s=1 << 30)
LONG = 8 << 20
"""More than the buffers of two sockets hold."""


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[ObjectStore]:
    opened = ObjectStore.open(settings)
    await opened.ensure_bucket()
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("changes", "music", "assets"),
    [
        ({}, Place("main", "r3al-studio-music/"), Place("main")),
        ({"bucket_prefix": "acme-"}, Place("acme-r3al-studio-music"), Place("main")),
        ({"bucket_prefix": ""}, Place("r3al-studio-music"), Place("main")),
        (
            {"bucket_prefix": "acme-", "buckets": {"r3al-studio-music": "media/music"}},
            Place("media", "music/"),
            Place("main"),
        ),
    ],
)
def test_settings_say_where_a_bucket_lies(changes: dict[str, Any], music: Place, assets: Place) -> None:
    settings = Settings(_env_file=None, s3_bucket="main", **changes)
    assert place_of(settings, Bucket.MUSIC) == music
    assert place_of(settings, Bucket.ASSETS) == assets


@pytest.mark.parametrize("buckets", [{"penstock-assets": "x"}, {"unknown": "x"}, {"r3al-user-media": "/"}])
def test_buckets_that_cannot_be(buckets: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="buckets"):
        Settings(_env_file=None, buckets=buckets)


@pytest.mark.parametrize(
    "key", ["", "a//b", "/a", "a/", "../a", "a/../b", "a/./b", "a\\b", "a\nb", "a\0b", "a" * 1025]
)
def test_keys_that_lead_elsewhere(key: str) -> None:
    assert not is_safe_key(key)


@pytest.mark.parametrize("own", [False, True])
async def test_buckets_share_a_store_but_no_keys(store: ObjectStore, settings: Settings, own: bool) -> None:
    here = settings.model_copy(update={"bucket_prefix": f"{settings.s3_bucket}-"} if own else {})
    await make_buckets(here)
    opened = ObjectStore.open(here)
    try:
        music, media = opened.within(Bucket.MUSIC), opened.within(Bucket.MEDIA)
        await music.put_bytes("users/1/a", b"music", "text/plain")
        assert await music.get_bytes("users/1/a") == b"music"
        assert await media.head("users/1/a") is None
        assert await opened.head("users/1/a") is None
        await music.delete(["users/1/a"])
        assert await music.head("users/1/a") is None
    finally:
        await opened.close()


async def test_uploads_that_nobody_finished_are_dropped(pipeline: Pipeline, store: ObjectStore) -> None:
    async def add(age_hours: int, state: str, multipart_id: str | None = None) -> tuple[str, str]:
        upload_id = new_id()
        key, staged = upload_key("a", upload_id, "png"), staging_key(pipeline.account_id, upload_id)
        await pipeline.worker.execute(
            "INSERT INTO uploads (id, account_id, state, filename, key, mime, bytes, multipart_id, created_at)"
            " VALUES ($1, $2, $3, 'f', $4, 'image/png', 1, $5, now() - $6::int * interval '1 hour')",
            upload_id, pipeline.account_id, state, key, multipart_id, age_hours,
        )  # fmt: skip
        for name in (key, staged):
            await store.put_bytes(name, b"x", "image/png")
        return key, staged

    old, young, ready = [await add(*case) for case in ((25, "pending"), (23, "pending"), (25, "ready"))]
    upload_id = new_id()
    staged = staging_key(pipeline.account_id, upload_id)
    begun = await store.begin_parts(staged, "image/png")
    await pipeline.worker.execute(
        "INSERT INTO uploads (id, account_id, filename, key, mime, bytes, multipart_id, created_at)"
        " VALUES ($1, $2, 'f', 'k', 'image/png', 1, $3, now() - interval '2 days')",
        upload_id, pipeline.account_id, begun,
    )  # fmt: skip
    assert await drop_stale(pipeline.worker, store) == 2
    assert [await store.head(name) for name in old] == [None, None]
    for name in (*young, *ready):
        assert await store.head(name) is not None
    with pytest.raises(ObjectMissing):
        await store.parts(staged, begun)
    await store.abort_parts(staged, begun)
    assert await drop_stale(pipeline.worker, store) == 0


class Swallower:
    """A store that takes connections and up to `limit` bytes of each, and never says a word."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self.heads: list[bytes] = []

    async def __aenter__(self) -> "Swallower":
        self._over = asyncio.Event()
        self._server = await asyncio.start_server(self._swallow, "127.0.0.1")
        self.url = "http://127.0.0.1:{1}".format(*self._server.sockets[0].getsockname())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()

    async def _swallow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        taken = 0
        while self._limit is None or taken < self._limit:
            if not (chunk := await reader.read(1 << 16)):
                break
            taken += len(chunk)
        else:
            await self._over.wait()
        writer.close()


async def _many(length: int) -> AsyncIterator[bytes]:
    for _ in range(length >> 18):
        yield bytes(1 << 18)


@pytest.mark.parametrize(
    ("limit", "call"),
    [
        (None, lambda store: store.put_bytes("k", b"small", "text/plain")),
        (None, lambda store: store.put_stream("k", _many(1 << 18), 1 << 18, "video/mp4")),
        (1 << 16, lambda store: store.put_bytes("k", bytes(LONG), "video/mp4")),
        (1 << 16, lambda store: store.put_stream("k", _many(LONG), LONG, "video/mp4")),
        (None, lambda store: store.complete_parts("k", "u", [Part(1, 5, "e")])),
        (None, lambda store: store.get_bytes("k")),
        (None, lambda store: store.head("k")),
    ],
)
async def test_a_store_that_hangs_is_given_up(
    settings: Settings, limit: int | None, call: Callable[[ObjectStore], Awaitable[Any]]
) -> None:
    async with Swallower(limit) as server:
        here = settings.model_copy(update={"s3_endpoint_url": server.url})
        store = ObjectStore.open(here, patience=IMPATIENT)
        try:
            async with asyncio.timeout(60):
                with pytest.raises(StorageError):
                    await call(store)
        finally:
            await store.close()
        assert all(b"expect" not in head.lower() for head in server.heads)


async def test_a_stream_that_pauses_is_not_taken_for_a_store_that_hangs(settings: Settings) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.sleep(1.2)
        yield b"two"

    store = ObjectStore.open(settings, patience=Patience(silence_s=1.0))
    try:
        await store.ensure_bucket()
        assert await store.put_stream("slow", slowly(), 6, "text/plain") == 6
        assert await store.get_bytes("slow") == b"onetwo"
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("rules", "let_in"),
    [
        ({"Origin": "https://pages.example", "Methods": "GET, PUT", "Headers": "Content-Type"}, True),
        ({"Origin": "*", "Methods": "*", "Headers": "*"}, True),
        ({"Origin": "https://pages.example", "Methods": "GET", "Headers": "*"}, False),
        ({"Origin": "https://pages.example", "Methods": "PUT"}, False),
        ({"Origin": "https://other.example", "Methods": "PUT", "Headers": "*"}, False),
        ({}, False),
    ],
)
async def test_a_bucket_is_asked_as_a_browser_asks_it(
    settings: Settings, rules: dict[str, str], let_in: bool
) -> None:
    asked: list[Any] = []

    async def preflight(request: web.Request) -> web.Response:
        asked.append(
            (request.method, request.headers["Origin"], request.headers["Access-Control-Request-Method"])
        )
        headers = {f"Access-Control-Allow-{name}": value for name, value in rules.items()}
        return web.Response(status=200 if rules else 403, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", preflight)
    async with TestServer(app) as server:
        ours = settings.model_copy(update={"s3_endpoint_url": str(server.make_url("/")).rstrip("/")})
        store = ObjectStore.open(ours)
        assert await store.lets_in("https://pages.example") is let_in
        await store.close()
    assert asked == [("OPTIONS", "https://pages.example", "PUT")]


async def test_a_store_without_rules_lets_no_page_in(store: ObjectStore) -> None:
    assert await store.lets_in("https://pages.example") is False
