import type { Job } from '@/live/jobs';

/** Why nobody works on it, and until when at least. */
export interface Wait {
  words: string;
  until: string | null;
}

const WORDS: Readonly<Record<string, string>> = {
  cooldown: 'Every provider that is left rests for now',
  limit: 'Its provider has as many jobs as it may have',
  doubt: 'The provider gave no clear answer and is asked again',
  retry: 'Something failed; it is tried again',
  paused: 'The queue is paused',
};

/** Null when it does not wait, or when what is known of that is past. */
export function waitOf(job: Pick<Job, 'seq' | 'resource'>): Wait | null {
  if (!job.resource || job.resource.seq !== job.seq) return null;
  const told = job.resource.waiting_for;
  if (!told) return null;
  return { words: WORDS[told.reason] ?? 'It waits', until: told.until };
}
