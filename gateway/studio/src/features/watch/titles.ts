import type { Job } from '@/live/jobs';

const NAMELESS: Readonly<Record<string, string>> = {
  image: 'A picture',
  audio: 'A voice',
  music: 'A piece of music',
  video: 'A video',
  upscale: 'An enlarged picture',
  text: 'A text',
};

/** What a job is called: what was asked for, in words. */
export function titleOf({ resource }: Pick<Job, 'resource'>): string {
  const { prompt, text } = (resource?.input ?? {}) as Record<string, unknown>;
  const said = typeof prompt === 'string' && prompt ? prompt : text;
  if (typeof said === 'string' && said) return said;
  return NAMELESS[resource?.kind ?? ''] ?? 'A new job';
}
