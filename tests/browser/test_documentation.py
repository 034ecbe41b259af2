"""The reference at /docs, as a reader opens it."""

from playwright.async_api import Page, expect


async def test_the_reference_lists_operations_and_finds_one(page: Page) -> None:
    await page.goto("/docs")
    await expect(page.get_by_role("heading", level=1, name="Penstock", exact=True)).to_be_visible()
    await page.get_by_label("Find").fill("cancel")
    await expect(page.get_by_role("navigation", name="Operations").get_by_role("link").first).to_be_visible()
