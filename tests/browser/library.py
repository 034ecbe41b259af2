"""Goal U20: how soon the gallery's first page is painted, among 10,000 pictures, in a browser."""

import statistics
from dataclasses import dataclass

from playwright.async_api import Browser, Page

from tests.browser.conftest import WIDE
from tests.browser.stack import Stack

ROWS = 10_000
LOOKS = 7
MOST_MS = 500

# Copies of what is there, each an asset of its own that shows a file which exists.
_FILL = """
INSERT INTO assets (id, user_id, type, kind, name, file_url, thumbnail_url, file_size_bytes, file_format, mime, sha256,
    width, height, generation_id, output_n, model, provider, provider_model, prompt, seed, created_at)
SELECT uuidv7(- (n * interval '10 seconds')), a.user_id, a.type, a.kind, a.name, a.file_url, a.thumbnail_url,
    a.file_size_bytes, a.file_format, a.mime, a.sha256, a.width, a.height, gen_random_uuid(), 0, a.model, a.provider,
    a.provider_model, a.prompt || ', take ' || n, n, now() - n * interval '10 seconds'
FROM generate_series(1, $1::int) AS n
JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS all_there FROM assets
      WHERE type = 'image' AND thumbnail_url IS NOT NULL) AS a ON a.place = n % a.all_there
"""
# The page looks at each frame whether what is in sight is painted; the next one shows it. A page that was rendered
# ahead shows the pictures before the application is there.
_PAINTED = """() => new Promise((done) => {
  const inSight = (place) => {
    const seen = [...document.querySelectorAll(place)].filter((picture) => {
      const { top, bottom } = picture.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    });
    return seen.length > 3 && seen.every((one) => one.complete && one.naturalWidth > 0);
  };
  let pictures = null;
  const look = () => {
    const isUsable = inSight('[aria-label="Gallery"] img');
    const isPainted = isUsable || inSight('#root[inert] li img');
    if (isPainted && pictures === null) requestAnimationFrame(() => (pictures = performance.now()));
    if (isUsable) requestAnimationFrame(() => done([pictures, performance.now()]));
    else requestAnimationFrame(look);
  };
  look();
})"""


@dataclass(frozen=True, slots=True)
class Look:
    """Medians in milliseconds, from the navigation's start."""

    cold_ms: float
    """The pictures of the first page are painted; nothing is in the browser's caches."""
    cold_usable_ms: float
    """And can be chosen."""
    warm_ms: float
    """Files, thumbnails and code are cached; what is in the gallery is asked for again."""
    warm_usable_ms: float
    within_ms: float
    """From another view of the studio, by a click."""


async def measure(browser: Browser, stack: Stack) -> Look:
    await stack.db.execute(_FILL, ROWS)
    await stack.db.execute("ANALYZE assets")
    await _cold(browser, stack)
    cold = [await _cold(browser, stack) for _ in range(LOOKS)]
    window = await browser.new_context(base_url=stack.url, viewport=WIDE)
    page = await window.new_page()
    await _opened(page)
    warm = [await _opened(page) for _ in range(LOOKS)]
    within = [await _within_ms(page) for _ in range(LOOKS)]
    await window.close()
    return Look(*_medians(cold), *_medians(warm), statistics.median(within))


def _medians(looks: list[tuple[float, float]]) -> tuple[float, float]:
    painted, usable = zip(*looks, strict=True)
    return statistics.median(painted), statistics.median(usable)


async def _cold(browser: Browser, stack: Stack) -> tuple[float, float]:
    window = await browser.new_context(base_url=stack.url, viewport=WIDE)
    taken = await _opened(await window.new_page())
    await window.close()
    return taken


async def _opened(page: Page) -> tuple[float, float]:
    """When the pictures are painted, and when they can be chosen; `performance.now()` counts from the start."""
    await page.goto("/studio/gallery", wait_until="commit")
    painted, usable = await page.evaluate(_PAINTED)
    return painted, usable


async def _within_ms(page: Page) -> float:
    await page.goto("/studio/jobs")
    await page.get_by_role("heading", name="Jobs").wait_for()
    await page.evaluate("document.querySelector('a[href$=\"/studio/gallery\"]').focus()")
    begun: float = await page.evaluate("performance.now()")
    await page.keyboard.press("Enter")
    _, ended = await page.evaluate(_PAINTED)
    return float(ended) - begun
