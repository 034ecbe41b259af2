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

let waiting: (() => void) | null = null;

/** Now, or when the page is seen again; of several that wait, the last. */
export function whenSeen(run: () => void): void {
  if (!document.hidden) {
    run();
    return;
  }
  if (waiting === null) document.addEventListener('visibilitychange', seen, { once: true });
  waiting = run;
}

function seen(): void {
  const run = waiting;
  waiting = null;
  run?.();
}
