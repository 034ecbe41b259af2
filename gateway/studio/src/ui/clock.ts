import { useSyncExternalStore } from 'react';

const EVERY_MS = 1_000;

const watchers = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  if (document.hidden) return;
  now = Date.now();
  for (const watcher of watchers) watcher();
}

/** One clock for everything that counts seconds; it stands still while nobody looks. */
function subscribe(watcher: () => void): () => void {
  if (watchers.size === 0) {
    timer = setInterval(tick, EVERY_MS);
    document.addEventListener('visibilitychange', tick);
    now = Date.now();
  }
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    document.removeEventListener('visibilitychange', tick);
  };
}

/** This page's milliseconds, renewed each second. */
export function useTick(): number {
  return useSyncExternalStore(subscribe, () => now);
}
