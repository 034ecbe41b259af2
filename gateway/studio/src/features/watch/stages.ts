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
  canceled: 'Cancelled',
  expired: 'Expired',
};

/** What happens to a generation just now, in words. */
export function doing(
  job: Pick<Job, 'status' | 'stage' | 'queuePosition' | 'providerQueuePosition'>,
): string {
  const ended = ENDS[job.status];
  if (ended) return ended;
  if (job.status === 'queued')
    return job.queuePosition ? `Number ${job.queuePosition} in the queue` : 'Queued';
  const ahead = job.providerQueuePosition;
  if (job.stage === 'provider_queued' && ahead) return `Number ${ahead} at the provider`;
  return (job.stage && WORDS[job.stage]) ?? 'Running';
}
