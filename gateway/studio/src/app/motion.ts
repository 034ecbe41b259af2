import { useSyncExternalStore } from 'react';
import { isKeptCalm, keepCalm, wearCalm } from './looks';

const watchers = new Set<() => void>();

/** Less motion where somebody chose it here; the system's wish is in the styles. */
export function startMotion(): void {
  apply(isKeptCalm());
}

export function chooseMotion(calm: boolean): void {
  keepCalm(calm);
  apply(calm);
}

export function useCalm(): boolean {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => 'calm' in document.documentElement.dataset,
  );
}

/** Whether the system or somebody here wishes for less of it. */
export function movesLess(): boolean {
  return 'calm' in document.documentElement.dataset || matchMedia('(prefers-reduced-motion: reduce)').matches;
}

function apply(calm: boolean): void {
  wearCalm(calm);
  for (const watcher of watchers) watcher();
}
