import { useSyncExternalStore } from 'react';

const EVERY_MS = 1_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(tick, EVERY_MS);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick(): void {
  now = Date.now();
  for (const watcher of watchers) watcher();
}

/** The time by the second, from one clock for the whole page. */
export function useNow(): number {
  const shown = useSyncExternalStore(subscribe, () => now);
  return Math.max(shown, Date.now() - EVERY_MS);
}
