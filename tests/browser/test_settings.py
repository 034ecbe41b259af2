"""Webhooks and retention, as their owner sets them up: what is shown is what a receiver and the library see."""

from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page, expect

from tests.browser.stack import Stack
from tests.browser.test_library import make, picture
from tests.browser.test_watch import end_all
from tests.receiver import open_receiver


@pytest.mark.long
async def test_an_endpoint_is_made_heard_and_deleted(page: Page, stack: Stack) -> None:
    await end_all(stack)
    async with open_receiver() as receiver:
        await page.goto("/studio/settings/webhooks")
        await page.get_by_role("button", name="New endpoint").click()
        dialog = page.get_by_role("dialog", name="New endpoint")
        await dialog.get_by_role("button", name="Create the endpoint").click()
        await expect(dialog.get_by_text("Where should messages go?")).to_be_visible()
        await dialog.get_by_label("URL").fill(receiver.url)
        await dialog.get_by_role("button", name="Create the endpoint").click()
        secret = await page.get_by_label("Signing secret", exact=True).input_value()
        await page.get_by_role("button", name="I have it").click()

        endpoint = page.get_by_role("listitem").filter(has_text=receiver.url).first
        await endpoint.get_by_role("button", name="Send a test").click()
        (tested,) = await receiver.until(1)
        assert tested.signed_with(secret)
        (made,) = await make(stack, picture(f"a bell {uuid4().hex[:8]}"))
        told = (await receiver.until(2))[1]
        assert (told.json["type"], told.json["data"]["id"]) == ("generation.completed", made["id"])

        delivery = (
            page.get_by_role("listitem").filter(has_text="generation.completed").filter(has_text=receiver.url)
        )
        await expect(delivery.get_by_text("delivered")).to_be_visible()
        await delivery.get_by_role("button", name="Send again").click()
        assert (await receiver.until(3))[2].id == told.id

        await endpoint.get_by_role("button", name="Actions for").click()
        await page.get_by_role("menuitem", name="Delete").click()
        await page.get_by_role("button", name="Delete the endpoint").click()
        await expect(page.get_by_text("The endpoint is deleted.")).to_be_visible()


@pytest.mark.long
async def test_a_rule_of_retention_says_what_it_takes_before_it_holds(page: Page, stack: Stack) -> None:
    (made,) = await make(stack, {"kind": "text", "input": {"prompt": f"an old note {uuid4().hex[:8]}"}})
    await stack.db.execute(
        "UPDATE assets SET id = uuidv7(- interval '400 days'), created_at = now() - interval '400 days'"
        " WHERE generation_id = $1",
        UUID(made["id"]),
    )
    await page.goto("/studio/settings/storage")
    await page.get_by_role("button", name="Add a rule").click()
    await page.get_by_label("What", exact=True).select_option("text")
    await page.get_by_label("Days", exact=True).fill("no")
    await expect(page.get_by_text("Whole days, 1 or more.")).to_be_visible()
    await page.get_by_label("Days", exact=True).fill("300")
    await page.get_by_role("button", name="Save").click()
    question = page.get_by_role("dialog", name="Let these rules hold?")
    await expect(question).to_contain_text("1 file (")
    await question.get_by_role("button", name="Let them hold").click()
    await expect(page.get_by_text("The rules hold from now on.")).to_be_visible()
    try:
        await page.reload()
        await expect(page.get_by_label("Days", exact=True)).to_have_value("300")
    finally:
        await page.request.put("/api/v1/retention", data={"rules": []})
