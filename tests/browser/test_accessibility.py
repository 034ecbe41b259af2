"""Every view in both themes, wide and on a small phone: axe finds nothing serious, nothing sticks out."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from tests.browser.axe import findings
from tests.browser.conftest import WIDE, listen
from tests.browser.screenshots import SETTLE_MS, View, views
from tests.browser.sights import arrange
from tests.browser.stack import Stack

PHONE: ViewportSize = {"width": 360, "height": 740}
_STICKS_OUT = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="session")
async def shown(stack: Stack) -> list[View]:
    return views(await arrange(stack))


@pytest.fixture(params=["light", "dark"])
async def looking(
    browser: Browser, stack: Stack, request: pytest.FixtureRequest, complaints: list[str]
) -> AsyncIterator[Page]:
    scheme: Literal["light", "dark"] = request.param
    window = await browser.new_context(
        base_url=stack.url, viewport=WIDE, color_scheme=scheme, reduced_motion="reduce"
    )
    page = await window.new_page()
    listen(page, complaints)
    yield page
    await window.close()


async def _look_at(page: Page, view: View) -> list[str]:
    await page.goto(view.path)
    await page.get_by_role("main").wait_for()
    await page.wait_for_timeout(SETTLE_MS)
    return [f"{view.name}: {finding}" for finding in await findings(page)]


async def test_the_first_view_is_open_to_everybody(looking: Page, complaints: list[str]) -> None:
    assert await _look_at(looking, View("create", "/studio/create/image")) == []
    assert complaints == []


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_every_view_is_open_to_everybody(
    looking: Page, shown: list[View], complaints: list[str]
) -> None:
    found = [finding for view in shown for finding in await _look_at(looking, view)]
    assert found == []
    assert complaints == []


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_nothing_sticks_out_of_a_small_phone(looking: Page, shown: list[View]) -> None:
    await looking.set_viewport_size(PHONE)
    wide = []
    for view in shown:
        await looking.goto(view.path)
        await looking.get_by_role("main").wait_for()
        await looking.wait_for_timeout(SETTLE_MS)
        if await looking.evaluate(_STICKS_OUT):
            wide.append(view.name)
    assert wide == []
