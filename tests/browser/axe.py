"""axe-core inside a page: what keeps people with disabilities out."""

from pathlib import Path

from playwright.async_api import Frame, Page

SOURCE = Path(__file__).parents[2] / "gateway" / "studio" / "node_modules" / "axe-core" / "axe.min.js"
# What lies over the rest is what there is to look at. Without axe's preload, which would copy a waveform's styles
# into a document that the page's policy keeps them out of. Only what was found leaves the page: all the rest takes
# longer to hand over than to look at. What a browser does not draw until it is scrolled to still has the colours of
# the theme before.
_RUN = """async (rules) => {
  const drawn = new CSSStyleSheet();
  drawn.replaceSync('* { content-visibility: visible !important }');
  document.adoptedStyleSheets.push(drawn);
  const over = document.querySelector('dialog[open], [popover]:popover-open, [aria-modal=true]');
  const found = await axe.run(over ?? document, {
    ...rules, resultTypes: ['violations'], preload: false, iframes: false,
  });
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)} (${nodes.length})`);
}"""
_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


async def findings(page: Page | Frame) -> list[str]:
    """Serious and critical ones, a line each: the rule, and the first element that breaks it."""
    # As the page's own policy forbids added scripts, this one comes by way of the debugger.
    await page.evaluate(SOURCE.read_text())
    found: list[str] = await page.evaluate(_RUN, {})
    return found


async def findings_of_colours(page: Page | Frame) -> list[str]:
    """What another theme may have broken since `findings`: it changes colours and nothing else."""
    found: list[str] = await page.evaluate(_RUN, _COLOURS)
    return found
