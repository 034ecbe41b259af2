"""People who sign up and in by the pages for it."""

from uuid import uuid4

from playwright.async_api import Page, expect

from tests.browser.stack import Stack

PASSWORD = "correct horse battery"  # of a person of these tests


async def sign_up(page: Page) -> str:
    """Makes an account, and returns its e-mail address; the page then shows the projects."""
    email = f"{uuid4().hex}@example.org"
    await page.goto("/studio/projects")
    await page.get_by_role("link", name="Make an account").click()
    await page.get_by_label("Name").fill("Ada")
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Make the account").click()
    await expect(page.get_by_role("heading", level=1, name="Projects")).to_be_visible()
    return email


async def become(page: Page, stack: Stack, role: str) -> None:
    """The page's window belongs to somebody new of this role from here on."""
    email = f"{uuid4().hex}@example.org"
    answer = await page.request.post(
        f"{stack.url}/api/auth/signup", data={"email": email, "password": PASSWORD}
    )
    assert answer.status == 201, await answer.text()
    await stack.db.execute("UPDATE users SET role = $2 WHERE email = $1", email, role)


async def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Sign in").click()


async def sign_out(page: Page) -> None:
    await page.get_by_role("button", name="Account: Ada").click()
    await page.get_by_role("menuitem", name="Sign out").click()
