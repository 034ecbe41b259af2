import { asProblem } from '@/api/problem';

export interface Toast {
  id: number;
  tone: 'plain' | 'good' | 'bad';
  message: string;
  /** Takes it back; without it there is nothing to undo. */
  undo?: () => void;
  /** Something that can be done about it; then the toast stays until somebody decides. */
  offer?: { label: string; run: () => void };
  /** When it goes away, in this page's milliseconds. */
  until: number;
}

export const UNDO_MS = 10_000;
const PLAIN_MS = 5_000;
const BAD_MS = 12_000;

let toasts: readonly Toast[] = [];
let lastId = 0;
const watchers = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const watcher of watchers) watcher();
}

function add(toast: Omit<Toast, 'id' | 'until'>, lastsMs: number, onGone?: () => void): number {
  const id = ++lastId;
  set([...toasts, { ...toast, id, until: Date.now() + lastsMs }]);
  if (lastsMs === Number.POSITIVE_INFINITY) return id;
  setTimeout(() => {
    if (toasts.some((one) => one.id === id)) {
      dismiss(id);
      onGone?.();
    }
  }, lastsMs);
  return id;
}

/** Says that something was done. */
export function say(message: string, tone: Toast['tone'] = 'plain'): void {
  add({ message, tone }, PLAIN_MS);
}

/** Says what went wrong, where no place in the view can. */
export function sayProblem(error: unknown): void {
  add({ message: asProblem(error).message, tone: 'bad' }, BAD_MS);
}

/** Says something that waits for a decision, which may also be to dismiss it. */
export function sayOffer(message: string, label: string, run: () => void): void {
  add({ message, tone: 'plain', offer: { label, run } }, Number.POSITIVE_INFINITY);
}

/**
 * Does `done` in ten seconds, unless somebody undoes it; closing the toast does it at once. Returns what undoes it
 * from elsewhere.
 */
export function sayUndoable(message: string, done: () => void, undone?: () => void): () => void {
  const undo = () => {
    if (!pending.delete(id)) return;
    dismiss(id);
    undone?.();
  };
  const id = add({ message, tone: 'plain', undo }, UNDO_MS, () => settle(id));
  pending.set(id, done);
  return undo;
}

const pending = new Map<number, () => void>();

function settle(id: number): void {
  const done = pending.get(id);
  pending.delete(id);
  done?.();
}

export function dismiss(id: number): void {
  set(toasts.filter((one) => one.id !== id));
}

/** Closed by hand: what waited for the countdown happens now. */
export function close(id: number): void {
  dismiss(id);
  settle(id);
}

/** A page that goes away does not forget what it promised. */
if (typeof addEventListener !== 'undefined') {
  addEventListener('pagehide', () => {
    for (const id of [...pending.keys()]) settle(id);
  });
}

export const toastStore = {
  subscribe(watcher: () => void) {
    watchers.add(watcher);
    return () => watchers.delete(watcher);
  },
  snapshot: () => toasts,
};
