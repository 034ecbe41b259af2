"""Sounds in the studio: drawn, played, compared, recorded."""

import asyncio

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.stack import Stack
from tests.browser.test_library import make

SPOKEN = {"kind": "audio", "input": {"text": "A lighthouse keeper counts the ships that pass at night."}}
# The colour of what a drawing in a shadow tree shows most of, and nothing before it is drawn.
INK = """element => {
  const host = [...element.querySelectorAll('*')].find(one => one.shadowRoot);
  const canvas = host?.shadowRoot.querySelector('.canvases canvas');
  if (!canvas?.width) return null;
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const at = data.findIndex((value, n) => n % 4 === 3 && value === 255);
  return `rgb(${[...data.slice(at - 3, at)].join(', ')})`;
}"""
WANTED = """name => {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}"""


async def drawn(slider: Locator) -> str | None:
    colour: str | None = await slider.evaluate(INK)
    return colour


async def test_a_waveform_is_drawn_into_the_place_kept_for_it_in_either_theme(
    page: Page, stack: Stack
) -> None:
    (made,) = await make(stack, SPOKEN)
    asked: asyncio.Future[Route] = asyncio.get_running_loop().create_future()
    await page.route("**/wavesurfer*.js", lambda route: asked.set_result(route))
    await page.goto(f"/studio/generations/{made['id']}")
    slider = page.get_by_role("slider", name="Position")
    player = page.get_by_role("region", name="A lighthouse keeper")
    await expect(slider).to_be_visible()
    library = await asked
    before = await player.bounding_box()
    assert await drawn(slider) is None
    await library.continue_()
    await expect(slider.locator("canvas")).to_have_count(2)
    assert await player.bounding_box() == before
    light = await drawn(slider)
    assert light == await page.evaluate(WANTED, "--line-strong")
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = await drawn(slider)
    assert dark == await page.evaluate(WANTED, "--line-strong")
    assert dark != light


@pytest.mark.long
async def test_a_sound_is_played_by_keys_and_by_pointer(page: Page, stack: Stack) -> None:
    (made,) = await make(stack, {"kind": "music", "input": {"prompt": "harps", "duration_s": 20}})
    await page.goto(f"/studio/generations/{made['id']}")
    slider = page.get_by_role("slider", name="Position")
    await slider.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        await page.keyboard.press(key)
    await expect(slider).to_have_attribute("aria-valuetext", "5.0 s of 20 s")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await expect(slider).not_to_have_attribute("aria-valuenow", "5")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    box = await slider.bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 10)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 10, steps=4)
    await page.mouse.up()
    await expect(slider).to_have_attribute("aria-valuenow", "15")
    played = await slider.evaluate(
        "one => [...one.querySelectorAll('*')].find(e => e.shadowRoot)"
        ".shadowRoot.querySelector('.progress').style.width"
    )
    assert float(played.removesuffix("%")) == pytest.approx(75, abs=1)
    await page.get_by_label("Speed").select_option("1.5")
    await page.get_by_role("button", name="Repeat").click()
    await expect(page.get_by_role("button", name="Repeat")).to_have_attribute("aria-pressed", "true")


@pytest.mark.long
async def test_two_sounds_keep_one_place(page: Page, stack: Stack) -> None:
    made = [
        await make(stack, {"kind": "music", "input": {"prompt": "harps", "duration_s": seconds}})
        for seconds in (10, 20)
    ]
    (a,), (b,) = made
    await page.goto(f"/studio/compare?a={a['id']}&b={b['id']}")
    short, long = (page.get_by_role("slider", name=f"Position in {letter}") for letter in "AB")
    await expect(page.locator("canvas")).to_have_count(4)
    await long.focus()
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("x")
    for slider in (short, long):
        await expect(slider).to_have_attribute("aria-valuenow", "5")
    boxes = [await slider.bounding_box() for slider in (short, long)]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["width"] == pytest.approx(boxes[1]["width"] / 2, abs=2)
