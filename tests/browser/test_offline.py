"""The service worker: the shell and the last small pictures are there without a network, until somebody signs out."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.stack import Stack

MAKE = """async () => {
  const headers = { 'Content-Type': 'application/json' };
  const body = JSON.stringify({ prompt: 'A lamp in a window' });
  const made = await (await fetch('/api/creative-image', { method: 'POST', headers, body })).json();
  return `/api/v1/generations/${made.metadata.generationId}/outputs/0/thumbnail`;
}"""
WIDTH = """(url) => new Promise((done) => {
  const picture = new Image();
  picture.onload = () => done(picture.naturalWidth);
  picture.onerror = () => done(0);
  picture.src = url;
})"""
KEPT = "caches.keys().then((names) => names.filter((name) => /thumbnails|answers/.test(name)).length)"


@pytest.mark.long
async def test_the_shell_and_what_was_last_seen_open_without_a_network(
    browser: Browser, stack: Stack
) -> None:
    window = await browser.new_context(base_url=stack.url)
    page = await window.new_page()
    await page.goto("/studio")
    await expect(page.get_by_role("tab", name="Images")).to_be_visible()
    await page.evaluate(
        "navigator.serviceWorker.controller"
        " || new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done))"
    )
    thumbnail = await page.evaluate(MAKE)
    assert await page.evaluate(WIDTH, thumbnail) > 0
    await page.reload()
    await expect(page.get_by_role("tab", name="Images")).to_be_visible()

    await window.set_offline(True)
    await page.goto("/studio/gallery")
    await expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
    assert await page.evaluate(WIDTH, thumbnail) > 0
    assert await page.evaluate(WIDTH, f"{thumbnail}?another") == 0

    await window.set_offline(False)
    await page.evaluate("fetch('/api/auth/logout', { method: 'POST' })")
    assert await page.evaluate(KEPT) == 0
    await window.close()
