"""`make screenshots`: every view of the studio, light and dark, wide and narrow, into a folder to look through."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, ViewportSize
from rich.console import Console

from tests.browser.alone import stack_alone
from tests.browser.browsers import open_browser
from tests.browser.editor import editor, open_studio
from tests.browser.sights import arrange
from tests.browser.stack import Stack
from tests.browser.trouble import refused, trouble
from tests.browser.views import View, alerted, door, empty, show, states, views

FOLDER = Path(".penstock") / "screenshots"
WIDTHS: Mapping[str, ViewportSize] = {
    "wide": {"width": 1440, "height": 900},
    "narrow": {"width": 360, "height": 740},
}
ALL = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]
# Of what differs from a view by little.
FEW = [("wide", "light"), ("narrow", "dark")]


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
                await show(page, view)
                await page.screenshot(path=FOLDER / f"{view.name}-{width}-{scheme}.png")
                await page.close()
                self.pictures += 1
            await window.close()

    async def take_embedded(self, stack: Stack) -> None:
        """The studio in a page of another site."""
        if self.wanted and "embed" not in self.wanted:
            return
        async with editor(stack):
            for width, scheme in FEW:
                window = await self._window(stack.friend, width, scheme)
                page = await window.new_page()
                await open_studio(page, stack.friend)
                await page.screenshot(path=FOLDER / f"embed-{width}-{scheme}.png")
                self.pictures += 1
                await window.close()

    async def _window(self, url: str, width: str, scheme: str) -> BrowserContext:
        return await self.browser.new_context(
            base_url=url,
            viewport=WIDTHS[width],
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            device_scale_factor=1,
        )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
