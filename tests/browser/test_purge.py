"""A queue that is emptied at the operators' pages, and had back within the ten seconds."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.stack import Stack
from tests.browser.test_ops import FILM, _call, _submit


@pytest.mark.long
async def test_a_purge_says_its_count_first_and_is_undone(page: Page, stack: Stack) -> None:
    await _call(stack, "POST", "/api/v1/ops/queues/video/pause", {})
    try:
        ids = {await _submit(stack, FILM) for _ in range(2)}
        await page.goto("/ops/queues")
        await page.get_by_role("button", name="Purge Video").click()
        dialog = page.get_by_role("dialog", name="Purge Video")
        await expect(dialog).to_contain_text("2 jobs of all accounts would be canceled")
        await dialog.get_by_role("textbox").fill("2")
        await dialog.get_by_role("button", name="Cancel 2 jobs").click()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("Video: 2 jobs asked for again.")).to_be_visible()
        queued = (await _call(stack, "GET", "/api/v1/ops/jobs?kind=video&status=queued"))["data"]
        assert {job["parent_id"] for job in queued} == ids
    finally:
        await _call(stack, "POST", "/api/v1/ops/queues/video/resume")
