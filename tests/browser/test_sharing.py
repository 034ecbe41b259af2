"""What somebody thinks of what they made, and who else may see it."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.people import sign_up
from tests.browser.stack import Stack
from tests.browser.test_create import choose, download, generate, preview
from tests.browser.test_library import make, picture


@pytest.mark.long
async def test_the_best_come_first_and_are_looked_at_closely(page: Page, stack: Stack) -> None:
    await make(stack, *(picture(f"a copper kettle, take {take}", take) for take in range(3)))
    await page.goto("/studio/gallery?q=copper+kettle")
    tiles = page.get_by_role("list", name="Gallery").get_by_role("button", name="Picture")
    for take, stars in ((0, "2 stars"), (1, "5 stars")):
        await page.get_by_role("button", name=f"Picture: a copper kettle, take {take}").click()
        star = page.get_by_role("complementary", name="Details").get_by_role("button", name=stars)
        await star.click()
        await expect(star).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Filters").click()
    await page.get_by_label("Order").select_option("Best first")
    await expect(page.get_by_role("list", name="Active filters")).to_contain_text("best first")
    for place, take in enumerate((1, 0, 2)):
        await expect(tiles.nth(place)).to_have_attribute(
            "aria-label", f"Picture: a copper kettle, take {take}"
        )
    await page.get_by_label("Rating").select_option("4 or more")
    await expect(tiles).to_have_count(1)

    await tiles.focus()
    await page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Picture, full screen")
    seen = viewer.get_by_role("img", name="a copper kettle, take 1")
    await expect(seen).to_be_visible()
    pane = seen.locator("..")
    await page.keyboard.press("+")
    await expect(pane).to_have_attribute("style", re.compile(r"scale\(1\.4\)"))
    await page.keyboard.press("0")
    await expect(pane).to_have_attribute("style", re.compile(r"scale\(1\)"))
    await seen.hover()
    await page.mouse.wheel(0, -400)
    await expect(pane).to_have_attribute("style", re.compile(r"scale\(2\.\d+\)"))
    await page.mouse.down()
    await page.mouse.move(600, 400, steps=3)
    await page.mouse.up()
    await expect(pane).not_to_have_attribute("style", re.compile(r"translate\(0px, 0px\)"))


@pytest.mark.long
async def test_whoever_has_the_link_sees_that_file_and_nothing_else(
    visitor: Page, browser: Browser, door: Stack
) -> None:
    await sign_up(visitor)
    await visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await visitor.goto("/studio/create/image")
    await choose(visitor, "local")
    await visitor.get_by_label("Prompt", exact=True).fill("a letter under a door")
    await generate(visitor).click()
    await expect(download(visitor)).to_be_visible()
    await preview(visitor).get_by_role("button", name="Copy link").click()
    await expect(visitor.get_by_text("It is for you alone.")).to_be_visible()
    own = await visitor.evaluate("navigator.clipboard.readText()")
    await preview(visitor).get_by_role("link", name="Details").click()
    await visitor.get_by_role("button", name="More", exact=True).click()
    await visitor.get_by_role("menuitem", name="Share a link that ends").click()
    dialog = visitor.get_by_role("dialog", name="Share a link")
    await dialog.get_by_text("1 hour").click()
    await dialog.get_by_role("button", name="Make the link").click()
    await expect(dialog).to_contain_text("Works until")
    await dialog.get_by_role("button", name="Copy the link").click()
    await expect(dialog).to_have_count(0)
    shared = await visitor.evaluate("navigator.clipboard.readText()")

    stranger = await browser.new_context()
    stranger.set_default_timeout(PATIENCE_MS)
    page = await stranger.new_page()
    await page.goto(shared)
    await expect(page.locator("img")).not_to_have_js_property("naturalWidth", 0)
    for closed in (own, shared.partition("?")[0], f"{door.url}/api/v1/assets"):
        answer = await page.request.get(closed)
        assert answer.status in {401, 403, 404}, (closed, answer.status)
    await stranger.close()
