import { useLayoutEffect } from 'react';

/**
 * Puts what is open in the top layer where its opener is, and again whenever that may be elsewhere: the window was
 * made narrow, the phone turned, the page scrolled.
 */
export function useAnchored(open: boolean, place: () => void): void {
  useLayoutEffect(() => {
    if (!open) return;
    place();
    const stop = new AbortController();
    addEventListener('resize', place, { signal: stop.signal });
    addEventListener('scroll', place, { capture: true, passive: true, signal: stop.signal });
    return () => stop.abort();
  });
}
