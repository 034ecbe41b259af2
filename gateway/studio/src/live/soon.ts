const AT_MOST_MS = 500;

/** Once, with the next picture of the screen; a hidden page has none, but a title to keep. */
export function soon(run: () => void): void {
  const go = () => {
    cancelAnimationFrame(picture);
    clearTimeout(timer);
    run();
  };
  const picture = requestAnimationFrame(go);
  const timer = setTimeout(go, AT_MOST_MS);
}

const waiting = new Set<() => void>();

/** Now, or once when the page is seen again. */
export function whenSeen(run: () => void): void {
  if (!document.hidden) {
    run();
    return;
  }
  if (waiting.size === 0) document.addEventListener('visibilitychange', seen, { once: true });
  waiting.add(run);
}

function seen(): void {
  const runs = [...waiting];
  waiting.clear();
  for (const run of runs) run();
}
