"""The studio in a page of another site, which has nothing but `/studio/embed.js`."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Page, expect

from tests.browser.stack import Stack
from tests.browser.test_create import DROP
from tests.browser.test_create import picture as drawing

DIALOG = "🎨 Creative Studio"
SAVED = {"Save the settings as a file": ".penstock.json", "Save the picture with its settings": ".png"}


def host_page(studio: str, before: str = "") -> str:
    """A page whose own policy is strict: what is embedded must not need more than it has to."""
    return f"""<!doctype html><html lang="en"><head><title>Editor</title>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src {studio} 'nonce-own'; frame-src {studio}; img-src {studio}">
<script src="{studio}/studio/embed.js"></script></head>
<body><button id="open">Open</button>
<input id="steps" name="steps" type="range" min="10" max="50" value="20"><output for="steps"></output>
<script nonce="own">
window.results = [];
addEventListener("creativestudio:result", (event) => results.push(event.detail));
{before}
document.getElementById("open").onclick = () => creativeStudio.show();
</script></body></html>"""


class Friend:
    """A site that serves one page at a time."""

    page = ""

    async def serve(self, _: web.Request) -> web.Response:
        return web.Response(text=self.page, content_type="text/html")


@pytest.fixture
async def friend(stack: Stack) -> AsyncIterator[Friend]:
    found = Friend()
    app = web.Application()
    app.router.add_get("/", found.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", urlsplit(stack.friend).port).start()
    yield found
    await runner.cleanup()


async def test_a_page_of_another_site_has_a_picture_made(page: Page, stack: Stack, friend: Friend) -> None:
    friend.page = host_page(stack.url)
    await page.goto(stack.friend)
    await page.get_by_role("button", name="Open").click()
    dialog = page.get_by_role("dialog", name=DIALOG)
    await expect(dialog).to_be_visible()
    box, sight = await dialog.bounding_box(), page.viewport_size
    assert box is not None
    assert sight is not None
    assert (round(box["width"]), round(box["height"])) == (
        round(sight["width"] * 0.98),
        round(sight["height"] * 0.98),
    )
    frame = page.frame_locator("iframe")
    await expect(frame.get_by_role("tab", name="Images")).to_be_visible()
    await expect(frame.get_by_role("link", name="Gallery")).to_have_count(0)
    assert await page.evaluate("getComputedStyle(document.documentElement).overflow") == "hidden"

    made = await page.evaluate("creativeStudio.generateImage({ prompt: 'A kite over dunes' })")
    assert made["kind"] == "image"
    shown = await page.evaluate(
        "(url) => new Promise((done) => { const i = new Image(); i.onload = () => done(i.naturalWidth); i.src = url })",
        made["url"],
    )
    assert shown > 0
    assert await page.evaluate("results.map((one) => one.id)") == [made["id"]]

    await frame.get_by_role("tab", name="Images").focus()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.locator("html")).to_have_css("overflow", "visible")
    await expect(page.get_by_role("button", name="Open")).to_be_focused()


@pytest.mark.long
async def test_every_method_of_the_seed_does_something(
    page: Page, stack: Stack, friend: Friend, complaints: list[str]
) -> None:
    friend.page = host_page(stack.url)
    await page.goto(stack.friend)
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stack.friend)
    frame = page.frame_locator("iframe")
    await page.evaluate("creativeStudio.show()")
    for method, tab in (
        ("createAudioPanel", "Audio"),
        ("createMusicPanel", "Music"),
        ("createVideoPanel", "Video"),
        ("createImagePanel", "Images"),
    ):
        await page.evaluate(f"creativeStudio.{method}()")
        await expect(frame.get_by_role("tab", name=tab, selected=True)).to_be_visible()
    assert await page.evaluate("creativeStudio.currentTab") == "images"

    await page.evaluate("creativeStudio.updateRangeValue(document.getElementById('steps'))")
    assert await page.evaluate("document.querySelector('output').textContent") == "20"
    assert await page.evaluate("creativeStudio.updateCharCount({ name: 'prompt', value: 'Fog ☁️' })") == 6
    assert await page.evaluate("creativeStudio.settings.image.prompt") == "Fog ☁️"

    spoken = await page.evaluate("creativeStudio.generateAudio({ text: 'Hello' })")
    played = await page.evaluate("creativeStudio.generateMusic({ prompt: 'waves', duration: 15 })")
    assert (spoken["kind"], played["kind"]) == ("audio", "music")
    drawn = await page.evaluate("creativeStudio.runGeneration('image', { prompt: 'A mill' })")
    larger = await page.evaluate("(url) => creativeStudio.upscaleImage(url)", drawn["url"])
    assert larger["kind"] == "upscale"
    assert await page.evaluate("creativeStudio.isGenerating") is False

    await page.evaluate("(one) => creativeStudio.displayResult('image', one)", drawn)
    await page.evaluate("(url) => creativeStudio.copyToClipboard(url)", drawn["url"])
    assert await page.evaluate("navigator.clipboard.readText()") == drawn["url"]
    async with page.expect_download() as saved:
        await page.evaluate("(url) => creativeStudio.downloadResult(url)", drawn["url"])
    assert (await saved.value).suggested_filename.startswith("a-mill")

    history = await page.evaluate("creativeStudio.loadHistory()")
    assert drawn["id"] in [entry["id"] for entry in history]
    gallery = await page.evaluate("creativeStudio.loadGallery()")
    assert {entry["type"] for entry in gallery} <= {"image", "video"}
    await page.evaluate("(one) => creativeStudio.saveToHistory(one)", drawn)
    assert await page.evaluate("creativeStudio.generationHistory[0].id") == drawn["id"]
    refused = await page.evaluate("creativeStudio.generateImage({ prompt: '' }).catch((error) => error.code)")
    assert refused == "INVALID_INPUT"
    assert [complaint for complaint in complaints if "422" not in complaint] == []
    complaints.clear()
    await page.evaluate("creativeStudio.hide()")
    await expect(page.get_by_role("dialog", name=DIALOG)).to_be_hidden()


@pytest.mark.long
async def test_with_a_token_no_cookie_is_needed(page: Page, stack: Stack, friend: Friend) -> None:
    async with aiohttp.ClientSession(stack.url) as http:
        made = await http.post("/api/v1/keys", json={"name": "editor", "scopes": ["read", "write"]})
        key = (await made.json())["key"]
    url, gateway = await stack.another_gateway(AUTH_MODE="required")
    try:
        friend.page = host_page(url, f"creativeStudio.configure({{ token: () => {key!r} }});")
        await page.goto(stack.friend)
        await page.evaluate("creativeStudio.show()")
        await expect(page.frame_locator("iframe").get_by_role("tab", name="Images")).to_be_visible()
        made = await page.evaluate("creativeStudio.generateImage({ prompt: 'A key in a lock' })")
        assert await page.evaluate("results.length") == 1
        assert await page.evaluate("document.cookie") == ""
        assert made["url"].startswith(url)

        frame, inside = page.frame_locator("iframe"), page.frames[-1]
        await page.evaluate("creativeStudio.switchTab('upscale')")
        await expect(frame.get_by_role("tab", name="Upscale", selected=True)).to_be_visible()
        await inside.evaluate(DROP, ["own.png", "image/png", drawing()])
        await expect(frame.get_by_role("button", name="Remove own.png")).to_be_visible()
        await frame.get_by_role("button", name="Generate").click()
        larger = frame.get_by_role("region", name="Preview").get_by_role("img")
        await expect(larger).not_to_have_js_property("naturalWidth", 0)
        assert await page.evaluate("results.length") == 2

        for entry, ending in SAVED.items():
            await frame.get_by_role("button", name="Reuse its settings").click()
            async with page.expect_download() as saved:
                await frame.get_by_role("menuitem", name=entry).click()
            assert (await saved.value).suggested_filename.endswith(ending)
        await expect(frame.get_by_role("button", name="Copy link")).to_have_count(0)
        await frame.get_by_role("button", name="Full screen").click()
        viewer = frame.get_by_role("dialog", name="full screen")
        await expect(viewer.get_by_role("img").first).not_to_have_js_property("naturalWidth", 0)
        await page.goto("about:blank")
    finally:
        await gateway.stop()


@pytest.mark.long
async def test_what_runs_is_in_sight_in_the_frame_too_and_can_be_stopped(
    page: Page, stack: Stack, friend: Friend
) -> None:
    friend.page = host_page(stack.url)
    async with aiohttp.ClientSession(stack.url) as http:
        await http.post("/api/v1/ops/queues/video/pause", json={})
        try:
            film = {"kind": "video", "model": "local", "input": {"prompt": "a slow train"}}
            made = await http.post("/api/v1/generations", json=film)
            id_ = (await made.json())["id"]
            await page.goto(stack.friend)
            await page.evaluate("creativeStudio.show()")
            frame = page.frame_locator("iframe")
            await expect(frame.get_by_role("tab", name="Images", selected=True)).to_be_visible()
            await frame.get_by_role("link", name="1 queued").click()
            await frame.get_by_role("button", name="Cancel: a slow train").click()
            stopped = await http.get(f"/api/v1/generations/{id_}", params={"wait": "20"})
            assert (await stopped.json())["status"] == "canceled"
            await frame.get_by_role("link", name="Create").click()
            await expect(frame.get_by_role("tab", name="Images")).to_be_visible()
        finally:
            await http.post("/api/v1/ops/queues/video/resume")
