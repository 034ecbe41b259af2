"""The studio at `https://host/penstock`: whatever a browser asks for there has the path."""

import pytest
from playwright.async_api import Browser, WebSocket, expect

from tests.browser.conftest import listen
from tests.browser.proxy import PATH, stripping_proxy
from tests.browser.stack import Stack, free_port

FETCH = """async ([path, body]) => {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  return [answer.status, await answer.json()];
}"""
WIDTH = """(url) => new Promise((done, failed) => {
  const picture = new Image();
  picture.onload = () => done(picture.naturalWidth);
  picture.onerror = failed;
  picture.src = url;
})"""


@pytest.mark.long
async def test_everything_works_below_a_path(browser: Browser, stack: Stack, complaints: list[str]) -> None:
    port = free_port()
    own = f"http://127.0.0.1:{port}{PATH}"
    async with stripping_proxy(port) as proxy:
        proxy.target, gateway = await stack.another_gateway(
            AUTH_MODE="required", SIGNUP="open", PUBLIC_BASE_URL=own
        )
        window = await browser.new_context()
        try:
            page = await window.new_page()
            listen(page, complaints)
            sockets: list[str] = []

            def note(socket: WebSocket) -> None:
                sockets.append(socket.url)

            page.on("websocket", note)
            await page.goto(f"{own}/docs")
            await page.get_by_label("Find").fill("cancel")
            operations = page.get_by_role("navigation", name="Operations")
            await expect(operations.get_by_role("link").first).to_be_visible()

            person = {"email": "below@a.path", "password": "a long enough one", "name": "Below"}
            status, _ = await page.evaluate(FETCH, [f"{PATH}/api/auth/signup", person])
            assert status in {200, 201}
            await page.goto(f"{own}/studio")
            await expect(page.get_by_role("tab", name="Images")).to_be_visible()
            assert page.url.startswith(f"{own}/studio/create/image")
            await page.evaluate("navigator.serviceWorker.ready")
            scope = await page.evaluate("navigator.serviceWorker.ready.then((one) => one.scope)")
            assert scope == f"{own}/studio"
            assert sockets == [f"ws://127.0.0.1:{port}{PATH}/api/v1/ws"]

            asked = {"prompt": "A gate in a hedge"}
            status, made = await page.evaluate(FETCH, [f"{PATH}/api/creative-image", asked])
            assert status == 200
            assert await page.evaluate(WIDTH, made["url"]) > 0
            output = f"{PATH}/api/v1/generations/{made['metadata']['generationId']}/outputs/0?w=320"
            assert await page.evaluate(WIDTH, output) > 0
            embed = await page.request.get(f"{own}/studio/embed.js")
            assert embed.ok
            assert proxy.strays == []
            assert complaints == []
        finally:
            await window.close()
            await gateway.stop()
