import { useMemo, useSyncExternalStore } from 'react';
import type { Generation } from '@/api/client';
import { fetchGeneration } from '@/api/generations';
import { keys } from '@/api/keys';
import { queryClient } from '@/api/queries';
import { DELTA, type Frame, PROGRESS } from './frame';
import { isOver, type Job, unfinished } from './jobs';
import { LiveSocket } from './socket';
import { LiveStore } from './store';

/** The tab's one live connection. */
export const live = new LiveStore();
export const socket = new LiveSocket(live);

const LISTS_AT_MOST_EVERY_MS = 1_000;
let listsDue: ReturnType<typeof setTimeout> | null = null;

live.onFrame((frame, job) => {
  const known = queryClient.getQueryData<Generation>(keys.generation(frame.id));
  if (frame.type === 'snapshot' && job.resource) {
    queryClient.setQueryData(keys.generation(frame.id), job.resource);
  } else if (known) {
    queryClient.setQueryData(keys.generation(frame.id), { ...known, ...fieldsOf(job) });
  }
  if (!isHistory(frame)) return;
  if (isOver(job) || !job.resource) void fetchWhole(frame.id);
  if (listsDue === null) listsDue = setTimeout(refreshLists, LISTS_AT_MOST_EVERY_MS);
});

function isHistory(frame: Frame): boolean {
  return frame.type !== PROGRESS && frame.type !== DELTA && frame.type !== 'snapshot';
}

function fieldsOf(job: Job): Partial<Generation> {
  return {
    seq: job.seq,
    status: job.status,
    stage: job.stage,
    progress: job.progress,
    eta_seconds: job.etaSeconds,
  };
}

/** An end brings outputs, errors and the bill, which frames do not carry. */
async function fetchWhole(id: string): Promise<void> {
  try {
    const whole = await fetchGeneration(id);
    queryClient.setQueryData(keys.generation(id), whole);
    live.learn(whole);
  } catch {
    // The next look at the generation asks again.
    void queryClient.invalidateQueries({ queryKey: keys.generation(id) });
  }
}

function refreshLists(): void {
  listsDue = null;
  void queryClient.invalidateQueries({ queryKey: [...keys.generations, 'list'] });
}

export function useJobs(): Job[] {
  const { jobs } = useSyncExternalStore(live.subscribe, live.snapshot);
  return useMemo(() => unfinished(jobs), [jobs]);
}

/** One generation as the connection knows it; undefined when it was never heard of. */
export function useJob(id: string): Job | undefined {
  return useSyncExternalStore(live.subscribe, () => live.snapshot().jobs.get(id));
}

export function useConnection() {
  return useSyncExternalStore(live.subscribe, () => live.snapshot().connection);
}
