"""A page of another site that has nothing but the studio, at the address of the stack's friend."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from aiohttp import web
from playwright.async_api import Frame, Page

from tests.browser.stack import Stack


@asynccontextmanager
async def editor(stack: Stack) -> AsyncIterator[None]:
    page = (
        '<!doctype html><html lang="en"><title>Editor</title><link rel="icon" href="data:,">'
        f"<script src='{stack.url}/studio/embed.js'></script><h1>Editor</h1>"
    )

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", urlsplit(stack.friend).port).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def open_studio(page: Page, friend: str) -> Frame:
    """Opens it in that page; its frame, once one can generate there."""
    await page.goto(friend)
    await page.evaluate("creativeStudio.show()")
    await page.frame_locator("iframe").get_by_role("button", name="Generate").wait_for()
    return page.frames[-1]
