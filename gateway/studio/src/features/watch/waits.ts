import type { Job } from '@/live/jobs';

/** Why nobody works on it, and until when at least. */
export interface Wait {
  words: string;
  until: string | null;
}

/** The reason, and what leads to the time where one is known. */
const WORDS: Readonly<Record<string, readonly [string, string]>> = {
  cooldown: ['Every provider that is left rests', 'until'],
  limit: ['Its provider has as many jobs as it may have', 'at least until'],
  doubt: ['The provider gave no clear answer and is asked again', 'at'],
  retry: ['Something failed; it is tried again', 'at'],
  paused: ['The queue is paused', 'until'],
};
const UNNAMED = ['It waits', 'until'] as const;

/** Null when it does not wait, or when what is known of that is past. */
export function waitOf(job: Pick<Job, 'seq' | 'resource'>): Wait | null {
  if (!job.resource || job.resource.seq !== job.seq) return null;
  const told = job.resource.waiting_for;
  if (!told) return null;
  const [words, until] = WORDS[told.reason] ?? UNNAMED;
  return { words: told.until ? `${words} ${until}` : words, until: told.until };
}

/** How far its bar is; null is a bar that moves by itself, which that of a job on which nobody works does not. */
export function barOf(job: Pick<Job, 'seq' | 'resource' | 'progress' | 'cancelRequested'>): number | null {
  return job.cancelRequested || waitOf(job) ? (job.progress ?? 0) : job.progress;
}
