import { useQuery } from '@tanstack/react-query';
import { useMemo, useSyncExternalStore } from 'react';
import type { Generation } from '@/api/client';
import { recentlyEndedQuery } from '@/api/generations';
import { isOver, type Job, type Jobs } from '@/live/jobs';
import { live } from '@/live/live';

const SHOWN = 20;

/** What ended last, newest first: as the gateway lists it, and at once what this page has seen end. */
export function useRecent() {
  const query = useQuery(recentlyEndedQuery(SHOWN));
  const known = () => live.snapshot().jobs;
  const jobs = useSyncExternalStore(live.subscribe, known, known);
  const items = useMemo(() => merged(query.data ?? [], jobs), [query.data, jobs]);
  return { ...query, items };
}

export function merged(listed: readonly Generation[], jobs: Jobs): Generation[] {
  const all = new Map(listed.map((one) => [one.id, one]));
  for (const job of jobs.values()) {
    const known = all.get(job.id);
    const seen = endOf(job);
    if (seen && (!known || known.seq < seen.seq)) all.set(job.id, seen);
  }
  return [...all.values()].sort((a, b) => (at(a) < at(b) ? 1 : -1)).slice(0, SHOWN);
}

/** What is known of one that has ended; all of it comes a moment later. */
function endOf(job: Job): Generation | null {
  if (!isOver(job) || !job.resource) return null;
  if (job.resource.seq === job.seq) return job.resource;
  const completed_at = job.resource.completed_at ?? new Date(job.heardAt).toISOString();
  return { ...job.resource, seq: job.seq, status: job.status, completed_at };
}

function at(generation: Generation): string {
  return generation.completed_at ?? generation.created_at;
}
