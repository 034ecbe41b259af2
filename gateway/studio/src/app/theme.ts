import { useSyncExternalStore } from 'react';

export type ThemeChoice = 'system' | 'light' | 'dark';

const KEPT = 'penstock-theme';
const watchers = new Set<() => void>();
let choice: ThemeChoice = 'system';

/** Before the first paint: puts the kept choice on the page and follows the system's. */
export function startTheme(): void {
  const kept = localStorage.getItem(KEPT);
  choice = kept === 'light' || kept === 'dark' ? kept : 'system';
  darkSystem().addEventListener('change', apply);
  apply();
}

export function chooseTheme(next: ThemeChoice): void {
  choice = next;
  if (next === 'system') localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, next);
  apply();
}

export function useTheme(): ThemeChoice {
  return useSyncExternalStore(watch, () => choice);
}

/** What is painted, whoever chose it: for canvases, which do not follow the tokens by themselves. */
export function usePainted(): string | undefined {
  return useSyncExternalStore(watch, () => document.documentElement.dataset.theme);
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function apply(): void {
  const dark = choice === 'dark' || (choice === 'system' && darkSystem().matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  for (const watcher of watchers) watcher();
}

function darkSystem(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)');
}
