"""The studio's files: built or not, in what encoding, under which policy. Nothing here needs Node.js."""

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from gateway.cookies import CSRF
from gateway.middlewares import HttpMetrics, around
from gateway.routes import studio
from gateway.static_files import IMMUTABLE

SCRIPT = b"console.log('made')\n" * 100
PAGE = {"Sec-Fetch-Mode": "navigate", "Accept-Encoding": "identity"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build leaves behind, in small."""
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><html><head><title>Studio</title></head></html>")
    (tmp_path / ".sources").write_text("secret")
    (tmp_path / "embed.js").write_bytes(SCRIPT)
    (tmp_path / "sw.js").write_bytes(SCRIPT)
    (assets / "index-abc.js").write_bytes(SCRIPT)
    (assets / "index-abc.js.br").write_bytes(b"brotli")
    (assets / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    return tmp_path


@asynccontextmanager
async def serving(
    folder: Path, base_url: str = "https://media.example/tools", signs_in: str = "required"
) -> AsyncIterator[aiohttp.ClientSession]:
    app, metrics = web.Application(), HttpMetrics(CollectorRegistry())
    facts = {"sign-in": signs_in}
    pages = studio.Studio(folder, base_url, ("https://editor.example", "*"), facts)
    studio.mount(app, pages, lambda page, route: around(page, route, metrics))
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(server.make_url("/"), auto_decompress=False) as client,
    ):
        yield client


async def test_every_address_of_the_application_is_its_page(built: Path) -> None:
    async with serving(built) as client:
        for path in ("/studio", "/studio/", "/studio/gallery", "/ops", "/ops/queues"):
            async with client.get(path, headers=PAGE) as answer:
                assert (answer.status, answer.content_type) == (200, "text/html"), path
                page = await answer.text()
                assert '<head><base href="/tools/studio/">' in page
                assert '<meta name="penstock-sign-in" content="required">' in page
                assert answer.headers["Cache-Control"] == "no-cache"
            again = {**PAGE, "If-None-Match": answer.headers["ETag"]}
            async with client.get(path, headers=again) as unchanged:
                assert unchanged.status == 304
        async with client.get("/", allow_redirects=False) as home:
            assert (home.status, home.headers["Location"]) == (302, "/tools/studio")


async def test_what_was_rendered_ahead_is_for_those_who_will_see_it(built: Path) -> None:
    page = built / "pages" / "studio" / "gallery.html"
    page.parent.mkdir(parents=True)
    page.write_text("<html><head></head><body>drawn ahead</body></html>")
    arriving = PAGE | {"Sec-Fetch-Dest": "document"}
    signed_in = {"Cookie": f"{CSRF}=token"}

    async def is_ahead(client: aiohttp.ClientSession, path: str, headers: dict[str, str]) -> bool:
        async with client.get(path, headers=headers) as answer:
            page = await answer.text()
            assert '<head><base href="/tools/studio/">' in page, path
            return "drawn ahead" in page

    async with serving(built) as client:
        for path in ("/studio/gallery", "/studio/gallery/", "/studio/gallery?kind=image"):
            assert await is_ahead(client, path, arriving | signed_in), path
        assert not await is_ahead(client, "/studio/generations/1", arriving | signed_in)
        assert not await is_ahead(client, "/studio/gallery", arriving)
        through_worker = arriving | {"Sec-Fetch-Dest": "empty"}
        assert await is_ahead(client, "/studio/gallery", through_worker | signed_in)
        by_worker = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Accept": "text/html"}
        for elsewhere in ({"Sec-Fetch-Dest": "iframe"}, by_worker, {}):
            assert not await is_ahead(client, "/studio/gallery", PAGE | elsewhere | signed_in)
        async with client.get(
            "/studio/pages/studio/gallery.html", headers={"Sec-Fetch-Mode": "cors"}
        ) as file:
            assert file.status == 404
    async with serving(built, signs_in="open") as client:
        assert await is_ahead(client, "/studio/gallery", arriving)


async def test_what_is_missing_is_missing(built: Path) -> None:
    async with serving(built) as client:
        for path, headers in (
            ("/studio/assets/gone.js", PAGE),
            ("/studio/picture.png", {"Sec-Fetch-Mode": "no-cors"}),
            ("/studio/%2e%2e/app.py", {"Accept": "image/*"}),
            ("/studio/.sources", {"Accept": "application/json"}),
            ("/studio/assets/index-abc.js.br", PAGE),
        ):
            async with client.get(path, headers=headers) as answer:
                assert answer.status == 404, path


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip;q=0.5", "gzip"), ("", None)],
)
async def test_assets_are_kept_and_encoded(built: Path, accepted: str, coding: str | None) -> None:
    asked = {"Accept-Encoding": accepted}
    async with serving(built) as client, client.get("/studio/assets/index-abc.js", headers=asked) as answer:
        assert answer.headers.get("Content-Encoding") == coding
        assert answer.headers["Cache-Control"] == IMMUTABLE
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.content_type == "text/javascript"
        content = await answer.read()
    plain = gzip.decompress(content) if coding == "gzip" else content
    assert plain == (b"brotli" if coding == "br" else SCRIPT)


async def test_the_page_runs_no_script_but_ours_and_is_framed_by_friends_only(built: Path) -> None:
    async with serving(built) as client, client.get("/studio", headers=PAGE) as answer:
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
        )
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'self' https://editor.example"
    assert "wss://media.example" in policy["connect-src"]
    assert answer.headers["Permissions-Policy"].startswith("microphone=(self)")


async def test_what_other_pages_load_and_the_worker_have_names_that_stay(built: Path) -> None:
    async with serving(built) as client:
        async with client.get("/studio/embed.js", headers={"Sec-Fetch-Mode": "no-cors"}) as embed:
            assert embed.headers["Cache-Control"] == "public, max-age=300"
            assert embed.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        async with client.get("/studio/sw.js", headers={"Sec-Fetch-Mode": "same-origin"}) as worker:
            assert worker.headers["Service-Worker-Allowed"] == "/tools/studio"
            assert worker.headers["Cache-Control"] == "no-cache"
            assert "connect-src 'self'" in worker.headers["Content-Security-Policy"]
        # The worker asks for the page without going there.
        async with client.get("/studio", headers=PAGE | {"Sec-Fetch-Mode": "cors"}) as page:
            assert (page.status, page.content_type) == (200, "text/html")
            assert 'name="penstock-embedders" content="https://editor.example"' in await page.text()


async def test_a_page_of_ours_has_the_browser_forget_files_and_no_other_does(built: Path) -> None:
    async with serving(built) as client:
        ours = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        async with client.get("/studio/forget", headers=ours) as answer:
            assert answer.status == 204
            assert answer.headers["Clear-Site-Data"] == '"cache"'
            assert answer.headers["Cache-Control"] == "no-store"
        for site in ("same-site", "cross-site", "none"):
            async with client.get("/studio/forget", headers=ours | {"Sec-Fetch-Site": site}) as answer:
                assert answer.status == 404
                assert "Clear-Site-Data" not in answer.headers


async def test_a_worker_may_pass_on_where_somebody_goes(built: Path) -> None:
    """As Firefox words it: the mode is the worker's own, what is accepted is the person's."""
    passed_on = {"Sec-Fetch-Mode": "same-origin", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with serving(built) as client, client.get("/studio/gallery", headers=passed_on) as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")


async def test_a_head_tells_what_a_get_would(built: Path) -> None:
    async with serving(built) as client:
        for path in ("/studio", "/studio/assets/index-abc.js"):
            async with client.head(path, headers=PAGE) as head, client.get(path, headers=PAGE) as got:
                assert (head.status, await head.read()) == (200, b"")
                for name in ("Content-Length", "ETag", "Cache-Control"):
                    assert head.headers[name] == got.headers[name]


async def test_without_a_build_the_page_says_how_to_make_one(tmp_path: Path) -> None:
    async with serving(tmp_path / "none") as client, client.get("/studio", headers=PAGE) as answer:
        assert answer.status == 200
        assert "make studio" in await answer.text()
