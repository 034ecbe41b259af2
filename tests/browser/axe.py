"""axe-core inside a page: what keeps people with disabilities out."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

SOURCE = Path(__file__).parents[2] / "gateway" / "studio" / "node_modules" / "axe-core" / "axe.min.js"
# Without its preload, which would copy a waveform's styles into a document that the page's policy keeps them out of.
_RUN = "axe.run(document, { resultTypes: ['violations'], preload: false })"
SEVERE = frozenset({"serious", "critical"})


async def findings(page: Page) -> list[str]:
    """Serious and critical ones, a line each: the rule, and the first element that breaks it."""
    # As the page's own policy forbids added scripts, this one comes by way of the debugger.
    await page.evaluate(SOURCE.read_text())
    found: dict[str, Any] = await page.evaluate(_RUN)
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:160]} ({len(violation['nodes'])})"
        for violation in found["violations"]
        if violation["impact"] in SEVERE
    ]
