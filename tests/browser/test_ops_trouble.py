"""What the operators' pages show when the gateway refuses a part, and what they measure by themselves."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.stack import Stack
from tests.browser.test_library_trouble import REFUSAL, refuse


@pytest.mark.long
async def test_throughput_and_reports_that_failed_are_asked_for_again(
    page: Page, stack: Stack, complaints: list[str]
) -> None:
    for view, calls in (("/ops/queues", "v1/ops/throughput"), ("/studio/analytics", "analytics/usage")):
        await page.route(f"**/api/{calls}?*", refuse)
        await page.goto(view)
        alert = page.get_by_role("alert").filter(has_text=REFUSAL["message"])
        await expect(alert.first).to_be_visible()
        again = alert.get_by_role("button", name="Try again")
        await expect(again).to_have_count(await alert.count())
        await page.unroute(f"**/api/{calls}?*")
        await again.evaluate_all("buttons => buttons.forEach((one) => one.click())")
        await expect(alert).to_have_count(0)
    complaints[:] = [said for said in complaints if "429" not in said]


@pytest.mark.long
async def test_workers_show_how_long_ago_they_were_heard(page: Page, stack: Stack) -> None:
    await page.goto("/ops/workers")
    row = page.get_by_role("row").filter(has_text=re.compile("pid"))
    await expect(row.first).to_contain_text(re.compile(r"\d(\.\d)? s ago"))
    async with page.expect_response("**/api/v1/ops/workers"):
        pass
