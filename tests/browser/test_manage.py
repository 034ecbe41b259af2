"""Projects, budgets, keys and providers, as their owner manages them."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.browser.stack import Stack

PROVIDERS = "/api/settings/providers"


async def post(stack: Stack, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession(stack.url) as http, http.post(path, json=body) as answer:
        return answer.status, await answer.json()


async def test_a_key_is_shown_once_and_works(page: Page, stack: Stack) -> None:
    name = f"ci {uuid4().hex[:8]}"
    await page.goto("/studio/settings/api-keys")
    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Create the key").click()
    key = await page.get_by_label("API key", exact=True).input_value()
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(stack.url, headers=headers) as http, http.get("/api/auth/me") as answer:
        assert (answer.status, (await answer.json())["data"]["scopes"]) == (200, ["read", "write"])
    await page.get_by_role("button", name="I have it").click()
    await expect(page.get_by_text(name)).to_be_visible()
    assert key not in await page.content()


@pytest.mark.long
async def test_a_budget_that_is_reached_shows_everywhere(page: Page, stack: Stack) -> None:
    name = f"Frugal {uuid4().hex[:8]}"
    _, project = await post(stack, "/api/v1/projects", {"name": name, "budget_nanos": 1})
    await page.goto("/studio/projects")
    card = page.get_by_role("article").filter(has_text=name)
    await expect(card.get_by_role("meter", name="Budget")).to_be_visible()
    work = {
        "kind": "image",
        "model": "flux-schnell",
        "input": {"prompt": "a boat"},
        "project_id": project["id"],
    }
    assert (await post(stack, "/api/v1/generations", work))[0] == 402
    banner = page.get_by_role("region", name="Budget alerts")
    await expect(banner).to_contain_text("too little is left of a budget")
    await banner.get_by_role("link", name="Budgets").click()
    told = page.get_by_role("listitem").filter(has_text=f"Project {name}").filter(has_text="was refused")
    await expect(told).to_be_visible()
    await banner.get_by_role("button", name="Understood").click()
    await expect(banner).to_be_empty()
    await expect(told.get_by_role("button", name="Acknowledge")).to_be_hidden()


@pytest.mark.long
async def test_a_project_lives_and_is_deleted(page: Page, stack: Stack) -> None:
    name = f"Campaign {uuid4().hex[:8]}"
    await page.goto("/studio/projects")
    await page.get_by_role("button", name="New project").click()
    dialog = page.get_by_role("dialog", name="New project")
    await dialog.get_by_role("button", name="Create").click()
    await expect(dialog.get_by_text("A project needs a name.")).to_be_visible()
    await dialog.get_by_label("Name").fill(name)
    await dialog.get_by_label("Budget in dollars").fill("12.50")
    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    await expect(page.get_by_text("$0.00 of $12.50 spent")).to_be_visible()
    await page.get_by_role("button", name="Actions for the project").click()
    await page.get_by_role("menuitem", name="Rename or change").click()
    await page.get_by_label("Name").fill(f"{name} 2")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1, name=f"{name} 2")).to_be_visible()
    await page.get_by_role("button", name="Actions for the project").click()
    await page.get_by_role("menuitem", name="Archive").click()
    await page.get_by_role("link", name="All projects").click()
    await page.get_by_text("Archived", exact=True).first.click()
    await page.get_by_role("button", name=f"Actions for {name} 2").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(page.get_by_text("Stays: the record of 0 generations")).to_be_visible()
    await page.get_by_role("button", name="Delete the project").click()
    await expect(page.get_by_role("article").filter(has_text=name)).to_be_hidden()


@pytest.mark.long
async def test_a_project_chooses_itself_in_the_form_and_is_counted(page: Page, stack: Stack) -> None:
    _, project = await post(stack, "/api/v1/projects", {"name": f"Counted {uuid4().hex[:8]}"})
    work = {"kind": "text", "model": "local", "input": {"prompt": "a word"}, "project_id": project["id"]}
    assert (await post(stack, "/api/v1/generations", work))[0] == 202
    await page.goto(f"/studio/projects/{project['id']}/analytics")
    chart = page.get_by_role("group", name="Requests and what came of them: chart")
    await chart.focus()
    await page.keyboard.press("End")
    await expect(page.get_by_text(": 1", exact=False).first).to_be_visible()
    forecast = page.locator("section", has=page.get_by_role("heading", name="Forecast"))
    await expect(forecast).to_contain_text("Spent this month")
    await forecast.get_by_text("Week", exact=True).click()
    await expect(forecast).to_contain_text(re.compile("Spent this week.*By its trend"))
    await page.get_by_role("tab", name="Generate").click()
    await page.get_by_role("button", name="Images").click()
    await expect(page).to_have_url(f"{stack.url}/studio/create/image")
    chosen = page.get_by_label("Project", exact=True).locator("option:checked")
    await expect(chosen).to_have_text(project["name"])


@pytest.mark.long
async def test_a_provider_takes_a_key_before_it_is_kept(page: Page, stack: Stack) -> None:
    await page.goto("/studio/settings/providers")
    await page.get_by_role("button", name="Add a key").click()
    dialog = page.get_by_role("dialog", name="Add a provider key")
    await dialog.get_by_label("Provider").select_option("openai")
    await dialog.get_by_role("button", name="Test and keep").click()
    await expect(dialog.get_by_text("Paste the key here.")).to_be_visible()
    await dialog.get_by_label("Key", exact=True).fill("sk-browser-test")
    await dialog.get_by_role("button", name="Test and keep").click()
    await expect(page.get_by_text("The key for openai works and is kept.")).to_be_visible()
    kept = page.get_by_role("listitem").filter(has_text="never used").filter(has_text="openai")
    await kept.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete the key").click()
    await expect(page.get_by_text("None yet")).to_be_visible()


@pytest.mark.long
async def test_who_stands_first_is_asked_first(page: Page, stack: Stack) -> None:
    before = (await (await page.request.get(PROVIDERS)).json())["data"]["providers"]
    await page.goto("/studio/settings/providers")
    up = page.get_by_role("button", name="Move fal up")
    try:
        while await up.is_enabled():
            async with page.expect_response(lambda answer: answer.request.method == "PUT"):
                await up.click()
        await expect(page.get_by_text("fal is now number 1")).to_be_attached()
        await page.reload()
        await expect(up).to_be_disabled()
        work = {"kind": "image", "model": "flux-schnell", "input": {"prompt": "a queue of geese"}}
        _, asked = await post(stack, "/api/v1/generations", work)
        async with asyncio.timeout(60):
            while (job := await _job(page, asked["id"]))["status"] != "completed":
                await asyncio.sleep(0.2)
        assert job["provider"] == "fal"
    finally:
        order = [{"provider": one["provider"], "enabled": one["enabled"]} for one in before]
        assert (await page.request.put(PROVIDERS, data={"providers": order})).ok


async def _job(page: Page, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = await (await page.request.get(f"/api/v1/ops/jobs/{id_}")).json()
    return found


@pytest.mark.long
async def test_what_was_filled_in_is_not_dropped_without_a_question(page: Page) -> None:
    await page.goto("/studio/projects")
    begin = page.get_by_role("button", name="New project").first
    dialog = page.get_by_role("dialog", name="New project")
    name = dialog.get_by_label("Name")
    await begin.click()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await begin.click()
    await name.fill("Half a name")
    question = page.get_by_role("alertdialog", name="What you filled in is not saved.")
    for _ in range(2):
        await page.keyboard.press("Escape")
        await expect(question.get_by_role("button", name="Go on")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(name).to_be_focused()
    await page.mouse.click(5, 5)
    await expect(name).to_have_value("Half a name")
    await dialog.get_by_role("button", name="Close").click()
    await question.get_by_role("button", name="Discard").click()
    await expect(dialog).to_have_count(0)
    await begin.click()
    await expect(name).to_have_value("")
