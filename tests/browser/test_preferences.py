"""What somebody chose for their pages goes with them, and tells them when something is finished."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.stack import Stack

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
