"""When a view is all there: to look at, to measure, to take a picture of."""

from playwright.async_api import Frame, Page

_SETTLED = """() => {
  const has = (what) => document.querySelector(what) !== null;
  const ends = (animation) => animation.effect?.getComputedTiming().iterations !== Infinity;
  const moves = document.getAnimations().some((one) => one.playState === 'running' && ends(one));
  const box = (one) => one.getBoundingClientRect();
  const seen = (one) => box(one).bottom > 0 && box(one).top < innerHeight;
  const loads = [...document.images].some((one) => !one.complete && (one.loading !== 'lazy' || seen(one)));
  const comes = has('#root[inert], main [class*="skeleton"], [aria-busy="true"]');
  return has('main h1') && !comes && !loads && !moves;
}"""


async def settled(page: Page | Frame) -> None:
    """Returns when the view has its content, answers and moves no more. Raises TimeoutError."""
    await page.wait_for_function(_SETTLED)
