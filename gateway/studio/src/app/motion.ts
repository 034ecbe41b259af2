import { useSyncExternalStore } from 'react';

const KEPT = 'penstock-calm';
const watchers = new Set<() => void>();

/** Before the first paint: less motion where somebody chose it here; the system's wish is in the styles. */
export function startMotion(): void {
  apply(localStorage.getItem(KEPT) === 'yes');
}

export function chooseMotion(calm: boolean): void {
  if (calm) localStorage.setItem(KEPT, 'yes');
  else localStorage.removeItem(KEPT);
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
  if (calm) document.documentElement.dataset.calm = '';
  else delete document.documentElement.dataset.calm;
  for (const watcher of watchers) watcher();
}
