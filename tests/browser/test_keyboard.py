"""The map of keys, in every tab that makes something, in the lists, and in full screen."""

import re
from uuid import uuid4

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.stack import Stack
from tests.browser.test_create import choose, download, drop, generate, picture
from tests.browser.test_library import make
from tests.browser.test_library import picture as a_picture

TABS = {"1": "Images", "2": "Audio", "3": "Music", "4": "Video", "5": "Upscale", "6": "Text"}
NEW_SEED = "Running again with a new seed."
SAME_SEED = "Running again with the same seed."


def said(page: Page, words: str) -> Locator:
    return page.get_by_role("region", name="Messages").get_by_text(words)


async def dismissed(page: Page) -> None:
    while await page.get_by_role("button", name="Dismiss").count():
        await page.get_by_role("button", name="Dismiss").first.click()


async def test_keys_lead_everywhere_from_everywhere(page: Page) -> None:
    await page.goto("/studio/settings/appearance")
    await expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    for key, label in TABS.items():
        await page.keyboard.press(key)
        await expect(page.get_by_role("tab", name=label)).to_have_attribute("aria-selected", "true")
        await page.keyboard.press("g")
        await expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
        await page.keyboard.press("h")
        await expect(page.get_by_role("heading", name="History")).to_be_visible()
        await page.keyboard.press("p")
        await expect(page.get_by_role("tab", name=label)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("7")
    await expect(said(page, "Books join later.")).to_be_visible()
    await page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search")
    await expect(search).to_be_focused()
    await page.keyboard.type("g?7")
    await expect(search).to_have_value("g?7")
    await page.keyboard.press("Escape")
    await expect(search).to_have_value("g?7")
    await page.keyboard.press("1")
    menu = page.get_by_role("menu", name="Settings of this form")
    await page.get_by_role("button", name="Settings of this form").press("Enter")
    await expect(menu).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
    await page.goto("/studio/settings/profile")
    await page.get_by_role("textbox").first.focus()
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_contain_text("Books, later")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.long
async def test_what_has_the_focus_keeps_its_own_keys_beside_a_result(page: Page, stack: Stack) -> None:
    (made,) = await make(stack, a_picture(f"two terns {uuid4().hex[:8]}", count=2))
    await page.goto(f"/studio/create/music?show={made['id']}")
    outputs = page.get_by_role("group", name="Outputs").get_by_role("button")
    await expect(outputs.first).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("radio", name="2").focus()
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="4")).to_be_checked()
    switch = page.get_by_role("switch")
    is_on = await switch.is_checked()
    await switch.press("Space")
    await expect(switch).to_be_checked(checked=not is_on)
    slider = page.get_by_role("slider").first
    before = await slider.input_value()
    await slider.press("ArrowRight")
    await expect(slider).not_to_have_value(before)
    await expect(outputs.first).to_have_attribute("aria-pressed", "true")
    await switch.press("ArrowRight")
    await expect(outputs.last).to_have_attribute("aria-pressed", "true")


@pytest.mark.long
async def test_a_result_fills_the_screen_and_comes_back(page: Page, stack: Stack) -> None:
    (made,) = await make(stack, a_picture(f"two rafts {uuid4().hex[:8]}", count=2))
    await page.goto(f"/studio/create/image?show={made['id']}")
    opener = page.get_by_role("button", name="Full screen: two rafts")
    await opener.press("Enter")
    viewer = page.get_by_role("dialog", name="Picture, full screen")
    await expect(viewer).to_contain_text("1 / 2")
    await page.keyboard.press("ArrowRight")
    await expect(viewer).to_contain_text("2 / 2")
    inside = viewer.get_by_role("img").first.locator("..")
    await page.keyboard.press("+")
    await expect(inside).to_have_attribute("style", re.compile(r"scale\(1\.\d"))
    await page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
    await expect(opener).to_be_focused()
    outputs = page.get_by_role("group", name="Outputs").get_by_role("button")
    await expect(outputs.last).to_have_attribute("aria-pressed", "true")


@pytest.mark.long
async def test_space_plays_a_film_wherever_one_is(page: Page, stack: Stack) -> None:
    word = f"dunlin{uuid4().hex[:8]}"
    (made,) = await make(stack, {"kind": "video", "input": {"prompt": word}})
    film = page.locator("video").first
    for place in (f"/studio/create/video?show={made['id']}", f"/studio/generations/{made['id']}"):
        await page.goto(place)
        await expect(film).to_be_visible()
        await page.keyboard.press("Space")
        await expect(film).to_have_js_property("paused", False)
        await page.keyboard.press("Space")
        await expect(film).to_have_js_property("paused", True)
    await page.goto(f"/studio/gallery?q={word}")
    await page.get_by_role("button", name=f"Video: {word}").press("Space")
    await expect(page.get_by_role("dialog").locator("video")).to_have_js_property("paused", False)


@pytest.mark.long
@pytest.mark.parametrize("key", TABS)
async def test_what_a_tab_made_is_marked_repeated_and_deleted_by_keys(page: Page, key: str) -> None:
    await page.goto("/studio/create/music" if key == "1" else "/studio/create/image")
    await expect(generate(page)).to_be_visible()
    await page.keyboard.press(key)
    await expect(page.get_by_role("tab", name=TABS[key])).to_have_attribute("aria-selected", "true")
    await choose(page, "local")
    if key == "5":
        await drop(page, "small.png", "image/png", picture())
        await expect(page.get_by_role("button", name="Remove small.png")).to_be_visible()
    else:
        words = page.get_by_label("Text" if key == "2" else "Prompt", exact=True)
        await words.fill(f"a tern {uuid4().hex[:8]}")
    await page.keyboard.press("Control+Enter")
    await expect(download(page)).to_be_visible(timeout=120_000)
    await page.keyboard.press("Escape")
    await page.keyboard.press("f")
    favourite = page.get_by_role("button", name="Favourite", exact=True)
    await expect(favourite).to_have_attribute("aria-pressed", "true")
    await expect(said(page, "Favourites now: 1 item.")).to_be_visible()
    await page.keyboard.press("f")
    await expect(favourite).to_have_attribute("aria-pressed", "false")
    await expect(said(page, "No favourites any more: 1 item.")).to_be_visible()
    await page.keyboard.press("c")
    await expect(said(page, "Press C on another one")).to_be_visible()
    await dismissed(page)
    await page.keyboard.press("r")
    await expect(said(page, "It is being made again.")).to_be_visible()
    await dismissed(page)
    await page.keyboard.press("Shift+R")
    await expect(said(page, "It is being made again.")).to_be_visible()
    if key in "23":
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await page.keyboard.press("Delete")
    await expect(page.get_by_text("its files are in the trash or gone")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(download(page)).to_be_visible()


@pytest.mark.long
async def test_lists_and_full_screen_obey_the_same_keys(page: Page, stack: Stack) -> None:
    word = f"petrel{uuid4().hex[:8]}"
    one, two = await make(stack, a_picture(f"{word} one", 1), a_picture(f"{word} two", 2))
    await page.goto(f"/studio/gallery?q={word}&sort=oldest")
    tiles = [page.get_by_role("button", name=f"Picture: {word} {name}") for name in ("one", "two")]
    await tiles[0].focus()
    await page.keyboard.press("r")
    await expect(said(page, SAME_SEED)).to_be_visible()
    await page.keyboard.press("c")
    await expect(said(page, "Press C on another one")).to_be_visible()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowRight")
    viewer = page.get_by_role("dialog", name="Picture, full screen")
    await expect(viewer).to_contain_text(f"{word} two")
    await page.keyboard.press("Shift+R")
    await expect(said(page, NEW_SEED)).to_be_visible()
    await page.keyboard.press("f")
    await expect(viewer.get_by_role("button", name="Favourite")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("c")
    await expect(page).to_have_url(re.compile("/studio/compare"))
    await expect(page.get_by_role("row", name="Seed 1 2")).to_be_visible()

    await page.goto(f"/studio/history?q={word}&status=completed")
    rows = page.get_by_role("article").filter(has_text=word)
    # Both, and what was made again of each, which would push them down while one looks.
    await expect(rows).to_have_count(4)
    await page.keyboard.press("ArrowDown")
    first = rows.first.get_by_role("link")
    await expect(first).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowUp")
    await expect(first).to_be_focused()
    await page.keyboard.press("f")
    await expect(rows.first.get_by_role("img", name="Favourite")).to_be_visible()
    await dismissed(page)
    await first.focus()
    await page.keyboard.press("c")
    await expect(said(page, "Press C on another one")).to_be_visible()
    await page.keyboard.press("Shift+R")
    await expect(said(page, NEW_SEED)).to_be_visible()
    gone = await first.get_attribute("href")
    await page.keyboard.press("Delete")
    await expect(page.locator(f'article a[href="{gone}"]')).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(f'article a[href="{gone}"]')).to_have_count(1)

    await page.goto(f"/studio/history?q={word}&status=completed")
    for made in (one, two):
        await page.locator(f'[data-generation="{made["id"]}"]').get_by_role("checkbox").check()
    await page.keyboard.press("f")
    await expect(page.get_by_text(re.compile("avourites .*: 2 items"))).to_be_visible()
    await page.keyboard.press("c")
    await expect(page.get_by_role("row", name="Seed")).to_be_visible()

    await page.goto(f"/studio/generations/{one['id']}")
    await expect(page.get_by_role("heading", name="Picture")).to_be_visible()
    await page.keyboard.press("c")
    await page.goto(f"/studio/generations/{two['id']}")
    await expect(page.get_by_role("button", name="More")).to_be_visible()
    await page.keyboard.press("Delete")
    await expect(page).to_have_url(re.compile("/studio/gallery"))
    await page.get_by_role("button", name="Undo").click()
    await expect(said(page, "1 item restored.")).to_be_visible()
