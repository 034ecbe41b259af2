"""Signing up, out and in, and what happens to a session meanwhile, where everybody signs in."""

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from gateway.cookies import ACCESS
from tests.browser.people import sign_in, sign_out, sign_up
from tests.browser.stack import Stack


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
async def test_an_open_installation_has_nothing_to_sign_in_to(page: Page) -> None:
    await page.goto("/studio/login")
    await expect(page.get_by_role("heading", name="There is nothing to sign in to")).to_be_visible()
    await page.get_by_role("link", name="Open the studio").click()
    await expect(page.get_by_role("navigation", name="Studio", exact=True)).to_be_visible()
