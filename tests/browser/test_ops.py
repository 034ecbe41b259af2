"""Operators at work: what they do is felt by those who generate, and those who only look on do nothing."""

import asyncio
import re
import socket
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.browser.people import become
from tests.browser.sights import ENDED
from tests.browser.stack import Stack
from tests.emulators.base import Effect

NOTE = {"kind": "text", "model": "local", "input": {"prompt": "a short note about tides"}}
FILM = {"kind": "video", "model": "local", "input": {"prompt": "clouds over a harbour"}}
REFUSED = {"kind": "image", "model": "replicate/dreamshaper", "input": {"prompt": "a vase of unfired clay"}}
REASON = "The kiln stays cold."


async def _call(stack: Stack, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    async with (
        aiohttp.ClientSession(stack.url) as http,
        http.request(method, path, json=body) as answer,
    ):
        found = await answer.json()
        assert answer.ok, (path, found)
        return found


async def _submit(stack: Stack, request: Mapping[str, Any]) -> str:
    return str((await _call(stack, "POST", "/api/v1/generations", request))["id"])


async def _ended(stack: Stack, id_: str) -> str:
    async with asyncio.timeout(60):
        while True:
            status = (await _call(stack, "GET", f"/api/v1/generations/{id_}?wait=10"))["status"]
            if status in ENDED:
                return str(status)


async def test_a_paused_queue_holds_what_is_submitted_until_it_is_resumed(page: Page, stack: Stack) -> None:
    await page.goto("/ops/queues")
    await page.get_by_role("button", name="Pause Text").click()
    dialog = page.get_by_role("dialog", name="Pause Text")
    await dialog.get_by_role("button", name="15 min").click()
    await dialog.get_by_label("Reason").fill("the provider asks for a rest")
    await page.mouse.click(8, 8)
    await page.keyboard.press("Escape")
    await dialog.get_by_role("button", name="Go on").click()
    await dialog.get_by_role("button", name="Pause", exact=True).click()
    await expect(page.get_by_text("the provider asks for a rest")).to_be_visible()
    await expect(page.get_by_text(re.compile("1[45] min.* left"))).to_be_visible()
    id_ = await _submit(stack, NOTE)
    await expect(page.get_by_role("link", name="1 job: due")).to_be_visible()
    assert (await _call(stack, "GET", f"/api/v1/generations/{id_}"))["status"] == "queued"
    await page.get_by_role("button", name="Resume Text").click()
    assert await _ended(stack, id_) == "completed"
    await expect(page.get_by_role("link", name="1 job: due")).to_have_count(0)
    told = (await _call(stack, "GET", "/api/v1/ops/audit?target=queue:text"))["data"]
    assert [entry["action"] for entry in told[:2]] == ["queue.resume", "queue.pause"]


@pytest.mark.long
async def test_failures_of_one_cause_are_tried_again_together(page: Page, stack: Stack) -> None:
    # A cause that nothing else has.
    stack.replicate.faults.add("create", Effect.REFUSE, contains="unfired clay", status=422, message=REASON)
    failed = [await _submit(stack, REFUSED) for _ in range(2)]
    assert [await _ended(stack, id_) for id_ in failed] == ["failed", "failed"]
    await page.goto("/ops/failures")
    cause = page.get_by_role("listitem").filter(has_text=REASON)
    await expect(cause).to_have_count(1)
    await cause.get_by_role("button", name="Retry all").click()
    await page.get_by_role("button", name="Retry 2 failures").click()
    await expect(page.get_by_text("2 jobs tried again.")).to_be_visible()
    jobs = (await _call(stack, "GET", "/api/v1/ops/jobs?kind=image"))["data"]
    assert set(failed) <= {job["parent_id"] for job in jobs}


@pytest.mark.long
async def test_all_that_match_a_filter_are_canceled_once_they_are_counted(page: Page, stack: Stack) -> None:
    await _call(stack, "POST", "/api/v1/ops/queues/video/pause", {})
    try:
        ids = [await _submit(stack, FILM) for _ in range(3)]
        await page.goto("/ops/jobs")
        await page.get_by_label("Kind").select_option("video")
        await page.get_by_label("Status").select_option("queued")
        await expect(page).to_have_url(re.compile(r"kind=video.*status=queued"))
        await page.get_by_role("button", name="Cancel", exact=True).click()
        await page.get_by_role("button", name="Cancel 3 jobs").click()
        await expect(page.get_by_text("3 of 3 canceled.")).to_be_visible()
        assert {await _ended(stack, id_) for id_ in ids} == {"canceled"}
        await page.goto(f"/ops/jobs/{ids[0]}")
        await expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
        await expect(page.get_by_role("button", name="Retry", exact=True)).to_be_enabled()
    finally:
        await _call(stack, "POST", "/api/v1/ops/queues/video/resume")


@pytest.mark.long
async def test_a_viewer_sees_all_and_does_nothing(page: Page, stack: Stack) -> None:
    await _submit(stack, NOTE)
    await become(page, stack, "viewer")
    await page.goto("/ops/queues")
    await expect(page.get_by_text("Your role looks on.")).to_be_visible()
    for name in ("Pause Text", "Drain Text", "Purge Text"):
        await expect(page.get_by_role("button", name=name)).to_be_disabled()
    await page.keyboard.press("2")
    await expect(page.get_by_role("link", name=re.compile("a short note about tides")).first).to_be_visible()
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox").first).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("Failures")


@pytest.mark.long
async def test_the_pages_are_not_for_users(page: Page, stack: Stack) -> None:
    await become(page, stack, "user")
    await page.goto("/ops/jobs")
    await expect(page.get_by_text("These pages are for operators")).to_be_visible()
    await page.get_by_role("link", name="To the studio").click()
    await expect(page).to_have_url(re.compile("/studio/create"))


@pytest.mark.long
async def test_one_runs_while_its_queue_is_paused_the_rest_is_purged_and_both_are_written_down(
    page: Page, stack: Stack
) -> None:
    await _call(stack, "POST", "/api/v1/ops/queues/text/pause", {})
    try:
        wanted, *others = [await _submit(stack, NOTE) for _ in range(3)]
        await page.goto(f"/ops/jobs/{wanted}")
        await page.get_by_role("button", name="Run now").click()
        assert await _ended(stack, wanted) == "completed"
        await page.goto("/ops/queues")
        await page.get_by_role("button", name="Purge Text").click()
        dialog = page.get_by_role("dialog", name="Purge Text")
        purge = dialog.get_by_role("button", name="Cancel 2 jobs")
        typed = dialog.get_by_label("Type 2 to confirm")
        for count in ("", "3"):
            await typed.fill(count)
            await expect(purge).to_be_disabled()
        await typed.fill("2")
        await purge.click()
        await expect(dialog).to_have_count(0)
        assert {await _ended(stack, id_) for id_ in others} == {"canceled"}
    finally:
        await _call(stack, "POST", "/api/v1/ops/queues/text/resume")
    await page.goto("/ops/audit")
    await page.get_by_label("Action").fill("queue.purge")
    row = page.get_by_role("row").filter(has_text="queue:text")
    await row.get_by_role("button", name="Show details of queue.purge").first.click()
    await expect(page.get_by_role("table", name="Audit log")).to_contain_text('"count": 2')


@pytest.mark.long
async def test_what_rests_is_passed_over_and_what_failed_is_tried_elsewhere(page: Page, stack: Stack) -> None:
    stack.replicate.faults.add("create", Effect.REFUSE, contains="unglazed", status=422, message=REASON)
    painted = {"kind": "image", "model": "flux-schnell", "provider": {"order": ["replicate"]}}
    failed = await _submit(stack, painted | {"input": {"prompt": "an unglazed bowl"}})
    assert await _ended(stack, failed) == "failed"
    await page.goto(f"/ops/jobs/{failed}")
    await page.get_by_role("button", name="Retry at a provider").click()
    await page.get_by_role("menuitem", name="fal", exact=True).click()
    await expect(page.get_by_text("A new job tries it again, at fal first")).to_be_visible()
    assert await _ended(stack, page.url.rpartition("/")[2]) == "completed"

    await page.goto("/ops/providers")
    await page.get_by_role("button", name="Cool down replicate").click()
    dialog = page.get_by_role("dialog", name="Let replicate rest")
    await dialog.get_by_role("button", name="5 min", exact=True).click()
    await dialog.get_by_label("Reason").fill("the kiln is being cleaned")
    await dialog.get_by_role("button", name="Let it rest").click()
    card = page.locator("section", has=page.get_by_role("heading", name="replicate", exact=True))
    await expect(card).to_contain_text("the kiln is being cleaned")
    await expect(card).to_contain_text(re.compile("Rests, .*4 min"))
    try:
        served = await _submit(stack, painted | {"input": {"prompt": "a glazed bowl"}})
        assert await _ended(stack, served) == "completed"
        assert (await _call(stack, "GET", f"/api/v1/ops/jobs/{served}"))["provider"] == "fal"
    finally:
        await page.get_by_role("button", name="Reset replicate").click()
    await expect(card).not_to_contain_text("Rests")
    served = await _submit(stack, painted | {"input": {"prompt": "another glazed bowl"}})
    assert await _ended(stack, served) == "completed"
    assert (await _call(stack, "GET", f"/api/v1/ops/jobs/{served}"))["provider"] == "replicate"


@pytest.mark.long
async def test_a_drained_queue_says_so_and_begins_nothing(page: Page, stack: Stack) -> None:
    await page.goto("/ops/queues")
    await page.get_by_role("button", name="Drain Text").click()
    dialog = page.get_by_role("dialog", name="Drain Text")
    await dialog.get_by_label("Reason").fill("a new version comes")
    await dialog.get_by_role("button", name="Drain", exact=True).click()
    card = page.locator("section", has=page.get_by_role("heading", name="Text", exact=True))
    await expect(card).to_contain_text("Drained")
    await expect(card).to_contain_text("a new version comes")
    id_ = await _submit(stack, NOTE)
    await expect(card.get_by_role("link", name="1 job: due")).to_be_visible()
    await card.get_by_role("button", name="Resume Text").click()
    assert await _ended(stack, id_) == "completed"
    await expect(card).to_contain_text("Running")


@pytest.mark.long
async def test_a_quiet_worker_begins_nothing_until_it_may_again(page: Page, stack: Stack) -> None:
    await page.goto("/ops/workers")
    await page.get_by_role("button", name=f"Quiet {socket.gethostname()}, pid {stack.worker.pid}").click()
    await expect(page.get_by_text("It begins nothing new")).to_be_visible()
    try:
        id_ = await _submit(stack, NOTE)
        await page.get_by_role("link", name="Queues").click()
        await expect(page.get_by_role("link", name="1 job: due")).to_be_visible()
        assert (await _call(stack, "GET", f"/api/v1/generations/{id_}"))["status"] == "queued"
    finally:
        await page.get_by_role("link", name="Workers").click()
        await page.get_by_role("button", name="Unquiet").click()
    assert await _ended(stack, id_) == "completed"


@pytest.mark.long
async def test_a_provider_without_a_key_says_what_it_needs(page: Page) -> None:
    await page.goto("/ops/providers")
    await expect(page.get_by_text("RUNWARE_API_KEY is not set. Set it in the environment")).to_be_visible()
    await expect(page.get_by_role("button", name="Check replicate")).to_be_visible()
    for deed in ("Check", "Cool down", "Reset"):
        await expect(page.get_by_role("button", name=f"{deed} runware")).to_have_count(0)
