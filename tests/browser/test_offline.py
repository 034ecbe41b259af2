"""The service worker: the shell and the last small pictures are there without a network, until somebody signs out."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.people import sign_in, sign_out, sign_up

CONTROLLED = """navigator.serviceWorker.controller
  || new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done))"""
KEPT = """Promise.all([
  caches.keys().then((names) => names.filter((name) => /thumbnails|answers/.test(name))),
  Object.keys(localStorage).filter((name) => /draft|person/.test(name)),
  Object.keys(sessionStorage).filter((name) => /shown/.test(name)),
]).then((kept) => kept.flat())"""
IS_KEPT = """(url) => fetch(url, { cache: 'only-if-cached', mode: 'same-origin' })
  .then((answer) => answer.ok, () => false)"""
PROMPT = "a lamp in a window"
DRAFT = "a boat that nobody has asked for yet"


@pytest.mark.long
async def test_what_was_last_seen_opens_without_a_network_until_its_person_signs_out(visitor: Page) -> None:
    email = await sign_up(visitor)
    await visitor.evaluate(CONTROLLED)
    await visitor.goto("/studio/create/image")
    prompt = visitor.get_by_label("Prompt", exact=True)
    await prompt.fill(PROMPT)
    await visitor.keyboard.press("Control+Enter")
    await expect(visitor.get_by_role("link", name="Download")).to_be_visible()
    file = await visitor.get_by_role("img", name=PROMPT).get_attribute("src")
    await visitor.wait_for_function(IS_KEPT, arg=file)
    await visitor.goto("/studio/gallery")
    thumbnail = visitor.get_by_role("list", name="Gallery").locator("img")
    await expect(thumbnail).not_to_have_js_property("naturalWidth", 0)
    await visitor.goto("/studio/create/image")
    await prompt.fill(DRAFT)

    await visitor.context.set_offline(True)
    offline = visitor.get_by_text("Offline — what runs goes on")
    await expect(offline).to_be_visible()
    await expect(visitor.get_by_text("There is no connection. What you wrote is kept.")).to_be_visible()
    await visitor.reload()
    await expect(prompt).to_have_value(DRAFT)
    await visitor.goto("/studio/gallery")
    await expect(thumbnail).not_to_have_js_property("naturalWidth", 0)
    await expect(offline).to_be_visible()

    await visitor.context.set_offline(False)
    await expect(offline).to_be_hidden()
    await visitor.get_by_role("link", name="Create").first.click()
    await expect(prompt).to_have_value(DRAFT)
    assert await visitor.evaluate(KEPT) != []

    await sign_out(visitor)
    await expect(visitor.get_by_role("heading", name="Sign in")).to_be_visible()
    assert await visitor.evaluate(KEPT) == []
    await visitor.wait_for_function(f"async (url) => !(await ({IS_KEPT})(url))", arg=file)
    await sign_in(visitor, email)
    await expect(visitor.get_by_role("button", name="Account: Ada")).to_be_visible()
    await visitor.goto("/studio/create/image")
    await expect(prompt).to_have_value("")
