"""Every view in both themes, wide and on a small phone: axe finds nothing serious, nothing sticks out."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import findings
from tests.browser.conftest import WIDE, listen
from tests.browser.screenshots import View, views
from tests.browser.settled import settled
from tests.browser.sights import arrange
from tests.browser.stack import Stack

PHONE: ViewportSize = {"width": 360, "height": 740}
_STICKS_OUT = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="session")
async def shown(stack: Stack) -> list[View]:
    return views(await arrange(stack))


@pytest.fixture
async def looking(browser: Browser, stack: Stack, complaints: list[str]) -> AsyncIterator[Page]:
    window = await browser.new_context(
        base_url=stack.url, viewport=WIDE, reduced_motion="reduce", service_workers="block"
    )
    page = await window.new_page()
    listen(page, complaints)
    yield page
    await window.close()
    assert complaints == []


async def _look_at(page: Page, view: View) -> list[str]:
    """What is wrong with it, wide in both themes and narrow."""
    await page.emulate_media(color_scheme="light")
    await page.goto(view.path)
    await settled(page)
    wrong = [f"light: {finding}" for finding in await findings(page)]
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await settled(page)
    wrong += [f"dark: {finding}" for finding in await findings(page)]
    await page.set_viewport_size(PHONE)
    await settled(page)
    if await page.evaluate(_STICKS_OUT):
        wrong.append("narrow: something sticks out")
    await page.set_viewport_size(WIDE)
    return [f"{view.name}, {finding}" for finding in wrong]


async def test_the_first_view_is_open_to_everybody(looking: Page) -> None:
    assert await _look_at(looking, View("create", "/studio/create/image")) == []


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_every_view_is_open_to_everybody(looking: Page, shown: list[View]) -> None:
    assert [finding for view in shown for finding in await _look_at(looking, view)] == []
