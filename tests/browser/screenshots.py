"""`make screenshots`: every view of the studio, light and dark, wide and narrow, into a folder to look through."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, ViewportSize
from rich.console import Console

from tests.browser.alone import stack_alone
from tests.browser.browsers import open_browser
from tests.browser.settled import settled
from tests.browser.sights import arrange
from tests.browser.stack import Stack

FOLDER = Path(".penstock") / "screenshots"
WIDTHS: Mapping[str, ViewportSize] = {
    "wide": {"width": 1440, "height": 900},
    "narrow": {"width": 360, "height": 740},
}
SCHEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class View:
    name: str
    path: str


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


async def main(wanted: Sequence[str]) -> None:
    """`wanted` are beginnings of views' names; all of them when there are none."""
    async with stack_alone() as stack, open_browser() as browser:
        found = views(await arrange(stack))
        chosen = [view for view in found if not wanted or view.name.startswith(tuple(wanted))]
        FOLDER.mkdir(parents=True, exist_ok=True)
        for scheme in SCHEMES:
            for width, viewport in WIDTHS.items():
                await _photograph(browser, stack, chosen, scheme, width, viewport)
    Console().print(f"{len(chosen) * len(SCHEMES) * len(WIDTHS)} pictures in {FOLDER}")


async def _photograph(
    browser: Browser, stack: Stack, chosen: Sequence[View], scheme: str, width: str, viewport: ViewportSize
) -> None:
    window = await browser.new_context(
        base_url=stack.url,
        viewport=viewport,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        device_scale_factor=1,
    )
    page = await window.new_page()
    for view in chosen:
        await page.goto(view.path)
        await settled(page)
        await page.screenshot(path=FOLDER / f"{view.name}-{width}-{scheme}.png")
    await window.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
