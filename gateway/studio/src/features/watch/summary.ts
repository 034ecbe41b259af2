import { type Job, overall } from '@/live/jobs';
import { barOf } from './waits';

export interface Summary {
  words: string;
  progress: number | null;
  /** Of the bar, which stands still while nobody works on any of it. */
  bar: number | null;
  /** The one that takes longest, of those that are expected to end; null when nothing is known. */
  last: Job | null;
}

/** All that is unfinished in one line. */
export function summaryOf(jobs: readonly Job[]): Summary {
  const running = jobs.filter((job) => job.status === 'running').length;
  const queued = jobs.length - running;
  const parts = [running > 0 && `${running} running`, queued > 0 && `${queued} queued`].filter(Boolean);
  const timed = jobs.filter((job) => job.etaSeconds !== null);
  const last = timed.toSorted((a, b) => endOf(b) - endOf(a))[0] ?? null;
  const progress = overall(jobs);
  const bar = progress ?? (jobs.every((job) => barOf(job) !== null) ? 0 : null);
  return { words: parts.join(', '), progress, bar, last };
}

function endOf(job: Job): number {
  return job.etaAt + (job.etaP90Seconds ?? job.etaSeconds ?? 0) * 1000;
}
