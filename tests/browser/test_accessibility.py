"""Every view and state in both themes, wide and on a small phone: axe finds nothing serious, nothing sticks out."""

from collections.abc import AsyncIterator, Sequence

import pytest
from playwright.async_api import Browser, Error, Page, ViewportSize, expect

from tests.browser.axe import findings, findings_of_colours
from tests.browser.conftest import PATIENCE_MS, WIDE, listen
from tests.browser.editor import editor, open_studio
from tests.browser.people import become
from tests.browser.settled import settled
from tests.browser.sights import arrange
from tests.browser.stack import Stack
from tests.browser.test_library import make, picture
from tests.browser.trouble import refused, trouble
from tests.browser.views import View, alerted, door, empty, show, states, views

PHONE: ViewportSize = {"width": 360, "height": 740}
LAID_OUT_MS = 2000
# Neither the page nor what lies open above it.
_FITS = """() => {
  const fits = ({ left, right }) => left >= 0 && right <= innerWidth;
  const open = [...document.querySelectorAll('[popover]:popover-open')].map((one) => one.getBoundingClientRect());
  return open.every(fits) && document.documentElement.scrollWidth <= document.documentElement.clientWidth;
}"""
# A form, a list, what is edited in place, what operators read, what lies over the rest.
TELLING = (
    View("create", "/studio/create/image"),
    View("gallery", "/studio/gallery"),
    View("settings-providers", "/studio/settings/providers"),
    View("ops-queues", "/ops/queues"),
    View("keyboard", "/studio/projects", ("?",)),
)
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
async def first(sight: Stack) -> list[str]:
    return await arrange(sight)


@pytest.fixture
async def looking(browser: Browser, complaints: list[str]) -> AsyncIterator[Page]:
    window = await browser.new_context(viewport=WIDE, reduced_motion="reduce", service_workers="block")
    window.set_default_timeout(PATIENCE_MS)
    page = await window.new_page()
    listen(page, complaints)
    yield page
    await window.close()
    assert complaints == []


async def _look_at(page: Page, url: str, found: Sequence[View]) -> list[str]:
    """What is wrong with them."""
    wrong = []
    for view in found:
        try:
            wrong += [f"{view.name}, {finding}" for finding in await _wrong_with(page, view, url)]
        except Error as error:
            wrong.append(f"{view.name} is not to be seen: {error}")
    return wrong


async def _wrong_with(page: Page, view: View, url: str) -> list[str]:
    """Wide in both themes, and narrow."""
    await page.set_viewport_size(WIDE)
    await page.emulate_media(color_scheme="light")
    await show(page, view, url)
    wrong = [f"light: {finding}" for finding in await findings(page)]
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await settled(page)
    wrong += [f"dark: {finding}" for finding in await findings_of_colours(page)]
    await page.set_viewport_size(PHONE)
    await settled(page)
    try:
        # A gallery lays itself out anew a frame later.
        await page.wait_for_function(_FITS, timeout=LAID_OUT_MS)
    except Error:
        wrong.append("narrow: something sticks out")
    return wrong


async def test_telling_views_are_open_to_everybody(looking: Page, stack: Stack) -> None:
    await make(stack, picture("a door that stands open"))
    assert await _look_at(looking, stack.url, TELLING) == []


@pytest.mark.long
async def test_every_view_is_open_to_everybody(looking: Page, sight: Stack, first: list[str]) -> None:
    assert await _look_at(looking, sight.url, views(first)) == []


@pytest.mark.long
async def test_nothing_yet_is_open_to_everybody(looking: Page, sight: Stack) -> None:
    await become(looking, sight, "admin")
    assert await _look_at(looking, sight.url, empty()) == []


@pytest.mark.long
async def test_the_door_is_open_to_everybody(looking: Page, sight: Stack, complaints: list[str]) -> None:
    url, gateway = await sight.another_gateway(AUTH_MODE="required")
    try:
        assert await _look_at(looking, url, door()) == []
    finally:
        await gateway.stop()
    # Whoever is refused at the door is answered so.
    assert [words for words in complaints if "status of 4" not in words] == []
    complaints.clear()


@pytest.mark.long
async def test_what_runs_fails_asks_and_opens_is_open_to_everybody(
    looking: Page, sight: Stack, first: list[str]
) -> None:
    ids = await trouble(sight)
    wrong = await _look_at(looking, sight.url, states(first, ids))
    await refused(sight, ids["project"])
    assert wrong + await _look_at(looking, sight.url, alerted()) == []


@pytest.mark.long
async def test_the_studio_in_another_page_is_open_to_everybody(looking: Page, sight: Stack) -> None:
    async with editor(sight):
        frame = await open_studio(looking, sight.friend)
        wrong = await findings(looking) + await findings(frame)
        await looking.emulate_media(color_scheme="dark")
        await expect(looking.frame_locator("iframe").locator("html")).to_have_attribute("data-theme", "dark")
        await settled(frame)
        assert wrong + await findings_of_colours(frame) == []
        await looking.goto("about:blank")
