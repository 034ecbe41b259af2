"""What somebody chose for their pages goes with them, and tells them when something is finished."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.stack import Stack
from tests.browser.test_watch import SLOW_S, end_all, submit
from tests.emulators.base import Effect

ME = "/api/auth/me"
CHOICES = ("theme", "less_motion", "sound_at_end", "notification_at_end")


@pytest.fixture
async def account(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    """The account's own view of it; afterwards nothing is chosen, as it was."""
    async with aiohttp.ClientSession(stack.url) as http:
        yield http
        await http.patch(ME, json={"preferences": dict.fromkeys(CHOICES)})


async def test_what_is_chosen_in_one_browser_is_so_in_the_next(
    page: Page, browser: Browser, stack: Stack, account: aiohttp.ClientSession
) -> None:
    await page.goto("/studio/settings/appearance")
    async with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        await page.get_by_role("main").get_by_text("Dark").click()
    async with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        await page.get_by_role("switch", name="Less motion").check(force=True)
    async with account.get(ME) as answer:
        assert (await answer.json())["data"]["preferences"] == {"theme": "dark", "less_motion": True}
    other = await browser.new_page(base_url=stack.url, service_workers="block")
    await other.goto("/studio/projects")
    root = other.locator("html")
    await expect(root).to_have_attribute("data-theme", "dark")
    await expect(root).to_have_attribute("data-calm", "")
    # From now on it is painted so before anything of the account has come.
    await other.route("**/api/auth/me", lambda route: route.abort())
    await other.reload()
    assert await root.get_attribute("data-theme") == "dark"
    await other.close()


# Headless browsers think that they have the focus, and make no sound.
RECORDER = """
window.heard = [];
window.Notification = class extends Notification {
  constructor(title, options) {
    super(title, options);
    document.documentElement.dataset.told = `${title}: ${options.body}`;
  }
};
document.hasFocus = () => false;
const start = AudioScheduledSourceNode.prototype.start;
AudioScheduledSourceNode.prototype.start = function (at) {
  window.heard.push(this.context.state);
  return start.call(this, at);
};
"""


@pytest.mark.long
async def test_an_end_is_heard_and_told_and_the_tab_shows_how_far_it_is(
    page: Page, window: BrowserContext, stack: Stack, account: aiohttp.ClientSession
) -> None:
    await end_all(stack)
    await window.grant_permissions(["notifications"])
    await window.add_init_script(RECORDER)
    await page.goto("/studio/settings/appearance")
    icon = page.locator("link[rel=icon]")
    usual = await icon.get_attribute("href")
    for name in ("A sound when", "A notification when"):
        switch = page.get_by_role("switch", name=name)
        # The browser is asked for its permission first.
        await switch.click(force=True)
        await expect(switch).to_be_checked()
    prompt = await submit(stack, Effect.RUN_SECONDS)
    await expect(page).to_have_title(re.compile(r"^[1-9]\d?% · Settings"))
    await expect(icon).to_have_attribute("href", re.compile("^data:image/svg"))
    await stack.replicate.advance(SLOW_S)
    await expect(page).to_have_title(re.compile(r"^Settings"))
    await expect(icon).to_have_attribute("href", re.compile(re.escape(str(usual).removeprefix("."))))
    await expect(page.locator("html")).to_have_attribute("data-told", f"Finished: {prompt}")
    # One chime of two notes to try it when it was chosen, one at the end.
    assert await page.evaluate("heard") == ["running"] * 4
