import { onWritten } from '@/api/answers';
import type { Generation } from '@/api/client';
import { api, taken } from '@/api/client';
import { fetchGeneration } from '@/api/generations';
import type { Result } from '@/embed/protocol';
import { isOver } from '@/live/jobs';
import { live } from '@/live/live';

const mine = new Set<string>();

/** Tells of what was made here, once for each file; what other windows make is not for this page. */
export function tellResults(tell: (result: Result) => void): void {
  const finish = async (id: string) => {
    if (!mine.delete(id)) return;
    for (const result of await resultsOf(await fetchGeneration(id))) tell(result);
  };
  live.onFrame((frame, job) => {
    if (mine.has(frame.id) && isOver(job)) void finish(frame.id);
  });
  onWritten((request, response) => {
    if (!SUBMITS.test(new URL(request.url).pathname)) return;
    void response.json().then((body) => {
      for (const id of generationsIn(body)) {
        mine.add(id);
        const job = live.snapshot().jobs.get(id);
        if (job && isOver(job)) void finish(id);
      }
    });
  });
}

const SUBMITS = /\/api\/v1\/(generations(\/[^/:]+\/(rerun|retry))?|batches|compare)$/;

/** The ids of all generations that an answer has, however deep. */
export function generationsIn(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return [];
  const { object, id } = body as { object?: unknown; id?: unknown };
  if (object === 'generation' && typeof id === 'string') return [id];
  return Object.values(body).flatMap(generationsIn);
}

/** What a generation made, with addresses that the page around can show: they need no credentials for a day. */
export async function resultsOf(generation: Generation): Promise<Result[]> {
  return Promise.all(
    generation.outputs.map(async ({ n, mime, thumbnail_url }) => {
      const body = { generation_id: generation.id, n, expires_in_s: DAY_S } as never;
      const { url } = await taken(api.POST('/api/v1/links', { body }));
      const small = thumbnail_url && mime.startsWith('image/') ? `${url}&w=320` : null;
      return { id: generation.id, kind: generation.kind, url, thumbnail: small, mime, n };
    }),
  );
}

const DAY_S = 86_400;
