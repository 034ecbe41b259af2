"""Signing up, out and in, and what happens to a session meanwhile, where everybody signs in."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from gateway.cookies import ACCESS
from tests.browser.conftest import WIDE, listen
from tests.browser.stack import Stack

PASSWORD = "correct horse battery"  # of a person of these tests


@pytest.fixture
async def visitor(browser: Browser, door: Stack, complaints: list[str]) -> AsyncIterator[Page]:
    """Somebody who was never there; each test makes an account of its own."""
    window = await browser.new_context(base_url=door.url, viewport=WIDE)
    window.set_default_timeout(20_000)
    page = await window.new_page()
    listen(page, complaints)
    yield page
    await window.close()


async def sign_up(page: Page) -> str:
    email = f"{uuid4().hex}@example.org"
    await page.goto("/studio/projects")
    await page.get_by_role("link", name="Make an account").click()
    await page.get_by_label("Name").fill("Ada")
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_role("heading", level=1, name="Projects")).to_be_visible()
    return email


async def sign_in(page: Page, email: str, password: str) -> None:
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def test_one_signs_up_out_and_in(visitor: Page, complaints: list[str]) -> None:
    email = await sign_up(visitor)
    assert complaints == []
    await visitor.get_by_role("button", name="Account: Ada").click()
    await visitor.get_by_role("menuitem", name="Sign out").click()
    await sign_in(visitor, email, "not the password")
    await expect(visitor.get_by_role("alert")).to_contain_text("the password is wrong")
    await sign_in(visitor, email, PASSWORD)
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
    await sign_in(visitor, email, PASSWORD)
    await expect(visitor.get_by_role("heading", level=1, name="Analytics")).to_be_visible()


async def _end_other_sessions(window: BrowserContext, email: str) -> None:
    page = await window.new_page()
    await page.goto("/studio/settings/sessions")
    await sign_in(page, email, PASSWORD)
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
