"""What the library shows when the gateway has only a part of it: each list and each output says so, once."""

import json
from typing import Literal

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.stack import Stack
from tests.browser.test_library import make, picture

REFUSAL = {"code": "RATE_LIMITED", "message": "Too many requests, said the test.", "request_id": "req_test"}


class Broken:
    """Answers a list's next page with a refusal until it is `mended`, then with nothing more; counts both."""

    def __init__(self) -> None:
        self.asked = 0
        self.mended = False

    async def list(self, route: Route) -> None:
        if "after=" not in route.request.url:
            answer = await route.fetch()
            await route.fulfill(response=answer, json={**await answer.json(), "next": "more"})
            return
        self.asked += 1
        if self.mended:
            await route.fulfill(json={"data": [], "next": None})
        else:
            await refuse(route)


@pytest.mark.long
async def test_what_cannot_be_told_of_a_generation_can_be_asked_for_again(
    page: Page, stack: Stack, complaints: list[str]
) -> None:
    (made,) = await make(stack, picture("a heron in reeds"))
    await page.goto(f"/studio/generations/{made['id']}")
    for title, calls, told in (
        ("Submissions to providers", "submissions", "local"),
        ("What happened when", "events*", "+"),
    ):
        await page.route(f"**/api/v1/generations/*/{calls}", refuse)
        await page.get_by_text(title).click()
        part = page.get_by_role("group").filter(has_text=title)
        await expect(part.get_by_role("alert")).to_contain_text(REFUSAL["message"])
        await page.unroute(f"**/api/v1/generations/*/{calls}")
        await part.get_by_role("button", name="Try again").click()
        await expect(part.get_by_role("alert")).to_have_count(0)
        await expect(part).to_contain_text(told)
    complaints[:] = [said for said in complaints if "429" not in said]


async def refuse(route: Route) -> None:
    await route.fulfill(status=429, content_type="application/problem+json", body=json.dumps(REFUSAL))


@pytest.mark.long
@pytest.mark.parametrize(
    ("view", "row", "calls"), [("history", "link", "generations"), ("gallery", "button", "assets")]
)
async def test_a_page_that_cannot_be_had_is_asked_for_once_and_then_by_hand(
    page: Page, stack: Stack, complaints: list[str], view: str, row: Literal["button", "link"], calls: str
) -> None:
    await make(stack, picture(f"a {view} of teapots"))
    broken = Broken()
    await page.route(f"**/api/v1/{calls}?*", broken.list)
    await page.goto(f"/studio/{view}?q=teapots")
    alert = page.get_by_role("alert").filter(has_text=REFUSAL["message"])
    await expect(alert).to_be_visible()
    await expect(page.get_by_role(row, name=f"a {view} of teapots").first).to_be_visible()
    assert broken.asked == 1

    again = alert.get_by_role("button", name="Try again")
    await again.click()
    await expect(again).to_be_visible()
    assert broken.asked == 2
    broken.mended = True
    await again.click()
    await expect(alert).to_have_count(0)
    assert broken.asked == 3
    await page.unroute_all(behavior="ignoreErrors")
    complaints[:] = [said for said in complaints if "429" not in said]


@pytest.mark.long
async def test_an_output_that_cannot_be_had_leaves_the_others(
    page: Page, stack: Stack, complaints: list[str]
) -> None:
    pears = {"kind": "image", "input": {"prompt": "two green pears", "count": 2}}
    (made,) = await make(stack, pears)
    first, second = (output["asset_id"] for output in made["outputs"])
    await page.route(f"**/api/v1/assets/{first}", refuse)
    await page.goto(f"/studio/generations/{made['id']}")
    alert = page.get_by_role("alert").filter(has_text="1 of 2 outputs cannot be shown.")
    await expect(alert).to_contain_text(REFUSAL["message"])
    await expect(page.get_by_role("button", name="Full screen: two green pears")).to_be_visible()

    await page.unroute(f"**/api/v1/assets/{first}")
    await alert.get_by_role("button", name="Try again").click()
    await expect(alert).to_have_count(0)
    await expect(page.get_by_role("button", name="Output 2")).to_be_visible()
    assert first != second
    complaints[:] = [said for said in complaints if "429" not in said]
