import type { Job } from '@/live/jobs';

const WORDS: Record<string, string> = {
  routing: 'Choosing a provider',
  submitting: 'Sending it off',
  provider_queued: 'Waiting at the provider',
  provider_running: 'Being made',
  downloading: 'Fetching the result',
  storing: 'Keeping the result',
  settling: 'Settling the cost',
};

const ENDS: Partial<Record<Job['status'], string>> = {
  completed: 'Finished',
  failed: 'Failed',
  canceled: 'Canceled',
  expired: 'Expired',
};

/** What happens to a generation just now, in words. */
export function doing(
  job: Pick<
    Job,
    'status' | 'stage' | 'queuePosition' | 'providerQueuePosition' | 'cancelRequested' | 'resource'
  >,
): string {
  const ended = ENDS[job.status];
  if (ended) return ended;
  if (job.cancelRequested) return 'Being canceled: its provider is asked to stop';
  if (job.status === 'queued')
    return job.queuePosition === null ? 'Queued' : before(job.queuePosition, 'before it here');
  const ahead = job.providerQueuePosition;
  if (job.stage === 'provider_queued' && ahead) return before(ahead, 'before it at the provider');
  if (job.stage === 'provider_running' && job.resource?.kind === 'text') return 'Being written';
  return (job.stage && WORDS[job.stage]) ?? 'Running';
}

/** Places are told as how many go first: 0 is the next. */
function before(count: number, where: string): string {
  return count === 0 ? 'Next in the queue' : `Queued, ${count} ${where}`;
}
