import { useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import { matches } from './chord';

export interface Shortcut {
  chord: string;
  /** What it does, for the help: "Generate". */
  label: string;
  run: (event: KeyboardEvent) => void;
  /** Also while somebody types in a field; for chords with Mod, and Escape. */
  inFields?: boolean;
}

interface Group {
  title: string;
  shortcuts: readonly Shortcut[];
}

/** Groups that are in use now; of two shortcuts for the same keys the one that came last is meant. */
let groups: readonly Group[] = [];
const watchers = new Set<() => void>();

function set(next: readonly Group[]): void {
  groups = next;
  for (const watcher of watchers) watcher();
}

/**
 * Shortcuts of a view while it is shown: `useShortcuts('Gallery', [{ chord: 'f', label: 'Favourite', run }])`.
 * `run` may be a new function at each render.
 */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const names = shortcuts.map((one) => `${one.chord} ${one.label} ${one.inFields ?? false}`).join('\n');
  // What is to be seen can be used: other effects come some time after the first paint.
  useLayoutEffect(() => {
    const stable = names.split('\n').map((_, index) => steady(latest, index));
    const group = { title, shortcuts: names === '' ? [] : stable };
    set([...groups, group]);
    return () => set(groups.filter((one) => one !== group));
  }, [title, names]);
}

function steady(latest: { current: readonly Shortcut[] }, index: number): Shortcut {
  const now = latest.current[index];
  return {
    chord: now?.chord ?? '',
    label: now?.label ?? '',
    inFields: now?.inFields ?? false,
    run: (event) => latest.current[index]?.run(event),
  };
}

export function useActiveShortcuts(): readonly Group[] {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => groups,
    () => groups,
  );
}

/** Listens to the whole page; returns what ends it. */
export function listen(): () => void {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const found = meant(event);
    if (!found) return;
    event.preventDefault();
    found.run(event);
  };
  document.addEventListener('keydown', onKeyDown);
  return () => document.removeEventListener('keydown', onKeyDown);
}

function meant(event: KeyboardEvent): Shortcut | undefined {
  const target = event.target instanceof Element ? event.target : null;
  const inField = target !== null && isField(target);
  if (document.querySelector('dialog:modal')) return undefined;
  if (event.key === 'Escape' && document.querySelector(':popover-open')) return undefined;
  const all = groups.flatMap((group) => group.shortcuts);
  return all.findLast(
    (one) => matches(one.chord, event) && (!inField || one.inFields) && !claims(target, event),
  );
}

const PRESSED = 'button, a, summary, video, audio, input[type=checkbox], input[type=radio], [role=button]';
const MOVED =
  'input[type=radio], input[type=range], [role=tab], [role=menuitem], [role=slider], [role=radio]';

/** Whether the focused element itself does something with the key. */
function claims(target: Element | null, { key }: KeyboardEvent): boolean {
  if (!target) return false;
  if (key === ' ') return target.matches(PRESSED);
  return key.startsWith('Arrow') && target.matches(MOVED);
}

function isField(target: Element): boolean {
  if (target.matches('input[type=checkbox], input[type=radio], input[type=range], input[type=button]'))
    return false;
  return target.matches('input, textarea, select') || (target as HTMLElement).isContentEditable;
}
