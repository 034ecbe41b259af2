"""Creating: forms of every kind, what they make, files as inputs, and all of it by keyboard."""

import asyncio
import base64
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Locator, Page, expect

from tests.browser.stack import Stack

DROP = """([name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], name, { type }));
    for (const event of ['dragenter', 'dragover', 'drop'])
        document.body.dispatchEvent(new DragEvent(event, { bubbles: true, cancelable: true, dataTransfer }));
}"""
PASTE = """([name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([bytes], name, { type }));
    const told = { bubbles: true, cancelable: true, clipboardData };
    document.activeElement.dispatchEvent(new ClipboardEvent('paste', told));
}"""
SOON = datetime.now(UTC).date() + timedelta(days=40)
_ENDS = (
    "UPDATE model_cards SET shutdown_on = $1, successor = $2, updated_at = now() WHERE id = 'openai/gpt-4o'"
)
PLAYS = "(sound) => { sound.muted = true; return sound.play().then(() => sound.duration) }"


async def open_form(page: Page, kind: str, model: str | None = "local") -> None:
    await page.goto(f"/studio/create/{kind}")
    await expect(generate(page)).to_be_visible()
    if model is not None:
        await choose(page, model)


async def choose(page: Page, model: str) -> None:
    await page.get_by_role("button", name=re.compile("^Model")).click()
    await page.get_by_role("combobox", name="Search models").fill(model)
    await page.keyboard.press("Enter")


def generate(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Generate"))


def preview(page: Page) -> Locator:
    return page.get_by_role("region", name="Preview")


def download(page: Page) -> Locator:
    return preview(page).get_by_role("link", name="Download")


def picture(side: int = 48) -> str:
    """A PNG, as the page reads it: base64."""
    file = io.BytesIO()
    Image.radial_gradient("L").resize((side, side)).convert("RGB").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


async def drop(page: Page, name: str, mime: str, data: str) -> None:
    await page.evaluate(DROP, [name, mime, data])


async def tab_to(wanted: Locator) -> None:
    """As somebody without a mouse gets there."""
    for _ in range(60):
        await wanted.page.keyboard.press("Tab")
        if await wanted.evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError("it is not reached by Tab")


async def test_an_image_is_asked_for_and_seen_and_nothing_new_takes_its_place(page: Page) -> None:
    await open_form(page, "image")
    await page.get_by_label("Prompt", exact=True).fill("a heron in shallow water")
    await expect(page.get_by_text("Free", exact=True)).to_be_visible()
    await page.keyboard.press("Control+Enter")
    seen = preview(page).get_by_role("img", name="a heron in shallow water")
    await expect(seen).to_have_js_property("complete", True)
    shown = page.url
    await generate(page).click()
    await expect(page.get_by_role("button", name="1 new")).to_be_visible()
    assert page.url == shown
    await page.reload()
    await expect(seen).to_be_visible()
    await expect(page.get_by_label("Prompt", exact=True)).to_have_value("a heron in shallow water")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["audio", "music"])
async def test_a_sound_is_made_and_heard(page: Page, kind: str) -> None:
    await open_form(page, kind)
    await page.get_by_label("Text" if kind == "audio" else "Prompt", exact=True).fill("rain on a roof")
    await generate(page).click()
    await expect(download(page)).to_be_visible()
    await preview(page).get_by_role("button", name="Play", exact=True).click()
    await expect(preview(page).get_by_role("button", name="Pause")).to_be_visible()


@pytest.mark.long
async def test_a_video_is_made_and_plays(page: Page) -> None:
    await open_form(page, "video")
    await page.get_by_label("Prompt", exact=True).fill("clouds over a harbour")
    await generate(page).click()
    await expect(download(page)).to_be_visible(timeout=60_000)
    assert await preview(page).locator("video").evaluate(PLAYS) > 0


@pytest.mark.long
async def test_a_text_is_written_and_stays(page: Page) -> None:
    await open_form(page, "text")
    await page.get_by_label("Prompt", exact=True).fill("a note about lighthouses")
    await generate(page).click()
    await expect(preview(page).get_by_role("button", name="Copy text")).to_be_visible()
    await expect(preview(page)).to_contain_text("lighthouses")


@pytest.mark.long
async def test_a_dropped_picture_is_enlarged(page: Page) -> None:
    await open_form(page, "image", None)
    await drop(page, "small.png", "image/png", picture())
    await page.get_by_role("dialog").get_by_role("button", name="Enlarge it").click()
    await expect(page.get_by_role("button", name="Remove small.png")).to_be_visible()
    await choose(page, "local")
    await generate(page).click()
    await expect(download(page)).to_be_visible()
    await expect(preview(page)).to_contain_text("192 × 192")


@pytest.mark.long
async def test_a_file_comes_to_its_form_from_anywhere(page: Page) -> None:
    await page.goto("/studio/gallery")
    await expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    await drop(page, "small.png", "image/png", picture())
    await page.get_by_role("dialog").get_by_role("button", name="Enlarge it").click()
    await expect(page).to_have_url(re.compile("/create/upscale"))
    await expect(page.get_by_role("button", name="Remove small.png")).to_be_visible()
    await page.goto("/studio/settings/appearance")
    await expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    await page.evaluate(PASTE, ["pasted.png", "image/png", picture()])
    await page.get_by_role("dialog").get_by_role("button", name="Start an image from it").click()
    await expect(page).to_have_url(re.compile("/create/image"))
    await expect(page.get_by_role("button", name="Remove pasted.png")).to_be_visible()


@pytest.mark.long
async def test_what_is_no_picture_is_refused_where_it_was_to_go(page: Page, complaints: list[str]) -> None:
    await open_form(page, "upscale")
    await drop(page, "broken.png", "image/png", base64.b64encode(b"no picture at all").decode())
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_role("button", name="Dismiss broken.png").click()
    await expect(page.get_by_role("alert")).to_be_hidden()
    complaints.clear()


@pytest.mark.long
async def test_a_voice_is_recorded_listened_to_and_spoken_with(page: Page) -> None:
    await open_form(page, "audio", "eleven_v3")
    await page.get_by_label("Text", exact=True).fill("The tide is turning.")
    await page.get_by_role("button", name="Record").click()
    await expect(page.get_by_text(re.compile(r"^[1-9]\.\d s$"))).to_be_visible()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("alert")).to_contain_text("needs 10 s at least")
    await page.get_by_role("button", name="Record").click()
    await expect(page.get_by_text(re.compile(r"^1[1-9] s$"))).to_be_visible(timeout=30_000)
    await expect(page.get_by_text("Long enough")).to_be_attached()
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_label("Your sample")).to_be_visible()
    await page.get_by_role("button", name="Use this sample").click()
    await expect(page.get_by_text("its speaker has to agree")).to_be_visible()
    await expect(generate(page)).to_be_disabled()
    await page.get_by_role("switch", name="The speaker has agreed").check(force=True)
    await generate(page).click()
    await expect(download(page)).to_be_visible(timeout=60_000)


@pytest.mark.long
async def test_from_the_prompt_to_the_download_by_keyboard_alone(page: Page, tmp_path: Path) -> None:
    await page.goto("/studio/create/music")
    await expect(generate(page)).to_be_visible()
    await page.keyboard.press("1")
    await expect(page.get_by_role("tab", name="Images")).to_have_attribute("aria-selected", "true")
    await tab_to(page.get_by_label("Prompt", exact=True))
    await page.keyboard.type("an orchard in late September")
    await tab_to(page.get_by_role("button", name=re.compile("^Model")))
    await page.keyboard.press("Enter")
    await page.keyboard.type("local")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Control+Enter")
    await expect(download(page)).to_be_visible()
    await page.keyboard.press("Escape")
    async with page.expect_download() as waiting:
        await page.keyboard.press("d")
    kept = tmp_path / (await waiting.value).suggested_filename
    await (await waiting.value).save_as(kept)
    with Image.open(kept) as made:
        assert min(made.size) >= 512
    await page.keyboard.press("r")
    await expect(page.get_by_role("button", name="1 new")).to_be_visible()


@pytest.mark.long
async def test_settings_travel_as_a_file_and_a_model_says_what_it_does_not_take(page: Page) -> None:
    await open_form(page, "image")
    await page.get_by_label("Prompt", exact=True).fill("paper boats on a canal")
    await page.get_by_text("Watercolor").click()
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Settings of this form").click()
        await page.get_by_role("menuitem", name="Save the settings as a file").click()
    content = (await (await waiting.value).path()).read_bytes()
    await page.goto("/studio/create/music")
    await expect(page.get_by_role("button", name="Generate")).to_be_visible()
    await drop(page, "boats.penstock.json", "application/json", base64.b64encode(content).decode())
    await expect(page.get_by_label("Prompt", exact=True)).to_have_value("paper boats on a canal")
    await expect(page.get_by_role("radio", name="Watercolor")).to_be_checked()
    await page.get_by_text("Advanced").click()
    await page.get_by_label("Leave out").fill("people")
    await choose(page, "flux-schnell")
    await expect(page.get_by_text("does not take: Negative prompt")).to_be_visible()


@pytest.mark.long
async def test_a_budget_that_is_spent_says_so_before_it_is_met(page: Page) -> None:
    answer = await page.request.post("/api/v1/budgets", data={"period": "month", "limit_nanos": 1})
    budget = (await answer.json())["id"]
    try:
        await open_form(page, "image", "flux-schnell")
        await page.get_by_label("Prompt", exact=True).fill("a market by the sea")
        await expect(generate(page)).to_be_disabled()
        await expect(page.get_by_role("link", name="See budgets")).to_be_visible()
        await expect(page.get_by_role("link", name=re.compile("left this month$"))).to_be_visible()
    finally:
        await page.request.delete(f"/api/v1/budgets/{budget}")


@pytest.mark.long
async def test_a_picture_that_carries_its_settings_fills_the_form(page: Page) -> None:
    await open_form(page, "image")
    prompt = page.get_by_label("Prompt", exact=True)
    await prompt.fill("a stork on a chimney")
    await generate(page).click()
    await preview(page).get_by_role("button", name="Reuse its settings").click()
    async with page.expect_download() as waiting:
        await page.get_by_role("menuitem", name="Save the picture with its settings").click()
    path = await (await waiting.value).path()
    taken = await asyncio.to_thread(path.read_bytes)
    await prompt.fill("something else")
    await page.get_by_role("tab", name="Music").click()
    await drop(page, "stork.png", "image/png", base64.b64encode(taken).decode())
    await page.get_by_role("dialog").get_by_role("button", name="Fill the form as it was made").click()
    await expect(page).to_have_url(re.compile("/create/image"))
    await expect(prompt).to_have_value("a stork on a chimney")


@pytest.mark.long
async def test_words_come_back_and_a_model_that_ends_names_its_successor(page: Page, stack: Stack) -> None:
    for word in ("thimble", "bobbin"):
        body = {"kind": "text", "model": "local", "input": {"prompt": f"a {word} on a shelf"}}
        assert (await page.request.post("/api/v1/generations", data=body)).ok
    await open_form(page, "text", None)
    prompt = page.get_by_label("Prompt", exact=True)
    await prompt.fill("half a thou")
    for word in ("bobbin", "thimble"):
        await prompt.press("Alt+ArrowUp")
        await expect(prompt).to_have_value(f"a {word} on a shelf")
    await prompt.press("Alt+ArrowDown")
    await expect(prompt).to_have_value("a bobbin on a shelf")
    await prompt.press("Alt+ArrowDown")
    await expect(prompt).to_have_value("half a thou")

    before = await stack.db.fetchrow(
        f"{_ENDS} RETURNING old.shutdown_on, old.successor", SOON, "openai/gpt-6-luna"
    )
    assert before is not None
    try:
        await page.reload()
        await choose(page, "gpt-4o")
        form = page.get_by_role("form", name="What to make")
        await expect(form.get_by_text(re.compile(r"^GPT-4o ends on \w+ \d+, \d{4}\."))).to_be_visible()
        await form.get_by_role("button", name=re.compile("^Use GPT-6 luna", re.IGNORECASE)).click()
        await expect(page.get_by_role("button", name=re.compile("^Model"))).to_contain_text("GPT-6 Luna")
        await expect(form.get_by_text(re.compile("ends on"))).to_have_count(0)
        await expect(prompt).to_have_value("half a thou")
    finally:
        await stack.db.execute(_ENDS, before["shutdown_on"], before["successor"])
