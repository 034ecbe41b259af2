import { useSyncExternalStore } from 'react';
import { ago, length } from './time';

const EVERY_MS = 30_000;
let now = Date.now();

/** One clock for all times of the page. */
function subscribe(watcher: () => void): () => void {
  const timer = setInterval(() => {
    now = Date.now();
    watcher();
  }, EVERY_MS);
  return () => clearInterval(timer);
}

/** When it was, relative to now; exact on hover. */
export function Time({ at }: { at: string }) {
  const shown = useSyncExternalStore(subscribe, () => now);
  return (
    <time dateTime={at} title={new Date(at).toLocaleString('en', { dateStyle: 'full', timeStyle: 'medium' })}>
      {ago(at, Math.max(shown, Date.now() - EVERY_MS))}
    </time>
  );
}

/** How long it takes, or is. */
export function Duration({ seconds }: { seconds: number }) {
  return (
    <time dateTime={`PT${seconds.toFixed(1)}S`} style={{ fontVariantNumeric: 'tabular-nums' }}>
      {length(seconds)}
    </time>
  );
}
