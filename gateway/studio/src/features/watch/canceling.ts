import { useSyncExternalStore } from 'react';
import { cancel, cancelAll } from '@/api/generations';
import { isOver, type Job } from '@/live/jobs';
import { live } from '@/live/live';
import { say, sayProblem, sayUndoable } from '@/ui/toasts';

/**
 * What is about to be canceled. A cancel cannot be taken back once a provider has heard of it, so it is held back
 * for the ten seconds in which somebody may undo it.
 */
let pending: ReadonlyMap<string, () => void> = new Map();
const watchers = new Set<() => void>();

function set(next: ReadonlyMap<string, () => void>): void {
  pending = next;
  for (const watcher of watchers) watcher();
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Cancels in ten seconds, or when the page goes away, unless it is undone. */
export function cancelSoon(ids: readonly string[]): void {
  const message = ids.length === 1 ? 'Canceling the job' : `Canceling ${ids.length} jobs`;
  const undo = sayUndoable(
    message,
    () => void cancelNow(ids),
    () => release(ids),
  );
  set(new Map([...pending, ...ids.map((id) => [id, undo] as const)]));
}

async function cancelNow(ids: readonly string[]): Promise<void> {
  const going = ids.filter((id) => !isOverNow(id));
  const [only] = going;
  try {
    if (going.length === 1 && only !== undefined) await cancel(only);
    else if (going.length > 1) await cancelAll(going);
    else say('Nothing was left to cancel: all of it had ended');
  } catch (error) {
    sayProblem(error);
  } finally {
    release(ids);
  }
}

function isOverNow(id: string): boolean {
  const job = live.snapshot().jobs.get(id);
  return job !== undefined && isOver(job);
}

function release(ids: readonly string[]): void {
  const gone = new Set(ids);
  set(new Map([...pending].filter(([id]) => !gone.has(id))));
}

/** What takes its cancel back, while that is possible. */
export function useUndo(id: string): (() => void) | undefined {
  return useSyncExternalStore(subscribe, () => pending.get(id));
}

export function useCanceling(): ReadonlyMap<string, () => void> {
  return useSyncExternalStore(subscribe, all, all);
}

function all(): ReadonlyMap<string, () => void> {
  return pending;
}

/** Those that nobody is about to cancel. */
export function kept(jobs: readonly Job[], canceling: ReadonlyMap<string, unknown>): Job[] {
  return jobs.filter((job) => !canceling.has(job.id) && !job.cancelRequested);
}
