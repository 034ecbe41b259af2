import { useSyncExternalStore } from 'react';
import { darkSystem, keepTheme, keptTheme, type ThemeChoice, wearTheme } from './looks';

const watchers = new Set<() => void>();
let choice: ThemeChoice = 'system';

/** Puts the kept choice on the page and follows the system's. */
export function startTheme(): void {
  choice = keptTheme();
  darkSystem().addEventListener('change', apply);
  apply();
}

export function chooseTheme(next: ThemeChoice): void {
  choice = next;
  keepTheme(next);
  apply();
}

export function useTheme(): ThemeChoice {
  return useSyncExternalStore(
    watch,
    () => choice,
    () => choice,
  );
}

/** What is painted, whoever chose it: for canvases, which do not follow the tokens by themselves. */
export function usePainted(): string | undefined {
  return useSyncExternalStore(
    watch,
    () => document.documentElement.dataset.theme,
    () => undefined,
  );
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function apply(): void {
  wearTheme(choice);
  for (const watcher of watchers) watcher();
}
