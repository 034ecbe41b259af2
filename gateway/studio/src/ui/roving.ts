import type { KeyboardEvent } from 'react';

const STEPS: Record<string, (index: number, last: number) => number> = {
  ArrowRight: (index, last) => (index === last ? 0 : index + 1),
  ArrowDown: (index, last) => (index === last ? 0 : index + 1),
  ArrowLeft: (index, last) => (index === 0 ? last : index - 1),
  ArrowUp: (index, last) => (index === 0 ? last : index - 1),
  Home: () => 0,
  End: (_, last) => last,
};

/** Moves the focus among the elements of a group with the arrow keys; returns the one it moved to. */
export function rove(event: KeyboardEvent<HTMLElement>, selector: string): HTMLElement | null {
  const step = STEPS[event.key];
  if (!step) return null;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>(selector)];
  const now = all.indexOf(document.activeElement as HTMLElement);
  if (now < 0) return null;
  event.preventDefault();
  const next = all[step(now, all.length - 1)] ?? null;
  next?.focus();
  return next;
}
