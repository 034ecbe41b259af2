"""What comes after: an edit of what failed, another provider for one that is down, something new from a picture."""

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS, listen
from tests.browser.stack import Stack
from tests.browser.test_create import PLAYS, choose, download, generate, open_form, preview
from tests.browser.test_library import make, picture
from tests.browser.test_watch import card, submit

PAINTER = "openai/gpt-image-2.5-flare"
ESTIMATES = re.compile("/api/v1/generations.estimate")


@pytest.fixture
async def replicate_down(stack: Stack) -> AsyncIterator[None]:
    """Nothing listens at Replicate's address."""
    await stack.replicate.stop()
    yield
    await stack.replicate.start()
    await stack.db.execute("DELETE FROM provider_health WHERE provider = 'replicate'")


@pytest.mark.long
async def test_a_blocked_prompt_is_edited_and_drawn(page: Page) -> None:
    await open_form(page, "image", PAINTER)
    prompt = page.get_by_label("Prompt", exact=True)
    await prompt.fill("a forbidden orchard")
    await generate(page).click()
    failure = preview(page).get_by_role("alert")
    await expect(failure).to_contain_text("A content check blocked this")
    await expect(failure).to_contain_text("Nothing was charged")
    await prompt.fill("")
    await failure.get_by_role("button", name="Edit the prompt").click()
    await expect(prompt).to_have_value("a forbidden orchard")
    await prompt.fill("an open orchard")
    await generate(page).click()
    await expect(preview(page).get_by_role("img", name="an open orchard")).to_be_visible()


@pytest.mark.long
async def test_what_is_refused_at_the_door_is_a_card_with_a_way_out(
    page: Page, complaints: list[str]
) -> None:
    # A form that does not learn what it costs hears at the door what stands against it.
    await page.route(ESTIMATES, lambda route: route.abort())
    await open_form(page, "image", "flux-schnell")
    await page.get_by_label("Prompt", exact=True).fill("a stall of oranges")
    answer = await page.request.post("/api/v1/budgets", data={"period": "month", "limit_nanos": 1})
    budget = (await answer.json())["id"]
    try:
        await generate(page).click()
        refusal = page.get_by_role("form", name="What to make").get_by_role("alert")
        await expect(refusal).to_contain_text("The budget does not cover this")
        await expect(refusal).to_contain_text("Nothing was begun, and nothing was charged")
        await expect(refusal.get_by_role("link", name="Raise the budget")).to_be_visible()
    finally:
        await page.request.delete(f"/api/v1/budgets/{budget}")
    await page.unroute(ESTIMATES)
    await refusal.get_by_role("button", name="Try again").click()
    await expect(download(page)).to_be_visible()
    complaints.clear()


@pytest.mark.long
@pytest.mark.usefixtures("replicate_down")
async def test_when_a_provider_is_down_another_does_it_and_one_who_has_no_other_is_told(
    page: Page, stack: Stack
) -> None:
    await page.goto("/studio/jobs")
    alone = await submit(stack, model="replicate/dreamshaper")
    await expect(card(page, alone)).to_contain_text("Penstock tries again")
    await expect(card(page, alone)).to_contain_text("Nothing was charged")
    helped = await submit(stack, model="flux-schnell", provider={"order": ["replicate", "fal"]})
    ended = page.get_by_role("region", name="Recently ended").get_by_role("article", name=helped)
    await expect(ended).to_contain_text("Finished")
    given_up = page.get_by_role("region", name="Recently ended").get_by_role("article", name=alone)
    await expect(given_up).to_contain_text("Nobody can do this just now", timeout=60_000)
    await expect(given_up).to_contain_text("Nothing was charged")

    await stack.replicate.start()
    await given_up.get_by_role("button", name="Try again").click()
    await expect(given_up.first).to_contain_text("Finished", timeout=60_000)
    await ended.get_by_role("link", name=helped).click()
    await expect(page.get_by_text("flux-schnell at fal")).to_be_visible()


@pytest.mark.long
async def test_a_picture_becomes_another_and_a_film(page: Page, stack: Stack) -> None:
    prompt = f"a clay windmill {uuid4().hex[:8]}"
    (made,) = await make(stack, picture(prompt))
    await page.goto(f"/studio/generations/{made['id']}")
    await page.get_by_role("button", name="Edit", exact=True).click()
    await expect(page).to_have_url(re.compile("/studio/create/image"))
    await choose(page, "sdxl")
    await expect(page.get_by_role("button", name=f"Remove {prompt}")).to_be_visible()
    await generate(page).click()
    await expect(download(page)).to_be_visible()
    assert "image" in stack.replicate.seen("create")[-1].json["input"]

    await page.goto(f"/studio/generations/{made['id']}")
    await page.get_by_role("button", name="Make a video").click()
    await expect(page).to_have_url(re.compile("/studio/create/video"))
    await expect(page.get_by_role("button", name=f"Remove {prompt}")).to_be_visible()
    await choose(page, "local")
    await generate(page).click()
    await expect(download(page)).to_be_visible(timeout=60_000)
    assert await preview(page).locator("video").evaluate(PLAYS) > 0


@pytest.mark.long
async def test_a_phone_at_night_makes_a_picture(
    browser: Browser, stack: Stack, complaints: list[str]
) -> None:
    window = await browser.new_context(
        base_url=stack.url,
        viewport={"width": 360, "height": 740},
        color_scheme="dark",
        has_touch=True,
        is_mobile=True,
        service_workers="block",
    )
    window.set_default_timeout(PATIENCE_MS)
    page = await window.new_page()
    listen(page, complaints)
    await open_form(page, "image")
    await page.get_by_label("Prompt", exact=True).fill("a beetle at a lamp")
    await generate(page).tap()
    await expect(preview(page).get_by_role("img", name="a beetle at a lamp")).to_be_in_viewport()
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    dark = await page.evaluate(
        "getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number)"
    )
    assert max(dark[:3]) < 64
    async with page.expect_download():
        await download(page).tap()
    assert complaints == []
    await window.close()
