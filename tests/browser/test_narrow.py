"""On a phone: nothing moves while a view comes in, and what one came for comes first."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, Route, ViewportSize, expect

from tests.browser.settled import settled
from tests.browser.sights import ended, post
from tests.browser.stack import Stack

PHONE: ViewportSize = {"width": 360, "height": 740}
SEEN_AT_ALL = 0.002
LATE_S = 1.0
WATCH = """
window.moved = [];
const told = ({ node, previousRect: from, currentRect: to }) => `${node?.className} ${from.y} to ${to.y}`;
new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) moved.push([value, ...sources.map(told)]);
}).observe({ type: 'layout-shift', buffered: true });
"""
NOTE: Mapping[str, Any] = {"kind": "text", "model": "local", "input": {"prompt": "a short note about tides"}}


@pytest.mark.long
@pytest.mark.parametrize("path", ["/studio/create/text", "/studio/jobs", "/studio/settings/webhooks"])
async def test_nothing_moves_while_a_view_comes_in(page: Page, stack: Stack, path: str) -> None:
    async with aiohttp.ClientSession(stack.url) as http:
        project = await post(http, "/api/v1/projects", {"name": "Spring campaign"})
        made = await post(http, "/api/v1/generations", {**NOTE, "project_id": project["id"]})
        await ended(http, made["id"])
        hook = {"url": "https://hooks.example.org/penstock", "events": ["generation.completed"]}
        await post(http, "/api/v1/webhooks", hook)
    await page.set_viewport_size(PHONE)
    await page.add_init_script(WATCH)
    for late in ("**/api/v1/projects?*", "**/api/v1/webhooks"):
        await page.route(late, _late)
    await page.goto(path)
    await page.wait_for_load_state("networkidle")
    await settled(page)
    moved = await page.evaluate("moved")
    assert sum(value for value, *_ in moved) < SEEN_AT_ALL, moved


async def _late(route: Route) -> None:
    await asyncio.sleep(LATE_S)
    await route.continue_()


@pytest.mark.long
async def test_the_audit_log_begins_with_one_filter(page: Page) -> None:
    await page.set_viewport_size(PHONE)
    await page.goto("/ops/audit")
    await expect(page.get_by_label("Action")).to_be_visible()
    by = page.get_by_label("By", exact=True)
    await expect(by).to_be_hidden()
    await page.get_by_role("search").get_by_role("button", name="More").click()
    await by.fill("nobody")
    await expect(page).to_have_url(re.compile("actor=nobody"))
    await page.reload()
    await expect(by).to_have_value("nobody")


@pytest.mark.long
async def test_an_open_menu_stays_in_a_window_that_is_made_narrow(page: Page) -> None:
    await page.goto("/studio/create/image")
    for name, kind in (("Settings of this form", "menu"), ("Model", "listbox")):
        await page.set_viewport_size({"width": 1440, "height": 900})
        await page.get_by_role("button", name=name).click()
        await page.set_viewport_size(PHONE)
        await page.wait_for_function("""() => {
            const box = document.querySelector('[popover]:popover-open').getBoundingClientRect();
            return box.left >= 0 && box.right <= innerWidth;
        }""")
        await expect(page.get_by_role(kind)).to_be_visible()  # type: ignore[arg-type]
        await page.keyboard.press("Escape")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await page.get_by_role("button", name="Account").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await page.set_viewport_size(PHONE)
    await expect(page.get_by_role("menu")).to_have_count(0)


@pytest.mark.parametrize(
    ("address", "heading"),
    [
        ("/", "Create images"),
        ("/studio", "Create images"),
        ("/studio/", "Create images"),
        ("/ops", "Queues"),
        ("/studio/nowhere", "Not found"),
    ],
)
async def test_every_beginning_leads_to_a_view(page: Page, address: str, heading: str) -> None:
    await page.goto(address)
    await expect(page.get_by_role("heading", name=heading, level=1, exact=True)).to_be_attached()


@pytest.mark.long
async def test_an_address_that_leads_nowhere_keeps_the_navigation(page: Page) -> None:
    for path, frame in (("/studio/no/where", "Studio"), ("/ops/no/where", "Operations")):
        await page.goto(path)
        await expect(page.get_by_text("There is nothing here")).to_be_visible()
        await expect(page.get_by_role("navigation", name=frame, exact=True)).to_be_visible()
