"""What runs, as its owner watches it: in any window, after a reload, offline, to its end or to a cancel."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import listen
from tests.browser.sights import post
from tests.browser.stack import Stack
from tests.emulators.base import Effect

MODEL = "replicate/dreamshaper"
SLOW_S = 90.0
"""Longer than it takes to look: a test that waits for the end moves the provider's clock."""


@pytest.fixture
async def jobs(page: Page, stack: Stack) -> AsyncIterator[Page]:
    """The page of jobs, with nothing running; what a test breaks is mended after it, and what it began is ended."""
    await end_all(stack)
    await page.goto("/studio/jobs")
    await expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
    usual = stack.openai.run_s
    yield page
    stack.replicate.faults.clear()
    if stack.openai.run_s != usual:
        # Nobody waits for what it is writing.
        stack.openai.run_s = usual
        await stack.openai.stop()
        await stack.openai.start()
    await end_all(stack)


async def end_all(stack: Stack) -> None:
    """Cancels whatever somebody left running."""
    async with asyncio.timeout(60), aiohttp.ClientSession(stack.url) as http:
        while running := await stack.db.fetch(
            "SELECT id FROM generations WHERE state NOT IN ('completed', 'failed', 'canceled', 'expired')"
        ):
            for row in running:
                await (await http.post(f"/api/v1/generations/{row['id']}/cancel")).release()
            await asyncio.sleep(0.2)


async def submit(stack: Stack, effect: Effect | None = None, **request: Any) -> str:
    """Asks for a picture as another program would; its prompt, which no other test has."""
    prompt = f"a lantern {uuid4().hex[:8]}"
    if effect is not None:
        stack.replicate.faults.add("create", effect, contains=prompt, seconds=SLOW_S, status=422)
    body = {"kind": "image", "model": MODEL, "input": {"prompt": prompt}} | request
    async with (
        aiohttp.ClientSession(stack.url) as http,
        http.post("/api/v1/generations", json=body) as answer,
    ):
        assert answer.status == 202, await answer.text()
    return prompt


def card(page: Page, prompt: str) -> Locator:
    return page.get_by_role("article", name=prompt)


def bar(page: Page, prompt: str) -> Locator:
    return card(page, prompt).get_by_role("progressbar")


async def test_a_job_is_seen_by_every_window_and_survives_a_reload(
    jobs: Page, window: BrowserContext, stack: Stack, complaints: list[str]
) -> None:
    prompt = await submit(stack, Effect.RUN_SECONDS)
    await expect(bar(jobs, prompt)).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d?$"))
    await expect(jobs).to_have_title(re.compile(r"^\d+% · Jobs"))
    other = await window.new_page()
    listen(other, complaints)
    await other.goto("/studio/jobs")
    await jobs.reload()
    for page in (jobs, other):
        await expect(bar(page, prompt)).to_have_attribute("aria-valuenow", re.compile(r"^\d+$"))
    await stack.replicate.advance(SLOW_S)
    for page in (jobs, other):
        ended = page.get_by_role("region", name="Recently ended").get_by_role("article", name=prompt)
        await expect(ended).to_contain_text("Finished")
        await expect(ended.locator("img")).to_be_visible()
        await expect(page).to_have_title(re.compile(r"^Jobs"))


@pytest.mark.long
async def test_a_cancel_can_be_taken_back_and_arrives_when_the_page_goes_away(
    jobs: Page, stack: Stack
) -> None:
    prompt = await submit(stack, Effect.STUCK)
    cancel = card(jobs, prompt).get_by_role("button", name="Cancel")
    await cancel.click()
    await card(jobs, prompt).get_by_role("button", name="Undo").click()
    await expect(cancel).to_be_visible()
    await cancel.click()
    await jobs.reload()
    ended = jobs.get_by_role("region", name="Recently ended").get_by_role("article", name=prompt)
    await expect(ended).to_contain_text("Canceled")
    await expect(bar(jobs, prompt)).to_have_count(0)


@pytest.mark.long
async def test_all_are_canceled_after_a_count_a_question_and_ten_seconds(jobs: Page, stack: Stack) -> None:
    prompts = [await submit(stack, Effect.STUCK) for _ in range(3)]
    for prompt in prompts:
        await expect(card(jobs, prompt)).to_be_visible()
    await jobs.get_by_role("button", name="Cancel all").click()
    dialog = jobs.get_by_role("dialog", name="Cancel 3 jobs?")
    await dialog.get_by_role("button", name="Cancel 3 jobs").click()
    messages = jobs.get_by_role("region", name="Messages")
    await messages.get_by_role("button", name="Undo").click()
    await expect(jobs.get_by_role("region", name="Running").get_by_role("article")).to_have_count(3)
    await jobs.get_by_role("button", name="Cancel all").click()
    await dialog.get_by_role("button", name="Cancel 3 jobs").click()
    await messages.get_by_role("button", name="Dismiss").click()
    for prompt in prompts:
        await expect(card(jobs, prompt)).to_contain_text("Canceled")


@pytest.mark.long
async def test_a_failure_says_why_and_what_it_cost_and_another_provider_does_it(
    jobs: Page, stack: Stack
) -> None:
    prompt = await submit(stack, Effect.REFUSE, model="flux-schnell", provider={"order": ["replicate"]})
    failed = card(jobs, prompt)
    await expect(failed).to_contain_text("The provider did not take this request")
    await expect(failed).to_contain_text("Nothing was charged")
    await expect(failed).to_contain_text("Penstock does not try again by itself")
    await failed.get_by_role("button", name="Try another provider").click()
    await jobs.get_by_role("menuitem", name="fal").click()
    both = jobs.get_by_role("region", name="Recently ended").get_by_role("article", name=prompt)
    await expect(both).to_have_count(2)
    await expect(both.first).to_contain_text("Finished")


@pytest.mark.long
async def test_who_was_offline_sees_what_happened_meanwhile(
    jobs: Page, window: BrowserContext, stack: Stack, complaints: list[str]
) -> None:
    prompt = await submit(stack, Effect.RUN_SECONDS)
    await expect(card(jobs, prompt)).to_be_visible()
    await window.set_offline(True)
    await expect(jobs.get_by_text("Offline — what runs goes on")).to_be_visible()
    await stack.replicate.advance(SLOW_S)
    await _ended(stack, prompt)
    await window.set_offline(False)
    ended = jobs.get_by_role("region", name="Recently ended").get_by_role("article", name=prompt)
    await expect(ended).to_contain_text("Finished")
    await expect(jobs.get_by_text("Offline — what runs goes on")).to_have_count(0)
    complaints.clear()


@pytest.mark.long
async def test_a_restart_of_the_gateway_is_a_short_silence(
    jobs: Page, stack: Stack, complaints: list[str]
) -> None:
    prompt = await submit(stack, Effect.RUN_SECONDS)
    await expect(card(jobs, prompt)).to_be_visible()
    await stack.gateway.stop()
    await expect(jobs.get_by_text("what runs goes on")).to_be_visible()
    await stack.replicate.advance(SLOW_S)
    await stack.start_gateway()
    ended = jobs.get_by_role("region", name="Recently ended").get_by_role("article", name=prompt)
    await expect(ended).to_contain_text("Finished", timeout=40_000)
    await expect(jobs.get_by_text("what runs goes on")).to_have_count(0)
    complaints.clear()


@pytest.mark.long
async def test_a_narrow_screen_keeps_progress_in_sight(jobs: Page, stack: Stack) -> None:
    await jobs.set_viewport_size({"width": 360, "height": 740})
    await jobs.goto("/studio/gallery")
    prompt = await submit(stack, Effect.STUCK)
    bar_ = jobs.get_by_role("link", name=re.compile("^1 running"))
    await expect(bar_).to_be_in_viewport()
    await bar_.click()
    await card(jobs, prompt).get_by_role("button", name="Cancel").click()
    await jobs.get_by_role("region", name="Messages").get_by_role("button", name="Dismiss").click()
    await expect(card(jobs, prompt)).to_contain_text("Canceled")
    wide = await jobs.evaluate("document.documentElement.scrollWidth")
    assert wide == 360


@pytest.fixture
async def paused(stack: Stack) -> AsyncIterator[None]:
    """Nothing of the queue of texts begins while the test runs."""
    async with aiohttp.ClientSession(stack.url) as http:
        await post(http, "/api/v1/ops/queues/text/pause", {"reason": "a rest"})
        yield
        await post(http, "/api/v1/ops/queues/text/resume", {})


@pytest.mark.long
@pytest.mark.usefixtures("paused")
async def test_create_tells_places_in_a_queue_and_its_cancel_can_be_taken_back(
    jobs: Page, stack: Stack
) -> None:
    first, second = [await submit(stack, kind="text", model="local") for _ in range(2)]
    await jobs.goto("/studio/create/text")
    await jobs.get_by_role("list", name="Being made").get_by_role("button", name=second).click()
    preview = jobs.get_by_role("region", name="Preview")
    await expect(preview).to_contain_text("Queued, 1 before it here")
    await expect(preview).to_contain_text("The queue is paused")
    await expect(preview.get_by_role("progressbar", name=second)).to_have_attribute("aria-valuenow", "0")
    await expect(preview).not_to_contain_text("left")
    await jobs.goto("/studio/jobs")
    await card(jobs, first).get_by_role("button", name="Cancel").click()
    await jobs.go_back()
    await expect(preview).to_contain_text("Next in the queue", timeout=30_000)
    cancel = preview.get_by_role("button", name="Cancel", exact=True)
    await cancel.click()
    await expect(preview).to_contain_text("Canceled in a moment")
    await preview.get_by_role("button", name="Undo").click()
    await expect(preview).to_contain_text("The queue is paused")
    await cancel.click()
    await jobs.get_by_role("region", name="Messages").get_by_role("button", name="Dismiss").click()
    await expect(preview.get_by_role("heading", name="Canceled")).to_be_visible()


@pytest.mark.long
async def test_create_says_when_it_will_be_there_and_why_it_is_tried_again(jobs: Page, stack: Stack) -> None:
    slow = await submit(stack, Effect.RUN_SECONDS)
    preview = jobs.get_by_role("region", name="Preview")
    await _show(jobs, slow)
    await expect(preview).to_contain_text(re.compile(r"(\d (s|min) left|longer than usual)"))
    unwell = f"an unwell lantern {uuid4().hex[:8]}"
    stack.replicate.faults.add("create", Effect.REFUSE, contains=unwell, status=429, retry_after_s=6.0)
    await submit(stack, input={"prompt": unwell})
    await _show(jobs, unwell)
    await expect(preview.get_by_role("heading", name="The provider is too busy")).to_be_visible()
    await expect(preview).to_contain_text("Not charged yet")
    await expect(preview).to_contain_text(re.compile("Penstock tries again at .*M"))


async def _show(page: Page, prompt: str) -> None:
    """In Create, from among what is being made."""
    await page.goto("/studio/create/image")
    await page.get_by_role("list", name="Being made").get_by_role("button", name=prompt).click()


@pytest.mark.long
async def test_a_text_is_shown_as_it_is_written_also_to_who_comes_late(
    jobs: Page, window: BrowserContext, stack: Stack
) -> None:
    stack.openai.run_s = SLOW_S / 3
    prompt = await submit(stack, kind="text", model="openai/gpt-4o")
    written = card(jobs, prompt).get_by_role("region", name="The text so far")
    await expect(written).to_contain_text("The fog")
    other = await window.new_page()
    await other.goto("/studio/jobs")
    late = card(other, prompt).get_by_role("region", name="The text so far")
    await expect(late).to_contain_text(re.compile("^The fog"))


async def _ended(stack: Stack, prompt: str) -> None:
    async with asyncio.timeout(30):
        while not await stack.db.fetch(
            "SELECT 1 FROM generations WHERE state = 'completed' AND input ->> 'prompt' = $1", prompt
        ):
            await asyncio.sleep(0.2)
