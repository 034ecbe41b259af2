"""Fixtures of the browser's tests: one stack and one browser per worker, a fresh window per test."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize, expect

from tests.browser.browsers import find_chromium, open_browser
from tests.browser.stack import Stack, open_stack
from tests.chaos.world import numbered
from tests.conftest import make_settings
from tests.servers import TEMPLATE, RunServers

STATIC = Path(__file__).parents[2] / "gateway" / "static" / "index.html"
VALKEY_NUMBER = 15
DOOR_VALKEY_NUMBER = 14
SIGHT_VALKEY_NUMBER = 13
WIDE: ViewportSize = {"width": 1440, "height": 900}
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
HOW = "tests/browser/install-chromium installs Chromium, make studio builds the studio"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a browser or a studio these are passed over, except on a build server, where they fail."""
    if os.environ.get("CI") or (find_chromium() and STATIC.exists()):
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=f"no browser, or no studio: {HOW}"))


@pytest.fixture(scope="session")
async def stack(
    servers: RunServers, environment: dict[str, str], worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    name = f"browser_{worker_id}"
    async with _own_stack(name, VALKEY_NUMBER, servers, environment, tmp_path_factory) as opened:
        yield opened


@pytest.fixture(scope="module")
async def door(
    servers: RunServers, environment: dict[str, str], worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One where everybody signs in."""
    name = f"door_{worker_id}"
    required = {"AUTH_MODE": "required"}
    async with _own_stack(
        name, DOOR_VALKEY_NUMBER, servers, environment, tmp_path_factory, **required
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
async def sight(
    servers: RunServers, environment: dict[str, str], worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One to look at, where nobody minds what was paused, broken or filled."""
    name = f"sight_{worker_id}"
    async with _own_stack(name, SIGHT_VALKEY_NUMBER, servers, environment, tmp_path_factory) as opened:
        yield opened


@asynccontextmanager
async def _own_stack(
    name: str,
    valkey_number: int,
    servers: RunServers,
    environment: dict[str, str],
    folders: pytest.TempPathFactory,
    **changes: str,
) -> AsyncIterator[Stack]:
    """With a database and a Valkey of its own, since it goes on working between its tests."""
    await servers.create_database(name, TEMPLATE)
    own = {
        **environment,
        **servers.environment_for(name),
        "REDIS_URL": numbered(environment["REDIS_URL"], valkey_number),
        "S3_BUCKET": f"penstock-{name.replace('_', '-')}",
    }
    settings = make_settings(own, folders.mktemp("home"))
    async with open_stack(own, settings, folders.mktemp("stack"), **changes) as opened:
        yield opened
    await servers.drop_database(name)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest.fixture
async def window(browser: Browser, stack: Stack) -> AsyncIterator[BrowserContext]:
    """A window of somebody who was never here before; relative addresses are the stack's."""
    # The service worker has tests of its own; in others it would answer in place of what they take apart.
    context = await browser.new_context(
        base_url=stack.url, viewport=WIDE, accept_downloads=True, service_workers="block"
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def page(
    window: BrowserContext, complaints: list[str], request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Page]:
    """A page whose errors fail the test. A picture of how it ended lies in the test's own folder."""
    opened = await window.new_page()
    listen(opened, complaints)
    yield opened
    if not opened.is_closed():
        await opened.screenshot(path=tmp_path / "end.png")
    assert not complaints, complaints


@pytest.fixture
async def visitor(browser: Browser, door: Stack, complaints: list[str]) -> AsyncIterator[Page]:
    """Somebody who was never at the door, where everybody signs in; with the service worker, as at home."""
    window = await browser.new_context(base_url=door.url, viewport=WIDE)
    window.set_default_timeout(PATIENCE_MS)
    page = await window.new_page()
    listen(page, complaints)
    yield page
    await window.close()


@pytest.fixture
def complaints() -> list[str]:
    """What pages said on their consoles in anger; a test that provokes it removes it."""
    found: list[str] = []
    return found


def listen(page: Page, complaints: list[str]) -> None:
    """Collects the page's errors: uncaught ones, and those that it told to the console."""

    def told(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"{message.text} ({message.location.get('url', '')})")

    page.on("console", told)
    page.on("pageerror", lambda error: complaints.append(str(error)))
