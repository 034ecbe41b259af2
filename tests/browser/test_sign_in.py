"""Signing up, out and in, and what happens to a session meanwhile, where everybody signs in."""

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from gateway.cookies import ACCESS
from tests.browser.conftest import PATIENCE_MS
from tests.browser.people import sign_in, sign_out, sign_up
from tests.browser.stack import Stack
from tests.browser.test_create import choose, download, generate, preview


async def test_one_signs_up_out_and_in(visitor: Page, complaints: list[str]) -> None:
    email = await sign_up(visitor)
    assert complaints == []
    await sign_out(visitor)
    await sign_in(visitor, email, "not the password")
    await expect(visitor.get_by_role("alert")).to_contain_text("the password is wrong")
    await sign_in(visitor, email)
    await expect(visitor.get_by_role("button", name="Account: Ada")).to_be_visible()


@pytest.mark.long
async def test_a_session_goes_on_when_its_access_token_runs_out(visitor: Page) -> None:
    await sign_up(visitor)
    await visitor.context.clear_cookies(name=ACCESS)
    await visitor.get_by_role("link", name="Settings").click()
    await visitor.get_by_role("link", name="Sessions").click()
    await expect(visitor.get_by_text("This one")).to_be_visible()
    assert any(cookie["name"] == ACCESS for cookie in await visitor.context.cookies())


@pytest.mark.long
async def test_whoever_is_signed_out_elsewhere_comes_back_to_where_they_were(
    visitor: Page, browser: Browser, door: Stack
) -> None:
    email = await sign_up(visitor)
    other = await browser.new_context(base_url=door.url)
    await _end_other_sessions(other, email)
    await visitor.get_by_role("link", name="Analytics").click()
    await expect(visitor.get_by_text("You were signed out.")).to_be_visible()
    await sign_in(visitor, email)
    await expect(visitor.get_by_role("heading", level=1, name="Analytics")).to_be_visible()


async def _end_other_sessions(window: BrowserContext, email: str) -> None:
    page = await window.new_page()
    await page.goto("/studio/settings/sessions")
    await sign_in(page, email)
    await page.get_by_role("button", name="Sign out everywhere else").click()
    await page.get_by_role("button", name="Sign out", exact=True).last.click()
    await expect(page.get_by_text("Signed out on 1 device.")).to_be_visible()
    await window.close()


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


@pytest.mark.long
async def test_an_open_installation_has_nothing_to_sign_in_to(page: Page) -> None:
    await page.goto("/studio/login")
    await expect(page.get_by_role("heading", name="There is nothing to sign in to")).to_be_visible()
    await page.get_by_role("link", name="Open the studio").click()
    await expect(page.get_by_role("navigation", name="Studio", exact=True)).to_be_visible()
