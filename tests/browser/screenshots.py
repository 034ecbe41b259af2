"""`make screenshots`: every view of the studio, light and dark, wide and narrow, into a folder to look through."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize
from rich.console import Console

from tests.browser.alone import stack_alone
from tests.browser.browsers import open_browser
from tests.browser.settled import settled
from tests.browser.sights import arrange
from tests.browser.stack import Stack
from tests.browser.trouble import refused, trouble

FOLDER = Path(".penstock") / "screenshots"
WIDTHS: Mapping[str, ViewportSize] = {
    "wide": {"width": 1440, "height": 900},
    "narrow": {"width": 360, "height": 740},
}
ALL = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]
# Of what differs from a view by little.
FEW = [("wide", "light"), ("narrow", "dark")]


@dataclass(frozen=True, slots=True)
class View:
    """What `press` names is pressed, one after another; `field: words` types words, a single letter is a key.

    `#name` brings a region into sight.
    """

    name: str
    path: str
    press: Sequence[str] = ()


def views(ids: Sequence[str]) -> list[View]:
    """All that has an address. The first id is a picture's, the ninth a voice's, the eleventh music's."""
    return [
        *(View(f"create-{kind}", f"/studio/create/{kind}")
          for kind in ("image", "audio", "music", "video", "upscale", "text")),
        View("jobs", "/studio/jobs"),
        View("gallery", "/studio/gallery"),
        View("history", "/studio/history"),
        View("favourites", "/studio/favourites"),
        View("generation-image", f"/studio/generations/{ids[0]}"),
        View("generation-audio", f"/studio/generations/{ids[8]}"),
        View("generation-music", f"/studio/generations/{ids[10]}"),
        View("generation-text", f"/studio/generations/{ids[12]}"),
        View("compare", f"/studio/compare?a={ids[0]}&b={ids[1]}"),
        View("projects", "/studio/projects"),
        View("analytics", "/studio/analytics"),
        *(View(f"settings-{tab}", f"/studio/settings/{tab}")
          for tab in ("api-keys", "providers", "budgets", "webhooks", "profile", "sessions", "appearance",
                      "storage", "people")),
        View("login", "/studio/login"),
        View("signup", "/studio/signup"),
        *(View(f"ops-{tab}", f"/ops/{tab}")
          for tab in ("queues", "workers", "providers", "jobs", "failures", "audit", "system")),
        View("ops-job", f"/ops/jobs/{ids[0]}"),
    ]  # fmt: skip


def empty() -> list[View]:
    """Where somebody is who has made nothing yet."""
    return [
        View("create-empty", "/studio/create/image"),
        *(View(f"{name}-empty", f"/studio/{name}")
          for name in ("jobs", "gallery", "history", "favourites", "trash", "projects", "analytics")),
        View("compare-empty", "/studio/compare"),
        *(View(f"settings-{tab}-empty", f"/studio/settings/{tab}") for tab in ("api-keys", "budgets", "webhooks")),
        View("ops-queues-empty", "/ops/queues"),
        View("ops-jobs-empty", "/ops/jobs"),
    ]  # fmt: skip


def door() -> list[View]:
    """Of an installation where everybody signs in."""
    return [
        View("login-required", "/studio/login"),
        View(
            "login-refused", "/studio/login", ("E-mail address: a@example.org", "Password: wrong", "Sign in")
        ),
        View("signup-required", "/studio/signup"),
        View("signup-refused", "/studio/signup", ("Make the account",)),
    ]


def states(first: Sequence[str], ids: Mapping[str, str]) -> list[View]:
    """What views are like when something is asked of them, or went wrong."""
    create, settings, projects = "/studio/create", "/studio/settings", "/studio/projects"
    return [
        View("create-shown-image", f"{create}/image?show={first[0]}", ("#Preview",)),
        View("create-shown-long", f"{create}/image?show={ids['long']}", ("#Preview",)),
        View("create-shown-audio", f"{create}/audio?show={first[8]}", ("#Preview",)),
        View("create-shown-music", f"{create}/music?show={first[10]}", ("#Preview",)),
        View("create-shown-text", f"{create}/text?show={first[12]}", ("#Preview",)),
        View("create-shown-video", f"{create}/video?show={first[13]}", ("#Preview",)),
        View("create-running", f"{create}/image?show={ids['running']}", ("#Preview",)),
        View("create-waiting", f"{create}/video?show={ids['waiting']}", ("#Preview",)),
        View("create-failed", f"{create}/image?show={ids['failed']}", ("#Preview",)),
        View("create-gallery", f"{create}/image?panel=gallery", ("#Preview",)),
        View("create-history", f"{create}/image?panel=history", ("#Preview",)),
        View("create-models", f"{create}/image", ("Model",)),
        View("create-settings", f"{create}/image", ("Settings of this form",)),
        View("jobs-running", "/studio/jobs"),
        View("generation-failed", f"/studio/generations/{ids['failed']}"),
        View("generation-long", f"/studio/generations/{ids['long']}"),
        View("generation-running", f"/studio/generations/{ids['running']}"),
        View("history-all", "/studio/history"),
        View("compare-sounds", f"/studio/compare?a={first[8]}&b={first[9]}"),
        View("projects-long", projects),
        *(View(f"project-{tab}", f"{projects}/{ids['project']}/{tab}")
          for tab in ("assets", "generate", "analytics")),
        View("dialog-project", projects, ("New project",)),
        View("dialog-project-discard", projects, ("New project", "Name: Half a name", "Close")),
        View("dialog-key", f"{settings}/api-keys", ("New key",)),
        View("dialog-provider-key", f"{settings}/providers", ("Add a key",)),
        View("dialog-budget", f"{settings}/budgets", ("New budget",)),
        View("dialog-endpoint", f"{settings}/webhooks", ("New endpoint",)),
        View("settings-api-keys-some", f"{settings}/api-keys"),
        View("settings-webhooks-some", f"{settings}/webhooks"),
        View("ops-queues-paused", "/ops/queues"),
        View("ops-failures-some", "/ops/failures"),
        View("ops-jobs-some", "/ops/jobs"),
        View("ops-job-failed", f"/ops/jobs/{ids['failed']}"),
        View("dialog-pause", "/ops/queues", ("Pause Text",)),
        View("dialog-retry-all", "/ops/failures", ("Retry all",)),
        View("keyboard", "/studio/gallery", ("?",)),
        View("not-found", "/studio/nowhere"),
    ]  # fmt: skip


def alerted() -> list[View]:
    return [
        View("budget-alert", "/studio/create/image"),
        View("settings-budgets-alert", "/studio/settings/budgets"),
    ]


async def main(wanted: Sequence[str]) -> None:
    """`wanted` are beginnings of views' names; all of them when there are none."""
    async with stack_alone() as stack, open_browser() as browser:
        FOLDER.mkdir(parents=True, exist_ok=True)
        album = Album(browser, wanted)
        await album.take(stack.url, empty(), FEW)
        first = await arrange(stack)
        await album.take(stack.url, views(first))
        url, gateway = await stack.another_gateway(AUTH_MODE="required")
        await album.take(url, door())
        await gateway.stop()
        await album.take_embedded(stack)
        ids = await trouble(stack)
        await album.take(stack.url, states(first, ids), FEW)
        await refused(stack, ids["project"])
        await album.take(stack.url, alerted(), FEW)
    Console().print(f"{album.pictures} pictures in {FOLDER}")


@dataclass(slots=True)
class Album:
    browser: Browser
    wanted: Sequence[str]
    pictures: int = 0

    async def take(self, url: str, found: Sequence[View], looks: Sequence[tuple[str, str]] = ALL) -> None:
        chosen = [view for view in found if not self.wanted or view.name.startswith(tuple(self.wanted))]
        for width, scheme in looks if chosen else ():
            window = await self._window(url, width, scheme)
            for view in chosen:
                page = await window.new_page()
                await _photograph(page, view, FOLDER / f"{view.name}-{width}-{scheme}.png")
                await page.close()
                self.pictures += 1
            await window.close()

    async def take_embedded(self, stack: Stack) -> None:
        """The studio in a page of another site."""
        if self.wanted and "embed" not in self.wanted:
            return
        runner = await _editor(stack)
        for width, scheme in FEW:
            window = await self._window(stack.friend, width, scheme)
            page = await window.new_page()
            await page.goto("/")
            await page.evaluate("creativeStudio.show()")
            await page.frame_locator("iframe").get_by_role("button", name="Generate").wait_for()
            await page.screenshot(path=FOLDER / f"embed-{width}-{scheme}.png")
            self.pictures += 1
            await window.close()
        await runner.cleanup()

    async def _window(self, url: str, width: str, scheme: str) -> BrowserContext:
        return await self.browser.new_context(
            base_url=url,
            viewport=WIDTHS[width],
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            device_scale_factor=1,
        )


async def _editor(stack: Stack) -> web.AppRunner:
    """Serves a page at the friend's address that has nothing but the studio."""
    page = f"<!doctype html><title>Editor</title><script src='{stack.url}/studio/embed.js'></script>"

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text=page, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "localhost", urlsplit(stack.friend).port).start()
    return runner


async def _photograph(page: Page, view: View, file: Path) -> None:
    await page.goto(view.path)
    await settled(page)
    for words in view.press:
        await _press(page, words)
    if view.press:
        await settled(page)
    await page.screenshot(path=file)


async def _press(page: Page, words: str) -> None:
    field, _, text = words.partition(": ")
    if text:
        await page.get_by_label(field, exact=True).first.fill(text)
    elif words.startswith("#"):
        await page.get_by_role("region", name=words[1:]).evaluate("(region) => region.scrollIntoView()")
    elif len(words) == 1:
        await page.keyboard.press(words)
    else:
        await page.get_by_role("button", name=words).first.click()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
