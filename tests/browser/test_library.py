"""The studio's library, as somebody uses it who looks for what they made."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from zipfile import ZipFile

import aiohttp
import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.stack import Stack

ENDED = {"completed", "failed", "canceled", "expired"}


async def make(stack: Stack, *requests: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Has it all made through the API; the generations as they ended."""
    async with aiohttp.ClientSession(stack.url) as http:
        ids = []
        for request in requests:
            async with http.post("/api/v1/generations", json={"model": "local", **request}) as answer:
                assert answer.ok, await answer.text()
                ids.append((await answer.json())["id"])
        return [await _ended(http, id_) for id_ in ids]


async def _ended(http: aiohttp.ClientSession, id_: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"/api/v1/generations/{id_}", params={"wait": "20"}) as answer:
                found: dict[str, Any] = await answer.json()
            if found["status"] in ENDED:
                return found


def picture(prompt: str, seed: int = 1, count: int = 1) -> dict[str, Any]:
    return {"kind": "image", "input": {"prompt": prompt, "seed": seed, "size": "1024x768", "count": count}}


async def test_search_finds_it_f_marks_it_and_deleting_can_be_undone(page: Page, stack: Stack) -> None:
    await make(stack, picture("a walnut on a blue plate"), picture("a fig on a blue plate"))
    await page.goto("/studio/gallery")
    await page.get_by_role("searchbox", name="Search").fill("walnut")
    tile = page.get_by_role("button", name="Picture: a walnut on a blue plate")
    await expect(page.get_by_role("button", name="Picture: a fig on a blue plate")).to_have_count(0)
    await expect(tile).to_have_count(1)
    await expect(page).to_have_url(f"{stack.url}/studio/gallery?q=walnut")

    await tile.focus()
    await page.keyboard.press("f")
    await expect(page.get_by_role("button", name="Favourite", exact=True).first).to_have_attribute(
        "aria-pressed", "true"
    )
    await page.goto("/studio/favourites?q=walnut")
    await tile.focus()
    await page.keyboard.press("Delete")
    await expect(tile).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(tile).to_have_count(1)
    await page.reload()
    await expect(tile).to_have_count(1)


@pytest.mark.long
async def test_arrows_lead_through_the_list_in_full_screen(page: Page, stack: Stack) -> None:
    await make(stack, *(picture(f"pebble number {n}", n) for n in range(3)))
    await page.goto("/studio/gallery?q=pebble&sort=oldest")
    first = page.get_by_role("button", name="Picture: pebble number 0")
    await first.focus()
    await page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Picture, full screen")
    strip = viewer.get_by_role("navigation", name="Filmstrip")
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowRight")
    await expect(strip.get_by_role("button", name="pebble number 2")).to_have_attribute(
        "aria-current", "true"
    )
    await expect(viewer.get_by_role("img", name="pebble number 2")).to_be_visible()
    await page.keyboard.press("i")
    await expect(viewer.get_by_text("1024 × 768")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
    await expect(first).to_be_visible()


@pytest.mark.long
async def test_the_best_come_first_and_are_looked_at_closely(page: Page, stack: Stack) -> None:
    await make(stack, *(picture(f"a copper kettle, take {take}", take) for take in range(3)))
    await page.goto("/studio/gallery?q=copper+kettle")
    tiles = page.get_by_role("list", name="Gallery").get_by_role("button", name="Picture")
    for take, stars in ((0, "2 stars"), (1, "5 stars")):
        await page.get_by_role("button", name=f"Picture: a copper kettle, take {take}").click()
        star = page.get_by_role("complementary", name="Details").get_by_role("button", name=stars)
        await star.click()
        await expect(star).to_have_attribute("aria-pressed", "true")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Filters").click()
    await page.get_by_label("Order").select_option("Best first")
    await expect(page.get_by_role("list", name="Active filters")).to_contain_text("best first")
    for place, take in enumerate((1, 0, 2)):
        await expect(tiles.nth(place)).to_have_attribute(
            "aria-label", f"Picture: a copper kettle, take {take}"
        )
    await page.get_by_label("Rating").select_option("4 or more")
    await expect(tiles).to_have_count(1)

    await tiles.focus()
    await page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Picture, full screen")
    seen = viewer.get_by_role("img", name="a copper kettle, take 1")
    await expect(seen).to_be_visible()
    pane = seen.locator("..")
    await page.keyboard.press("+")
    await expect(pane).to_have_attribute("style", re.compile(r"scale\(1\.4\)"))
    await page.keyboard.press("0")
    await expect(pane).to_have_attribute("style", re.compile(r"scale\(1\)"))
    await seen.hover()
    await page.mouse.wheel(0, -400)
    await expect(pane).to_have_attribute("style", re.compile(r"scale\(2\.\d+\)"))
    await page.mouse.down()
    await page.mouse.move(600, 400, steps=3)
    await page.mouse.up()
    await expect(pane).not_to_have_attribute("style", re.compile(r"translate\(0px, 0px\)"))


@pytest.mark.long
async def test_marked_ones_are_tagged_packed_and_deleted(page: Page, stack: Stack) -> None:
    await make(stack, picture("a tin boat"), picture("a tin drum"))
    await page.goto("/studio/gallery?q=tin")
    tiles = page.get_by_role("list", name="Gallery").get_by_role("listitem")
    await expect(tiles).to_have_count(2)
    await page.keyboard.press("Control+a")
    chosen = page.get_by_role("region", name="Selection")
    await expect(chosen).to_contain_text("2 selected")
    await chosen.get_by_role("button", name="Tag").click()
    await page.get_by_label("Tags").fill("Toys, metal")
    await page.get_by_role("button", name="Add", exact=True).click()
    async with page.expect_download() as waiting:
        await chosen.get_by_role("button", name="Zip").click()
    with ZipFile(await (await waiting.value).path()) as packed:
        names = packed.namelist()
    assert sorted(name.partition(".")[2] for name in names) == ["json", *["penstock.json"] * 2, *["png"] * 2]
    assert names[-1] == "metadata.json"
    await page.goto("/studio/gallery?tag=toys")
    await expect(tiles).to_have_count(2)
    await page.keyboard.press("Control+a")
    await chosen.get_by_role("button", name="Delete 2 items").click()
    await expect(tiles).to_have_count(0)
    await page.get_by_role("button", name="Undo").click()
    await expect(tiles).to_have_count(2)


@pytest.mark.long
async def test_two_pictures_and_two_sounds_are_compared(page: Page, stack: Stack) -> None:
    a, b, c, d = await make(
        stack,
        picture("a moth, seed one", 1),
        picture("a moth, seed two", 2),
        {"kind": "audio", "input": {"text": "The first voice."}},
        {"kind": "audio", "input": {"text": "The second voice."}},
    )
    await page.goto("/studio/gallery?q=moth")
    for name in ("one", "two"):
        await page.get_by_role("button", name=f"Picture: a moth, seed {name}").click(modifiers=["Control"])
    await page.keyboard.press("c")
    line = page.get_by_role("slider", name="How much of A is shown")
    await line.focus()
    await page.keyboard.press("ArrowRight")
    await expect(line).to_have_attribute("aria-valuenow", "52")
    await expect(page.get_by_role("row", name="Seed 1 2")).to_be_visible()
    await page.keyboard.press("s")
    await page.keyboard.press("+")
    await expect(page.get_by_role("button", name="140 %")).to_be_enabled()
    for side in "AB":
        pane = page.get_by_role("img", name=f"{side}: a moth").locator("..")
        await expect(pane).to_have_attribute("style", re.compile(r"scale\(1\.4\)"))

    await page.goto(f"/studio/compare?a={c['id']}&b={d['id']}")
    await page.get_by_role("button", name="Play", exact=True).click()
    await page.keyboard.press("x")
    await expect(page.get_by_role("status").filter(has_text="You hear B")).to_have_count(1)
    assert a["id"] != b["id"]


@pytest.mark.long
async def test_history_keeps_what_failed_and_looking_leaves_the_form_alone(page: Page, stack: Stack) -> None:
    made, spoken = await make(
        stack, picture("a paper dragon over dunes", 7), {"kind": "audio", "input": {"text": "Dragons rise."}}
    )
    await page.goto("/studio/history?q=dragon&kind=image")
    await page.get_by_role("link", name="a paper dragon over dunes").click()
    await expect(page).to_have_url(f"{stack.url}/studio/generations/{made['id']}")
    await expect(page.get_by_text("local at local")).to_be_visible()
    assert await page.evaluate("localStorage.getItem('penstock-draft-image')") is None
    await page.get_by_role("button", name="Reuse its settings").click()
    await page.get_by_role("menuitem", name="Use all, same seed").click()
    await expect(page).to_have_url(f"{stack.url}/studio/create/image")
    await expect(page.get_by_label("Prompt", exact=True)).to_have_value("a paper dragon over dunes")

    await page.goto(f"/studio/generations/{spoken['id']}")
    position = page.get_by_role("slider", name="Position")
    await position.focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()


@pytest.mark.long
async def test_what_is_used_again_is_what_was_chosen_of_it(page: Page, stack: Stack) -> None:
    (made,) = await make(stack, picture("a heron on one leg", 4711))
    for choice, seed in (
        ("Use the prompt", ""),
        ("Use all settings", "4711"),
        ("Use all, new seed", ""),
        ("Use its seed", "4711"),
    ):
        await page.goto(f"/studio/generations/{made['id']}")
        await page.get_by_role("button", name="Reuse its settings").click()
        await page.get_by_role("menuitem", name=choice).click()
        await expect(page).to_have_url(f"{stack.url}/studio/create/image")
        await expect(page.get_by_label("Prompt", exact=True)).to_have_value("a heron on one leg")
        await expect(page.get_by_label("Seed", exact=True)).to_have_value(seed)


@pytest.mark.long
async def test_what_is_new_waits_above_the_list(page: Page, stack: Stack) -> None:
    await make(stack, picture("a comet, first"))
    await page.goto("/studio/gallery?q=comet")
    await expect(page.get_by_role("button", name="Picture: a comet, first")).to_be_visible()
    await make(stack, picture("a comet, second"))
    await page.get_by_role("button", name="1 new").click()
    await expect(
        page.get_by_role("list", name="Gallery").get_by_role("button", name="Picture")
    ).to_have_count(2)


@pytest.mark.long
async def test_history_counts_what_is_acted_on_and_a_picture_begins_an_upscale(
    page: Page, stack: Stack
) -> None:
    (made,) = await make(stack, picture("an owl in the rafters", 3))
    await page.goto("/studio/history?q=rafters")
    await page.get_by_role("checkbox", name="Select an owl in the rafters").check()
    bar = page.get_by_role("region", name="Selection")
    await expect(bar).to_contain_text("1 generation selected")
    await expect(bar).to_contain_text("with 1 output")
    await expect(bar.get_by_role("button", name="Tag")).to_be_enabled()
    await expect(bar.get_by_role("button", name="Delete 1 generation")).to_be_enabled()

    await page.goto(f"/studio/generations/{made['id']}")
    await page.get_by_role("button", name="Upscale").click()
    await expect(page).to_have_url(f"{stack.url}/studio/create/upscale")
    await expect(page.get_by_role("button", name="Remove an owl in the rafters")).to_be_visible()


@pytest.mark.long
async def test_the_first_pictures_are_there_before_the_application_and_stay_in_their_place(
    page: Page, stack: Stack
) -> None:
    await make(stack, picture("a plum on a window sill"))
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/studio/assets/frame-*.js", hold)
    await page.goto("/studio/gallery", wait_until="commit")
    early = page.locator("#root[inert] li img").first
    await expect(early).to_have_js_property("naturalWidth", 512)
    before = await early.bounding_box()
    held.set()
    tile = page.get_by_role("button", name="Picture: a plum on a window sill")
    await expect(tile).to_be_visible()
    after = await tile.bounding_box()
    assert before is not None
    assert after is not None
    # Above them it may say by then that there are new ones.
    assert [after[side] for side in ("x", "width", "height")] == [
        before[side] for side in ("x", "width", "height")
    ]
