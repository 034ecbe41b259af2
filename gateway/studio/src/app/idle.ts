import { useSyncExternalStore } from 'react';

const AT_LATEST_MS = 2_000;

let isIdle = false;
let asked = false;
const watchers = new Set<() => void>();

/** True once the first view is there and the browser had nothing to do: for what nobody waits for. */
export function useIdle(): boolean {
  return useSyncExternalStore(subscribe, () => isIdle, notYet);
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  if (!asked) ask();
  return () => watchers.delete(watcher);
}

function ask(): void {
  asked = true;
  const tell = () => {
    isIdle = true;
    for (const watcher of watchers) watcher();
  };
  // Not every browser says when it is idle.
  if ('requestIdleCallback' in window) requestIdleCallback(tell, { timeout: AT_LATEST_MS });
  else setTimeout(tell, AT_LATEST_MS / 4);
}

function notYet(): boolean {
  return false;
}
